"""Pages: written for their width, read by scrolling, with a cursor where there is something to open."""

import pytest

from tests.tui.widgets.stage import lines_of, staged
from tui.pages.sheet import Sheet
from tui.widgets.page_view import PageView


def _write_long(sheet: Sheet) -> None:
    for number in range(50):
        sheet.text(f"line {number}")


def _write_linked(sheet: Sheet) -> None:
    sheet.heading("Nothing to open here")
    start = len(sheet.lines)
    sheet.text("open me")
    sheet.link(7, start)


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        (("j",), 1),
        (("j", "j", "k"), 1),
        (("pagedown",), 9),
        (("pagedown", "pageup"), 0),
        (("G",), 40),
        (("G", "g"), 0),
        (("k",), 0),
    ],
)
async def test_a_page_without_links_scrolls_at_once_and_has_no_cursor(keys: tuple[str, ...], first: int) -> None:
    async with staged(PageView, (40, 10)) as (stage, pilot):
        page = stage.query_one(PageView)
        page.show(_write_long)
        page.focus()
        await pilot.press(*keys)
        await pilot.pause()
        assert lines_of(page)[0] == f" line {first}"
        assert not page.shows_cursor


async def test_enter_opens_the_segment_of_a_line() -> None:
    async with staged(PageView, (40, 10)) as (stage, pilot):
        page = stage.query_one(PageView)
        page.show(_write_linked)
        page.focus()
        await pilot.press("enter")
        assert page.shows_cursor
        assert not stage.said_of(PageView.SegmentChosen)
        await pilot.press("j", "enter")
        assert [message.index for message in stage.said_of(PageView.SegmentChosen)] == [7]


async def test_open_is_offered_only_where_something_can_be_opened() -> None:
    async with staged(PageView, (40, 10)) as (stage, _):
        page = stage.query_one(PageView)
        page.show(_write_long)
        assert page.check_action("open_row", ()) is False
        page.show(_write_linked)
        assert page.check_action("open_row", ()) is True
        assert page.plain_text == " Nothing to open here\n open me"


async def test_the_page_is_written_anew_for_another_width_and_theme() -> None:
    async with staged(PageView, (40, 10)) as (stage, pilot):
        page = stage.query_one(PageView)
        written: list[tuple[int, bool]] = []
        page.show(lambda sheet: written.append((sheet.width, sheet.inks.is_dark)))
        await pilot.resize_terminal(60, 10)
        await pilot.press("ctrl+t")
        assert written == [(39, True), (59, True), (59, False)]


async def test_newer_figures_of_the_same_page_keep_the_place() -> None:
    async with staged(PageView, (40, 10)) as (stage, pilot):
        page = stage.query_one(PageView)
        page.show(_write_long)
        page.focus()
        await pilot.press("pagedown")
        page.show(_write_long, keeps_place=True)
        assert lines_of(page)[0] == " line 9"
        page.show(_write_long)
        assert lines_of(page)[0] == " line 0"
