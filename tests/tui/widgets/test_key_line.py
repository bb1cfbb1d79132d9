"""The line of keys: what applies, what fits, and always the way out."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Input, Static

from tests.tui.widgets.stage import lines_of
from tui.command import bindings
from tui.commands import GLOBAL_COMMANDS
from tui.live_commands import LIVE_COMMANDS
from tui.theme import DARK
from tui.widgets.key_line import KeyLine


class _Hinting(Input):
    KEY_HINTS: ClassVar = (("Tab", "Complete"),)


class _Keys(App[None]):
    BINDINGS: ClassVar = bindings(GLOBAL_COMMANDS, LIVE_COMMANDS)

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self._widgets = widgets
        self.register_theme(DARK)
        self.theme = DARK.name
        self.rated = 0

    def compose(self) -> ComposeResult:
        yield from self._with_line()

    def _with_line(self) -> Iterator[Widget]:
        yield from self._widgets
        yield KeyLine()

    def action_rate_request(self) -> None:
        """Count."""
        self.rated += 1


def _line(app: App[None]) -> str:
    return lines_of(app.query_one(KeyLine))[0]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
async def test_the_ways_out_are_there_however_little_room_there_is(width: int) -> None:
    app = _Keys(Static("x"))
    async with app.run_test(size=(width, 5)):
        assert {"Esc Back", "? Help", "q Quit"} <= set(_line(app).strip().split("  "))
        assert ("y Copy" in _line(app)) == (width == 200)


async def test_a_field_that_is_typed_into_hides_the_keys_it_takes() -> None:
    app = _Keys(Input())
    async with app.run_test(size=(200, 5)):
        assert set(_line(app).strip().split("  ")) == {"Esc Back"}


async def test_a_field_may_name_keys_that_it_takes_itself() -> None:
    app = _Keys(_Hinting())
    async with app.run_test(size=(80, 5)):
        assert _line(app).startswith(" Tab Complete  ")


async def test_a_click_presses_the_key() -> None:
    app = _Keys(Static("x"))
    async with app.run_test(size=(200, 5)) as pilot:
        await pilot.click(KeyLine, offset=(_line(app).index("Rate"), 0))
        await pilot.pause()
        assert app.rated == 1
