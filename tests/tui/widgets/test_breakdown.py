"""The breakdown: sources, unfolded into segments."""

from dataclasses import replace

import pytest

from proxy_core.attribution.model import ContentKind, Part, SourceType, Zone
from tests import factories
from tests.tui.widgets.stage import lines_of, staged
from tui.composition import Composition, compose
from tui.widgets.breakdown import Breakdown, segment_label

_GITHUB = factories.source(SourceType.MCP_SERVER, "github")
_TOOL = '{"name":"mcp__github__list_issues","description":"List issues"}'


def _composition() -> Composition:
    lines = (
        factories.ledger_line(tokens=10, segment_index=0),
        factories.ledger_line(tokens=900, segment_index=1, source=_GITHUB, part=Part.DEFINITION, zone=Zone.CACHE_READ),
        factories.ledger_line(tokens=90, segment_index=1, source=_GITHUB, part=Part.DEFINITION, zone=Zone.FRESH),
        factories.ledger_line(tokens=7, segment_index=None, zone=Zone.OUTPUT, source=factories.source(SourceType.ASSISTANT)),
    )
    segments = (
        factories.segment(),
        factories.segment(_TOOL, source=_GITHUB, part=Part.DEFINITION, content_kind=ContentKind.TOOL_DEFINITION),
    )
    ledger = factories.ledger(lines=lines, total_input_tokens=1_000)
    found = compose(factories.exchange_detail(ledger=ledger, segments=segments))
    assert found is not None
    return found


async def test_the_largest_source_is_first_and_the_answer_last() -> None:
    async with staged(Breakdown, (100, 10)) as (stage, _):
        view = stage.query_one(Breakdown)
        view.show(_composition())
        text = [line.split() for line in lines_of(view)[1:4]]
        assert text[0][1:4] == ["■", "MCP", "github"]
        assert {"990", "99", "read+"} <= set(text[0])
        assert text[1][2:6] == ["User", "what", "you", "wrote"]
        assert text[2][2:5] == ["Assistant", "the", "answer"]


async def test_a_source_unfolds_into_segments_that_open() -> None:
    async with staged(Breakdown, (100, 10)) as (stage, pilot):
        view = stage.query_one(Breakdown)
        view.show(_composition())
        view.focus()
        await pilot.press("enter", "j")
        assert lines_of(view)[2].split()[:3] == ["│", "definition", "list_issues"]
        source, segment = view.selected or (None, None)
        assert source == _GITHUB
        assert segment is not None
        await pilot.press("enter")
        assert [message.index for message in stage.said_of(Breakdown.SegmentChosen)] == [1]
        await pilot.press("space")
        assert view.row_count == 3


async def test_unfolded_stays_unfolded_for_the_next_request() -> None:
    async with staged(Breakdown, (100, 10)) as (stage, pilot):
        view = stage.query_one(Breakdown)
        view.show(_composition())
        view.focus()
        await pilot.press("j", "z", "z")
        assert view.row_count == 3
        await pilot.press("z")
        view.show(_composition())
        assert view.row_count > 3
        view.show(None)
        assert view.row_count == 0
        assert view.selected is None


@pytest.mark.parametrize("width", [60, 80, 89, 92, 100, 120, 200])
async def test_columns_stand_below_their_heads(width: int) -> None:
    async with staged(Breakdown, (width, 10)) as (stage, _):
        view = stage.query_one(Breakdown)
        view.show(_composition())
        head, first, *_ = lines_of(view)
        assert head.index("tokens") + 6 == first.index("990") + 3
        assert head.index("zone") == first.index("read+")
        assert len(first) < width
        assert ("grade" in head) == (width >= 91)


async def test_a_cursor_that_was_not_moved_stays_at_the_top() -> None:
    other = replace(_composition(), sources=_composition().sources[::-1])
    async with staged(Breakdown, (100, 10)) as (stage, pilot):
        view = stage.query_one(Breakdown)
        view.show(_composition())
        view.show(other)
        assert view.cursor == 0
        view.focus()
        await pilot.press("j")
        view.show(_composition())
        assert view.cursor == 0
        assert view.selected == (_GITHUB, None)


async def test_with_much_room_bars_are_long_rather_than_names() -> None:
    async with staged(Breakdown, (200, 10)) as (stage, _):
        view = stage.query_one(Breakdown)
        view.show(_composition())
        first = lines_of(view)[1]
        assert first.index("990") < 100
        assert first.count("█") > 40


def test_a_tool_is_named_without_the_server_it_stands_below() -> None:
    shares = _composition().sources[0].segments
    assert segment_label(shares[0]) == "list_issues"
