"""The live screen: requests as they come in, and what the selected one is made of.

A switchboard: it reads in workers, hands views down and answers messages. It must not draw anything itself.
"""

import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import ClassVar, Final

from textual import on, work
from textual.containers import Container
from textual.reactive import var
from textual.timer import Timer
from textual.widget import Widget

from storage.streaming import StreamRates
from storage.views import ExchangeDetail, ExchangeSummary
from tui import reading
from tui.command import bindings
from tui.commands import FOLD_COMMANDS
from tui.filtering import combined_filter
from tui.live_commands import LIVE_COMMANDS, ON_FILTERS, ON_REQUESTS, CycleGrouping, LeavePane
from tui.notices import Notice, traffic_notice
from tui.outline import GROUPINGS, Group, Grouping, GroupKey
from tui.reading import RequestRows, Selection
from tui.screens.dashboard import DashboardScreen
from tui.screens.filter_actions import FilterActions
from tui.screens.live_reads import ContentRead, DetailRead, RowsRead, SummariesRead
from tui.screens.request_actions import RequestActions
from tui.widgets.breakdown import Breakdown
from tui.widgets.detail_pane import DetailPane, Tab, TabContent
from tui.widgets.exchange_list import ExchangeList, is_settled
from tui.widgets.filter_line import FilterLine
from tui.widgets.first_start import FirstStart
from tui.widgets.legend import Legend
from tui.widgets.line_list import LineList
from tui.widgets.page_view import PageView

_REST_S: Final = 0.06
"""How long the cursor must rest before a request is read whole."""
_FOLLOWED_S: Final = 0.4
"""How often the newest request is read whole while more come in than anybody can look at."""
_TICK_S: Final = 0.125
_LEAST_PAUSE_S: Final = 0.1
_SLOW_S: Final = 10.0
"""How often it is looked whether prices are missing, and what streams are made of."""
_RECHECK_S: Final = 1.0
"""How often rows that may still change are read without having been told."""
_TAIL: Final = 80


