"""JSON as a tree that folds."""

from typing import Any

from tests.tui.widgets.stage import lines_of, staged
from tui.widgets.json_view import JsonView

_DOCUMENT: dict[str, Any] = {
    "request": {"model": "claude", "messages": [{"role": "user", "content": "x" * 300}], "stream": True}
}


async def test_it_shows_what_is_small_and_folds_the_rest() -> None:
    async with staged(JsonView, (60, 12)) as (stage, pilot):
        view = stage.query_one(JsonView)
        view.show(_DOCUMENT)
        text = "\n".join(lines_of(view))
        assert 'model: "claude"' in text
        assert "▸ messages: [1]" in text
        assert "stream: true" in text
        view.focus()
        await pilot.press("j", "j", "j", "space", "j")
        assert lines_of(view)[0].strip() == "/request/messages/0"
        await pilot.press("k", "enter")
        assert "▸ messages: [1]" in "\n".join(lines_of(view))


async def test_what_is_too_long_ends_in_dots() -> None:
    async with staged(JsonView, (60, 12)) as (stage, _):
        view = stage.query_one(JsonView)
        view.show({"text": "y" * 300})
        line = next(line for line in lines_of(view) if "text:" in line)
        assert line.endswith("y…")
        assert len(line) == 59


async def test_z_unfolds_everything_and_folds_it_again() -> None:
    async with staged(JsonView, (60, 12)) as (stage, pilot):
        view = stage.query_one(JsonView)
        view.show(_DOCUMENT)
        view.focus()
        before = view.row_count
        await pilot.press("z")
        assert view.row_count < before
        await pilot.press("z")
        assert view.row_count > before


async def test_the_value_under_the_cursor_can_be_taken_along() -> None:
    async with staged(JsonView, (60, 12)) as (stage, pilot):
        view = stage.query_one(JsonView)
        assert view.selected_text == ""
        view.show({"a": "text", "b": [1]})
        view.focus()
        await pilot.press("j")
        assert view.selected_text == "text"
        await pilot.press("j")
        assert view.selected_text == "[\n  1\n]"
