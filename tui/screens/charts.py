"""The charts screen: tokens and cost over time, stacked, and how full the running session's context window is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.style import Style
from textual import work
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import Static

from storage.views import SeriesGroup, SeriesPoint, SessionDetail, SummaryMetrics, TimeBucket
from tui import format as fmt
from tui.charting import BUCKET_US, Columns, Measure, column_width_us, columns, time_labels, value_writer, width_text
from tui.command import Command, bindings
from tui.commands import CHARTS_COMMANDS, CycleMeasure, ShowLive
from tui.context_window import session_limit
from tui.live_commands import CycleRange
from tui.plots import Frame, filled_curve, label_step, most_columns, stacked_columns
from tui.ranges import PERIODS, Period, range_of, within
from tui.screens.ranged import RangedScreen
from tui.theme import Inks, ink
from tui.widgets.fact_line import FactLine
from tui.widgets.line_list import Line
from tui.widgets.plot_view import PlotView

_GROUPS: Final = (SeriesGroup.KIND, SeriesGroup.MODEL, SeriesGroup.ZONE)
_GROUP_NAMES: Final = {SeriesGroup.KIND: "kind of source", SeriesGroup.MODEL: "model", SeriesGroup.ZONE: "cache"}
_MOST_WIDE: Final = 2_000
"""Buckets that a plot can be asked to show before a wider bucket is chosen for it."""
_FIGURES_CELLS: Final = 17
"""Cells of an entry of the legend beside its name: mark, amount, share, gap."""


@dataclass(frozen=True, slots=True)
class ChartView:
    """Which chart is looked at."""

    period: Period = PERIODS[1]
    bucket: TimeBucket = TimeBucket.HOUR
    measure: Measure = Measure.TOKENS
    group: SeriesGroup = SeriesGroup.KIND


class SeriesRead(Message):
    """What a chart is drawn from."""

    def __init__(
        self,
        view: ChartView,
        points: Sequence[SeriesPoint],
        totals: SummaryMetrics,
        session: SessionDetail | None,
        limit: int | None,
        now_us: int,
    ) -> None:
        super().__init__()
        self.view = view
        self.points = points
        self.totals = totals
        self.session = session
        self.limit = limit
        self.now_us = now_us


class ChartsScreen(RangedScreen):
    """Two plots and their totals."""

    MODE = "charts"
    COMMAND_GROUPS: ClassVar = (CHARTS_COMMANDS,)
    BINDINGS: ClassVar = bindings(CHARTS_COMMANDS)
    CSS_PATH = "charts.tcss"

    view: var[ChartView] = var(ChartView(), init=False)

    def __init__(self) -> None:
        super().__init__()
        self._shown: SeriesRead | None = None

    def compose_content(self) -> Iterator[Widget]:
        """Lay out title, plot, legend, and the window's fill."""
        yield FactLine(id="chart-title")
        yield PlotView(id="chart")
        yield PlotView(id="chart-legend")
        yield Static(id="window-title", markup=False)
        yield PlotView(id="window")

    def watch_view(self) -> None:
        """Read another chart."""
        self.read()

    def watch_period(self) -> None:
        """Look at another period, in the bucket that suits it."""
        self.view = ChartView(self.period, self.period.bucket, self.view.measure, self.view.group)

    def start_reading(self) -> None:
        """Read what the chart needs."""
        self._read(self.view, self.assay.now_us())

    @work(thread=True, exclusive=True, group="series", exit_on_error=False)
    def _read(self, view: ChartView, now_us: int) -> None:
        wanted = range_of(view.period, now_us)
        with self.reading():
            points = self.store.sources.timeseries(wanted, bucket=view.bucket, group=view.group, now_us=now_us)
            totals = self.store.sources.summary(wanted)
            newest = self.store.sessions.page(limit=1)
            session = self.store.sessions.detail(newest[0].session_id) if newest else None
        limit = session_limit(session.summary) if session is not None else None
        self.post_message(SeriesRead(view, points, totals, session, limit, now_us))

    def on_series_read(self, event: SeriesRead) -> None:
        """Draw the chart, unless another one was chosen."""
        if event.view == self.view:
            self._shown = event
            self.has_content = event.totals.total_requests > 0
            has_colour = not self.app.no_color
            self._show_title()
            self.query_one("#chart", PlotView).show(
                lambda width, height, inks: draw_chart(event, width, height, inks, has_colour=has_colour)
            )
            self.query_one("#chart-legend", PlotView).show(
                lambda width, height, inks: draw_legend(event, width, height, inks, has_colour=has_colour)
            )
            self.query_one("#window-title", Static).update(window_title(event.session, event.limit), layout=False)
            self.query_one("#window", PlotView).show(lambda width, height, inks: draw_window(event, width, height, inks))

    def on_resize(self) -> None:
        """Say how much time a column stands for by now."""
        self.call_after_refresh(self._show_title)

    def _show_title(self) -> None:
        if self._shown is not None:
            title = chart_title(self._shown, self.query_one("#chart").size.width)
            self.query_one("#chart-title", FactLine).update(title)

    def action_cycle_bucket(self) -> None:
        """Use the next width of columns that the period allows."""
        allowed = buckets_of(self.view.period)
        bucket = allowed[(allowed.index(self.view.bucket) + 1) % len(allowed)] if self.view.bucket in allowed else allowed[0]
        self.view = ChartView(self.view.period, bucket, self.view.measure, self.view.group)

    def action_cycle_measure(self) -> None:
        """Show tokens or dollars; the cache's zones have tokens only."""
        measure = Measure.COST if self.view.measure is Measure.TOKENS else Measure.TOKENS
        group = SeriesGroup.KIND if measure is Measure.COST and self.view.group is SeriesGroup.ZONE else self.view.group
        self.view = ChartView(self.view.period, self.view.bucket, measure, group)

    def action_cycle_stack(self) -> None:
        """Stack by the next property."""
        group = _GROUPS[(_GROUPS.index(self.view.group) + 1) % len(_GROUPS)]
        measure = Measure.TOKENS if group is SeriesGroup.ZONE else self.view.measure
        self.view = ChartView(self.view.period, self.view.bucket, measure, group)


