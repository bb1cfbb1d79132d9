"""A stage for one widget: an application with both themes and nothing else on it, that keeps what the widget says."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from tui.theme import DARK, LIGHT


class Stage(App[None]):
    """One widget."""

    CSS = "Stage { LineList, PlotView, JsonView { height: 1fr; } }"
    BINDINGS = [("ctrl+t", "turn", "Turn")]  # noqa: RUF012 - as Textual types it

    def __init__(self, make: Callable[[], Widget], *, is_dark: bool = True) -> None:
        super().__init__()
        self._make = make
        self.said: list[Message] = []
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name if is_dark else LIGHT.name

    def compose(self) -> ComposeResult:
        """Put the widget on."""
        yield self._make()

    def said_of[Kind: Message](self, kind: type[Kind]) -> list[Kind]:
        """Return what was said of one kind; a message is seen anew on each step up the tree, and told once."""
        once = {id(message): message for message in self.said}
        return [message for message in once.values() if isinstance(message, kind)]

    def action_turn(self) -> None:
        """Switch the theme."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name


@asynccontextmanager
async def staged(
    make: Callable[[], Widget], size: tuple[int, int] = (80, 24), *, is_dark: bool = True
) -> AsyncIterator[tuple[Stage, Pilot[None]]]:
    """Show a widget and keep its messages."""
    stage = Stage(make, is_dark=is_dark)
    async with stage.run_test(size=size, message_hook=stage.said.append) as pilot:
        await pilot.pause()
        yield stage, pilot


def lines_of(widget: Widget) -> list[str]:
    """What is to be read in a widget, line by line, without the blanks at their ends."""
    return [line.rstrip() for line in _lines(widget)]


def _lines(widget: Widget) -> Iterator[str]:
    for y in range(widget.size.height):
        yield widget.render_line(y).text
