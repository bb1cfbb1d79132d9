"""The legend: kinds by colour, or by letter."""

import pytest

from proxy_core.attribution.model import SourceType
from tests.tui.widgets.stage import lines_of, staged
from tui.colours import KINDS
from tui.widgets.legend import Legend, lettered


@pytest.mark.parametrize("width", [80, 100, 120])
async def test_the_kinds_with_keys_always_fit(width: int) -> None:
    async with staged(Legend, (width, 3)) as (stage, _):
        line = lines_of(stage.query_one(Legend))[0]
        for style in KINDS.values():
            assert style.key is None or style.label in line


async def test_wide_windows_show_all_kinds() -> None:
    async with staged(Legend, (200, 3)) as (stage, _):
        line = lines_of(stage.query_one(Legend))[0]
        assert all(style.label in line for style in KINDS.values())


async def test_of_the_kinds_without_a_key_overhead_comes_first() -> None:
    async with staged(Legend, (120, 3)) as (stage, _):
        assert lines_of(stage.query_one(Legend))[0].split("9■ Assistant")[1].split() == ["■", "Overhead", "■", "Command"]


async def test_without_colour_letters_stand_for_kinds() -> None:
    async with staged(lambda: Legend(has_colour=False), (120, 3)) as (stage, _):
        line = lines_of(stage.query_one(Legend))[0]
        assert "■" not in line
        assert "3M MCP" in line


async def test_what_is_switched_on_is_underlined() -> None:
    async with staged(Legend, (120, 3)) as (stage, pilot):
        legend = stage.query_one(Legend)
        legend.active = frozenset({SourceType.MCP_SERVER})
        underlined = [s.text for s in legend.render_line(0) if s.style is not None and s.style.underline]
        assert underlined == ["MCP"]
        before = legend.render_line(0)
        await pilot.press("ctrl+t")
        assert legend.render_line(0) != before


async def test_a_click_switches_a_kind_that_has_a_key() -> None:
    async with staged(Legend, (120, 3)) as (stage, pilot):
        line = lines_of(stage.query_one(Legend))[0]
        await pilot.click(Legend, offset=(line.index("Memory"), 0))
        await pilot.click(Legend, offset=(line.index("Command"), 0))
        assert [message.key for message in stage.said_of(Legend.KindClicked)] == ["5"]


async def test_narrow_and_without_colour_the_letter_stands_out_in_the_name() -> None:
    async with staged(lambda: Legend(has_colour=False), (80, 3)) as (stage, _):
        line = lines_of(stage.query_one(Legend))[0]
        assert line == " 1 User 2 Framework 3 Mcp 4 Skill 5 memorY 6 Tool 7 aGent 8 fiLe 9 Assistant"


def test_a_letter_that_is_not_in_the_name_stands_before_it() -> None:
    assert lettered(KINDS[SourceType.SUMMARY]) == "Z:Summary"