class LiveScreen(RequestActions, FilterActions, DashboardScreen):
    """Requests, breakdown, details."""

    MODE = "live"
    COMMAND_GROUPS: ClassVar = (LIVE_COMMANDS, FOLD_COMMANDS)
    BINDINGS: ClassVar = bindings(LIVE_COMMANDS)
    CSS_PATH = "live.tcss"
    AUTO_FOCUS = "#exchanges"
    """Not the hidden filter line, whose keys would stand at the foot of the first picture."""

    grouping: var[Grouping] = var(Grouping.FLAT, init=False)
    folded: var[frozenset[GroupKey]] = var(frozenset(), init=False)

    def __init__(self) -> None:
        super().__init__()
        self._rows: RequestRows | None = None
        self._is_reading = False
        self._is_stale = False
        self._rest: Timer | None = None
        self._detail_read_s = 0.0
        self._unpriced_requests = 0
        self._is_in_pane = False
        self._newest_ended: ExchangeSummary | None = None
        self._rates: StreamRates = {}

    def compose_content(self) -> Iterator[Widget]:
        """Lay out filter, list, pane and legend."""
        has_colour = not self.app.no_color
        yield FilterLine(id="filter")
        yield Container(
            Container(ExchangeList(has_colour=has_colour, id="exchanges"), FirstStart(id="first-start"), id="list-side"),
            DetailPane(has_colour=has_colour, id="pane"),
            id="body",
        )
        yield Legend(has_colour=has_colour)

    # Parts

    @property
    def requests(self) -> ExchangeList:
        """The request list."""
        return self.query_one(ExchangeList)

    @property
    def pane(self) -> DetailPane:
        """The selected request."""
        return self.query_one(DetailPane)

    def on_mount(self) -> None:
        """Show the list, and its rows when they can be read."""
        self.requests.focus()
        if self.assay.has_store:
            self.begin_reading()

    def begin_reading(self) -> None:
        """Read the first rows."""
        self._rows = RequestRows(self.store)
        self.refresh_bindings()
        self.set_interval(_TICK_S, self._tick)
        self.set_interval(_SLOW_S, self._read_prices)
        self.set_interval(_RECHECK_S, self._recheck)
        self.read_rows()
        self.read_saved()
        self._read_prices()

    # Rows

    def selection(self) -> Selection:
        """Return what the list is to show."""
        wanted = combined_filter(self.filter_text, self.kinds, self.saved)
        return Selection(wanted, self.grouping, self.folded)

    def on_store_changed(self) -> None:
        """Read what came."""
        self.read_rows()

    def _recheck(self) -> None:
        """Read rows in sight that may still change: a read that was overtaken by the last change leaves nobody to tell."""
        if self.is_current and self.requests.unsettled_ids:
            self.read_rows()

    def on_screen_resume(self) -> None:
        """Read what came while another screen was shown, once this one stands as it was left."""
        self.call_after_refresh(self.read_rows)

    def read_rows(self) -> None:
        """Read the rows anew; while a read runs, once more after it; before there is a store, when there is one."""
        if self._rows is None:
            return
        if self._is_reading:
            self._is_stale = True
            return
        self._is_reading, self._is_stale = True, False
        requests = self.requests
        self._read_rows(self.selection(), tuple(requests.unsettled_ids), requests.settled_ids(2 * _TAIL), requests.is_following)

    @work(thread=True, group="rows", exit_on_error=False)
    def _read_rows(self, selection: Selection, unsettled: Sequence[int], settled: AbstractSet[int], is_following: bool) -> None:
        started = time.monotonic()
        assert self._rows is not None, "set before anything is read"
        try:
            rows = self._rows.update(selection)
            tail = rows[-_TAIL:] if is_following or len(rows) <= _TAIL else ()
            ids = dict.fromkeys([*unsettled, *(row.first_id if isinstance(row, Group) else row for row in tail)])
            summaries = reading.read_summaries(self.store, tuple(number for number in ids if number not in settled))
        except BaseException:
            self._is_reading = False
            raise
        self.post_message(RowsRead(selection, rows, summaries, time.monotonic() - started))

    def on_rows_read(self, event: RowsRead) -> None:
        """Show the rows, unless another selection was made meanwhile."""
        self._is_reading = False
        if event.selection == self.selection():
            with self.requests.at_once():
                self.requests.supply(event.summaries)
                self.requests.show_rows(event.rows)
            self.query_one(FilterLine).show_count(event.rows.exchange_count)
            self._show_emptiness(is_empty=not event.rows)
            self._show_newer_selection()
            self.show_standing(self.assay.last_counters)
        else:
            self._is_stale = True
        if self._is_stale:
            # At most a fifth of the time goes into reading, however much comes in.
            self.set_timer(max(_LEAST_PAUSE_S, 4 * event.took_s), self.read_rows)

    def on_exchange_list_rows_wanted(self, event: ExchangeList.RowsWanted) -> None:
        """Read the rows that came into sight."""
        self.read_summaries_of(event.ids)

    @work(thread=True, group="summaries", exit_on_error=False)
    def read_summaries_of(self, ids: tuple[int, ...]) -> None:
        """Read these rows (again)."""
        self.post_message(SummariesRead(reading.read_summaries(self.store, ids)))

    def on_summaries_read(self, event: SummariesRead) -> None:
        """Show the rows that came into sight."""
        self.requests.supply(event.summaries)
        self._show_newer_selection()

    def _show_emptiness(self, *, is_empty: bool) -> None:
        first_start = self.query_one(FirstStart)
        first_start.display = is_empty
        if is_empty != self.has_class("-empty"):
            self.set_class(is_empty, "-empty")
            self.refresh_bindings()
        self.requests.display = not is_empty
        if not is_empty:
            if self.focused is None:
                self.focus_front()
            return
        self.remove_class("-zoomed")
        self.pane.show_summary(None)
        wanted = self.selection().wanted
        if wanted.is_empty:
            first_start.explain(self.live.proxy_url if self.live else None, self.live.ca_bundle if self.live else None)
        else:
            first_start.explain_empty(wanted.text)

    def _tick(self) -> None:
        received = dict(self.live.response_bytes()) if self.live is not None else {}
        self.requests.tick(self.assay.now_us(), received, self._rates)

    # The selected request

    @on(LineList.Highlighted, "#exchanges")
    def _follow_cursor(self) -> None:
        summary = self.requests.selected
        if summary is not None and not self.requests.is_following:
            self.pane.show_summary(summary)
        self._read_detail_soon()

    @on(LineList.Selected, "#exchanges")
    def _enter_pane(self) -> None:
        if isinstance(self.requests.selected_row, Group):
            self.requests.action_toggle_fold()
            return
        if self.has_class("-narrow") and self.has_class("-low"):
            self.add_class("-zoomed")
        front = self.pane.front
        if front is not None:
            front.focus()

    def _show_newer_selection(self) -> None:
        """Read the selected request again when its row has changed."""
        summary = self.requests.selected
        shown = self.pane.detail
        if summary is not None and (shown is None or shown.summary != summary):
            self._follow_cursor()

    def _read_detail_soon(self) -> None:
        """Read it once the cursor rests; while it follows what comes in, it may never rest."""
        wait_s = _REST_S
        if self.requests.is_following:
            wait_s = max(_REST_S, self._detail_read_s + _FOLLOWED_S - time.monotonic())
        if self._rest is not None:
            if self.requests.is_following:
                return
            self._rest.stop()
        self._rest = self.set_timer(wait_s, self._read_selected)

    def _read_selected(self) -> None:
        self._rest = None
        summary = self.requests.selected
        if summary is not None:
            self._detail_read_s = time.monotonic()
            self.pane.show_summary(summary)
            self._read_detail(summary.id)

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _read_detail(self, number: int) -> None:
        detail = reading.read_detail(self.store, number)
        if detail is not None:
            self.post_message(DetailRead(detail))

    def on_detail_read(self, event: DetailRead) -> None:
        """Show the request, unless the cursor has gone on."""
        summary = event.detail.summary
        if is_settled(summary):  # its row is not read again; somebody else may have rated it
            self.requests.supply([summary])
        if summary.id == self.requests.selected_id:
            self.pane.detail = event.detail

    def on_detail_pane_content_wanted(self, event: DetailPane.ContentWanted) -> None:
        """Read what the tab in front needs."""
        self._read_content(event.detail, event.tab)

    @work(thread=True, exclusive=True, group="content", exit_on_error=False)
    def _read_content(self, detail: ExchangeDetail, tab: Tab) -> None:
        number = detail.summary.id
        if tab is Tab.DIFF:
            content = TabContent(exchange=number, tab=tab, previous=reading.read_previous(self.store, detail))
        elif tab is Tab.JSON:
            content = TabContent(exchange=number, tab=tab, document=reading.read_document(self.store, detail))
        else:
            content = TabContent(exchange=number, tab=tab, response=reading.read_response(self.store, detail))
        self.post_message(ContentRead(content))

    def on_content_read(self, event: ContentRead) -> None:
        """Hand it to the tab."""
        self.pane.supply(event.content)

    @on(Breakdown.SegmentChosen)
    @on(PageView.SegmentChosen)
    def _show_segment(self, event: Breakdown.SegmentChosen | PageView.SegmentChosen) -> None:
        if self.pane.detail is not None:
            self.open_segment(self.pane.detail, event.index)

    # Tree

    def watch_grouping(self) -> None:
        """Arrange the list anew, once the key is answered: a hundred thousand rows take a while."""
        self.folded = frozenset()
        self.requests.arranged = "" if self.grouping is Grouping.FLAT else self.grouping.value.replace(" and ", ", ")
        self.call_after_refresh(self.read_rows)

    def watch_folded(self) -> None:
        """Fold or unfold."""
        self.read_rows()

    def on_exchange_list_fold_requested(self, event: ExchangeList.FoldRequested) -> None:
        """Fold or unfold one branch, or all."""
        if event.key is not None:
            self.folded ^= {event.key}
        elif self.folded:
            self.folded = frozenset()
        else:
            self.folded = self.requests.rows.top_keys

    def action_cycle_grouping(self) -> None:
        """Arrange the list in the next way."""
        self.grouping = GROUPINGS[(GROUPINGS.index(self.grouping) + 1) % len(GROUPINGS)]

    def action_toggle_follow(self) -> None:
        """Follow, or stand still."""
        self.requests.is_following = not self.requests.is_following
        self.notify("Following the newest" if self.requests.is_following else "Standing still", timeout=1.5)

    # The pane

    def action_zoom_pane(self) -> None:
        """Give the pane the whole screen, or share it."""
        self.toggle_class("-zoomed")
        self.refresh_bindings()
        self.focus_front()

    def focus_front(self) -> None:
        """Give the keys to the list, or to what hides it."""
        front = self.pane.front if self.has_class("-zoomed") else self.requests
        if front is not None:
            front.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way back only from where there is one, and nothing to do with a list that is empty or hidden."""
        if action == LeavePane.action():
            return self.has_class("-zoomed") or self.focused not in (None, self.requests)
        if action == CycleGrouping.action() and self.has_class("-zoomed"):
            return False
        is_empty = self.has_class("-empty")
        if action in ON_REQUESTS and (is_empty or self._rows is None):
            return False
        if action in ON_FILTERS and is_empty and not (self.filter_text or self.kinds):
            return False
        return super().check_action(action, parameters)

    def on_descendant_focus(self) -> None:
        """Stand still once somebody begins to read: what comes in would take the request away from under their eyes."""
        was_in_pane, self._is_in_pane = self._is_in_pane, self.pane.has_focus_within
        if self._is_in_pane and not was_in_pane:
            self.requests.is_following = False

    def action_leave_pane(self) -> None:
        """Go back to the list."""
        self.remove_class("-zoomed")
        self.requests.focus()

    @work(thread=True, exclusive=True, group="prices", exit_on_error=False)
    def _read_prices(self) -> None:
        self._unpriced_requests = reading.unpriced_today(self.store, self.assay.now_us())
        self._rates = reading.stream_rates(self.store)

    def other_notice(self) -> Notice | None:
        """Say when the API cannot be reached, or prices are missing; of a database alone there is nothing to do about it."""
        if self.live is None:
            return None
        is_all = self.selection().wanted.is_empty and self.grouping is Grouping.FLAT
        if is_all and self.requests.visible_rows.stop == self.requests.row_count:  # else the last in sight is not the newest
            ended = [summary for summary in self.requests.summaries_in_sight if summary.latency_ms is not None or summary.error]
            self._newest_ended = ended[-1] if ended else None
        return traffic_notice(self._newest_ended, self._unpriced_requests)
