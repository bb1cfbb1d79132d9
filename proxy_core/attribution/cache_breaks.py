"""Why a request did not read from the prompt cache what the request before it had left there, and what that cost.

Compares two requests of one conversation. Names the first cause on the wire; where nothing on the wire explains the
miss, says so instead of guessing.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from proxy_core.attribution.comparison import Change, SegmentChange, compare_segments, first_difference
from proxy_core.attribution.model import Attribution, Ledger, Part, Region, Segment, Source, SourceType, Zone
from proxy_core.attribution.tokens.rendering import is_rendered

SMALLEST_BREAK_TOKENS = 64
"""Shortfalls below this are rounding of the cache's own blocks, not breaks."""

TTL_SECONDS = {"5m": 300, "1h": 3600}
"""Life of a cache entry after its last use, by the breakpoint's ttl (API documentation, checked 2026-11)."""

BILLING_LINE = Source(SourceType.FRAMEWORK, "billing line")
"""Claude Code's first line changes with every request. The API leaves it out of the prompt; gateways may not."""

_CACHED_SETTINGS = frozenset(
    {"tool_choice", "thinking", "output_config", "output_format", "speed", "mcp_servers", "container", "context_management"}
)
"""Request parameters that change the prompt behind the scenes, and with it what caches hold; the others (metadata,
diagnostics ...) differ from request to request without harm (API documentation and recordings, checked 2026-11)."""

_DEFERRED = re.compile(r'"defer_loading":\s*true')
"""In a definition that the API puts where it was asked for, behind what is cached."""


class BreakCause(StrEnum):
    """What broke the cached prefix."""

    ADDED = "added"
    REMOVED = "removed"
    EDITED = "edited"
    REORDERED = "reordered"
    TTL_EXPIRED = "ttl ran out"
    MODEL_CHANGED = "model changed"
    SETTINGS_CHANGED = "settings changed"
    UNEXPLAINED = "unexplained"
    """The prefix is unchanged and young enough: the API evicted it, or something invisible changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBreak:
    """One request that had to pay again for what was cached before."""

    cause: BreakCause
    source: Source | None
    """Whose segment differs first; `None` where no segment does."""
    segment_index: int | None
    """Index into the later request's segments (for a removal: of what follows it); `None` where no segment differs."""
    change: SegmentChange | None
    expected_tokens: int
    """Tokens the request before had left in the cache."""
    read_tokens: int
    """Tokens this request read from it."""
    rewritten_tokens: int
    """Tokens paid for again: expected minus read, as far as this request still carries them."""
    extra_cost_nano_usd: int | None
    """What that cost above reading them, in 1e-9 dollars; `None`: no price known."""
    gap_seconds: float
    """Time between the two requests."""


def find_cache_break(before: Attribution, after: Attribution, gap_seconds: float) -> CacheBreak | None:
    """Explain why `after` read less from the cache than `before` had left there.

    Args:
        before: The previous request of the same conversation, with its settled ledger.
        after: The request to explain, with its settled ledger.
        gap_seconds: Time between the end of the first and the start of the second.

    Returns:
        The break, or `None` when nothing was lost or one of the two has no bill.
    """
    if before.ledger is None or after.ledger is None or not (before.ledger.is_settled and after.ledger.is_settled):
        return None
    expected = _zone_tokens(before.ledger, Zone.CACHE_READ, Zone.CACHE_WRITE_5M, Zone.CACHE_WRITE_1H)
    read = _zone_tokens(after.ledger, Zone.CACHE_READ)
    rewritten = min(expected, after.ledger.total_input_tokens) - read
    if rewritten < SMALLEST_BREAK_TOKENS:
        return None
    cause, change = _explain(before, after, gap_seconds)
    index = change.after_index if change is not None else None
    return CacheBreak(
        cause=cause,
        source=_source_of(change, before, after),
        segment_index=index,
        change=change,
        expected_tokens=expected,
        read_tokens=read,
        rewritten_tokens=rewritten,
        extra_cost_nano_usd=_extra_cost(after.ledger, before.ledger, rewritten),
        gap_seconds=gap_seconds,
    )


def _explain(before: Attribution, after: Attribution, gap_seconds: float) -> tuple[BreakCause, SegmentChange | None]:
    if before.facts.model != after.facts.model:
        return BreakCause.MODEL_CHANGED, None
    old, new = _prefix(before), _prefix(after)
    if first_difference(old, new) < _last_breakpoint(old):
        change = _first_change(before, after)
        return _CAUSES[change.change], change
    if gap_seconds > TTL_SECONDS[_shortest_ttl(old)]:
        return BreakCause.TTL_EXPIRED, None
    if _settings(before) != _settings(after):
        return BreakCause.SETTINGS_CHANGED, None
    billing_line = _billing_line_change(before, after)
    if billing_line is not None:
        return BreakCause.EDITED, billing_line
    return BreakCause.UNEXPLAINED, None


