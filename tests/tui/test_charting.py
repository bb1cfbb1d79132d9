"""From points to columns."""

from dataclasses import replace
from datetime import UTC

from proxy_core.attribution.model import SourceType, Zone
from storage.ranges import DAY_US, HOUR_US, MINUTE_US
from storage.views import SeriesGroup, SeriesPoint, TimeBucket
from tests.factories import START_US
from tui.charting import Columns, Measure, columns, time_labels, value_writer, width_text


def _point(hour: int, key: str, tokens: int = 10, cost: int | None = 5) -> SeriesPoint:
    return SeriesPoint(bucket_us=START_US + hour * HOUR_US, key=key, tokens=tokens, cost_nano_usd=cost, requests=1)


def _columns(points: list[SeriesPoint], group: SeriesGroup = SeriesGroup.KIND, most: int = 100, **more: object) -> Columns:
    fields: dict[str, object] = {
        "measure": Measure.TOKENS,
        "bucket": TimeBucket.HOUR,
        "span": (START_US, START_US + 4 * HOUR_US),
    } | more
    return columns(points, group=group, most=most, is_dark=True, **fields)  # type: ignore[arg-type]


def test_missing_buckets_are_filled_in() -> None:
    shown = _columns([_point(0, "User"), _point(2, "User")])
    assert shown.series[0].values == (10, 0, 10, 0)
    assert shown.width_us == HOUR_US


def test_kinds_stand_in_legend_order_and_empty_ones_are_left_out() -> None:
    shown = _columns([_point(0, SourceType.TOOL), _point(0, SourceType.USER), _point(0, SourceType.SKILL, tokens=0)])
    assert [series.name for series in shown.series] == ["User", "Tool"]


def test_what_is_summed_up_as_other_is_shown_too() -> None:
    assert [series.name for series in _columns([_point(0, "other")]).series] == ["other"]


def test_neighbours_are_joined_until_they_fit() -> None:
    shown = _columns([_point(0, "User"), _point(1, "User"), _point(3, "User")], most=2)
    assert shown.series[0].values == (20, 10)
    assert shown.width_us == 2 * HOUR_US


def test_columns_of_joined_neighbours_begin_at_round_times_and_lose_nothing() -> None:
    begin_us, end_us = START_US + 7 * MINUTE_US, START_US + DAY_US + 7 * MINUTE_US
    points = [replace(_point(0, "User", tokens=1), bucket_us=at_us) for at_us in range(begin_us, end_us, MINUTE_US)]
    shown = _columns(points, bucket=TimeBucket.MINUTE, span=(begin_us, end_us), most=69)
    assert shown.width_us == 30 * MINUTE_US
    assert shown.starts_us[:2] == (START_US, START_US + 30 * MINUTE_US)
    assert len(shown.starts_us) == 49
    assert sum(shown.series[0].values) == len(points)
    years = _columns([_point(0, "User"), _point(9_000, "User")], span=(None, START_US + 9_001 * HOUR_US), most=69)
    assert (years.width_us, sum(years.series[0].values)) == (6 * DAY_US, 20)


def test_the_time_that_a_column_stands_for_is_written_in_its_largest_unit() -> None:
    widths = (MINUTE_US, 30 * MINUTE_US, HOUR_US, 12 * HOUR_US, DAY_US, 6 * DAY_US)
    assert [width_text(width) for width in widths] == ["the minute", "30 minutes", "the hour", "12 hours", "the day", "6 days"]


def test_without_a_beginning_it_is_the_first_point() -> None:
    shown = _columns([_point(2, "User")], span=(None, START_US + 4 * HOUR_US))
    assert shown.starts_us[0] == START_US + 2 * HOUR_US


def test_dollars_and_zones_and_models() -> None:
    assert _columns([_point(0, "User", cost=7)], measure=Measure.COST).series[0].values[0] == 7
    assert _columns([_point(0, Zone.FRESH)], SeriesGroup.ZONE).series[0].name == "fresh input"
    models = _columns([_point(0, "claude-haiku-4-5", 1), _point(0, "claude-opus-4-8", 9)], SeriesGroup.MODEL)
    assert [series.name for series in models.series] == ["opus-4.8", "haiku-4.5"]
    assert [amount for _, amount in models.totals()] == [9, 1]


def test_labels_name_the_day_where_it_begins() -> None:
    starts = [START_US + hour * HOUR_US for hour in range(21, 28)]
    assert time_labels(starts, HOUR_US, zone=UTC) == ["21:00", "22:00", "23:00", "02 Jan", "01:00", "02:00", "03:00"]
    assert time_labels(starts, HOUR_US, every=2, zone=UTC) == ["", "22:00", "", "02 Jan", "", "02:00", ""], "at round hours"
    assert time_labels(starts, HOUR_US, every=5, zone=UTC) == ["", "", "", "02 Jan", "", "", ""], "every 6 hours"
    assert time_labels([START_US], DAY_US, zone=UTC) == ["01 Jan"]
    assert time_labels([], HOUR_US, zone=UTC) == []


def test_over_some_days_each_day_is_named_once_where_it_begins() -> None:
    halves = [START_US + half * DAY_US // 2 for half in range(6)]
    assert time_labels(halves, HOUR_US, zone=UTC) == ["01 Jan", "", "02 Jan", "", "03 Jan", ""]
    hours = [START_US + hour * HOUR_US for hour in range(15, 24 * 4)]
    labels = time_labels(hours, HOUR_US, every=7, zone=UTC)
    assert {place: text for place, text in enumerate(labels) if text} == {0: "01 Jan", 9: "02 Jan", 33: "03 Jan", 57: "04 Jan"}
    assert time_labels(hours, HOUR_US, every=10, zone=UTC)[0] == "", "too near the next"
    days = [START_US + day * DAY_US for day in range(5)]
    assert [text for text in time_labels(days, DAY_US, every=2, zone=UTC) if text] in (
        ["01 Jan", "03 Jan", "05 Jan"],
        ["02 Jan", "04 Jan"],
    )


def test_axis_figures() -> None:
    assert value_writer(Measure.TOKENS)(12_000) == "12.0k"
    assert value_writer(Measure.COST)(2_000_000_000) == "$2.00"
