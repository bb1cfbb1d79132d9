"""How the size of what a source puts into every request changes over days and client versions.

Only like is compared with like: the same kind of request of the same client to the same model (each model counts in its own
way), with the same parts of the source in it. A tool that was deferred yesterday and is loaded today did not grow.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from proxy_core.attribution.model import Part, RequestClass, Source, SourceType
from storage.insights.findings import EVIDENCE_LIMIT, Finding, FindingKind
from storage.insights.turns import AnalysedTurn

DEFINING_PARTS = frozenset({Part.DEFINITION, Part.INSTRUCTIONS, Part.LISTING, Part.NAMES})
"""What a source puts into requests whatever the user does."""

NOTICE_GROWTH = 0.20
"""Share by which a definition must grow to be worth a notice."""

SMALLEST_GROWTH_TOKENS = 50
"""Growth below this is noise, whatever its share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePoint:
    """A source's median size on one day under one client version."""

    day: str
    """ISO date, UTC."""
    client_version: str | None
    tokens: int
    """Median over that day's requests."""
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeHistory:
    """How large one source's definitions were, day by day, in requests of one kind."""

    source: Source
    points: tuple[SizePoint, ...]
    """Oldest first."""

    @property
    def requests(self) -> int:
        """Requests it was measured in."""
        return sum(point.requests for point in self.points)

    @property
    def growth(self) -> float:
        """Growth from the first point to the last, as a share of the first."""
        first, last = self.points[0].tokens, self.points[-1].tokens
        return (last - first) / first if first else 0.0


type _Series = tuple[Source, frozenset[Part], str | None, str | None, RequestClass, str | None]
"""What is compared: source, its parts, client, model, kind of request, kind of agent."""


def size_histories(turns: Sequence[AnalysedTurn]) -> list[SizeHistory]:
    """Return each source's size over time, in the kind of request it was most often in; only sources that define something."""
    often: dict[Source, SizeHistory] = {}
    for history in _histories(turns):
        known = often.get(history.source)
        if known is None or history.requests > known.requests:
            often[history.source] = history
    return list(often.values())


def drifted_sources(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find sources whose definitions grew by more than a fifth over the range; one finding each."""
    grown: dict[Source, SizeHistory] = {}
    for history in sorted(_histories(turns), key=lambda history: history.requests):
        growth_tokens = history.points[-1].tokens - history.points[0].tokens
        if history.growth > NOTICE_GROWTH and growth_tokens >= SMALLEST_GROWTH_TOKENS:
            grown[history.source] = history
    return [_finding(history, turns) for history in grown.values()]


def _histories(turns: Sequence[AnalysedTurn]) -> list[SizeHistory]:
    sizes: dict[_Series, dict[tuple[str, str | None], list[int]]] = defaultdict(lambda: defaultdict(list))
    for turn in sorted(turns, key=lambda turn: turn.started_us):
        facts = turn.attribution.facts
        period = (_day(turn.started_us), facts.client_version)
        for source, parts in _defined_tokens(turn).items():
            series = (source, frozenset(parts), facts.client_name, facts.model, facts.request_class, facts.agent_type)
            sizes[series][period].append(sum(parts.values()))
    return [SizeHistory(source=series[0], points=_points(periods)) for series, periods in sizes.items()]


def _day(started_us: int) -> str:
    return datetime.fromtimestamp(started_us / 1e6, UTC).date().isoformat()


def _defined_tokens(turn: AnalysedTurn) -> dict[Source, dict[Part, int]]:
    """Add up what each source defines, by part; of deferred tools, of which any number may be loaded, nothing."""
    tokens: dict[Source, dict[Part, int]] = defaultdict(lambda: defaultdict(int))
    for line in turn.input_lines:
        defines = line.part in DEFINING_PARTS or (line.source.source_type, line.part) == (SourceType.MEMORY, Part.BODY)
        if defines and line.segment_index is not None:
            tokens[line.source][line.part] += line.tokens
    for parts in tokens.values():
        if Part.NAMES in parts:
            parts.pop(Part.NAMES)
            parts.pop(Part.DEFINITION, None)
    return {source: parts for source, parts in tokens.items() if parts}


def _points(periods: dict[tuple[str, str | None], list[int]]) -> tuple[SizePoint, ...]:
    return tuple(
        SizePoint(day=day, client_version=version, tokens=round(median(sizes)), requests=len(sizes))
        for (day, version), sizes in periods.items()
    )


def _finding(history: SizeHistory, turns: Sequence[AnalysedTurn]) -> Finding:
    first, last = history.points[0], history.points[-1]
    source = history.source
    rows = [(t, line) for t in turns for line in t.input_lines if line.source == source and line.segment_index is not None]
    exchange_ids = tuple(dict.fromkeys(turn.exchange_id for turn, _ in rows))
    return Finding(
        kind=FindingKind.DRIFT,
        source=source,
        summary=(
            f"{source.source_type} {source.source_name or ''} grew {history.growth:.0%}: {_size(first)}, then {_size(last)}"
        ),
        action="See what was added, and whether you want to pay for it in every request.",
        tokens=last.tokens - first.tokens,
        cost_nano_usd=None,
        share=None,
        exchanges=len(exchange_ids),
        session_id=None,
        exchange_ids=exchange_ids[-EVIDENCE_LIMIT:],
    )


def _size(point: SizePoint) -> str:
    return f"{point.tokens} tokens on {point.day} (client {point.client_version or 'unknown'})"