_CAUSES = {
    Change.ADDED: BreakCause.ADDED,
    Change.REMOVED: BreakCause.REMOVED,
    Change.EDITED: BreakCause.EDITED,
    Change.MOVED: BreakCause.REORDERED,
}


def _first_change(before: Attribution, after: Attribution) -> SegmentChange:
    """Return the first change in wire order, with indices into all segments; only what caches hold is looked at."""
    changes = compare_segments(_prefix(before), _prefix(after))
    change = next(change for change in changes if change.change is not Change.SAME)
    return SegmentChange(
        change.change,
        None if change.before_index is None else _prefix_indices(before)[change.before_index],
        None if change.after_index is None else _prefix_indices(after)[change.after_index],
    )


def _prefix(attribution: Attribution) -> list[Segment]:
    return [attribution.segments[index] for index in _prefix_indices(attribution)]


def _prefix_indices(attribution: Attribution) -> list[int]:
    """Find the segments that a cached prefix is made of: neither settings, nor what is not rendered or not there yet."""
    named = {segment.source for segment in attribution.segments if segment.part is Part.NAMES}
    return [index for index, segment in enumerate(attribution.segments) if _is_cacheable(segment, named)]


def _is_cacheable(segment: Segment, named: AbstractSet[Source]) -> bool:
    if segment.region is Region.SETTINGS or segment.source == BILLING_LINE or not is_rendered(segment):
        return False
    return segment.region is not Region.TOOLS or not _is_deferred(segment, named)


def _is_deferred(definition: Segment, named: AbstractSet[Source]) -> bool:
    """Tell whether a tool was loaded on demand; where texts are not kept, whether it was offered by its name alone."""
    return bool(_DEFERRED.search(definition.text)) if definition.text else definition.source in named


def _billing_line_change(before: Attribution, after: Attribution) -> SegmentChange | None:
    """Return the change of the billing line, where nothing at all was read: this API takes it for a part of the prompt."""
    if any(_zone_tokens(ledger, Zone.CACHE_READ) for ledger in (before.ledger, after.ledger) if ledger is not None):
        return None
    old, new = ([i for i, s in enumerate(one.segments) if s.source == BILLING_LINE] for one in (before, after))
    if not old or not new or before.segments[old[0]].content_hash == after.segments[new[0]].content_hash:
        return None
    return SegmentChange(Change.EDITED, old[0], new[0])


def _settings(attribution: Attribution) -> list[str]:
    settings = (segment for segment in attribution.segments if segment.region is Region.SETTINGS)
    return [s.content_hash for s in settings if s.pointer.split("/", 2)[1] in _CACHED_SETTINGS]


def _last_breakpoint(segments: list[Segment]) -> int:
    """Return how many segments lie before the last cache breakpoint, its own included; 0 without one."""
    return max((index + 1 for index, segment in enumerate(segments) if segment.cache_ttl is not None), default=0)


def _shortest_ttl(segments: list[Segment]) -> str:
    return "5m" if any(segment.cache_ttl == "5m" for segment in segments) else "1h"


def _zone_tokens(ledger: Ledger, *zones: Zone) -> int:
    return sum(line.tokens for line in ledger.lines if line.zone in zones)


def _source_of(change: SegmentChange | None, before: Attribution, after: Attribution) -> Source | None:
    if change is None:
        return None
    if change.after_index is not None:
        return after.segments[change.after_index].source
    return before.segments[change.before_index].source if change.before_index is not None else None


def _extra_cost(ledger: Ledger, earlier: Ledger, tokens: int) -> int | None:
    """Price `tokens` at this request's rate for what it did not read, less the rate of reading."""
    paid = _rate(ledger, Zone.CACHE_WRITE_5M, Zone.CACHE_WRITE_1H) or _rate(ledger, Zone.FRESH)
    read = _rate(ledger, Zone.CACHE_READ) or _rate(earlier, Zone.CACHE_READ)
    if paid is None:
        return None
    return round(tokens * (paid - (read or 0.0)))


def _rate(ledger: Ledger, *zones: Zone) -> float | None:
    """Return nano-dollars per token over these zones; `None` without tokens or price."""
    lines = [line for line in ledger.lines if line.zone in zones and line.cost_nano_usd is not None]
    tokens = sum(line.tokens for line in lines)
    return sum(line.cost_nano_usd or 0 for line in lines) / tokens if tokens else None
