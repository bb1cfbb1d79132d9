"""The filter line: what fits of the completions, and errors below what they are about."""

from textual.widgets import Static

from storage.filters.completion import Suggestion
from tests.tui.widgets.stage import staged
from tui.widgets.filter_line import FilterInput, FilterLine, fitting


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
