"""Totals by source, in all and over time: the same whether they come from roll-ups or are counted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_core.attribution.model import SourceType
from storage import statements
from storage.database import open_database
from storage.ranges import DAY_US, HOUR_US, MONTH_US, SplitRange, TimeRange, split_range, widen_range
from storage.store import Store
from storage.views import SeriesGroup, SourceOrder, TimeBucket
from tests import factories, sample
from tests.recorder import Recorder

START_US = factories.START_US


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Forty exchanges over three days, at odd minutes, some rated."""
    database = open_database(tmp_path_factory.mktemp("metrics") / "assay.db")
    recorder = Recorder(database)
    made = (sample.main_attribution, sample.subagent_attribution, sample.refused_attribution)
    store = Store(database)
    for number in range(40):
        at_us = START_US + number * 113 * 60_000_000
        exchange = recorder.record(made[number % 3](), timing=factories.timing(at_us))
        if number % 4 == 0:
            store.feedback.rate(exchange, number / 40)
    yield store
    database.close()


def counted(store, wanted):
    """What a range comes to, exchange by exchange."""
    sources, ratings = {}, {}
    for summary in store.exchanges.page(100):
        if not (wanted.since_us or 0) <= summary.started_us < (wanted.until_us or 10**18):
            continue
        kinds = {
            use.source_name or use.source_type: use
            for use in store.sources.uses(limit=1000)
            if use.exchange_id == summary.exchange_id
        }
        for name, use in kinds.items():
            count, tokens = sources.get(name, (0, 0))
            sources[name] = (count + 1, tokens + (0 if summary.is_estimate else use.tokens))
            if summary.rating is not None:
                ratings.setdefault(name, []).append(summary.rating)
    return sources, {name: pytest.approx(sum(given) / len(given)) for name, given in ratings.items()}


moments = st.integers(START_US - HOUR_US, START_US + 4 * DAY_US)
ranges = st.builds(TimeRange, st.none() | moments, st.none() | moments)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ranges)
def test_any_range_is_exact(store, wanted):
    sources, ratings = counted(store, wanted)
    found = {one.source_name or one.source_type.value: one for one in store.sources.metrics(wanted)}
    assert {name: (one.usage_count, one.total_tokens) for name, one in found.items()} == sources
    assert {name: one.average_rating for name, one in found.items() if one.feedback_count} == ratings
    total = store.sources.summary(wanted)
    inside = [
        one for one in store.exchanges.page(100) if (wanted.since_us or 0) <= one.started_us < (wanted.until_us or 10**18)
    ]
    assert total.total_requests == len(inside)
    assert total.total_input_tokens == sum(one.input_tokens for one in inside if not one.is_estimate)
    assert (total.total_cost_nano_usd or 0) == sum(one.cost_nano_usd or 0 for one in inside)
    assert total.feedback_count == sum(one.rating is not None for one in inside)
    assert total.average_latency_ms == (pytest.approx(900.3) if inside else None)
    assert total.newest_us == max((one.started_us for one in inside), default=None)


@pytest.mark.parametrize("group", list(SeriesGroup))
def test_minutes_hours_and_days_come_to_the_same(store, group):
    wanted = TimeRange(START_US, START_US + DAY_US)
    sums = []
    for bucket in TimeBucket:
        by_key = {}
        for point in store.sources.timeseries(wanted, bucket=bucket, group=group):
            tokens, requests = by_key.get(point.key, (0, 0))
            by_key[point.key] = (tokens + point.tokens, requests + point.requests)
        sums.append(by_key)
    assert sums[0] == sums[1] == sums[2]
    assert sums[0]


def test_a_series_without_a_beginning_is_a_week_by_the_hour_and_a_day_by_the_minute(store):
    now_us = START_US + 8 * DAY_US
    hours = store.sources.timeseries(bucket=TimeBucket.HOUR, now_us=now_us)
    assert min(point.bucket_us for point in hours) >= now_us - 7 * DAY_US
    assert store.sources.timeseries(bucket=TimeBucket.MINUTE, now_us=now_us) == ()
    long = TimeRange(START_US, START_US + 3 * DAY_US)
    minutes = store.sources.timeseries(long, bucket=TimeBucket.MINUTE)
    assert min(point.bucket_us for point in minutes) >= START_US + 2 * DAY_US
    assert store.sources.timeseries(bucket=TimeBucket.DAY)[0].bucket_us == START_US


def test_small_series_are_summed_up(store):
    wanted = TimeRange(START_US, START_US + DAY_US)
    whole = store.sources.timeseries(wanted, group=SeriesGroup.NAME, bucket=TimeBucket.DAY)
    some = store.sources.timeseries(wanted, group=SeriesGroup.NAME, bucket=TimeBucket.DAY, top=2)
    assert len({point.key for point in some}) == 3
    assert sum(point.tokens for point in some) == sum(point.tokens for point in whole)
    assert "other" in {point.key for point in some}


