"""What captured traffic would have cost without a source, or with a tool deferred.

Recomputed from the ledgers: each line of the source goes at the price of the zone it lies in, and where the source
broke a cached prefix, what was rewritten for it would have been read instead. What the model would have answered
without the source is not known; its answers are left as they were.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proxy_core.attribution.cache_breaks import CacheBreak
from proxy_core.attribution.model import LedgerLine, Part, Source
from storage.insights.breaks import breaks_in_chain
from storage.insights.turns import Amount, AnalysedTurn, amount_of, conversations

DEFERRED_NAME_TOKENS = 12
"""About what a deferred tool still costs: its name in the list (measured on listings of 3 to 40 names, 2026-11)."""

type SourceTest = Callable[[Source], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Captured traffic beside its recomputation."""

    before: Amount
    """Input as billed."""
    removed: Amount
    """What the source's own content was billed."""
    cache_saved_nano_usd: int | None
    """What rewriting the cache for the source's changes cost above reading it, in 1e-9 dollars; `None`: no price."""
    kept_tokens: int
    """Estimated tokens that stay although the rest goes (the names of deferred tools)."""
    requests: int
    """Requests looked at."""
    requests_changed: int
    """Requests that carried the source."""
    breaks_avoided: int
    is_estimate: bool
    """True when `kept_tokens` had to be guessed."""

    @property
    def tokens_saved(self) -> int:
        """Input tokens that would not have been sent."""
        return self.removed.tokens - self.kept_tokens

    @property
    def cost_saved_nano_usd(self) -> int | None:
        """Dollars saved in 1e-9, cache effects included; `None`: no price known."""
        if self.removed.cost_nano_usd is None or self.cache_saved_nano_usd is None:
            return None
        kept = round(self.removed.cost_nano_usd * self.kept_tokens / self.removed.tokens) if self.removed.tokens else 0
        return self.removed.cost_nano_usd - kept + self.cache_saved_nano_usd


def without(turns: Sequence[AnalysedTurn], is_removed: SourceTest) -> WhatIf:
    """Recompute `turns` without every segment of the sources for which `is_removed` is true."""
    return _recompute(turns, lambda line: is_removed(line.source), kept_tokens=lambda _: 0)


def deferred(turns: Sequence[AnalysedTurn], is_deferred: SourceTest) -> WhatIf:
    """Recompute `turns` with the tool definitions of these sources deferred: only their names stay."""

    def is_definition(line: LedgerLine) -> bool:
        return is_deferred(line.source) and line.part is Part.DEFINITION

    def names(lines: Sequence[LedgerLine]) -> int:
        return min(sum(line.tokens for line in lines), DEFERRED_NAME_TOKENS * len({line.segment_index for line in lines}))

    return _recompute(turns, is_definition, kept_tokens=names)


def _recompute(
    turns: Sequence[AnalysedTurn],
    is_removed: Callable[[LedgerLine], bool],
    kept_tokens: Callable[[Sequence[LedgerLine]], int],
) -> WhatIf:
    before = removed = Amount()
    kept = changed = 0
    for turn in turns:
        gone = [line for line in turn.input_lines if is_removed(line)]
        before += amount_of(turn.input_lines)
        removed += amount_of(gone)
        kept += kept_tokens(gone)
        changed += bool(gone)
    avoided = [found for found in _all_breaks(turns) if _is_caused_by(found, turns, is_removed)]
    costs = [found.extra_cost_nano_usd for _, found in avoided]
    return WhatIf(
        before=before,
        removed=removed,
        cache_saved_nano_usd=None if any(cost is None for cost in costs) else sum(cost or 0 for cost in costs),
        kept_tokens=kept,
        requests=len(turns),
        requests_changed=changed,
        breaks_avoided=len(avoided),
        is_estimate=kept > 0,
    )


def _all_breaks(turns: Sequence[AnalysedTurn]) -> list[tuple[AnalysedTurn, CacheBreak]]:
    return [found for chain in conversations(turns) for found in breaks_in_chain(chain)]


def _is_caused_by(
    found: tuple[AnalysedTurn, CacheBreak], turns: Sequence[AnalysedTurn], is_removed: Callable[[LedgerLine], bool]
) -> bool:
    """Tell whether the segment that broke the cache is one that goes."""
    turn, cause = found
    if cause.source is None:
        return False
    owner = turn
    if cause.segment_index is None:
        owner = next(other for other in turns if other.id == turn.previous_id)
    return any(line.source == cause.source and is_removed(line) for line in owner.input_lines)
