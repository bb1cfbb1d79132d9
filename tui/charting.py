"""From points of a time series to the columns of a plot: buckets filled in, neighbours joined, colours given. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from itertools import chain, count, pairwise
from typing import Final

from proxy_core.attribution.model import SourceType, Zone
from storage.ranges import DAY_US, HOUR_US, MINUTE_US
from storage.views import SeriesGroup, SeriesPoint, TimeBucket
from tui import format as fmt
from tui.colours import KINDS, kind_colour, series_colour, zone_colour
from tui.pages.cost import ZONE_TITLES
from tui.plots import Series

BUCKET_US: Final = {TimeBucket.MINUTE: MINUTE_US, TimeBucket.HOUR: HOUR_US, TimeBucket.DAY: DAY_US}
_ROUND_US: Final = (
    *(minutes * MINUTE_US for minutes in (1, 2, 5, 10, 15, 20, 30)),
    *(hours * HOUR_US for hours in (1, 2, 3, 4, 6, 8, 12)),
)
"""What a column may stand for, and what may lie between two labels, within a day."""


class Measure(StrEnum):
    """What is plotted."""

    TOKENS = "tokens"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Columns:
    """A plot's columns."""

    series: tuple[Series, ...]
    """From the ground up; empty ones left out."""
    starts_us: tuple[int, ...]
    """Start of each column."""
    width_us: int
    """Time that a column stands for."""

    def totals(self) -> tuple[tuple[Series, int], ...]:
        """Return each series with its sum, largest first."""
        sums = [(one, sum(one.values)) for one in self.series]
        return tuple(sorted(sums, key=lambda item: -item[1]))


