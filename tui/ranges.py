"""The times that can be looked at: last hour, day, week, month, or all. Pure."""

from dataclasses import dataclass
from typing import Final

from storage.ranges import DAY_US, HOUR_US, TimeRange
from storage.views import TimeBucket


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time up to now."""

    name: str
    length_us: int | None
    """`None`: all there is."""
    bucket: TimeBucket
    """The width of columns that suits it."""
    filter_term: str
    """The same in the filter language."""


PERIODS: Final = (
    Period("last hour", HOUR_US, TimeBucket.MINUTE, "since:1h"),
    Period("last 24 hours", DAY_US, TimeBucket.HOUR, "since:24h"),
    Period("last 7 days", 7 * DAY_US, TimeBucket.HOUR, "since:7d"),
    Period("last 30 days", 30 * DAY_US, TimeBucket.DAY, "since:30d"),
    Period("all time", None, TimeBucket.DAY, ""),
)


def next_period(period: Period) -> Period:
    """Return the next one, after the last the first."""
    return PERIODS[(PERIODS.index(period) + 1) % len(PERIODS)]


def range_of(period: Period, now_us: int) -> TimeRange:
    """Return the range that a period means now."""
    return TimeRange(since_us=None if period.length_us is None else now_us - period.length_us)


def reaching(period: Period, newest_us: int | None, now_us: int) -> Period:
    """Return the first period from this one on that reaches back to the newest request; the same where there is none."""
    if newest_us is None:
        return period
    longer = PERIODS[PERIODS.index(period) :]
    return next((one for one in longer if one.length_us is None or newest_us >= now_us - one.length_us), period)


def within(period: Period) -> str:
    """Write a period as the end of a sentence that says that nothing was found."""
    return "so far" if period.length_us is None else f"in the {period.name}"


def longer_time(period: Period) -> str:
    """Say, as markup, what to do when nothing was found in a period."""
    if period.length_us is None:
        return "[$accent]l[/] shows how to begin."
    return "[$accent]w[/] looks further back, [$accent]l[/] shows how to begin."
