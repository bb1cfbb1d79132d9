"""What can be done with the selected request: turn to its tabs, rate it, note something, export, copy, read a segment.

A part of the live screen, apart because it is about one request, and writes.
"""

from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.screen import Screen

from proxy_core.attribution.model import LedgerLine, Segment
from storage.insights.carry import CarriedContent
from storage.views import ExchangeDetail, ExchangeSummary
from tui import format as fmt
from tui import reading
from tui.composition import gather, is_guess
from tui.screens.export import ExportChoice, ExportScreen
from tui.screens.rating import Rating, RatingScreen
from tui.screens.segment import SegmentReading, SegmentScreen
from tui.widgets.breakdown import Breakdown
from tui.widgets.detail_pane import TABS, Tab
from tui.widgets.json_view import JsonView
from tui.widgets.page_view import PageView

if TYPE_CHECKING:
    from storage.exchanges import SegmentUse
    from tui.screens.live import LiveScreen

_STEP = 0.5


class CommentRead(Message):
    """What was said of a request so far."""

    def __init__(self, summary: ExchangeSummary, comment: str | None, *, starts_with_comment: bool) -> None:
        super().__init__()
        self.summary = summary
        self.comment = comment
        self.starts_with_comment = starts_with_comment


class FeedbackSaved(Message):
    """A rating was stored or removed."""

    def __init__(self, number: int, words: str) -> None:
        super().__init__()
        self.number = number
        """`ExchangeSummary.id` it belongs to."""
        self.words = words


class SegmentRead(Message):
    """The history of a segment that is to be shown."""

    def __init__(self, detail: ExchangeDetail, index: int, use: "SegmentUse | None") -> None:
        super().__init__()
        self.detail = detail
        self.index = index
        self.use = use


class CarryRead(Message):
    """What carrying the segment that is shown has cost."""

    def __init__(self, segment: Segment, carry: CarriedContent) -> None:
        super().__init__()
        self.segment = segment
        self.carry = carry


