"""The first line: where one is, where one can go, and whether traffic is being captured. Draws what it is given."""

from dataclasses import dataclass
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from storage.views import CaptureCounters
from tui import format as fmt
from tui.failures import explain_failure
from tui.theme import Inks, inks

PLACES: Final = (
    ("l", "Live", "live"),
    ("s", "Sources", "sources"),
    ("a", "Sessions", "sessions"),
    ("c", "Charts", "charts"),
    ("i", "Insights", "insights"),
)
"""Key, name and mode of each screen."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand, for the right end of the title."""

    counters: CaptureCounters | None
    """`None`: no proxy runs here, a database is being viewed."""
    address: str
    """Where the proxy listens, or the name of the database."""
    failure: str | None = None
    """Why the proxy, or the recording, stopped; `None`: both are well."""
    is_starting: bool = False
    """The screen is there before what it shows."""


class TitleBar(Widget):
    """Screens and state."""

    DEFAULT_CSS = "TitleBar { height: 1; background: $panel; }"

    standing: reactive[Standing | None] = reactive(None)

    class PlaceClicked(Message):
        """Another screen is wanted."""

        def __init__(self, mode: str) -> None:
            super().__init__()
            self.mode = mode

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode
        self._places: list[tuple[int, int, str]] = []

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has one line
        """Draw the line."""
        ink = inks(is_dark=self.app.current_theme.dark)
        segments = [Segment(" assay ", ink.accent + Style(bold=True)), Segment(" ")]
        at = 8
        self._places = []
        for key, name, mode in PLACES:
            is_here = mode == self._mode
            text = f" {key} {name} "
            self._places.append((at, at + len(text), mode))
            segments += [
                Segment(f" {key} ", ink.accent if not is_here else ink.accent + ink.cursor),
                Segment(f"{name} ", ink.strong + ink.cursor if is_here else ink.muted),
            ]
            at += len(text)
        right = self._right(ink, self.size.width - at - 1)
        used = sum(segment.cell_length for segment in right)
        segments += [Segment(" " * max(0, self.size.width - at - used)), *right]
        return Strip(segments).adjust_cell_length(self.size.width).apply_style(Style(bgcolor=self.rich_style.bgcolor))

    def _right(self, ink: Inks, room: int) -> list[Segment]:
        """Draw the state, in as many words as there is room for."""
        standing = self.standing
        if standing is None:
            return []
        mark, word, style = _state(standing, ink)
        counters = standing.counters
        details = [] if standing.is_starting else [standing.address]
        if counters is not None and not standing.is_starting:
            details.append(f"{fmt.whole(counters.stored)} stored")
            if counters.in_flight:
                details.append(f"{counters.in_flight} running")
            if counters.queued > 20:
                details.append(f"{fmt.whole(counters.queued)} queued")
        text = f" · {' · '.join(details)} " if details else " "
        while len(text) + len(word) + 2 > room and details:
            details.pop()
            text = f" · {' · '.join(details)} " if details else " "
        if len(word) + 2 + len(text) > room:
            return []
        return [Segment(f"{mark} ", style), Segment(word, style), Segment(text, ink.muted)]

    def on_click(self, event: events.Click) -> None:
        """Go to the screen that was clicked."""
        for start, end, mode in self._places:
            if start <= event.x < end:
                self.post_message(self.PlaceClicked(mode))

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self.refresh()


def _state(standing: Standing, ink: Inks) -> tuple[str, str, Style]:
    if standing.is_starting:
        return "◌", "starting", ink.muted
    if standing.failure is not None:
        return "✗", "stopped" if explain_failure(standing.failure).is_stopped else "not stored", ink.error
    if standing.counters is None:
        return "○", "viewing", ink.muted
    if standing.counters.is_paused:
        return "‖", "paused", ink.warning
    if standing.counters.writer_errors or standing.counters.dropped:
        return "!", "some lost", ink.warning
    return "●", "capturing", ink.good