@pytest.mark.parametrize("days", [None, 2, 100, 400])
def test_trends_sum_to_the_tokens(store, days):
    wanted = TimeRange() if days is None else TimeRange(START_US - START_US % MONTH_US, START_US + days * DAY_US)
    used = store.sources.metrics(wanted)
    trends = store.sources.trends([one.source_id for one in used], wanted, most_parts=10)
    assert {source_id: sum(trend) for source_id, trend in trends.items()} == {one.source_id: one.total_tokens for one in used}
    assert {len(trend) for trend in trends.values()} <= set(range(1, 11))


def test_a_trend_has_its_tokens_where_they_were_used(store):
    wanted = TimeRange(START_US, START_US + 2 * DAY_US)
    for one in store.sources.metrics(wanted):
        halves = [store.sources.metrics(TimeRange(START_US + n * DAY_US, START_US + (n + 1) * DAY_US)) for n in (0, 1)]
        tokens = tuple(sum(other.total_tokens for other in half if other.source_id == one.source_id) for half in halves)
        assert store.sources.trends([one.source_id], wanted, most_parts=2) == {one.source_id: tokens}


def test_trends_are_of_the_sources_that_are_asked_for(store):
    first, *_ = store.sources.metrics()
    assert set(store.sources.trends([first.source_id])) == {first.source_id}
    assert store.sources.trends([]) == {}
    assert {len(trend) for trend in store.sources.trends([10**6]).values()} != {0}


def test_trends_of_nothing(tmp_path):
    database = open_database(tmp_path / "assay.db")
    empty = Store(database)
    assert empty.sources.metrics() == ()
    assert empty.sources.trends([1]) == {}
    assert empty.sources.timeseries() == ()
    assert empty.sources.summary().oldest_us is None
    database.close()


@pytest.mark.parametrize("order", list(SourceOrder))
@pytest.mark.parametrize("is_descending", [True, False])
def test_every_order(store, order, is_descending):
    found = store.sources.metrics(order=order, is_descending=is_descending)
    figures = {
        SourceOrder.USAGE_COUNT: lambda one: one.usage_count,
        SourceOrder.TOTAL_TOKENS: lambda one: one.total_tokens,
        SourceOrder.AVERAGE_TOKENS: lambda one: one.average_tokens,
        SourceOrder.TOTAL_COST_USD: lambda one: one.total_cost_nano_usd,
        SourceOrder.AVERAGE_RATING: lambda one: one.average_rating,
        SourceOrder.LAST_USED: lambda one: one.last_used_us,
    }
    values = [figures[order](one) for one in found]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=is_descending)
    assert values[: len(known)] == known


@pytest.mark.parametrize("order", SourceOrder)
def test_all_time_is_a_range_that_holds_everything(store, order, monkeypatch):
    everything = TimeRange(0, START_US + 1000 * DAY_US)
    expected = store.sources.metrics(everything, order=order)
    assert [one.usage_count for one in expected if one.source_name == "context7"]
    found = store.sources.metrics(order=order)
    assert expected == found
    kinds = list(dict.fromkeys(one.source_type for one in found))
    assert store.sources.metrics(source_types=kinds, order=order) == found
    monkeypatch.setattr(statements, "_DRIVER", "another")
    assert store.sources.metrics(order=order) == found


def test_kinds_and_names_are_chosen(store):
    mcp = store.sources.metrics(source_types=(SourceType.MCP_SERVER,))
    assert {one.source_name for one in mcp} == {"context7", "github"}
    assert [one.source_name for one in store.sources.metrics(source_name="github")] == ["github"]


@given(st.integers(-50, 50) | st.none(), st.integers(-50, 50) | st.none())
def test_a_split_covers_the_range_once(since, until):
    wanted = TimeRange(since, until)
    split = split_range(wanted, 7)
    pieces = ([split.whole] if split.whole else []) + list(split.rest)
    for moment in range(-60, 60):
        holding = sum(
            (piece.since_us is None or piece.since_us <= moment) and (piece.until_us is None or moment < piece.until_us)
            for piece in pieces
        )
        is_inside = (since is None or since <= moment) and (until is None or moment < until)
        assert holding == is_inside
    if split.whole:
        assert all(border is None or border % 7 == 0 for border in (split.whole.since_us, split.whole.until_us))
    wide = widen_range(wanted, 7)
    assert all(border is None or border % 7 == 0 for border in (wide.since_us, wide.until_us))


def test_an_empty_range_is_nothing():
    assert split_range(TimeRange(5, 5), 10) == split_range(TimeRange(9, 5), 10) == SplitRange(None, ())
