"""What a report says, gathered once from the store and laid out by each format.

Holds figures only: no markup, no colours.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from proxy_core.attribution.model import SourceType, Zone
from storage.insights.overview import Insights
from storage.insights.turns import Amount, AnalysedTurn
from storage.views import SeriesPoint, SourceMetrics, SummaryMetrics

SOURCES_SHOWN = 25
"""How many of the dearest sources a report lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one report."""

    title: str
    range_text: str
    """Which traffic it is about, for people."""
    made_us: int
    """When it was made, microseconds since the epoch, UTC."""
    version: str
    """Assay's version."""
    totals: SummaryMetrics
    by_kind: tuple[tuple[SourceType, Amount], ...]
    """Input by kind of source, largest first."""
    by_zone: tuple[tuple[Zone, Amount], ...]
    """Input and output by billing zone, in the order of the bill."""
    sources: tuple[SourceMetrics, ...]
    """The dearest, at most 25."""
    series: tuple[SeriesPoint, ...]
    """Tokens and cost over time, by kind."""
    context_growth: tuple[tuple[int, int], ...]
    """(start in microseconds, input tokens) of each request, oldest first; empty unless it is about one session."""
    insights: Insights


def amounts_by_kind(turns: Sequence[AnalysedTurn]) -> tuple[tuple[SourceType, Amount], ...]:
    """Add up all input by kind of source, largest first."""
    amounts: dict[SourceType, Amount] = defaultdict(Amount)
    for turn in turns:
        for line in turn.input_lines:
            amounts[line.source.source_type] += Amount(line.tokens, line.cost_nano_usd)
    return tuple(sorted(amounts.items(), key=lambda item: -item[1].tokens))


def amounts_by_zone(turns: Sequence[AnalysedTurn]) -> tuple[tuple[Zone, Amount], ...]:
    """Add up input and output by billing zone."""
    amounts: dict[Zone, Amount] = defaultdict(Amount)
    for turn in turns:
        ledger = turn.attribution.ledger
        for line in ledger.lines if ledger is not None else ():
            amounts[line.zone] += Amount(line.tokens, line.cost_nano_usd)
    return tuple((zone, amounts[zone]) for zone in Zone if zone in amounts)
