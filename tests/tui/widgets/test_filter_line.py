"""The filter line: what fits of the completions, and errors below what they are about."""

from textual.widgets import Static

from storage.filters.completion import Suggestion
from storage.filters.tree import FilterError
from tests.tui.widgets.stage import staged
from tui.widgets.filter_line import FilterInput, FilterLine, fitting, pointed


def _found(*texts: str) -> list[Suggestion]:
    return [Suggestion(text, 0, 0, "") for text in texts]


def test_completions_that_do_not_fit_give_way_around_the_chosen_one() -> None:
    found = _found("aaaa", "bbbb", "cccc", "dddd")
    assert [one.text for one in fitting(found, 0, 80)] == ["aaaa", "bbbb", "cccc", "dddd"]
    assert [one.text for one in fitting(found, 0, 13)] == ["aaaa", "bbbb"]
    assert [one.text for one in fitting(found, 3, 13)] == ["cccc", "dddd"]
    assert [one.text for one in fitting(found, 2, 1)] == ["cccc"]


async def test_tab_completes_and_enter_uses_the_line() -> None:
    async with staged(FilterLine, (80, 5)) as (stage, pilot):
        line = stage.query_one(FilterLine)
        line.edit("")
        await pilot.press(*"stat", "tab")
        assert line.text == "status:"
        await pilot.press(*"500", "enter")
        assert stage.said_of(FilterLine.FilterChanged)[-1].text == "status:500"
        assert len(stage.said_of(FilterLine.FilterLeft)) == 1


async def test_an_error_points_at_what_it_is_about_and_is_not_used() -> None:
    async with staged(FilterLine, (80, 5)) as (stage, pilot):
        line = stage.query_one(FilterLine)
        line.edit("")
        await pilot.press(*"kind:foo", "enter")
        told = str(stage.query_one("#filter-help", Static).render())
        assert told.index("↑") == "kind:foo".index("foo")
        assert not stage.said_of(FilterLine.FilterLeft)


def test_an_error_stands_on_the_side_of_its_arrow_that_has_room() -> None:
    assert pointed(FilterError(4, "`x` is no figure", "as cost:>1"), 80) == "    ↑ `x` is no figure · as cost:>1"
    assert pointed(FilterError(30, "`x` is no figure"), 40) == "             `x` is no figure ↑"
    assert pointed(FilterError(2, "much too long for it"), 10) == "  ↑ much too long for it", "it wraps"


async def test_what_is_in_force_is_said_while_the_line_is_not_understood() -> None:
    async with staged(FilterLine, (80, 5)) as (stage, pilot):
        line = stage.query_one(FilterLine)
        count = line.query_one("#filter-count", Static)
        line.edit("")
        line.show_count(124)
        await pilot.press(*"cost:>")
        assert str(count.content) == "still no filter · 124 requests"
        await pilot.pause(0.3)
        assert not stage.said_of(FilterLine.FilterChanged), "half a word is no filter"
        line.edit("kind:mcp")
        await pilot.press(*"cost:>")
        await pilot.pause(0.3)
        assert str(count.content) == "still kind:mcp · 124 requests"
        await pilot.press("1")
        assert str(count.content) == "124 requests"
        await pilot.pause(0.3)
        assert stage.said_of(FilterLine.FilterChanged)[-1].text == "kind:mcp cost:>1"


async def test_escape_takes_back_what_was_typed() -> None:
    async with staged(FilterLine, (80, 5)) as (stage, pilot):
        line = stage.query_one(FilterLine)
        line.edit("kind:mcp")
        await pilot.press(*" x", "escape")
        assert line.text == "kind:mcp"
        assert stage.query_one(FilterInput).KEY_HINTS
        line.rest("")
        assert not line.display


async def test_a_count_lays_out_the_screen_anew_only_when_it_grows_longer() -> None:
    async with staged(FilterLine, (80, 5)) as (stage, pilot):
        line = stage.query_one(FilterLine)
        line.show_count(10)
        await pilot.pause()
        laid_out: list[object] = []
        stage.screen.screen_layout_refresh_signal.subscribe(line, laid_out.append)
        for count in (10, 11, 12):
            line.show_count(count)
            await pilot.pause()
        assert not laid_out
        assert str(line.query_one("#filter-count", Static).content) == "12 requests"
        line.show_count(1_234)
        await pilot.pause()
        assert laid_out
