"""A plot that is drawn for the room there is: it is given a function that draws, and runs it anew when that room changes."""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.theme import Inks, inks
from tui.widgets.line_list import Line

type Draw = Callable[[int, int, Inks], Sequence[Line]]
"""Width, height, inks -> lines."""


class PlotView(Widget):
    """Lines drawn to measure."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._draw: Draw | None = None
        self._lines: Sequence[Line] = ()
        self._drawn_for: tuple[int, int, bool] | None = None

    def show(self, draw: Draw) -> None:
        """Take another plot."""
        self._draw = draw
        self._drawn_for = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        is_dark = self.app.current_theme.dark
        needed = (self.size.width, self.size.height, is_dark)
        if self._draw is not None and self._drawn_for != needed:
            self._lines = self._draw(self.size.width, self.size.height, inks(is_dark=is_dark))
            self._drawn_for = needed
        line = self._lines[y] if y < len(self._lines) else ()
        strip = Strip([Segment(text, style) for text, style in line if text])
        return strip.adjust_cell_length(self.size.width).apply_style(Style(bgcolor=self.rich_style.bgcolor))
