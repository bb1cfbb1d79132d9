"""Cut a time range into whole buckets, which roll-ups answer, and the rest at both ends, which the exchanges answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
MONTH_US = 30 * DAY_US
_FAR_US = 2**62


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From one moment to just before another; microseconds since the epoch, UTC."""

    since_us: int | None = None
    """`None`: from the beginning."""
    until_us: int | None = None
    """`None`: without an end."""

    @property
    def is_empty(self) -> bool:
        """Whether no moment lies in it."""
        return self.since_us is not None and self.until_us is not None and self.since_us >= self.until_us

    @property
    def bounds(self) -> dict[str, int]:
        """Its ends by the names that statements know them by; far away where it has none."""
        return {
            "since": -_FAR_US if self.since_us is None else self.since_us,
            "until": _FAR_US if self.until_us is None else self.until_us,
        }

    def holds(self, column: "ColumnElement[int]") -> "ColumnElement[bool]":
        """Return the clause that a column's time lies in it."""
        # The dashboard needs ranges for its first screen, and no database yet.
        from sqlalchemy import and_, true

        clauses: list[ColumnElement[bool]] = [true()]
        if self.since_us is not None:
            clauses.append(column >= self.since_us)
        if self.until_us is not None:
            clauses.append(column < self.until_us)
        return and_(*clauses)


ALL_TIME = TimeRange()


@dataclass(frozen=True, slots=True)
class SplitRange:
    """A range in whole buckets and the rest."""

    whole: TimeRange | None
    """Begins and ends on a bucket's border; `None`: no whole bucket lies in the range."""
    rest: tuple[TimeRange, ...]
    """Pieces shorter than a bucket each, but for one of up to two where no bucket is whole."""


def split_range(wanted: TimeRange, bucket_us: int) -> SplitRange:
    """Split a range at the borders of buckets."""
    if wanted.is_empty:
        return SplitRange(None, ())
    since, until = wanted.since_us, wanted.until_us
    first = None if since is None else -(-since // bucket_us) * bucket_us
    last = None if until is None else until // bucket_us * bucket_us
    if first is not None and last is not None and first >= last:
        is_whole = first == last and since == first and until == last
        return SplitRange(None, () if is_whole else (wanted,))
    rest = []
    if since != first:
        rest.append(TimeRange(since, first))
    if until != last:
        rest.append(TimeRange(last, until))
    return SplitRange(TimeRange(first, last), tuple(rest))


def widen_range(wanted: TimeRange, bucket_us: int) -> TimeRange:
    """Return the range from border to border that holds a range."""
    since, until = wanted.since_us, wanted.until_us
    return TimeRange(
        None if since is None else since // bucket_us * bucket_us, None if until is None else -(-until // bucket_us) * bucket_us
    )