def columns(
    points: Sequence[SeriesPoint],
    *,
    group: SeriesGroup,
    measure: Measure,
    bucket: TimeBucket,
    span: tuple[int | None, int],
    most: int,
    is_dark: bool,
) -> Columns:
    """Lay points out in columns.

    Args:
        points: As the store gives them; buckets without traffic are missing.
        group: What the series are.
        measure: Tokens or cost.
        bucket: Width of the points' buckets.
        span: From (`None`: the first point) to.
        most: Columns that fit; neighbours are joined until they do, to columns that begin at round times.
        is_dark: Which palette.
    """
    start_us, end_us = _ends(points, span, BUCKET_US[bucket])
    width_us = column_width_us(points, bucket=bucket, span=span, most=most)
    start_us -= start_us % width_us
    shown = -(-(end_us - start_us) // width_us)
    sums: dict[str, list[int]] = {}
    for point in points:
        at = (point.bucket_us - start_us) // width_us
        if 0 <= at < shown:
            value = point.tokens if measure is Measure.TOKENS else point.cost_nano_usd or 0
            sums.setdefault(point.key, [0] * shown)[at] += value
    series = [
        Series(name, colour, letter, tuple(sums[key]))
        for key, name, colour, letter in _look(sums, group, is_dark=is_dark)
        if any(sums[key])
    ]
    return Columns(tuple(series), tuple(start_us + place * width_us for place in range(shown)), width_us)


def column_width_us(points: Sequence[SeriesPoint], *, bucket: TimeBucket, span: tuple[int | None, int], most: int) -> int:
    """Return the time that a column of `columns` stands for: the shortest round one, of whole buckets, that fits."""
    start_us, end_us = _ends(points, span, BUCKET_US[bucket])
    for step_us in chain(_ROUND_US, (days * DAY_US for days in count(1))):
        if step_us % BUCKET_US[bucket] == 0 and -(-(end_us - start_us + start_us % step_us) // step_us) <= most:
            return step_us
    raise AssertionError("a column long enough holds any time")


def time_labels(starts_us: Sequence[int], width_us: int, every: int = 1, zone: tzinfo | None = None) -> list[str]:
    """Write what stands below each column, at round times: dates where a day begins, else times.

    Over more than two days only dates, each once: times between them would say little and stand where dates belong.

    Args:
        starts_us: Start of each column.
        width_us: Time that a column stands for.
        every: So many columns at least between two labels; the others get an empty text.
        zone: The viewer's zone; `None`: that of the machine.
    """
    has_times = width_us < DAY_US and starts_us[-1] - starts_us[0] <= 2 * DAY_US if starts_us else False
    step_us = _label_step_us(every * width_us, has_times=has_times)
    starts = [datetime.fromtimestamp(start_us / 1_000_000, UTC).astimezone(zone) for start_us in starts_us]
    labels = [""] * len(starts)
    shown = [place for place in range(1, len(starts)) if _slot(starts[place], step_us) != _slot(starts[place - 1], step_us)]
    if starts and (not shown or shown[0] >= every):
        shown.insert(0, 0)
    for before, place in pairwise([0, *shown]):
        is_new_day = starts[place].date() != starts[before].date()
        labels[place] = starts[place].strftime("%d %b" if is_new_day or not has_times else "%H:%M")
    return labels


def width_text(width_us: int) -> str:
    """Write the time that a column stands for, to follow "by"."""
    unit_us, name = next((us, bucket.value) for bucket, us in reversed(BUCKET_US.items()) if width_us % us == 0)
    return f"the {name}" if width_us == unit_us else f"{width_us // unit_us} {name}s"


def value_writer(measure: Measure) -> Callable[[int], str]:
    """Return what writes a value of the upright axis."""
    return fmt.tokens if measure is Measure.TOKENS else fmt.usd


def _label_step_us(least_us: int, *, has_times: bool) -> int:
    """Return the time between two labels: a round one, of days where there are only dates."""
    if has_times:
        for step_us in _ROUND_US:
            if step_us >= least_us:
                return step_us
    return max(1, -(-least_us // DAY_US)) * DAY_US


def _slot(at: datetime, step_us: int) -> int:
    """Return which of the steps since the beginning of time, by the viewer's clock, a time lies in."""
    seconds = (at.toordinal() * 24 + at.hour) * 3_600 + at.minute * 60 + at.second
    return seconds * 1_000_000 // step_us


def _ends(points: Sequence[SeriesPoint], span: tuple[int | None, int], width_us: int) -> tuple[int, int]:
    since, until = span
    if since is None:
        since = min((point.bucket_us for point in points), default=until - width_us)
    return since // width_us * width_us, max(until, since + 1)


def _look(sums: dict[str, list[int]], group: SeriesGroup, *, is_dark: bool) -> list[tuple[str, str, str, str]]:
    """Return key, name, colour and letter of each series, from the ground up."""
    if group is SeriesGroup.KIND:
        known = [kind for kind in KINDS if kind.value in sums]
        return [
            (kind.value, KINDS[kind].label, kind_colour(kind, is_dark=is_dark), KINDS[kind].letter) for kind in known
        ] + _others(sums, {kind.value for kind in SourceType}, is_dark=is_dark)
    if group is SeriesGroup.ZONE:
        zones = [zone for zone in Zone if zone.value in sums]
        return [(zone.value, ZONE_TITLES[zone], zone_colour(zone, is_dark=is_dark), _zone_letter(zone)) for zone in zones]
    return _others(sums, set(), is_dark=is_dark)


def _others(sums: dict[str, list[int]], known: set[str], *, is_dark: bool) -> list[tuple[str, str, str, str]]:
    names = sorted((key for key in sums if key not in known), key=lambda key: -sum(sums[key]))
    return [
        (name, fmt.model_name(name), series_colour(place, is_dark=is_dark), chr(ord("a") + place % 26))
        for place, name in enumerate(names)
    ]


def _zone_letter(zone: Zone) -> str:
    return {Zone.CACHE_READ: "R", Zone.CACHE_WRITE_1H: "H", Zone.CACHE_WRITE_5M: "W", Zone.FRESH: "F", Zone.OUTPUT: "O"}[zone]
