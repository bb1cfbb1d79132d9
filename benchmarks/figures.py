"""Medians, percentiles and spread: the only arithmetic the benchmarks do."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One figure over several rounds."""

    median: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Return it rounded."""
        return {"median": round(self.median, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def spread(values: Sequence[float]) -> Spread:
    """Summarise rounds."""
    return Spread(median=statistics.median(values), low=min(values), high=max(values))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Return ours over theirs, round by round: both of a round ran beside each other."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True) if other])
