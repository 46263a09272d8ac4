"""Cutting an encoded event into fixed pieces and holes."""

import pytest

from ops_api.outbox.bulk import cut


def test_a_body_is_cut_at_its_markers_in_order() -> None:
    template = cut(b'{"id":"AAA","subject":"BBB","n":777,"again":"BBB"}',
                   {"AAA": "id", "BBB": "task_id", "777": "n"})  # fmt: skip

    assert template.holes == ("id", "task_id", "n", "task_id")
    assert template.pieces == ('{"id":"', '","subject":"', '","n":', ',"again":"', '"}')
    assert template.expression() == (
        "concat(:piece_0, id, :piece_1, task_id, :piece_2, n, :piece_3, task_id, :piece_4)"
    )
    assert template.parameters()["piece_4"] == '"}'


def test_a_marker_that_is_missing_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        cut(b"{}", {"AAA": "id"})