def buckets_of(period: Period) -> tuple[TimeBucket, ...]:
    """Return the widths of columns that make sense for a period."""
    if period.length_us is None:
        return (TimeBucket.DAY, TimeBucket.HOUR)
    fitting = [bucket for bucket, width in BUCKET_US.items() if 2 <= period.length_us // width <= _MOST_WIDE]
    return tuple(fitting) or (period.bucket,)


def chart_title(event: SeriesRead, width: int) -> str:
    """Write what a plot of this width shows, what time its columns stand for, and the totals."""
    view, totals = event.view, event.totals
    width_us = column_width_us(event.points, bucket=view.bucket, span=_span(event), most=most_columns(width))
    what = "Tokens" if view.measure is Measure.TOKENS else "Dollars"
    parts = [
        f"{what} by {_GROUP_NAMES[view.group]}",
        f"{view.period.name}, by {width_text(width_us)}",
        fmt.usd(totals.total_cost_nano_usd),
        f"{fmt.tokens(totals.total_input_tokens)} in",
        f"{fmt.tokens(totals.total_output_tokens)} out",
        f"{fmt.whole(totals.total_requests)} analysed requests",
    ]
    return " " + " · ".join(parts)


def window_title(session: SessionDetail | None, limit: int | None) -> str:
    """Write how full the window of the newest session is."""
    if session is None or session.summary.last_context_tokens is None:
        return " Context window: no session yet"
    used = session.summary.last_context_tokens
    of = f"{fmt.percent(used, limit)} of {fmt.tokens(limit)}" if limit else "limit unknown"
    title = fmt.one_line(session.summary.title or session.summary.session_id[:8])
    return f" Context window: {fmt.tokens(used)} tokens, {of} · {title}"


def draw_chart(event: SeriesRead, width: int, height: int, inks: Inks, *, has_colour: bool) -> Sequence[Line]:
    """Draw the stacked columns."""
    shown = _columns(event, width, inks)
    if not shown.series:
        return [[], *([("  ", inks.plain), *line] for line in _nothing(event, inks))]
    every = label_step(width, len(shown.starts_us))
    frame = Frame(width=width, height=height, inks=inks, has_colour=has_colour, label=value_writer(event.view.measure))
    return stacked_columns(shown.series, time_labels(shown.starts_us, shown.width_us, every), frame)


def _nothing(event: SeriesRead, inks: Inks) -> Sequence[Line]:
    """Say why there is nothing to draw, and what to do about it."""
    when = within(event.view.period)
    remedies: list[tuple[type[Command], str]]
    if event.totals.total_requests and event.view.measure is Measure.COST:
        why, remedies = f"No request {when} has a price.", [(CycleMeasure, "shows tokens")]
    elif event.totals.total_requests:
        why, remedies = f"No request {when} has tokens.", [(CycleRange, "shows another time")]
    else:
        why, remedies = f"Nothing was captured {when}.", [(ShowLive, "shows how to begin")]
        if event.view.period.length_us is not None:
            remedies.insert(0, (CycleRange, "looks further back"))
    line: list[tuple[str, Style]] = []
    for command, effect in remedies:
        line += [(", " if line else "", inks.plain), (command.sign(), inks.accent), (f" {effect}", inks.plain)]
    return [(why, inks.plain)], [*line, (".", inks.plain)]


def draw_legend(event: SeriesRead, width: int, height: int, inks: Inks, *, has_colour: bool) -> Sequence[Line]:
    """Draw names, colours and sums of the series, largest first, in columns."""
    totals = _columns(event, width, inks).totals()
    everything = sum(amount for _, amount in totals)
    write = value_writer(event.view.measure)
    names = min(24, max((len(series.name) for series, _ in totals), default=0))
    gap = 1 if width < 100 else 4
    pitch = names + _FIGURES_CELLS + gap - 1
    across = max(1, (width - 1) // pitch)
    lines: list[list[tuple[str, Style]]] = [[(" ", inks.plain)] for _ in range(height)]
    for place, (series, amount) in enumerate(totals[: across * height]):
        line = lines[place % height]
        line.append(("■ ", ink(series.colour)) if has_colour else (f"{series.letter} ", inks.plain))
        line.append((fmt.fit(series.name, names), inks.plain))
        line.append((fmt.fit(write(amount), 9, is_right=True), inks.plain))
        line.append((fmt.fit(fmt.percent(amount, everything), 5, is_right=True) + " " * gap, inks.muted))
    return lines


def draw_window(event: SeriesRead, width: int, height: int, inks: Inks) -> Sequence[Line]:
    """Draw the growth of the newest session's context against its limit."""
    if event.session is None:
        return []
    values = [tokens for _, tokens in event.session.context_growth]
    frame = Frame(width=width, height=height, inks=inks, label=fmt.tokens)
    is_near = event.limit is not None and bool(values) and values[-1] > 0.8 * event.limit
    colour = (inks.warning if is_near else inks.good).color
    return filled_curve(values, event.limit, frame, colour.name if colour is not None else "default")


def _columns(event: SeriesRead, width: int, inks: Inks) -> Columns:
    return columns(
        event.points,
        group=event.view.group,
        measure=event.view.measure,
        bucket=event.view.bucket,
        span=_span(event),
        most=most_columns(width),
        is_dark=inks.is_dark,
    )


def _span(event: SeriesRead) -> tuple[int | None, int]:
    """Return from when to when; `None`: from the first point on."""
    length_us = event.view.period.length_us
    return None if length_us is None else event.now_us - length_us, event.now_us
