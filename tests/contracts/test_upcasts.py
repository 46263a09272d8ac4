"""The Jira id leaves the title, however people wrote it."""

import re
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import LINE_PATTERN, TITLE_LENGTH_MAX, TaskCreatedV1, TaskCreatedV2
from contracts.upcasts import split_jira_id, task_created_v1_to_v2

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
SPACES = st.text(" \u00a0\u2009\u3000", max_size=3)
PLAIN_TITLES = st.from_regex(LINE_PATTERN, fullmatch=False).map(str.strip)
TITLES = PLAIN_TITLES.filter(lambda title: title and not title.startswith((*DASHES, ":", "[")))


@pytest.mark.parametrize(
    ("title", "jira_id", "rest"),
    [
        ("[POPUG-123] - sweep the cage", "POPUG-123", "sweep the cage"),
        ("[POPUG-123] \u2013 sweep the cage", "POPUG-123", "sweep the cage"),
        ("[POPUG-123] — sweep the cage", "POPUG-123", "sweep the cage"),
        ("[POPUG\u2013123]—sweep the cage", "POPUG-123", "sweep the cage"),
        ("[popug-123] - sweep the cage", "POPUG-123", "sweep the cage"),
        ("  [ PoPuG - 123 ]sweep the cage  ", "POPUG-123", "sweep the cage"),
        ("[POPUG-123]: sweep the cage", "POPUG-123", "sweep the cage"),
        ("[POPUG-123] sweep - the cage", "POPUG-123", "sweep - the cage"),
        ("[POPUG-1] [POPUG-2] both", "POPUG-1", "[POPUG-2] both"),
        ("[P2_X-0012] - zero", "P2_X-0012", "zero"),
        ("sweep the cage", None, "sweep the cage"),
        ("  sweep the cage ", None, "sweep the cage"),
        ("sweep [POPUG-123] the cage", None, "sweep [POPUG-123] the cage"),
        ("POPUG-123 - sweep", None, "POPUG-123 - sweep"),
        ("[POPUG-123]", None, "[POPUG-123]"),
        ("[POPUG-] - sweep", None, "[POPUG-] - sweep"),
        ("[123-123] - sweep", None, "[123-123] - sweep"),
        ("[POPUG-١٢٣] - sweep", None, "[POPUG-١٢٣] - sweep"),
        ("[urgent] - sweep", None, "[urgent] - sweep"),
        ("[ПОПУГ-1] - sweep", None, "[ПОПУГ-1] - sweep"),
    ],
)
def test_jira_prefix(title: str, jira_id: str | None, rest: str) -> None:
    assert split_jira_id(title) == (jira_id, rest)


@given(
    project=st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,31}", fullmatch=True),
    number=st.from_regex(r"[0-9]{1,18}", fullmatch=True),
    dashes=st.tuples(st.sampled_from(DASHES), st.sampled_from([*DASHES, ":", ""])),
    spaces=st.lists(SPACES, min_size=6, max_size=6),
    title=TITLES,
)
def test_any_way_to_write_the_prefix_gives_the_same_id_and_title(
    project: str, number: str, dashes: tuple[str, str], spaces: list[str], title: str
) -> None:
    s = spaces
    inner = f"{s[1]}{project}{s[2]}{dashes[0]}{number}{s[3]}"
    written = f"{s[0]}[{inner}]{s[4]}{dashes[1]}{s[5]}{title}"

    assert split_jira_id(written) == (f"{project.upper()}-{number}", title)


@given(TITLES)
def test_title_without_a_prefix_is_kept(title: str) -> None:
    assert split_jira_id(title) == (None, title)


@given(st.text(max_size=TITLE_LENGTH_MAX).filter(lambda text: re.search(LINE_PATTERN, text)))
def test_upcast_of_any_valid_event_is_valid(title: str) -> None:
    old = TaskCreatedV1(
        task_id=UUID(int=1), title=title, fee_cents=1000, reward_cents=2000, created_by=UUID(int=2)
    )

    new = task_created_v1_to_v2(old)

    assert msgspec.convert(msgspec.to_builtins(new), TaskCreatedV2) == new
    assert msgspec.structs.asdict(new) | {"title": "", "jira_id": None} == (
        msgspec.structs.asdict(old) | {"title": "", "jira_id": None}
    )
