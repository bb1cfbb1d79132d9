"""Tokens, cost and requests over time, from the roll-ups; by the minute at most one day.

Kinds of source have sums of their own for every width. The leading sources are read one by one, and what is left of the kinds'
sums is the others': there may be thousands of files.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select, union_all

from proxy_core.attribution.model import Zone
from storage import tables
from storage.expressions import BOUNDS, is_counted, is_within, sum_billed
from storage.models import (
    ExchangeRow,
    ExchangeSourceRow,
)
from storage.quick_views import maker
from storage.ranges import DAY_US, HOUR_US, MINUTE_US, MONTH_US, TimeRange, split_range, widen_range
from storage.statements import Prepared
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


type _SeriesRow = Sequence[Any]
"""(bucket, key, tokens, cost, priced, requests); tokens and cost may be `None`."""
type _Sums = dict[tuple[int, str], _SeriesRow]
"""By bucket and key. A day by the minute is thousands: bare rows take half of the time that objects do."""


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
    rows: Iterable[_SeriesRow]
    if group is SeriesGroup.KIND:
        rows = _kind_rows(connection, wanted, width_us)
    elif group is SeriesGroup.NAME:
        rows = _name_rows(connection, wanted, width_us, top)
    else:
        rows = _total_rows(connection, wanted, width_us, group)
    sums = _merge(rows)
    kept = _largest(sums, top)
    others = [key for key in sums if key[1] not in kept and key[1] != OTHER]
    if others:
        _merge([(key[0], OTHER, *sums.pop(key)[2:]) for key in others], sums)
    return tuple([_point(sums[key]) for key in sorted(sums)])


def read_trends(
    connection: Connection, source_ids: Sequence[int], wanted: TimeRange, most_parts: int
) -> dict[int, tuple[int, ...]]:
    """Return some sources' tokens in equal parts of a range, oldest first; see `SourceReader.trends`."""
    start, end = _known_ends(connection, wanted)
    if start is None or end is None or start >= end or not source_ids:
        return {}
    grain_us = _grain_us(end - start, most_parts)
    start, end = start // grain_us * grain_us, -(-end // grain_us) * grain_us
    width_us = -(-(end - start) // (most_parts * grain_us)) * grain_us
    table = _BY_GRAIN[grain_us]
    part = (table.bucket_us - start) // width_us
    # Both keys named one by one: found each, where a range of time would be read with all its other sources.
    found = table.bucket_us.in_(range(start, end, grain_us)), table.source_id.in_(source_ids)
    query = select(table.source_id, part, func.sum(table.tokens)).where(*found).group_by(table.source_id, part)
    empty = [0] * -(-(end - start) // width_us)
    trends = {source_id: empty.copy() for source_id in source_ids}
    for source_id, number, tokens in connection.execute(query).all():
        trends[source_id][number] = tokens
    return {source_id: tuple(trend) for source_id, trend in trends.items()}


_BY_GRAIN = {HOUR_US: tables.hour, DAY_US: tables.day, MONTH_US: tables.month}


def _grain_us(span_us: int, most_parts: int) -> int:
    """Choose what the parts of a range are made up of: no more rows of each source than a picture of it needs."""
    if span_us <= 4 * DAY_US:
        return HOUR_US
    return DAY_US if span_us <= most_parts * MONTH_US // 2 else MONTH_US


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


def _kind_rows(connection: Connection, wanted: TimeRange, width_us: int) -> Sequence[_SeriesRow]:
    return _KINDS.fetch_bare(connection, {"width": width_us, **wanted.bounds})


_KINDS = Prepared(
    select(
        tables.kind.bucket_us,
        tables.kind.source_type,
        tables.kind.tokens,
        tables.kind.cost_nano_usd,
        tables.kind.priced,
        tables.kind.exchanges,
    ).where(tables.kind.width_us == bindparam("width"), *is_within(tables.kind.bucket_us)),
    ("width", *BOUNDS),
)


def _name_rows(connection: Connection, wanted: TimeRange, width_us: int, top: int) -> Iterator[_SeriesRow]:
    """Give the leading sources' uses, and what the others come to."""
    names = {source_id: name or kind for source_id, kind, name in _leading(connection, wanted, top)}
    kinds = _kind_rows(connection, wanted, width_us)
    others = {row[0]: [0, 0, 0, 0] for row in kinds}
    for bucket_us, _, *amounts in kinds:
        _add(others[bucket_us], amounts, 1)
    for bucket_us, source_id, *amounts in connection.execute(_used(wanted, width_us, list(names))).all():
        yield bucket_us, names[source_id], *amounts
        _add(others[bucket_us], amounts, -1)
    for bucket_us, rest in others.items():
        if rest[-1]:
            yield bucket_us, OTHER, *rest


def _add(total: list[int], amounts: Sequence[int | None], sign: int) -> None:
    for number, amount in enumerate(amounts):
        total[number] += sign * (amount or 0)


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
    for row in connection.execute(query).all():
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


def _merge(rows: Iterable[_SeriesRow], sums: _Sums | None = None) -> _Sums:
    """Add rows to sums."""
    sums = {} if sums is None else sums
    for row in rows:
        place = (row[0], row[1])
        before = sums.get(place)
        sums[place] = (
            row if before is None else (*place, *((a or 0) + (b or 0) for a, b in zip(before[2:], row[2:], strict=True)))
        )
    return sums


def _largest(sums: _Sums, top: int) -> frozenset[str]:
    totals: defaultdict[str, int] = defaultdict(int)
    for (_, key), row in sums.items():
        totals[key] += row[2] or 0
    totals.pop(OTHER, None)
    return frozenset(sorted(totals, key=lambda key: (-totals[key], key))[:top])


def _point(row: _SeriesRow) -> SeriesPoint:
    bucket_us, key, tokens, cost_nano_usd, priced, requests = row
    return _make_point((bucket_us, key, tokens or 0, (cost_nano_usd or 0) if priced else None, requests))


_make_point = maker(SeriesPoint)
