"""Old versions turned into the newest while reading; the only place that knows how."""

import re

from contracts.events import TaskCreatedV1, TaskCreatedV2

# `[POPUG-123] - title`: hyphen or any dash, odd spaces, any case, or no separator at all.
# Digits are ASCII (`\d` would take any script's); the lengths keep the id within JiraId.
DASHES = r"\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
JIRA_PREFIX = re.compile(
    rf"^\s*\[\s*(?P<project>[A-Za-z][A-Za-z0-9_]{{0,31}})\s*[{DASHES}]\s*(?P<number>[0-9]{{1,18}})"
    rf"\s*\]\s*(?:[{DASHES}:]\s*)?(?P<title>\S.*)$",
    re.DOTALL,
)


def split_jira_id(title: str) -> tuple[str | None, str]:
    """Split `[popug-7] - sweep` into `("POPUG-7", "sweep")`; no prefix gives `(None, title)`.

    A prefix with nothing after it is a title: a task is never left without one.
    """
    match = JIRA_PREFIX.match(title)
    if match is None:
        return None, title.strip()
    return f"{match['project'].upper()}-{match['number']}", match["title"].strip()


def task_created_v1_to_v2(data: TaskCreatedV1) -> TaskCreatedV2:
    """Take the Jira id out of the title."""
    jira_id, title = split_jira_id(data.title)
    return TaskCreatedV2(
        task_id=data.task_id,
        title=title,
        jira_id=jira_id,
        fee_cents=data.fee_cents,
        reward_cents=data.reward_cents,
        created_by=data.created_by,
        external_id=data.external_id,
    )
