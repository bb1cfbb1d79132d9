"""The legend: the kinds of source in their colours, with the keys that switch them, as many as fit one line."""

from collections.abc import Set as AbstractSet
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from proxy_core.attribution.model import SourceType
from tui.colours import KINDS, KindStyle, kind_colour
from tui.theme import ink, inks
from tui.widgets.spectrum import NO_KINDS

_ROOMY_FROM: Final = 100
"""Cells from which names stand apart from their mark."""
_ALL_FROM: Final = 118
"""Cells from which kinds without a key are shown, too."""
_ORDER: Final = sorted(KINDS.values(), key=lambda style: (style.key or "~", style.source_type is not SourceType.OVERHEAD))
"""Those with a key first; of the others, overhead, which every request has."""


class Legend(Widget):
    """Kinds, colours, keys."""

    DEFAULT_CSS = "Legend { height: 1; background: $surface; }"

    active: reactive[AbstractSet[SourceType]] = reactive(NO_KINDS)
    """Kinds switched on."""

    class KindClicked(Message):
        """A kind was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, has_colour: bool = True, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._has_colour = has_colour
        self._places: list[tuple[int, int, str]] = []

    def watch_active(self) -> None:
        """Mark a legend that nothing is switched on in: where there is nothing to choose from, it can go."""
        self.set_class(not self.active, "-idle")

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has one line
        """Draw the legend."""
        segments = [Segment(" ")]
        places: list[tuple[int, int, str]] = []
        at = 1
        for style in _ORDER:
            entry = self._entry(style)
            cells = sum(segment.cell_length for segment in entry)
            if at + cells <= self.size.width and (style.key or self.size.width >= _ALL_FROM):
                segments += entry
                places.append((at, at + cells, style.key or ""))
                at += cells
        self._places = places
        return Strip(segments).adjust_cell_length(self.size.width).apply_style(Style(bgcolor=self.rich_style.bgcolor))

    def _entry(self, style: KindStyle) -> list[Segment]:
        """Draw one kind: its key, its colour or letter, its name."""
        is_dark = self.app.current_theme.dark
        own = inks(is_dark=is_dark)
        is_on = style.source_type in self.active
        key = Segment(style.key or "", own.strong if is_on else own.accent)
        name_ink = own.strong + Style(underline=True) if is_on else own.muted
        is_tight = self.size.width < _ROOMY_FROM
        if is_tight and not self._has_colour:
            return [key, Segment(" "), Segment(lettered(style), name_ink), Segment(" ")]
        is_dimmed = bool(self.active) and not is_on
        colour = own.dimmed if is_dimmed else ink(kind_colour(style.source_type, is_dark=is_dark))
        swatch = Segment("■" if self._has_colour else style.letter, colour)
        gap, end = ("", " ") if is_tight else (" ", "  ")
        return [key, swatch, Segment(gap), Segment(style.label, name_ink), Segment(end)]

    def on_click(self, event: events.Click) -> None:
        """Switch the kind that was clicked."""
        for start, end, key in self._places:
            if start <= event.x < end and key:
                self.post_message(self.KindClicked(key))

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self.refresh()


def lettered(style: KindStyle) -> str:
    """Write a kind's name so that its letter stands out without taking room: `memorY`."""
    at = style.label.lower().find(style.letter.lower())
    if at < 0:
        return f"{style.letter}:{style.label}"
    return f"{style.label[:at].lower()}{style.letter}{style.label[at + 1 :].lower()}"
