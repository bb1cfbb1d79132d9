"""The request list: any number of rows, of which it holds only those around the ones in sight.

It asks for what it lacks by `RowsWanted` and draws a quiet line until that comes. It must not read anything itself.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar, Final

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import var

from proxy_core.attribution.model import SourceType
from proxy_core.exchange import ExchangeState
from storage.streaming import StreamRates, rate_of
from storage.views import ExchangeSummary
from tui.command import bindings
from tui.commands import FOLD_COMMANDS
from tui.outline import Group, GroupKey, Row, Rows
from tui.widgets.exchange_row import RowMood, exchange_line, header_line
from tui.widgets.group_row import group_line
from tui.widgets.line_list import Line, LineList
from tui.widgets.spectrum import NO_KINDS

_KEPT_SUMMARIES: Final = 4_000
_AHEAD: Final = 60
"""Rows asked for beyond those in sight, either way."""
_FOLDS: Final = frozenset(command.action() for command in FOLD_COMMANDS.commands)


class ExchangeList(LineList):
    """All requests that pass the filter, newest last."""

    HEADER_LINES = 1
    BINDINGS: ClassVar = bindings(FOLD_COMMANDS)

    is_following: var[bool] = var(default=True)
    """The cursor stays on the newest row."""
    highlighted_kinds: var[AbstractSet[SourceType]] = var(NO_KINDS)
    """Kinds put forward in the bars."""
    arranged: var[str] = var("")
    """How the rows are arranged, for the heading; empty: as they came."""

    class RowsWanted(Message):
        """Rows are in sight that are not known yet."""

        def __init__(self, ids: tuple[int, ...]) -> None:
            super().__init__()
            self.ids = ids

        def can_replace(self, message: Message) -> bool:
            """Only what is in sight now is wanted."""
            return isinstance(message, ExchangeList.RowsWanted)

    class FoldRequested(Message):
        """A branch is to be folded or unfolded."""

        def __init__(self, key: GroupKey | None) -> None:
            super().__init__()
            self.key = key
            """`None`: all branches."""

    def __init__(self, *, has_colour: bool = True, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._rows = Rows()
        self._known: dict[int, ExchangeSummary] = {}
        """By id, the last supplied at the end."""
        self._received: Mapping[str, int] = {}
        self._rates: StreamRates = {}
        self._has_colour = has_colour
        self._now_us = 0
        self._is_asking = False
        self._newest_seen = 0
        """The id; what is newer came while the list stood still."""
        self._newer = 0

    # What the screen hands down

    def show_rows(self, rows: Rows) -> None:
        """Take the rows, keeping the cursor on the exchange it is on; on the newest while following, and where none was."""
        at = self.selected_row
        self._rows = rows
        self.set_row_count(len(rows))
        if self.is_following:
            self.action_go_to_end()
        elif at is not None:
            self._stay_on(at)
        else:
            self.cursor = len(rows) - 1
        self.refresh_changed()
        self._ask_for_missing()
        self._count_newer()

    def supply(self, summaries: Iterable[ExchangeSummary]) -> None:
        """Take exchanges that were asked for, or that changed."""
        for summary in summaries:
            self._known.pop(summary.id, None)
            self._known[summary.id] = summary
        for number in list(self._known)[: max(0, len(self._known) - _KEPT_SUMMARIES)]:
            del self._known[number]
        self.refresh_changed()

    def tick(self, now_us: int, received: Mapping[str, int], rates: StreamRates) -> None:
        """Move what is running: the time, the response bytes so far by exchange id, and what makes tokens of them."""
        self._now_us = now_us
        self._received = received
        self._rates = rates
        if any(summary.state is ExchangeState.OPEN for summary in self.summaries_in_sight):
            self.refresh_changed()

    # What the screen may ask

    @property
    def rows(self) -> Rows:
        """The rows, as they were handed down."""
        return self._rows

    @property
    def selected_row(self) -> Row | None:
        """The row under the cursor; `None` in an empty list."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def selected_id(self) -> int | None:
        """The id of the exchange under the cursor, or of the first one of the group there."""
        row = self.selected_row
        return row.first_id if isinstance(row, Group) else row

    @property
    def selected(self) -> ExchangeSummary | None:
        """The exchange under the cursor, or the first one of the group there; `None` where it is not known (yet)."""
        number = self.selected_id
        return self._known.get(number) if number is not None else None

    @property
    def summaries_in_sight(self) -> list[ExchangeSummary]:
        """The known exchanges among the rows in sight."""
        rows = (self._rows[index] for index in self.visible_rows if index < len(self._rows))
        found = (self._known.get(row) for row in rows if isinstance(row, int))
        return [summary for summary in found if summary is not None]

    @property
    def unsettled_ids(self) -> list[int]:
        """Ids in sight that may still change."""
        return [summary.id for summary in self.summaries_in_sight if not is_settled(summary)]

    def settled_ids(self, newest: int) -> frozenset[int]:
        """Return the ids among so many newest rows that are known, and do not change by themselves any more."""
        found = (self._known.get(row) for row in self._rows[-newest:] if isinstance(row, int))
        return frozenset(summary.id for summary in found if summary is not None and is_settled(summary))

    # Behaviour

    def watch_is_following(self) -> None:
        """Go to the newest row when following begins."""
        if self.is_following:
            super().action_go_to_end()
        self._count_newer()

    def watch_arranged(self) -> None:
        """Say so in the heading, and offer folding."""
        self._redraw_heading()
        self.refresh_bindings()

    def watch_highlighted_kinds(self) -> None:
        """Draw the bars anew."""
        self.redraw()

    def watch_cursor(self, old: int, new: int) -> None:
        """Stop following when the cursor leaves the last row by hand."""
        super().watch_cursor(old, new)
        self._ask_for_missing()

    def action_cursor_up(self) -> None:
        """Move up and stand still."""
        self.is_following = False
        super().action_cursor_up()

    def action_previous_page(self) -> None:
        """Move up a page and stand still."""
        self.is_following = False
        super().action_previous_page()

    def action_go_to_top(self) -> None:
        """Go to the oldest row and stand still."""
        self.is_following = False
        super().action_go_to_top()

    def action_go_to_end(self) -> None:
        """Go to the newest row and follow."""
        self.is_following = True
        super().action_go_to_end()

    def on_click(self, event: events.Click) -> None:
        """Stand still on a row that was chosen by mouse; what comes in would take the cursor away."""
        super().on_click(event)
        if self.cursor < self.row_count - 1:
            self.is_following = False

    def on_mouse_scroll_up(self) -> None:
        """Stand still where somebody scrolls back."""
        self.is_following = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer folding only of a tree."""
        if action in _FOLDS:
            return bool(self.arranged)
        return super().check_action(action, parameters)

    def action_toggle_fold(self) -> None:
        """Fold or unfold the branch under the cursor."""
        key = self._rows.branch_at(self.cursor)
        if key is not None:
            self.post_message(self.FoldRequested(key))

    def action_fold_all(self) -> None:
        """Fold or unfold all branches."""
        self.post_message(self.FoldRequested(None))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for what comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._ask_for_missing()
        self._count_newer()

    def on_resize(self) -> None:
        """Ask for what a larger window shows."""
        self._ask_for_missing()

    # Drawing

    def draw_header(self, width: int) -> Line:
        """Draw the column headings."""
        return header_line(width, self.inks, self.arranged, self._newer)

    def row_identity(self, index: int) -> object:
        """Return what the row shows: a summary (frozen), or a heading with the title it got."""
        row = self._rows[index]
        if isinstance(row, Group):
            return row, self._known.get(row.first_id)
        summary = self._known.get(row)
        if summary is not None and summary.state is ExchangeState.OPEN:
            return summary, self._now_us // 125_000, self._streamed_tokens(summary)
        return summary or row

    def draw_row(self, index: int, width: int) -> Line:
        """Draw an exchange, a heading, or a quiet line for what is on its way."""
        row = self._rows[index]
        if isinstance(row, Group):
            return group_line(row, self._known.get(row.first_id), width, self.inks)
        summary = self._known.get(row)
        if summary is None:
            return [("  ·", self.inks.faint)]
        return exchange_line(summary, width, self._mood(summary))

    def _mood(self, summary: ExchangeSummary) -> RowMood:
        return RowMood(
            inks=self.inks,
            highlighted=self.highlighted_kinds,
            has_colour=self._has_colour,
            now_us=self._now_us,
            streamed_tokens=self._streamed_tokens(summary),
        )

    def _streamed_tokens(self, summary: ExchangeSummary) -> int | None:
        received = self._received.get(summary.exchange_id)
        return rate_of(summary.model, self._rates).tokens(received) if received and summary.is_streaming else None

    def _count_newer(self) -> None:
        """Count what came below all that was in sight since the list stands still; in a tree it may be anywhere."""
        newer = 0
        is_flat = bool(self._rows) and self._rows.branch_at(0) is None
        if is_flat:
            seen = self._rows[-1 if self.is_following else self.visible_rows.stop - 1]
            assert isinstance(seen, int)
            self._newest_seen = max(self._newest_seen, seen)
            newer = len(self._rows) - bisect_right(self._rows, self._newest_seen)  # type: ignore[type-var]  # flat: ids
        if newer != self._newer:
            self._newer = newer
            self._redraw_heading()

    def _redraw_heading(self) -> None:
        self.refresh(Region(0, 0, self.size.width, 1))

    def _stay_on(self, at: Row) -> None:
        """Put the cursor on the row it was on, wherever that is now."""
        place = self._rows.place_of(at, likely=self.cursor)
        if place is not None:
            self.cursor = place

    def _ask_for_missing(self) -> None:
        if not self._is_asking and self._rows:
            self._is_asking = True
            self.call_later(self._ask)

    def _ask(self) -> None:
        self._is_asking = False
        in_sight = self.visible_rows
        around = self._rows[max(0, in_sight.start - _AHEAD) : in_sight.stop + _AHEAD]
        ids = (row.first_id if isinstance(row, Group) else row for row in around)
        missing = tuple(dict.fromkeys(i for i in ids if i not in self._known))
        if missing:
            self.post_message(self.RowsWanted(missing))


def is_settled(summary: ExchangeSummary) -> bool:
    """Say whether an exchange has ended, is analysed and billed."""
    is_analysed = summary.state is not ExchangeState.OPEN and summary.attribution_version is not None
    return is_analysed and not summary.is_estimate
