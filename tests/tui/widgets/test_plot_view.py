"""A plot is drawn for the room there is."""

from tests.tui.widgets.stage import lines_of, staged
from tui.theme import Inks
from tui.widgets.line_list import Line
from tui.widgets.plot_view import PlotView


async def test_it_is_drawn_once_for_each_size_and_theme() -> None:
    drawn: list[tuple[int, int, bool]] = []

    def draw(width: int, height: int, inks: Inks) -> list[Line]:
        drawn.append((width, height, inks.is_dark))
        return [[(f"{width} by {height}", inks.plain)]]

    async with staged(PlotView, (40, 10)) as (stage, pilot):
        plot = stage.query_one(PlotView)
        assert lines_of(plot) == [""] * 10
        plot.show(draw)
        assert lines_of(plot)[0] == "40 by 10"
        assert lines_of(plot)[1] == ""
        await pilot.resize_terminal(50, 10)
        assert lines_of(plot)[0] == "50 by 10"
        await pilot.press("ctrl+t")
        lines_of(plot)
        assert drawn == [(40, 10, True), (50, 10, True), (50, 10, False)]
