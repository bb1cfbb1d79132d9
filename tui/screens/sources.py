"""The sources screen: everything that ever put something into a context, with what it costs and what people think of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from rich.style import Style
from textual import on, work
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import Static

from proxy_core.attribution.model import SourceType
from storage.ranges import TimeRange
from storage.views import SourceMetrics, SummaryMetrics
from tui import format as fmt
from tui.colours import KEYED_KINDS, KINDS, UNNAMED, kind_colour
from tui.command import bindings
from tui.commands import SOURCES_COMMANDS
from tui.filtering import source_filter
from tui.live_commands import ClearFilter
from tui.messages import FilterRequested
from tui.ranges import Period, longer_time, range_of, within
from tui.screens.ranged import TableScreen
from tui.theme import Inks, ink
from tui.trends import Trends
from tui.widgets.breakdown import label_ink
from tui.widgets.fact_line import FactLine
from tui.widgets.legend import Legend
from tui.widgets.line_list import LineList
from tui.widgets.table import Table, TableColumn

_TREND: Final = 16


class SourcesRead(Message):
    """All sources of a period, which now is this range."""

    def __init__(self, period: Period, wanted: TimeRange, sources: Sequence[SourceMetrics], totals: SummaryMetrics) -> None:
        super().__init__()
        self.period = period
        self.wanted = wanted
        self.sources = sources
        self.totals = totals


class TrendsRead(Message):
    """The trends of some sources over a range."""

    def __init__(self, wanted: TimeRange, trends: Mapping[int, Sequence[int]]) -> None:
        super().__init__()
        self.wanted = wanted
        self.trends = trends


class SourcesScreen(TableScreen):
    """Sources by use, tokens, cost, rating."""

    MODE = "sources"
    COMMAND_GROUPS: ClassVar = (SOURCES_COMMANDS,)
    BINDINGS: ClassVar = bindings(SOURCES_COMMANDS)
    CSS_PATH = "tables.tcss"

    kinds: var[frozenset[SourceType]] = var(frozenset(), init=False)
    """Kinds switched on; empty: all are shown."""

    def __init__(self) -> None:
        super().__init__()
        self._sources: Sequence[SourceMetrics] = ()
        self._totals: SummaryMetrics | None = None
        self._shown: tuple[Period, TimeRange] | None = None
        """What time the sources are of."""
        self._trends = Trends(lambda: self.call_later(self._read_trends_in_sight))

    def compose_content(self) -> Iterator[Widget]:
        """Lay out totals, table and legend."""
        yield FactLine(id="totals")
        yield Table[SourceMetrics](columns(self._trends), lambda row: row.source_id, sorted_by="cost", id="sources")
        yield Static(id="nothing")
        yield Legend(has_colour=not self.app.no_color)

    @property
    def table(self) -> Table[SourceMetrics]:
        """The sources."""
        return self.query_one("#sources", Table)

    def on_mount(self) -> None:
        """Take the keys."""
        self.table.focus()

    def start_reading(self) -> None:
        """Read the sources of the period."""
        self._read(self.period, self.assay.now_us())

    @work(thread=True, exclusive=True, group="sources", exit_on_error=False)
    def _read(self, period: Period, now_us: int) -> None:
        wanted = range_of(period, now_us)
        with self.reading():
            sources = self.store.sources.metrics(wanted)
            totals = self.store.sources.summary(wanted)
        self.post_message(SourcesRead(period, wanted, sources, totals))

    def on_sources_read(self, event: SourcesRead) -> None:
        """Show them, unless another period was chosen."""
        if event.period == self.period:
            self._sources, self._totals = event.sources, event.totals
            self._trends.renew(is_same_time=self._shown is not None and self._shown[0] == event.period)
            self._shown = event.period, event.wanted
            self._show()

    def _read_trends_in_sight(self) -> None:
        if self._shown is not None and (asked := self._trends.take_asked()):
            self._read_trends(asked, self._shown[1])

    @work(thread=True, group="trends", exit_on_error=False)
    def _read_trends(self, source_ids: Sequence[int], wanted: TimeRange) -> None:
        self.post_message(TrendsRead(wanted, self.store.sources.trends(source_ids, wanted, most_parts=_TREND)))

    def on_trends_read(self, event: TrendsRead) -> None:
        """Draw them, unless the sources are of another time by now."""
        if self._shown is not None and event.wanted == self._shown[1]:
            self._trends.learn(event.trends)
            self.table.redraw()

    def _show(self) -> None:
        if self._totals is None:  # nothing was read as yet
            return
        shown = [source for source in self._sources if not self.kinds or source.source_type in self.kinds]
        counted = f"{len(shown)} of {len(self._sources)}" if self.kinds else f"{len(shown)}"
        self.query_one("#totals", FactLine).update(totals_text(self.period, self._totals, counted))
        self.has_content = self.table.display = bool(shown)
        self.table.show(shown)
        nothing = self.query_one("#nothing", Static)
        nothing.display = not shown
        if not shown:
            remedy = "Press [$accent]0[/] to see all kinds." if self._sources else longer_time(self.period)
            which = " of these kinds" if self._sources else ""
            nothing.update(f"No source{which} was seen {within(self.period)}. {remedy}")
        elif self.focused is None:
            self.table.focus()

    def watch_kinds(self) -> None:
        """Show only these kinds."""
        self.query_one(Legend).active = self.kinds
        self._show()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to show all kinds again only where some are left out."""
        if action == ClearFilter.action():
            return bool(self.kinds)
        return super().check_action(action, parameters)

    def on_legend_kind_clicked(self, event: Legend.KindClicked) -> None:
        """Switch a kind by mouse."""
        self.action_toggle_kind(event.key)

    def action_toggle_kind(self, key: str) -> None:
        """Switch a kind on or off."""
        self.kinds ^= {KEYED_KINDS[key]}

    def action_clear_filter(self) -> None:
        """Show all kinds again."""
        self.kinds = frozenset()

    @on(LineList.Selected, "#sources")
    def _open(self) -> None:
        source = self.table.selected
        if source is not None:
            term = source_filter(source.source_type, source.source_name)
            self.app.post_message(FilterRequested(f"{term} {self.period.filter_term}".strip()))

    def action_copy_text(self) -> None:
        """Copy the table as tab-separated text."""
        rows = [plain_row(source) for source in self.table.sorted_rows]
        self.app.copy_to_clipboard("\n".join(["kind\tsource\tuses\ttokens\tcost_usd\trating", *rows]))
        self.notify(f"Copied {len(rows)} sources as a table", timeout=2)


