"""Tokens, cost and requests over time, from the roll-ups; by the minute at most one day.

Kinds of source have sums of their own for every width. The leading sources are read one by one, and what is left of the kinds'
sums is the others': there may be thousands of files.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, union_all

from proxy_core.attribution.model import Zone
from storage import tables
from storage.expressions import is_counted, sum_billed
from storage.models import (
    ExchangeRow,
    ExchangeSourceRow,
)
from storage.ranges import DAY_US, HOUR_US, MINUTE_US, MONTH_US, TimeRange, split_range, widen_range
from storage.views import SeriesGroup, SeriesPoint, TimeBucket

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
    if group is SeriesGroup.KIND:
        rows = _kind_rows(connection, wanted, width_us)
    elif group is SeriesGroup.NAME:
        rows = _name_rows(connection, wanted, width_us, top)
    else:
        rows = _total_rows(connection, wanted, width_us, group)
    sums: dict[tuple[int, str], _Sum] = {}
    for bucket_us, key, tokens, cost_nano_usd, priced, requests in rows:
        total = sums.get((bucket_us, key))
        if total is None:
            sums[bucket_us, key] = total = _Sum()
        total.add(tokens, cost_nano_usd, priced, requests)
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
    table = tables.day if is_long else tables.hour
    part = (table.bucket_us - start) // width_us
    query = select(table.source_id, part, func.sum(table.tokens)).group_by(table.source_id, part)
    query = query.where(TimeRange(start, end).holds(table.bucket_us))
    if session_id is not None:
        query = query.where(tables.hour.session_id == session_id)
    trends: defaultdict[int, list[int]] = defaultdict(lambda: [0] * count)
    for source_id, number, tokens in connection.execute(query):
        trends[source_id][number] = tokens
    return {source_id: tuple(trend) for source_id, trend in trends.items()}


def _known_ends(connection: Connection, wanted: TimeRange) -> tuple[int | None, int | None]:
    since, until = wanted.since_us, wanted.until_us
    if since is None:
        since = connection.scalar(select(func.min(tables.hour.bucket_us)))
    if until is None:
        newest = connection.scalar(select(func.max(tables.hour.bucket_us)))
        until = None if newest is None else newest + HOUR_US
    return since, until


def _last(span_us: int, wanted: TimeRange, now_us: int | None) -> TimeRange:
    """Return the end of a range, so long at most."""
    until = wanted.until_us
    if until is None:
        until = (time.time_ns() // 1000 if now_us is None else now_us) + MINUTE_US
    earliest = until - span_us
    return TimeRange(earliest if wanted.since_us is None else max(earliest, wanted.since_us), until)


def _kind_rows(connection: Connection, wanted: TimeRange, width_us: int) -> Iterator[_SeriesRow]:
    query = select(
        tables.kind.bucket_us,
        tables.kind.source_type,
        tables.kind.tokens,
        tables.kind.cost_nano_usd,
        tables.kind.priced,
        tables.kind.exchanges,
    )
    yield from connection.execute(query.where(tables.kind.width_us == width_us, wanted.holds(tables.kind.bucket_us)))


def _name_rows(connection: Connection, wanted: TimeRange, width_us: int, top: int) -> Iterator[_SeriesRow]:
    """Give the leading sources' uses, and what the others come to."""
    names = {source_id: name or kind for source_id, kind, name in _leading(connection, wanted, top)}
    others: dict[int, _Sum] = {}
    for bucket_us, _, tokens, cost_nano_usd, priced, uses in _kind_rows(connection, wanted, width_us):
        others.setdefault(bucket_us, _Sum()).add(tokens, cost_nano_usd, priced, uses)
    for bucket_us, source_id, tokens, cost_nano_usd, priced, uses in connection.execute(_used(wanted, width_us, list(names))):
        yield bucket_us, names[source_id], tokens, cost_nano_usd, priced, uses
        others[bucket_us].add(-(tokens or 0), -(cost_nano_usd or 0), -priced, -uses)
    for bucket_us, rest in others.items():
        if rest.requests:
            yield bucket_us, OTHER, rest.tokens, rest.cost_nano_usd, rest.priced, rest.requests


