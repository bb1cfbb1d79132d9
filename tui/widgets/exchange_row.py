"""One row of the request list: which columns fit a width, and how an exchange is written into them.

Pure drawing of an `ExchangeSummary`; the list above it knows positions only. What went wrong is to be seen without
reading: errors take the place of the spectrum bar.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.style import Style

from proxy_core.attribution.model import RequestClass, SourceType
from proxy_core.exchange import ExchangeState
from storage.views import ExchangeSummary
from tui import format as fmt
from tui.theme import Inks
from tui.widgets.line_list import Line
from tui.widgets.spectrum import spectrum_bar

SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧"

_CLASS_NAMES: Final = {
    RequestClass.MAIN: "main",
    RequestClass.SUBAGENT: "agent",
    RequestClass.TITLE: "title",
    RequestClass.QUOTA: "quota",
    RequestClass.WEB_FETCH: "fetch",
    RequestClass.WEB_SEARCH: "search",
    RequestClass.COMPACTION: "compact",
    RequestClass.AUXILIARY: "aux",
    RequestClass.COUNT_TOKENS: "count",
    RequestClass.BATCH: "batch",
    RequestClass.OTHER: "other",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the request list."""

    name: str
    heading: str
    width: int
    """Cells, without the gap after it."""
    is_right: bool
    rank: int
    """Columns of a higher rank are left out first."""


_COLUMNS: Final = (
    Column("time", "time", 8, is_right=False, rank=0),
    Column("client", "client", 12, is_right=False, rank=6),
    Column("model", "model", 11, is_right=False, rank=2),
    Column("status", "st", 3, is_right=True, rank=0),
    Column("class", "class", 7, is_right=False, rank=5),
    Column("input", "in", 6, is_right=True, rank=0),
    Column("output", "out", 6, is_right=True, rank=3),
    Column("cost", "cost", 8, is_right=True, rank=1),
    Column("cached", "cached", 6, is_right=True, rank=4),
    Column("latency", "took", 6, is_right=True, rank=4),
    Column("first_byte", "first", 6, is_right=True, rank=7),
)

GUTTER_CELLS: Final = 2
"""Cells of the mark before each row."""
_TITLE_FROM: Final = 150
"""List width from which the title has a column of its own."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a given width."""

    columns: tuple[Column, ...]
    bar_cells: int
    title_cells: int
    """0: no room for titles."""


@lru_cache(maxsize=32)
def layout(width: int, indent: int = 0) -> Layout:
    """Choose the columns that leave the bar room to be read."""
    room = width - GUTTER_CELLS - indent
    least_bar = 14 if width < 100 else 20
    columns = list(_COLUMNS)
    while columns and room - _taken(columns) - 1 < least_bar:
        dropped = max(column.rank for column in columns)
        if dropped == 0:
            break
        columns = [column for column in columns if column.rank != dropped]
    bar = max(0, room - _taken(columns) - 1)
    title = min(60, bar - 32) if width >= _TITLE_FROM and bar >= 60 else 0
    return Layout(tuple(columns), bar - title - (1 if title else 0), title)


def _taken(columns: list[Column]) -> int:
    return sum(column.width + 1 for column in columns)


@dataclass(frozen=True, slots=True)
class RowMood:
    """What a row's drawing depends on beside the exchange itself."""

    inks: Inks
    highlighted: AbstractSet[SourceType]
    """Kinds switched on in the legend."""
    has_colour: bool
    now_us: int
    """For what is still running."""
    streamed_tokens: int | None = None
    """Output tokens so far, reckoned; `None`: nothing has come."""
    indent: int = 0
    """Cells of indentation below a group."""


def header_line(width: int, inks: Inks, arranged: str = "", newer: int = 0) -> Line:
    """Draw the headings.

    Args:
        width: Cells.
        inks: Styles.
        arranged: How the list is arranged: stands in the place of the first ones.
        newer: Requests that came below what was seen: stands at the end of the last one.
    """
    chosen = layout(width)
    columns = list(chosen.columns)
    cells = [(" " * GUTTER_CELLS, inks.muted)]
    taken = 0
    while columns and taken < len(arranged):
        taken += columns.pop(0).width + 1
    if arranged:
        cells.append((fmt.fit(arranged, taken - 1) + " ", inks.plain))
    cells += [(fmt.fit(column.heading, column.width, is_right=column.is_right) + " ", inks.muted) for column in columns]
    cells.append((fmt.fit("made of", chosen.bar_cells), inks.muted))
    if chosen.title_cells:
        cells.append((" " + fmt.fit("asked", chosen.title_cells), inks.muted))
    if newer:
        heading = cells.pop()[0]
        count = fmt.tokens(newer)
        room = len(heading) - len(heading.rstrip())
        told = next((text for text in (f" {count} newer", f" +{count}") if len(text) <= room), "")
        cells += [(heading[: len(heading) - len(told)], inks.muted), (told, inks.plain)]
    return cells