def totals_text(period: Period, totals: SummaryMetrics, sources: str) -> str:
    """Write the line above the table; `sources` says how many of them are shown."""
    unpriced = f" ({totals.unpriced_requests} requests unpriced)" if totals.unpriced_requests else ""
    parts = [
        period.name,
        f"{sources} sources",
        f"{fmt.usd(totals.total_cost_nano_usd)}{unpriced}",
        f"{fmt.tokens(totals.total_input_tokens)} in",
        f"{fmt.tokens(totals.total_output_tokens)} out",
        f"{fmt.whole(totals.total_requests)} analysed requests",
    ]
    return " " + " · ".join(parts)


def plain_row(source: SourceMetrics) -> str:
    """Write a source as tab-separated text."""
    cost = "" if source.total_cost_nano_usd is None else f"{source.total_cost_nano_usd / 1e9:.6f}"
    rating = "" if source.average_rating is None else f"{source.average_rating:.2f}"
    name = source.source_name or ""
    return "\t".join((source.source_type.value, name, str(source.usage_count), str(source.total_tokens), cost, rating))


def _colour(row: SourceMetrics, inks: Inks) -> Style:
    return ink(kind_colour(row.source_type, is_dark=inks.is_dark))


def _rating(row: SourceMetrics, inks: Inks, _cells: int) -> tuple[str, Style]:
    if row.average_rating is None:
        return fmt.UNKNOWN, inks.faint
    style = inks.good if row.average_rating > 0 else inks.error if row.average_rating < 0 else inks.plain
    return f"{fmt.average_rating(row.average_rating)} \N{MULTIPLICATION SIGN}{row.feedback_count}", style


def columns(trends: Trends) -> tuple[TableColumn[SourceMetrics], ...]:
    """Return the columns; a row's trend is asked for when it is drawn."""
    trend = TableColumn[SourceMetrics](
        name="trend",
        heading="trend",
        width=_TREND,
        draw=lambda row, inks, cells: (fmt.sparkline(trends.of(row.source_id), cells), _colour(row, inks)),
        is_right=False,
        rank=3,
    )
    return (*_BEFORE_TREND, trend, *_AFTER_TREND)


_BEFORE_TREND: Final[tuple[TableColumn[SourceMetrics], ...]] = (
    TableColumn(name="swatch", heading="", width=1, draw=lambda row, inks, _: ("■", _colour(row, inks)), is_right=False),
    TableColumn(
        name="kind",
        heading="kind",
        width=11,
        draw=lambda row, inks, _: (KINDS[row.source_type].label, label_ink(row.source_type, inks)),
        sort_key=lambda row: row.source_type.value,
        is_right=False,
        is_ascending_first=True,
    ),
    TableColumn(
        name="source",
        heading="source",
        width=18,
        draw=lambda row, inks, cells: (
            fmt.fit_path(fmt.one_line(row.source_name or UNNAMED.get(row.source_type, fmt.UNKNOWN)), cells),
            inks.plain,
        ),
        sort_key=lambda row: (row.source_name or "").lower(),
        is_right=False,
        is_flexible=True,
        is_ascending_first=True,
    ),
    TableColumn(
        name="uses",
        heading="uses",
        width=7,
        draw=lambda row, inks, _: (fmt.whole(row.usage_count), inks.muted),
        sort_key=lambda row: row.usage_count,
    ),
    TableColumn(
        name="tokens",
        heading="tokens",
        width=8,
        draw=lambda row, inks, _: (fmt.tokens(row.total_tokens), inks.strong),
        sort_key=lambda row: row.total_tokens,
    ),
    TableColumn(
        name="average",
        heading="average",
        width=8,
        draw=lambda row, inks, _: (fmt.tokens(round(row.average_tokens)), inks.muted),
        sort_key=lambda row: row.average_tokens,
        rank=2,
    ),
    TableColumn(
        name="cost",
        heading="cost",
        width=9,
        draw=lambda row, inks, _: (fmt.usd(row.total_cost_nano_usd), inks.strong),
        sort_key=lambda row: row.total_cost_nano_usd,
    ),
)
_AFTER_TREND: Final[tuple[TableColumn[SourceMetrics], ...]] = (
    TableColumn(
        name="rating",
        heading="rating",
        width=9,
        draw=_rating,
        sort_key=lambda row: row.average_rating,
        rank=1,
    ),
    TableColumn(
        name="last",
        heading="last used",
        width=12,
        draw=lambda row, inks, _: (fmt.day_or_clock(row.last_used_us), inks.muted),
        sort_key=lambda row: row.last_used_us,
        rank=4,
    ),
)
