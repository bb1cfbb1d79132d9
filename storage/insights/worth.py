"""What people's ratings say of a source, beside what it cost: value per dollar, with an honest interval."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from proxy_core.attribution.model import Source

SMALLEST_RANKED_VOTES = 5
"""With fewer ratings a source is shown, not ranked."""

_STUDENT_T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Two-sided 95 % quantiles of Student's t for 1 to 15 degrees of freedom."""

_NORMAL_95 = 2.1
"""Used beyond 15 degrees of freedom: a little wider than the normal's 1.96."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedUse:
    """One source in one rated exchange."""

    source: Source
    rating: float
    """-1.0 to 1.0."""
    cost_nano_usd: int | None
    """What the source cost in that exchange, in 1e-9 dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a source is worth by its ratings."""

    source: Source
    votes: int
    average_rating: float
    interval: tuple[float, float] | None
    """95 % interval of the average, within -1 and 1; `None` below two votes, where there is none."""
    cost_nano_usd: int | None
    """Its cost in the rated exchanges; `None`: at least one had no price."""
    value_per_usd: float | None
    """Sum of ratings per dollar; `None` without a price or a cost."""
    is_ranked: bool
    """Enough votes to be compared with others."""


def worths(uses: Iterable[RatedUse]) -> list[Worth]:
    """Join ratings and cost by source: ranked ones first, best value first; the others by votes."""
    by_source: dict[Source, list[RatedUse]] = {}
    for use in uses:
        by_source.setdefault(use.source, []).append(use)
    found = [_worth(source, own) for source, own in by_source.items()]
    return sorted(found, key=lambda w: (not w.is_ranked, -(w.value_per_usd or 0.0) if w.is_ranked else -w.votes))


def _worth(source: Source, uses: Sequence[RatedUse]) -> Worth:
    ratings = [use.rating for use in uses]
    costs = [use.cost_nano_usd for use in uses]
    cost = None if any(c is None for c in costs) else sum(c or 0 for c in costs)
    return Worth(
        source=source,
        votes=len(ratings),
        average_rating=fmean(ratings),
        interval=_interval(ratings),
        cost_nano_usd=cost,
        value_per_usd=sum(ratings) / (cost / 1e9) if cost else None,
        is_ranked=len(ratings) >= SMALLEST_RANKED_VOTES,
    )


def _interval(ratings: Sequence[float]) -> tuple[float, float] | None:
    count = len(ratings)
    if count < 2:
        return None
    quantile = _STUDENT_T_95[count - 2] if count - 2 < len(_STUDENT_T_95) else _NORMAL_95
    # Equal votes have no spread to measure; one vote the other way is what could still come.
    spread = max(stdev(ratings), 2 / (count + 1) / sqrt(count))
    half = quantile * spread / sqrt(count)
    average = fmean(ratings)
    return max(-1.0, average - half), min(1.0, average + half)