def _leading(connection: Connection, wanted: TimeRange, top: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Find the sources with the most tokens in the days of a range."""
    months = split_range(widen_range(wanted, DAY_US), MONTH_US)
    parts = [select(tables.day.source_id, tables.day.tokens).where(rest.holds(tables.day.bucket_us)) for rest in months.rest]
    if months.whole is not None:
        parts.append(select(tables.month.source_id, tables.month.tokens).where(months.whole.holds(tables.month.bucket_us)))
    if not parts:
        return ()
    used = union_all(*parts).subquery()
    sums = select(used.c.source_id, func.sum(used.c.tokens).label("tokens")).group_by(used.c.source_id)
    most = sums.order_by(func.sum(used.c.tokens).desc(), used.c.source_id).limit(top).subquery()
    query = select(tables.source.id, tables.source.source_type, tables.source.source_name).join(
        most, most.c.source_id == tables.source.id
    )
    return connection.execute(query.order_by(most.c.tokens.desc(), tables.source.id)).all()


def _used(wanted: TimeRange, width_us: int, sources: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Sum up the uses of some sources by bucket."""
    if width_us == MINUTE_US:
        return _used_by_minute(wanted, sources)
    table = tables.day if width_us == DAY_US else tables.hour
    sums = (func.sum(table.tokens), func.sum(table.cost_nano_usd), func.sum(table.priced), func.sum(table.exchanges))
    return (
        select(table.bucket_us, table.source_id, *sums)
        .where(wanted.holds(table.bucket_us), table.source_id.in_(sources))
        .group_by(table.bucket_us, table.source_id)
    )


def _used_by_minute(wanted: TimeRange, sources: Sequence[int]) -> Select[*tuple[Any, ...]]:
    bucket = tables.exchange.started_us - tables.exchange.started_us % MINUTE_US
    sums = (
        sum_billed(tables.use.tokens),
        func.sum(tables.use.cost_nano_usd),
        func.count(tables.use.cost_nano_usd),
        func.count(),
    )
    # The addition keeps a database from beginning with all exchanges that the sources were ever in.
    is_wanted = (tables.use.source_id + 0).in_(sources)
    joined = ExchangeRow.__table__.join(ExchangeSourceRow.__table__, tables.use.exchange_id == tables.exchange.id)
    return (
        select(bucket, tables.use.source_id, *sums)
        .select_from(joined)
        .where(wanted.holds(tables.exchange.started_us), tables.exchange.attribution_version.is_not(None), is_wanted)
        .group_by(bucket, tables.use.source_id)
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
    bucket = (
        tables.total.bucket_us - tables.total.bucket_us % width_us if width_us != HOUR_US else tables.total.bucket_us
    ).label("bucket")
    names = ("input_tokens", *(column for _, column in _ZONES), "cost_nano_usd", "priced", "requests")
    sums = (func.sum(tables.total[name]).label(name) for name in names)
    return (
        select(bucket, tables.total.model, *sums)
        .where(wanted.holds(tables.total.bucket_us))
        .group_by(bucket, tables.total.model)
    )


def _totals_by_minute(wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    bucket = (tables.exchange.started_us - tables.exchange.started_us % MINUTE_US).label("bucket")
    names = ("input_tokens", *(column for _, column in _ZONES))
    sums = (sum_billed(tables.exchange[name]).label(name) for name in names)
    cost = func.sum(tables.exchange.cost_nano_usd).label("cost_nano_usd")
    counts = (cost, func.count(tables.exchange.cost_nano_usd).label("priced"), func.count().label("requests"))
    in_range = wanted.holds(tables.exchange.started_us)
    return (
        select(bucket, tables.exchange.model, *sums, *counts)
        .where(in_range, is_counted())
        .group_by(bucket, tables.exchange.model)
    )


def _largest(sums: dict[tuple[int, str], _Sum], top: int) -> frozenset[str]:
    totals: defaultdict[str, int] = defaultdict(int)
    for (_, key), total in sums.items():
        if key != OTHER:
            totals[key] += total.tokens
    return frozenset(sorted(totals, key=lambda key: (-totals[key], key))[:top])


def _points(sums: dict[tuple[int, str], _Sum], kept: frozenset[str]) -> Iterator[SeriesPoint]:
    merged: dict[tuple[int, str], _Sum] = {}
    for (bucket_us, key), total in sums.items():
        if key in kept:
            merged[bucket_us, key] = total
        else:
            other = merged.setdefault((bucket_us, OTHER), _Sum())
            other.add(total.tokens, total.cost_nano_usd, total.priced, total.requests)
    for bucket_us, key in sorted(merged):
        total = merged[bucket_us, key]
        cost = total.cost_nano_usd if total.priced else None
        yield SeriesPoint(bucket_us=bucket_us, key=key, tokens=total.tokens, cost_nano_usd=cost, requests=total.requests)
