"""A line of short facts parted by dots: what does not fit is left out fact by fact, from the right, never cut. Pure drawing."""

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui import format as fmt
from tui.theme import Inks, inks
from tui.widgets.line_list import Line

DOT: Final = " · "
"""What parts the facts, here and in the text that is handed in."""


class FactLine(Widget):
    """Facts, the most important first."""

    DEFAULT_CSS = "FactLine { height: 1; }"

    text: reactive[str] = reactive("")
    """The facts, parted by `DOT`."""

    def update(self, text: str) -> None:
        """Show other facts."""
        self.text = text

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has one line
        """Draw the line."""
        line = facts_line(self.text, self.size.width, inks(is_dark=self.app.current_theme.dark))
        strip = Strip([Segment(text, style) for text, style in line])
        return strip.adjust_cell_length(self.size.width).apply_style(Style(bgcolor=self.rich_style.bgcolor))

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self.refresh()


def facts_line(text: str, width: int, ink: Inks) -> Line:
    """Draw as many known facts as fit; the first one, which says what is looked at, stands out."""
    first, *others = [fact for fact in text.strip().split(DOT) if not fact.startswith(fmt.UNKNOWN)] or [""]
    line: list[tuple[str, Style]] = [(" ", ink.plain), (fmt.fit(first, min(len(first), width - 2)), ink.plain)]
    used = 1 + len(first)
    for fact in others:
        if used + len(DOT) + len(fact) > width - 1:
            break
        line += [(DOT, ink.faint), (fact, ink.muted)]
        used += len(DOT) + len(fact)
    return line
