"""Tokens, cost and requests over time, from the hourly roll-ups; by the minute from the exchanges of at most one day."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, Subquery, case, func, select

from proxy_core.attribution.model import Zone
from storage.expressions import is_counted, sum_billed
from storage.models import ExchangeRollupRow, ExchangeRow, ExchangeSourceRow, SourceDayRow, SourceRollupRow, SourceRow
from storage.ranges import DAY_US, HOUR_US, MINUTE_US, TimeRange, widen_range
from storage.views import SeriesGroup, SeriesPoint, TimeBucket

_exchange = ExchangeRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c
_hour = SourceRollupRow.__table__.c
_day = SourceDayRow.__table__.c
_total = ExchangeRollupRow.__table__.c

BUCKET_US = {TimeBucket.MINUTE: MINUTE_US, TimeBucket.HOUR: HOUR_US, TimeBucket.DAY: DAY_US}
OTHER = "other"
"""Key of what is left over beside the largest series."""
UNKNOWN = "unknown"
"""Key of exchanges whose model is not known."""

_ZONES = (
    (Zone.CACHE_READ, "cache_read_tokens"),
    (Zone.CACHE_WRITE_1H, "cache_write_1h_tokens"),
    (Zone.CACHE_WRITE_5M, "cache_write_5m_tokens"),
    (Zone.FRESH, "fresh_tokens"),
    (Zone.OUTPUT, "output_tokens"),
)


@dataclass(slots=True)
class _Sum:
    tokens: int = 0
    cost_nano_usd: int = 0
    priced: int = 0
    requests: int = 0

    def add(self, tokens: int | None, cost_nano_usd: int | None, priced: int, requests: int) -> None:
        self.tokens += tokens or 0
        self.cost_nano_usd += cost_nano_usd or 0
        self.priced += priced
        self.requests += requests


type _SeriesRow = tuple[int, str, int | None, int | None, int, int]
"""(bucket, key, tokens, cost, priced, requests)"""


def read_series(
    connection: Connection, wanted: TimeRange, bucket: TimeBucket, group: SeriesGroup, top: int, now_us: int | None
) -> tuple[SeriesPoint, ...]:
    """Return the points of all series, oldest first; see `SourceReader.timeseries`."""
    width_us = BUCKET_US[bucket]
    if bucket is TimeBucket.MINUTE:
        wanted = _last(DAY_US, wanted, now_us)
    elif bucket is TimeBucket.HOUR and wanted.since_us is None:
        wanted = _last(7 * DAY_US, wanted, now_us)
    wanted = widen_range(wanted, width_us)
    if group in {SeriesGroup.KIND, SeriesGroup.NAME}:
        rows = _source_rows(connection, wanted, width_us, group, top)
    else:
        rows = _total_rows(connection, wanted, width_us, group)
    sums: defaultdict[tuple[int, str], _Sum] = defaultdict(_Sum)
    for bucket_us, key, tokens, cost_nano_usd, priced, requests in rows:
        sums[bucket_us, key].add(tokens, cost_nano_usd, priced, requests)
    return tuple(_points(sums, _largest(sums, top)))


def read_trends(connection: Connection, wanted: TimeRange, buckets: int, session_id: str | None) -> dict[int, tuple[int, ...]]:
    """Return each source's tokens in at most so many equal parts of a range, oldest first, by source id; for sparklines.

    The parts are whole hours, or whole days of a range of more than four.
    """
    start, end = _known_ends(connection, wanted)
    if start is None or end is None or start >= end:
        return {}
    is_long = session_id is None and end - start > 4 * DAY_US
    grain_us = DAY_US if is_long else HOUR_US
    start, end = start // grain_us * grain_us, -(-end // grain_us) * grain_us
    width_us = -(-(end - start) // (buckets * grain_us)) * grain_us
    count = -(-(end - start) // width_us)
    table = _day if is_long else _hour
    query = select(table.source_id, table.bucket_us, func.sum(table.tokens)).group_by(table.bucket_us, table.source_id)
    query = query.where(TimeRange(start, end).holds(table.bucket_us))
    if session_id is not None:
        query = query.where(_hour.session_id == session_id)
    trends: defaultdict[int, list[int]] = defaultdict(lambda: [0] * count)
    for source_id, bucket_us, tokens in connection.execute(query):
        trends[source_id][(bucket_us - start) // width_us] += tokens
    return {source_id: tuple(trend) for source_id, trend in trends.items()}


def _known_ends(connection: Connection, wanted: TimeRange) -> tuple[int | None, int | None]:
    since, until = wanted.since_us, wanted.until_us
    if since is None:
        since = connection.scalar(select(func.min(_hour.bucket_us)))
    if until is None:
        newest = connection.scalar(select(func.max(_hour.bucket_us)))
        until = None if newest is None else newest + HOUR_US
    return since, until


def _last(span_us: int, wanted: TimeRange, now_us: int | None) -> TimeRange:
    """Return the end of a range, so long at most."""
    until = wanted.until_us
    if until is None:
        until = (time.time_ns() // 1000 if now_us is None else now_us) + MINUTE_US
    earliest = until - span_us
    return TimeRange(earliest if wanted.since_us is None else max(earliest, wanted.since_us), until)


def _source_rows(
    connection: Connection, wanted: TimeRange, width_us: int, group: SeriesGroup, top: int
) -> Iterator[_SeriesRow]:
    """Let the database sum up by kind, or by the sources with the most tokens: there may be thousands of files."""
    if group is SeriesGroup.KIND:
        kinds = select(_source.id, _source.source_type.label("key")).subquery()
        for bucket_us, kind, tokens, cost_nano_usd, priced, uses in connection.execute(_used(wanted, width_us, kinds)):
            yield bucket_us, kind, tokens, cost_nano_usd, priced, uses
        return
    leading = _leading(connection, wanted, top)
    names = {source_id: name or kind for source_id, kind, name in leading}
    key = case((_source.id.in_(list(names)), _source.id), else_=0).label("key")
    keys = select(_source.id, key).subquery()
    for bucket_us, source_id, tokens, cost_nano_usd, priced, uses in connection.execute(_used(wanted, width_us, keys)):
        yield bucket_us, names.get(source_id, OTHER), tokens, cost_nano_usd, priced, uses


def _leading(connection: Connection, wanted: TimeRange, top: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Find the sources with the most tokens in the days of a range."""
    tokens = func.sum(_day.tokens)
    query = (
        select(_source.id, _source.source_type, _source.source_name)
        .join(SourceDayRow.__table__, _day.source_id == _source.id)
        .where(widen_range(wanted, DAY_US).holds(_day.bucket_us))
        .group_by(_source.id, _source.source_type, _source.source_name)
        .order_by(tokens.desc(), _source.id)
        .limit(top)
    )
    return connection.execute(query).all()


