"""Tabs that are drawn."""

import pytest

from tests.tui.widgets.stage import lines_of, staged
from tui.widgets.tab_strip import TabStrip

_NAMES = ("Breakdown", "Request", "Response", "Headers", "JSON", "Timing", "Cost", "Diff")


@pytest.mark.parametrize("width", [64, 80, 200])
async def test_all_names_fit(width: int) -> None:
    async with staged(lambda: TabStrip(_NAMES), (width, 3)) as (stage, _):
        (line,) = lines_of(stage.query_one(TabStrip))
        assert line.split()[: len(_NAMES)] == list(_NAMES)
        assert ("[ ] tabs" in line) == (width >= 80), "the keys, where there is room"


async def test_a_click_asks_for_the_tab_under_it() -> None:
    async with staged(lambda: TabStrip(_NAMES)) as (stage, pilot):
        strip = stage.query_one(TabStrip)
        strip.active = "Breakdown"
        at = lines_of(strip)[0].index("Cost")
        await pilot.click(TabStrip, offset=(at, 0))
        assert [message.name for message in stage.said_of(TabStrip.TabClicked)] == ["Cost"]
        await pilot.click(TabStrip, offset=(79, 0))
        assert len(stage.said_of(TabStrip.TabClicked)) == 1


async def test_the_active_tab_stands_out() -> None:
    async with staged(lambda: TabStrip(_NAMES)) as (stage, pilot):
        strip = stage.query_one(TabStrip)
        strip.active = "JSON"
        bold = ["".join(s.text).strip() for s in strip.render_line(0) if s.style is not None and s.style.bold]
        assert bold == ["JSON"]
        before = strip.render_line(0)
        await pilot.press("ctrl+t")
        assert strip.render_line(0) != before
