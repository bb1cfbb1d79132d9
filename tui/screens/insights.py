"""The insights screen: what was carried in vain, what broke the cache, what carrying costs, what it was worth, what grew.

Everything on it is found by `storage.insights`; it reads, shows, leads to the requests.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from textual import on, work
from textual.containers import Container
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import Static

from storage.insights.overview import Insights
from storage.insights.reading import InsightReader
from storage.insights.what_if import WhatIf
from tui import format as fmt
from tui import reading_insights as reading
from tui.command import bindings
from tui.commands import INSIGHTS_COMMANDS, WriteReport
from tui.insight_columns import SECTIONS, InsightRow, Section
from tui.insight_evidence import requests_filter
from tui.messages import FilterRequested
from tui.pages.insight import write_insight
from tui.ranges import Period, longer_time, range_of, within
from tui.screens.ranged import TableScreen
from tui.screens.report import ReportScreen
from tui.screens.what_if import WhatIfScreen
from tui.widgets.fact_line import FactLine
from tui.widgets.line_list import LineList
from tui.widgets.page_view import PageView
from tui.widgets.tab_strip import TabStrip
from tui.widgets.table import Table

type _State = tuple[Period, int, int | None]


class InsightsRead(Message):
    """What a period says."""

    def __init__(self, state: _State, found: Insights) -> None:
        super().__init__()
        self.state = state
        """Period, requests and newest request it was found for."""
        self.found = found


class WhatIfRead(Message):
    """What leaving a source out would have saved."""

    def __init__(self, row: InsightRow, period: Period, removed: WhatIf, deferred: WhatIf | None) -> None:
        super().__init__()
        self.row = row
        self.period = period
        self.removed = removed
        self.deferred = deferred


class InsightsScreen(TableScreen):
    """A table for each kind of insight, and the selected one in words."""

    MODE = "insights"
    COMMAND_GROUPS: ClassVar = (INSIGHTS_COMMANDS,)
    BINDINGS: ClassVar = bindings(INSIGHTS_COMMANDS)
    CSS_PATH = "insights.tcss"

    REST_S: ClassVar = 15.0
    """Insights look at thousands of requests."""

    section: var[Section] = var(SECTIONS[0], init=False)

    def __init__(self) -> None:
        super().__init__()
        self._state: _State | None = None
        self._found: Insights | None = None
        self._shown: InsightRow | None = None

    def compose_content(self) -> Iterator[Widget]:
        """Lay out totals, tabs, a table for each section, and the selected row in words."""
        yield FactLine(id="totals")
        yield TabStrip([section.title for section in SECTIONS])
        tables = [Table[Any](s.columns, s.identity, sorted_by=s.sorted_by, id=f"table-{s.name}") for s in SECTIONS]
        yield Container(*tables, PageView(id="insight"), id="body")
        yield Static(id="nothing")

    @property
    def table(self) -> Table[Any]:
        """The table of the section in front."""
        return self.query_one(f"#table-{self.section.name}", Table)

    def on_mount(self) -> None:
        """Read the first time."""
        self._show()

    def watch_period(self) -> None:
        """Read another period."""
        self._found = None
        self._show()
        self.read()

    def watch_section(self) -> None:
        """Show another section."""
        self._show()

    def start_reading(self) -> None:
        """Find the insights of the period."""
        self._read(self.period, self.assay.now_us(), self._state)

    @work(thread=True, exclusive=True, group="insights", exit_on_error=False)
    def _read(self, period: Period, now_us: int, known: _State | None) -> None:
        wanted = range_of(period, now_us)
        with self.reading():
            totals = self.store.sources.summary(wanted)
            state = (period, totals.total_requests, totals.newest_us)
            if state == known:
                return
            found = InsightReader(self.store.database).insights(wanted)
        self.post_message(InsightsRead(state, found))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a report only of what was billed."""
        if action == WriteReport.action():
            return self._found is not None and self._found.requests > 0
        return super().check_action(action, parameters)

    def on_insights_read(self, event: InsightsRead) -> None:
        """Show them, unless another period was chosen."""
        if event.state[0] != self.period:
            return
        self._state, self._found = event.state, event.found
        for section in SECTIONS:
            self.query_one(f"#table-{section.name}", Table).show(section.rows(event.found))
        self._show()
        self.refresh_bindings()

    def _show(self) -> None:
        found, section = self._found, self.section
        rows: Sequence[InsightRow] = section.rows(found) if found is not None else ()
        self.query_one("#totals", FactLine).update(totals_text(self.period, found))
        self.query_one(TabStrip).active = section.title
        for other in SECTIONS:
            self.query_one(f"#table-{other.name}").display = other is section
        self.has_content = self.query_one("#body").display = bool(rows)
        nothing = self.query_one("#nothing", Static)
        nothing.display = not rows
        if rows:
            self.table.focus()
        else:
            nothing.update(nothing_text(section, self.period, found))
        self._show_row()

    @on(LineList.Highlighted)
    def _follow_cursor(self, event: LineList.Highlighted) -> None:
        if event.line_list is self.table:
            self._show_row()

    def _show_row(self) -> None:
        row = self.table.selected
        if row is not None:
            page = self.query_one("#insight", PageView)
            page.show(lambda sheet: write_insight(sheet, row), keeps_place=row == self._shown)
        self._shown = row

    @on(TabStrip.TabClicked)
    def _choose(self, event: TabStrip.TabClicked) -> None:
        self.section = next(section for section in SECTIONS if section.title == event.name)

    def action_next_section(self) -> None:
        """Show the next section."""
        self.section = SECTIONS[(SECTIONS.index(self.section) + 1) % len(SECTIONS)]

    def action_previous_section(self) -> None:
        """Show the section before."""
        self.section = SECTIONS[SECTIONS.index(self.section) - 1]

    @on(LineList.Selected)
    def _open(self, event: LineList.Selected) -> None:
        row = self.table.selected
        if event.line_list is self.table and row is not None:
            self.app.post_message(FilterRequested(requests_filter(row, self.period)))

    def action_copy_text(self) -> None:
        """Copy the selected insight."""
        if self.table.selected is not None:
            self.app.copy_to_clipboard(self.query_one("#insight", PageView).plain_text)
            self.notify("Copied the insight", timeout=1.5)

    # What if

    def action_ask_what_if(self) -> None:
        """Reckon what leaving the selected source out would have saved."""
        row = self.table.selected
        if row is None or row.source is None:
            self.notify("Select a row that has a source first", severity="warning", timeout=2)
            return
        self.notify("Reckoning …", timeout=2)
        self._reckon(row, self.period, self.assay.now_us())

    @work(thread=True, exclusive=True, group="what-if", exit_on_error=False)
    def _reckon(self, row: InsightRow, period: Period, now_us: int) -> None:
        removed, deferred = reading.what_if(self.store, range_of(period, now_us), row.source)
        self.post_message(WhatIfRead(row, period, removed, deferred))

    def on_what_if_read(self, event: WhatIfRead) -> None:
        """Show what would have been saved, unless the person who asked has gone on to something else."""
        if self.is_current:
            self.app.push_screen(WhatIfScreen(event.row.source, event.period, event.removed, event.deferred))

    # Report

    def action_write_report(self) -> None:
        """Ask where to write the report of the period."""

        def write(path: Any) -> None:
            if path is not None:
                self._write_report(path, self.period, self.assay.now_us())

        self.app.push_screen(ReportScreen(self.period, self.assay.now_us()), write)

    @work(thread=True, group="report", exit_on_error=False)
    def _write_report(self, path: Any, period: Period, now_us: int) -> None:
        words, is_done = reading.write_report(self.store, path, range_of(period, now_us))
        self.app.call_from_thread(self.notify, words, severity="information" if is_done else "error", timeout=6)


def totals_text(period: Period, found: Insights | None) -> str:
    """Write the line above the tabs."""
    if found is None:
        return f" {period.name} · reading …"
    cut = " (the newest)" if found.is_cut else ""
    parts = [
        period.name,
        "not all priced" if found.input.cost_nano_usd is None else f"{fmt.usd(found.input.cost_nano_usd)} for input",
        f"{fmt.tokens(found.input.tokens)} in",
    ]
    if found.waste.cost_nano_usd:
        parts.insert(1, f"{fmt.usd(found.waste.cost_nano_usd)} could have been saved")
    parts.append(f"{fmt.whole(found.requests)} billed requests{cut}")
    if found.textless_requests:
        parts.append(f"{fmt.whole(found.textless_requests)} without text")
    return " " + " · ".join(parts)


def nothing_text(section: Section, period: Period, found: Insights | None) -> str:
    """Say why a section is empty, and what to do about it."""
    if found is None:
        return "Reading …"
    if not found.requests:
        return f"No request was billed {within(period)}. {longer_time(period)}"
    return section.nothing
