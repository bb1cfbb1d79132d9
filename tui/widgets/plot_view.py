"""A plot that is drawn for the room there is: it is given a function that draws, and runs it anew when that room changes."""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.theme import Inks, inks
from tui.widgets.drawn import Drawn
from tui.widgets.line_list import Line

type Draw = Callable[[int, int, Inks], Sequence[Line]]
"""Width, height, inks -> lines."""


class PlotView(Drawn):
    """Lines drawn to measure."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._draw: Draw | None = None
        self._strips: list[Strip] = []
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
            lines, ground = self._draw(self.size.width, self.size.height, inks(is_dark=is_dark)), self._ground()
            self._strips = [self._strip(line, ground) for line in lines]
            self._drawn_for = needed
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self._ground())

    def _strip(self, line: Line, ground: Style) -> Strip:
        strip = Strip([Segment(text, style) for text, style in line if text])
        return strip.adjust_cell_length(self.size.width).apply_style(ground)

    def _ground(self) -> Style:
        return Style(bgcolor=self.rich_style.bgcolor)