def _used(wanted: TimeRange, width_us: int, keys: Subquery) -> Select[*tuple[Any, ...]]:
    """Sum up the uses of sources by bucket and by the key that each source has."""
    if width_us == MINUTE_US:
        return _used_by_minute(wanted, keys)
    table = _day if width_us == DAY_US else _hour
    sums = (func.sum(table.tokens), func.sum(table.cost_nano_usd), func.sum(table.priced), func.sum(table.exchanges))
    return (
        select(table.bucket_us, keys.c.key, *sums)
        .join(keys, keys.c.id == table.source_id)
        .where(wanted.holds(table.bucket_us))
        .group_by(table.bucket_us, keys.c.key)
    )


def _used_by_minute(wanted: TimeRange, keys: Subquery) -> Select[*tuple[Any, ...]]:
    bucket = _exchange.started_us - _exchange.started_us % MINUTE_US
    sums = (sum_billed(_use.tokens), func.sum(_use.cost_nano_usd), func.count(_use.cost_nano_usd), func.count())
    joined = ExchangeRow.__table__.join(ExchangeSourceRow.__table__, _use.exchange_id == _exchange.id)
    return (
        select(bucket, keys.c.key, *sums)
        .select_from(joined.join(keys, keys.c.id == _use.source_id))
        .where(wanted.holds(_exchange.started_us))
        .group_by(bucket, keys.c.key)
    )


def _total_rows(connection: Connection, wanted: TimeRange, width_us: int, group: SeriesGroup) -> Iterator[_SeriesRow]:
    query = _totals_by_minute(wanted) if width_us == MINUTE_US else _totals_by_hour(wanted, width_us)
    for row in connection.execute(query):
        if group is SeriesGroup.MODEL:
            tokens = (row.input_tokens or 0) + (row.output_tokens or 0)
            yield row.bucket, row.model or UNKNOWN, tokens, row.cost_nano_usd, row.priced, row.requests
        else:
            for zone, column in _ZONES:
                yield row.bucket, zone.value, row._mapping[column], None, 0, row.requests  # noqa: SLF001 - a public name


def _totals_by_hour(wanted: TimeRange, width_us: int) -> Select[*tuple[Any, ...]]:
    bucket = (_total.bucket_us - _total.bucket_us % width_us if width_us != HOUR_US else _total.bucket_us).label("bucket")
    names = ("input_tokens", *(column for _, column in _ZONES), "cost_nano_usd", "priced", "requests")
    sums = (func.sum(_total[name]).label(name) for name in names)
    return select(bucket, _total.model, *sums).where(wanted.holds(_total.bucket_us)).group_by(bucket, _total.model)


def _totals_by_minute(wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    bucket = (_exchange.started_us - _exchange.started_us % MINUTE_US).label("bucket")
    names = ("input_tokens", *(column for _, column in _ZONES))
    sums = (sum_billed(_exchange[name]).label(name) for name in names)
    cost = func.sum(_exchange.cost_nano_usd).label("cost_nano_usd")
    counts = (cost, func.count(_exchange.cost_nano_usd).label("priced"), func.count().label("requests"))
    in_range = wanted.holds(_exchange.started_us)
    return select(bucket, _exchange.model, *sums, *counts).where(in_range, is_counted()).group_by(bucket, _exchange.model)


def _largest(sums: dict[tuple[int, str], _Sum], top: int) -> frozenset[str]:
    totals: defaultdict[str, int] = defaultdict(int)
    for (_, key), total in sums.items():
        if key != OTHER:
            totals[key] += total.tokens
    return frozenset(sorted(totals, key=lambda key: (-totals[key], key))[:top])


def _points(sums: dict[tuple[int, str], _Sum], kept: frozenset[str]) -> Iterator[SeriesPoint]:
    merged: defaultdict[tuple[int, str], _Sum] = defaultdict(_Sum)
    for (bucket_us, key), total in sums.items():
        merged[bucket_us, key if key in kept else OTHER].add(total.tokens, total.cost_nano_usd, total.priced, total.requests)
    for (bucket_us, key), total in sorted(merged.items()):
        cost = total.cost_nano_usd if total.priced else None
        yield SeriesPoint(bucket_us=bucket_us, key=key, tokens=total.tokens, cost_nano_usd=cost, requests=total.requests)