class RequestActions(Screen[None]):
    """The commands on one request."""

    _tab_before_diff = Tab.BREAKDOWN

    @property
    def _live(self) -> "LiveScreen":
        from tui.screens.live import LiveScreen

        assert isinstance(self, LiveScreen), "a part of the live screen"
        return self

    # Tabs

    def action_next_tab(self) -> None:
        """Show the next tab."""
        pane = self._live.pane
        pane.tab = TABS[(TABS.index(pane.tab) + 1) % len(TABS)]

    def action_previous_tab(self) -> None:
        """Show the tab before."""
        pane = self._live.pane
        pane.tab = TABS[TABS.index(pane.tab) - 1]

    def action_show_diff(self) -> None:
        """Compare with the request before; once more goes back to the tab that was looked at."""
        pane = self._live.pane
        if pane.tab is Tab.DIFF:
            pane.tab = self._tab_before_diff
            self.notify(f"Back to {pane.tab.value}", timeout=1.5)
        else:
            self._tab_before_diff = pane.tab
            pane.tab = Tab.DIFF

    def _selected(self) -> ExchangeSummary | None:
        summary = self._live.requests.selected
        if summary is None:
            self.notify("Select a request first", severity="warning", timeout=2)
        return summary

    # Rating

    def action_rate_request(self) -> None:
        """Ask for rating and comment."""
        self._ask_rating(starts_with_comment=False)

    def action_edit_note(self) -> None:
        """Ask for a note."""
        self._ask_rating(starts_with_comment=True)

    def action_rate_up(self) -> None:
        """Rate half a point better."""
        self._step_rating(_STEP)

    def action_rate_down(self) -> None:
        """Rate half a point worse."""
        self._step_rating(-_STEP)

    def _step_rating(self, step: float) -> None:
        summary = self._selected()
        if summary is not None:
            rating = max(-1.0, min(1.0, (summary.rating or 0.0) + step))
            self._save_rating(summary, Rating(rating, None), keeps_comment=True)

    def _ask_rating(self, *, starts_with_comment: bool) -> None:
        summary = self._selected()
        if summary is not None:
            self._read_comment(summary, starts_with_comment=starts_with_comment)

    @work(thread=True, exclusive=True, group="comment", exit_on_error=False)
    def _read_comment(self, summary: ExchangeSummary, *, starts_with_comment: bool) -> None:
        comment = reading.read_comment(self._live.store, summary.exchange_id) if summary.has_note else None
        self.post_message(CommentRead(summary, comment, starts_with_comment=starts_with_comment))

    def on_comment_read(self, event: CommentRead) -> None:
        """Open the window, with the comment that is there."""

        def save(given: Rating | None) -> None:
            if given is not None:
                self._save_rating(event.summary, given, keeps_comment=False)

        self.app.push_screen(RatingScreen(event.summary, event.comment, starts_with_comment=event.starts_with_comment), save)

    @work(thread=True, group="feedback", exit_on_error=False)
    def _save_rating(self, summary: ExchangeSummary, given: Rating, *, keeps_comment: bool) -> None:
        words = reading.save_rating(
            self._live.store, summary.exchange_id, given.rating, given.comment, keeps_comment=keeps_comment
        )
        self.post_message(FeedbackSaved(summary.id, words))

    def on_feedback_saved(self, event: FeedbackSaved) -> None:
        """Show the rating in the list at once."""
        self.notify(event.words, timeout=2)
        self._live.read_summaries_of((event.number,))

    # Export and copy

    def action_export_requests(self) -> None:
        """Ask what to export, and where to."""
        live = self._live

        def write(choice: ExportChoice | None) -> None:
            if choice is not None:
                self._export(choice)

        self.app.push_screen(ExportScreen(live.requests.selected, live.selection().wanted, live.assay.now_us()), write)

    @work(thread=True, group="export", exit_on_error=False)
    def _export(self, choice: ExportChoice) -> None:
        words, is_done = reading.export(self._live.store, choice.path, choice.format_name, choice.exchange_id, choice.wanted)
        self.app.call_from_thread(self.notify, words, severity="information" if is_done else "error", timeout=6)

    def action_copy_text(self) -> None:
        """Copy what is in front: a segment's text, the page, a JSON value, else the request's id."""
        what, text = self._copied()
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"Copied {what} ({fmt.size(len(text.encode()))})", timeout=2)

    def _copied(self) -> tuple[str, str]:
        focused = self.focused
        if isinstance(focused, JsonView):
            return "the JSON value", focused.selected_text
        if isinstance(focused, PageView):
            return "this page", focused.plain_text
        if isinstance(focused, Breakdown) and focused.selected is not None:
            source, segment = focused.selected
            if segment is not None and segment.segment is not None:
                return "the segment's text", segment.segment.text
            return "the source's name", source.source_name or source.source_type.value
        summary = self._selected()
        return "the request's id", summary.exchange_id if summary is not None else ""

    # Segments

    def open_segment(self, detail: ExchangeDetail, index: int) -> None:
        """Read a segment's history, then show it."""
        self._read_segment(detail, index)

    @work(thread=True, exclusive=True, group="segment", exit_on_error=False)
    def _read_segment(self, detail: ExchangeDetail, index: int) -> None:
        use = self._live.store.exchanges.segment_use(detail.segments[index].content_hash)
        self.post_message(SegmentRead(detail, index, use))

    def on_segment_read(self, event: SegmentRead) -> None:
        """Show the segment."""
        lines = [
            line for line in (event.detail.ledger.lines if event.detail.ledger else ()) if line.segment_index == event.index
        ]
        self.app.push_screen(
            SegmentScreen(
                SegmentReading(
                    segment=event.detail.segments[event.index],
                    figures=_figures(lines),
                    first_id=event.use.first_id if event.use else None,
                    carried=event.use.uses if event.use else None,
                )
            )
        )
        self._read_carry(event.detail, event.index)

    @work(thread=True, exclusive=True, group="carry", exit_on_error=False)
    def _read_carry(self, detail: ExchangeDetail, index: int) -> None:
        from storage.insights.reading import InsightReader

        carry = InsightReader(self._live.store.database).carry_of(detail.summary.id, index)
        if carry is not None:
            self.post_message(CarryRead(detail.segments[index], carry))

    def on_carry_read(self, event: CarryRead) -> None:
        """Add it, if the segment is still shown."""
        screen = self.app.screen
        if isinstance(screen, SegmentScreen) and screen.segment is event.segment:
            screen.show_carry(event.carry)


def _figures(lines: list[LedgerLine]) -> str:
    if not lines:
        return ""
    share = gather(lines)
    return f"{fmt.tokens(share.tokens, is_estimate=is_guess(share.grade))} tokens · {fmt.usd(share.cost_nano_usd)}"
