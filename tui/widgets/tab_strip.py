"""A line of tabs that is drawn, not mounted: the names, which one is shown, and a click on another."""

from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.theme import inks

_HINT_CELLS: Final = 9
"""The keys that go from tab to tab, and what is left free behind them."""


class TabStrip(Widget):
    """Names of tabs."""

    DEFAULT_CSS = "TabStrip { height: 1; background: $surface; }"

    active: reactive[str] = reactive("")

    class TabClicked(Message):
        """Another tab is wanted."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names
        self._places: list[tuple[int, int, str]] = []

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has one line
        """Draw the names."""
        ink = inks(is_dark=self.app.current_theme.dark)
        is_tight = sum(len(name) + 3 for name in self._names) > self.size.width
        segments: list[Segment] = [Segment(" ")]
        self._places = []
        at = 1
        for name in self._names:
            text = f" {name} " if not is_tight else f"{name} "
            style = ink.strong + ink.cursor if name == self.active else ink.muted
            segments.append(Segment(text, style))
            self._places.append((at, at + len(text), name))
            at += len(text)
        gap = self.size.width - at - _HINT_CELLS
        if gap > 0:
            segments += [Segment(" " * gap), Segment("[ ]", ink.accent), Segment(" tabs", ink.muted)]
        return Strip(segments).adjust_cell_length(self.size.width).apply_style(Style(bgcolor=self.rich_style.bgcolor))

    def on_click(self, event: events.Click) -> None:
        """Ask for the tab that was clicked."""
        for start, end, name in self._places:
            if start <= event.x < end:
                self.post_message(self.TabClicked(name))

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self.refresh()
