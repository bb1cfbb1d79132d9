"""The legend: the kinds of source in their colours, with the keys that switch them, as many as fit one line."""

from collections.abc import Set as AbstractSet

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from proxy_core.attribution.model import SourceType
from tui.colours import KINDS, kind_colour
from tui.theme import ink, inks
from tui.widgets.spectrum import NO_KINDS


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

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has one line
        """Draw the legend."""
        is_dark = self.app.current_theme.dark
        own = inks(is_dark=is_dark)
        segments = [Segment(" ")]
        places: list[tuple[int, int, str]] = []
        at = 1
        for style in KINDS.values():
            is_on = style.source_type in self.active
            swatch = "■" if self._has_colour else style.letter
            key = style.key or ""
            text = f"{key}{swatch} {style.label}  " if self.size.width >= 118 or style.key else ""
            if self.size.width < 100 and style.key:
                text = f"{key}{swatch}{style.label} "
            if not text or at + len(text) > self.size.width:
                continue
            is_dimmed = bool(self.active) and not is_on
            colour = own.dimmed if is_dimmed else ink(kind_colour(style.source_type, is_dark=is_dark))
            name_ink = own.strong + Style(underline=True) if is_on else own.muted
            head, _, label = text.partition(swatch)
            segments += [Segment(head, own.strong if is_on else own.accent), Segment(swatch, colour)]
            stripped = label.strip()
            left = label[: len(label) - len(label.lstrip())]
            segments += [Segment(left), Segment(stripped, name_ink), Segment(label[len(left) + len(stripped) :])]
            places.append((at, at + len(text), key))
            at += len(text)
        self._places = places
        return Strip(segments).adjust_cell_length(self.size.width).apply_style(Style(bgcolor=self.rich_style.bgcolor))

    def on_click(self, event: events.Click) -> None:
        """Switch the kind that was clicked."""
        for start, end, key in self._places:
            if start <= event.x < end and key:
                self.post_message(self.KindClicked(key))

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self.refresh()
