"""The list under all lists: any number of rows, a cursor, and nothing drawn that is not in sight."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from typing import Self

from textual.geometry import Region
from textual.scrollbar import ScrollBar

from tests.tui.widgets.stage import lines_of, staged
from tui.widgets.line_list import Line, LineList


class _Numbers(LineList):
    """Rows that say their number."""

    HEADER_LINES = 1

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []
        self.refreshed: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        self.refreshed.append(regions)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def draw_header(self, width: int) -> Line:
        return [("numbers", self.inks.muted)]

    def draw_row(self, index: int, width: int) -> Line:
        self.drawn.append(index)
        return [(f"row {index}".ljust(width, "."), self.inks.plain)]


async def test_only_what_is_in_sight_is_drawn_and_only_once() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(1_000_000)
        lines_of(numbers)
        lines_of(numbers)
        await pilot.pause()
        assert max(numbers.drawn) < 10
        assert len(numbers.drawn) == len(set(numbers.drawn))


async def test_a_step_of_the_cursor_draws_the_two_lines_it_changes() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(100)
        numbers.focus()
        await pilot.pause()
        numbers.refreshed.clear()
        await pilot.press("j")
        assert numbers.refreshed == [(Region(0, 1, 40, 1), Region(0, 2, 40, 1))]
        numbers.refreshed.clear()
        numbers.set_row_count(200)
        assert numbers.refreshed == []
        numbers.set_row_count(8)
        assert numbers.refreshed == [(Region(0, 9, 40, 1),)]


async def test_lines_below_a_window_that_became_lower_are_not_drawn_anew_again_and_again() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(100)
        await pilot.pause()
        await pilot.resize_terminal(40, 5)
        numbers.scroll_to(y=20, animate=False, immediate=True)
        await pilot.pause()
        numbers.refreshed.clear()
        numbers.refresh_changed()
        assert numbers.refreshed == []


async def test_a_line_that_moved_is_handed_out_as_it_was_drawn() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(100)
        await pilot.pause()
        whole = Region(0, 0, 40, 10)
        before = numbers.render_lines(whole)
        numbers.scroll_to(y=1, animate=False, immediate=True)
        after = numbers.render_lines(whole)
        assert after[0] is before[0]
        assert all(one is other for one, other in zip(after[2:9], before[3:], strict=True))
        numbers.styles.border = ("solid", "red")
        await pilot.pause()
        assert numbers.render_lines(whole)[1].text == "│numbers" + " " * 31 + "│"


async def test_new_rows_are_reached_without_laying_out_the_screen_anew() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        await pilot.pause()
        laid_out: list[object] = []
        stage.screen.screen_layout_refresh_signal.subscribe(numbers, laid_out.append)
        numbers.set_row_count(100)
        numbers.cursor = 99
        await pilot.pause()
        assert 99 in numbers.visible_rows
        assert "row 99" in lines_of(numbers)[-1]
        assert numbers.vertical_scrollbar.window_virtual_size == 101
        assert not laid_out
        numbers.styles.height = "auto"
        await pilot.pause()
        laid_out.clear()
        numbers.set_row_count(5)
        await pilot.pause()
        assert laid_out


async def test_a_line_ends_where_the_scrollbar_begins() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, _):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(3)
        assert numbers.line_cells == 39
        assert lines_of(numbers)[1] == "row 0".ljust(39, ".")


async def test_keys_move_the_cursor_and_keep_it_in_sight_and_on_a_row() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(100)
        numbers.focus()
        for keys, place in (
            (("k",), 0),
            (("j", "down"), 2),
            (("pagedown",), 10),
            (("pageup",), 2),
            (("ctrl+d",), 10),
            (("ctrl+u",), 2),
            (("G",), 99),
            (("j",), 99),
        ):
            await pilot.press(*keys)
            assert numbers.cursor == place
            assert place in numbers.visible_rows
        await pilot.press("g")
        assert numbers.cursor == 0
        numbers.cursor = 50
        numbers.set_row_count(10)
        assert numbers.cursor == 9


async def test_enter_and_a_double_click_choose_a_row() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(5)
        numbers.focus()
        await pilot.press("j", "enter")
        await pilot.click(_Numbers, offset=(3, 4), times=2)
        assert [message.index for message in stage.said_of(LineList.Selected)] == [1, 3]
        assert all(message.control is numbers for message in stage.said_of(LineList.Highlighted))
        numbers.set_row_count(0)
        await pilot.press("enter")
        assert len(stage.said_of(LineList.Selected)) == 2


async def test_another_theme_draws_everything_anew() -> None:
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(3)
        before = numbers.render_line(2)
        await pilot.press("ctrl+t")
        assert numbers.render_line(2) != before


@asynccontextmanager
async def _drawn(rows: int) -> AsyncIterator[tuple[_Numbers, ScrollBar]]:
    """A list that has been drawn, and its scrollbar; what is drawn anew from now on is noted."""
    async with staged(_Numbers, (40, 10)) as (stage, pilot):
        numbers = stage.query_one(_Numbers)
        numbers.set_row_count(rows)
        await pilot.pause()
        numbers.render_lines(Region(0, 0, 40, 10))
        numbers.refreshed.clear()
        yield numbers, numbers.vertical_scrollbar


async def test_the_scrollbar_is_drawn_anew_only_when_its_thumb_moves() -> None:
    async with _drawn(100_000) as (numbers, bar):
        assert not bar._repaint_required
        numbers.set_row_count(100_010)
        assert (bar.window_virtual_size, bar._repaint_required) == (100_011, False)
        numbers.scroll_to(y=3, animate=False, immediate=True)
        assert (bar.position, bar._repaint_required) == (3, False)
        numbers.set_row_count(20)
        assert bar._repaint_required


async def test_scrolling_draws_the_lines_anew() -> None:
    async with _drawn(100_000) as (numbers, bar):
        numbers.scroll_to(y=3, animate=False, immediate=True)
        assert [region.y for region in chain.from_iterable(numbers.refreshed)] == list(range(1, 10))
        numbers.scroll_to(y=90_000, animate=False, immediate=True)
        assert bar._repaint_required


async def test_several_changes_are_looked_at_once() -> None:
    async with _drawn(100) as (numbers, _):
        with numbers.at_once():
            numbers.set_row_count(200)
            numbers.action_go_to_end()
            numbers.action_go_to_top()
            assert numbers.refreshed == []
        assert numbers.refreshed == []
        with numbers.at_once():
            numbers.cursor = 2
        assert [region.y for region in chain.from_iterable(numbers.refreshed)] == [1, 3]


async def test_the_scrollbar_of_a_list_that_grows_at_its_end_stands_still() -> None:
    async with _drawn(100_000) as (numbers, bar):
        with numbers.at_once():
            numbers.action_go_to_end()
        bar._repaint_required = False
        for count in range(100_020, 101_000, 20):
            with numbers.at_once():
                numbers.set_row_count(count)
                numbers.action_go_to_end()
            assert (bar.position, bar._repaint_required) == (count - 9, False)


def test_a_list_has_the_style_of_what_scrolls() -> None:
    assert "ScrollView" in LineList._css_type_names
