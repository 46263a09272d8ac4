"""Old versions turned into the newest while reading; the only place that knows how."""

import re

from contracts.events import TaskCreatedV1, TaskCreatedV2

# `[POPUG-123] - title`: hyphen or any dash, odd spaces, any case, or no separator at all.
JIRA_PREFIX = re.compile(
    r"^\s*\[\s*(?P<project>[A-Za-z][A-Za-z0-9_]*)\s*[-\u2010-\u2015]\s*(?P<number>\d+)\s*\]"
    r"\s*(?:[-\u2010-\u2015:]\s*)?(?P<title>\S.*)$",
    re.DOTALL,
)


def split_jira_id(title: str) -> tuple[str | None, str]:
    """Split `[popug-7] - sweep` into `("POPUG-7", "sweep")`; no prefix gives `(None, title)`."""
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
