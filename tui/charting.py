"""From points of a time series to the columns of a plot: buckets filled in, neighbours joined, colours given. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Final

from proxy_core.attribution.model import SourceType, Zone
from storage.ranges import DAY_US, HOUR_US, MINUTE_US
from storage.views import SeriesGroup, SeriesPoint, TimeBucket
from tui import format as fmt
from tui.colours import KINDS, kind_colour, series_colour, zone_colour
from tui.pages.cost import ZONE_TITLES
from tui.plots import Series

BUCKET_US: Final = {TimeBucket.MINUTE: MINUTE_US, TimeBucket.HOUR: HOUR_US, TimeBucket.DAY: DAY_US}
_MOST_BUCKETS: Final = 5_000


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
        most: Columns that fit; neighbours are joined until they do.
        is_dark: Which palette.
    """
    width_us = BUCKET_US[bucket]
    start_us, end_us = _ends(points, span, width_us)
    count = min(_MOST_BUCKETS, max(1, -(-(end_us - start_us) // width_us)))
    joined = -(-count // most)
    shown = -(-count // joined)
    sums: dict[str, list[int]] = {}
    for point in points:
        at = (point.bucket_us - start_us) // width_us // joined
        if 0 <= at < shown:
            value = point.tokens if measure is Measure.TOKENS else point.cost_nano_usd or 0
            sums.setdefault(point.key, [0] * shown)[at] += value
    series = [
        Series(name, colour, letter, tuple(sums[key]))
        for key, name, colour, letter in _look(sums, group, is_dark=is_dark)
        if any(sums[key])
    ]
    starts = tuple(start_us + i * joined * width_us for i in range(shown))
    return Columns(tuple(series), starts, joined * width_us)


def time_labels(starts_us: Sequence[int], width_us: int, every: int = 1, zone: tzinfo | None = None) -> list[str]:
    """Write what stands below each column: dates where the day is another than at the label before, else times.

    Over more than two days only dates, each once: times between them would say little and stand where dates belong.

    Args:
        starts_us: Start of each column.
        width_us: Time that a column stands for.
        every: Only each so many columns get a label, the others an empty text.
        zone: The viewer's zone; `None`: that of the machine.
    """
    labels: list[str] = []
    has_times = width_us < DAY_US and starts_us[-1] - starts_us[0] <= 2 * DAY_US if starts_us else False
    before = None
    for place, start_us in enumerate(starts_us):
        if place % every:
            labels.append("")
            continue
        at = datetime.fromtimestamp(start_us / 1_000_000, UTC).astimezone(zone)
        day = at.date()
        if day != before if not has_times else before not in (None, day):
            labels.append(at.strftime("%d %b"))
        else:
            labels.append(at.strftime("%H:%M") if has_times else "")
        before = day
    return labels


def value_writer(measure: Measure) -> Callable[[int], str]:
    """Return what writes a value of the upright axis."""
    return fmt.tokens if measure is Measure.TOKENS else fmt.usd


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