def exchange_line(summary: ExchangeSummary, width: int, mood: RowMood) -> Line:
    """Draw one exchange."""
    chosen = layout(width, mood.indent)
    texts = _texts(summary, mood)
    styles = _styles(summary, mood.inks)
    cells = [_gutter(summary, mood)] if not mood.indent else [(" " * mood.indent, Style.null()), _gutter(summary, mood)]
    for column in chosen.columns:
        text = fmt.fit(texts[column.name], column.width, is_right=column.is_right)
        cells.append((text + " ", styles.get(column.name, mood.inks.plain)))
    cells += _composition(summary, chosen.bar_cells, mood)
    if chosen.title_cells:
        cells.append((" " + fmt.fit(fmt.one_line(summary.title or ""), chosen.title_cells), mood.inks.muted))
    return cells


def has_failed(summary: ExchangeSummary) -> bool:
    """Say whether an exchange is to stand out as an error."""
    if summary.state in {ExchangeState.FAILED, ExchangeState.INTERRUPTED}:
        return True
    return summary.status_code is not None and summary.status_code >= 400


def _texts(summary: ExchangeSummary, mood: RowMood) -> dict[str, str]:
    estimated = summary.is_estimate
    return {
        "time": fmt.clock(summary.started_us),
        "client": fmt.client_name(summary.client_name, summary.agent_type),
        "model": fmt.model_name(summary.model),
        "status": _status(summary),
        "class": _CLASS_NAMES[summary.request_class],
        "input": fmt.tokens(summary.input_tokens, is_estimate=estimated),
        "output": _output(summary, mood),
        "cost": fmt.usd(summary.cost_nano_usd, is_estimate=estimated),
        "cached": fmt.percent(summary.cache_read_tokens, summary.input_tokens),
        "latency": _elapsed(summary, mood.now_us),
        "first_byte": fmt.milliseconds(summary.first_byte_ms),
    }


def _styles(summary: ExchangeSummary, inks: Inks) -> dict[str, Style]:
    failed = has_failed(summary)
    running = summary.state is ExchangeState.OPEN
    return {
        "time": inks.muted,
        "client": inks.muted,
        "model": inks.plain,
        "status": inks.error + Style(bold=True) if failed else inks.accent if running else inks.good,
        "class": inks.muted,
        "input": inks.strong if summary.input_tokens is not None else inks.faint,
        "output": inks.accent if running else inks.plain,
        "cost": inks.plain if summary.cost_nano_usd is not None else inks.faint,
        "cached": inks.muted,
        "latency": inks.accent if running else inks.plain,
        "first_byte": inks.muted,
    }


def _gutter(summary: ExchangeSummary, mood: RowMood) -> tuple[str, Style]:
    if summary.state is ExchangeState.OPEN:
        return SPINNER[mood.now_us // 125_000 % len(SPINNER)] + " ", mood.inks.accent
    if has_failed(summary):
        return "✗ ", mood.inks.error
    if summary.rating is not None:
        sign, style = ("▲", mood.inks.good) if summary.rating > 0 else ("▼", mood.inks.error)
        return (sign if summary.rating else "◆") + " ", style if summary.rating else mood.inks.muted
    if summary.is_distorted:
        return "≠ ", mood.inks.warning
    return "  ", mood.inks.plain


def _status(summary: ExchangeSummary) -> str:
    if summary.status_code is not None:
        return str(summary.status_code)
    return {ExchangeState.OPEN: "···", ExchangeState.FAILED: "ERR", ExchangeState.INTERRUPTED: "CUT"}.get(
        summary.state, fmt.UNKNOWN
    )


def _output(summary: ExchangeSummary, mood: RowMood) -> str:
    if summary.state is ExchangeState.OPEN and summary.output_tokens is None and mood.streamed_tokens is not None:
        return f"↓{fmt.tokens(mood.streamed_tokens, is_estimate=True)}"
    return fmt.tokens(summary.output_tokens, is_estimate=summary.is_estimate)


def _elapsed(summary: ExchangeSummary, now_us: int) -> str:
    if summary.state is ExchangeState.OPEN:
        return fmt.milliseconds(max(0, now_us - summary.started_us) // 100_000 * 100)
    return fmt.milliseconds(summary.latency_ms)


def _composition(summary: ExchangeSummary, width: int, mood: RowMood) -> Line:
    if has_failed(summary):
        reason = fmt.one_line(summary.error or _failure_name(summary))
        return [(fmt.fit(reason, width), mood.inks.error)]
    if not summary.spectrum:
        what = f"{summary.method} {summary.path}" if summary.request_class is RequestClass.OTHER else "not analysed yet"
        return [(fmt.fit(what, width), mood.inks.muted)]
    return spectrum_bar(
        summary.spectrum, width, is_dark=mood.inks.is_dark, highlighted=mood.highlighted, has_colour=mood.has_colour
    )


def _failure_name(summary: ExchangeSummary) -> str:
    if summary.state is ExchangeState.INTERRUPTED:
        return "Assay was stopped while it ran"
    return f"HTTP {summary.status_code}" if summary.status_code is not None else "no answer"
