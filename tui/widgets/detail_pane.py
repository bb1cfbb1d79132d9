"""The selected request from every side: breakdown, request, response, headers, JSON, timing, cost, diff.

It is given a detail and says by `ContentWanted` what else the tab in front needs (bodies, the request before); it reads
nothing. Only the tab in front is drawn.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var
from textual.widgets import ContentSwitcher, Static

from proxy_core.attribution.model import SourceType
from proxy_core.dialects.base import ParsedResponse
from proxy_core.exchange import ExchangeState
from storage.views import ExchangeDetail, ExchangeSummary
from tui.composition import compose as compose_request
from tui.invocation import own_command
from tui.pages.cost import write_cost
from tui.pages.diff import write_diff
from tui.pages.headers import write_headers
from tui.pages.messages import write_request, write_response
from tui.pages.sheet import Sheet
from tui.pages.timing import write_timing
from tui.widgets.breakdown import Breakdown
from tui.widgets.json_view import JsonView
from tui.widgets.line_list import LineList
from tui.widgets.page_view import PageView, Writer
from tui.widgets.request_heading import RequestHeading
from tui.widgets.spectrum import NO_KINDS
from tui.widgets.tab_strip import TabStrip


class Tab(StrEnum):
    """What can be seen of a request."""

    BREAKDOWN = "Breakdown"
    REQUEST = "Request"
    RESPONSE = "Response"
    HEADERS = "Headers"
    JSON = "JSON"
    TIMING = "Timing"
    COST = "Cost"
    DIFF = "Diff"


TABS: Final = tuple(Tab)


@dataclass(frozen=True, slots=True, kw_only=True)
class TabContent:
    """What a tab needs beside the detail; only that of its tab is set."""

    exchange: int
    """`ExchangeSummary.id` it belongs to."""
    tab: Tab
    response: ParsedResponse | None = None
    """For `RESPONSE`; `None`: no answer (yet)."""
    document: Any = None
    """For `JSON`."""
    previous: ExchangeDetail | None = None
    """For `DIFF`; `None`: the first of its conversation."""


class DetailPane(Vertical):
    """Heading, tabs, and the tab in front."""

    tab: var[Tab] = var(Tab.BREAKDOWN, init=False)
    detail: var[ExchangeDetail | None] = var(None, init=False)
    highlighted_kinds: var[AbstractSet[SourceType]] = var(NO_KINDS, init=False)

    class ContentWanted(Message):
        """The tab in front needs more than the detail."""

        def __init__(self, detail: ExchangeDetail, tab: Tab) -> None:
            super().__init__()
            self.detail = detail
            self.tab = tab

        def can_replace(self, message: Message) -> bool:
            """Only the tab in front matters."""
            return isinstance(message, DetailPane.ContentWanted)

    def __init__(self, *, has_colour: bool = True, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._has_colour = has_colour
        self._is_new = True

    def compose(self) -> ComposeResult:
        """Lay out heading, tabs and contents."""
        yield RequestHeading(has_colour=self._has_colour)
        yield TabStrip([tab.value for tab in TABS])
        with ContentSwitcher(initial="pane-empty"):
            yield Static("Select a request to see what it is made of.", id="pane-empty")
            yield Breakdown(id="pane-breakdown")
            yield PageView(id="pane-page")
            yield JsonView(id="pane-json")

    def on_mount(self) -> None:
        """Mark the first tab."""
        self.query_one(TabStrip).active = self.tab.value

    @property
    def front(self) -> LineList | None:
        """The list in front, for the focus; `None` while nothing is selected."""
        shown = self.query_one(ContentSwitcher).visible_content
        return shown if isinstance(shown, LineList) else None

    def show_summary(self, summary: ExchangeSummary | None) -> None:
        """Show at once what is known from the list, before the detail is read."""
        self.query_one(RequestHeading).summary = summary
        if summary is None:
            self.detail = None
            self.query_one(ContentSwitcher).current = "pane-empty"

    def watch_detail(self, old: ExchangeDetail | None, new: ExchangeDetail | None) -> None:
        """Show another request, or newer figures of the same."""
        self._is_new = old is None or new is None or old.summary.id != new.summary.id
        if new is not None:
            self.query_one(RequestHeading).summary = new.summary
            self._show()

    def watch_tab(self) -> None:
        """Bring another tab to the front, and the focus with it."""
        had_focus = self.has_focus_within
        self.query_one(TabStrip).active = self.tab.value
        self._is_new = True
        self._show()
        front = self.front
        if had_focus and front is not None:
            front.focus()

    def watch_highlighted_kinds(self) -> None:
        """Put other kinds forward."""
        if self.tab is Tab.BREAKDOWN:
            self._show()

    def on_tab_strip_tab_clicked(self, event: TabStrip.TabClicked) -> None:
        """Show the tab that was clicked."""
        self.tab = Tab(event.name)

    def supply(self, content: TabContent) -> None:
        """Take what a tab asked for, unless another request or tab is shown by now."""
        detail = self.detail
        if detail is None or detail.summary.id != content.exchange or self.tab is not content.tab:
            return
        if content.tab is Tab.JSON:
            self._bring("pane-json")
            self.query_one(JsonView).show(content.document)
        elif content.tab is Tab.RESPONSE:
            summary = detail.summary
            error = None if summary.state is ExchangeState.OPEN else summary.error or "the request ended without one"
            self._show_page(lambda sheet: write_response(sheet, content.response, detail.response_body, error))
        else:
            self._show_page(lambda sheet: write_diff(sheet, content.previous, detail))

    def _show(self) -> None:
        detail = self.detail
        if detail is None:
            return
        if self.tab is Tab.BREAKDOWN:
            self._show_breakdown(detail)
        elif self.tab in {Tab.RESPONSE, Tab.JSON, Tab.DIFF}:
            self.post_message(self.ContentWanted(detail, self.tab))
        else:
            self._show_page(_writer(detail, self.tab))

    def _show_breakdown(self, detail: ExchangeDetail) -> None:
        composition = compose_request(detail)
        if composition is None:
            self._show_page(lambda sheet: _write_nothing(sheet, detail))
            return
        self._bring("pane-breakdown")
        self.query_one(Breakdown).show(composition, self.highlighted_kinds)

    def _show_page(self, write: Writer) -> None:
        self._bring("pane-page")
        self.query_one(PageView).show(write, keeps_place=not self._is_new)

    def _bring(self, name: str) -> None:
        switcher = self.query_one(ContentSwitcher)
        if switcher.current != name:
            had_focus = self.has_focus_within
            switcher.current = name
            front = self.front
            if had_focus and front is not None:
                front.focus()


def _writer(detail: ExchangeDetail, tab: Tab) -> Writer:
    def write(sheet: Sheet) -> None:
        if tab is Tab.REQUEST:
            write_request(sheet, detail.segments, detail.request_body)
        elif tab is Tab.HEADERS:
            write_headers(sheet, detail)
        elif tab is Tab.TIMING:
            write_timing(sheet, detail)
        else:
            write_cost(sheet, detail)

    return write


def _write_nothing(sheet: Sheet, detail: ExchangeDetail) -> None:
    if detail.summary.attribution_version is None:
        sheet.heading("Not read yet")
        sheet.text("It is stored; its sources appear here in a moment.", sheet.inks.muted)
    elif detail.facts is None:
        sheet.heading("Could not be read")
        again = f"{own_command()} reanalyze tries again"
        sheet.text(f"It is stored byte for byte; {again}, a newer version may know how.", sheet.inks.muted)
    else:
        sheet.heading("No prompt")
        sheet.text(
            "This request carries nothing that a model reads (telemetry, a list of models, settings …).", sheet.inks.muted
        )
        sheet.text("See the JSON and Headers tabs for what it does carry.", sheet.inks.muted)
    for note in detail.notes:
        sheet.text(f"· {note}", sheet.inks.warning)
