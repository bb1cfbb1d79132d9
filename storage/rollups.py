"""Totals by minute, hour, day and month, and of all time, kept in the transaction that changes what they sum up.

What an exchange adds is a pure function of its row and of its sources, so a change first takes back what the old rows had
added. `recompute` sums up everything anew and must come to the same; a test holds the two together. Roll-ups outlive the
exchanges: hours in which retention has deleted something are never recomputed. Tokens count once they are billed: an
estimate of a request that was refused, or the answer of a count_tokens call, is nobody's consumption.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, literal, or_, select

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import ExchangeState
from storage import models
from storage.ranges import DAY_US, HOUR_US, MINUTE_US, MONTH_US
from storage.upserts import add_amounts

KIND_WIDTHS_US = (MINUTE_US, HOUR_US, DAY_US)
"""Widths of the buckets of `kind_rollup`."""
FLOOR_MARK = "rollup_floor_us"
"""Mark: exchanges that started before this time may have been deleted."""
TOKEN_COLUMNS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "fresh_tokens",
    "output_tokens",
)
EXCHANGE_COLUMNS = (
    "started_us",
    "state",
    "status_code",
    "model",
    "request_class",
    "attribution_version",
    "is_estimate",
    "session_id",
    "cost_nano_usd",
    "latency_us",
    "proxy_us",
    *TOKEN_COLUMNS,
)
"""What `of_exchange` reads of a row."""
SOURCE_COLUMNS = ("source_id", "tokens", "cost_nano_usd")
"""What `of_source` reads of a row, beside `source_type`."""

_EXCHANGES = models.ExchangeRow.__table__
_ROLLUPS = models.ExchangeRollupRow.__table__
_SOURCE_ROLLUPS = models.SourceRollupRow.__table__
_SOURCE_DAYS = models.SourceDayRow.__table__
_SOURCE_MONTHS = models.SourceMonthRow.__table__
_SOURCE_TOTALS = models.SourceTotalRow.__table__
_KINDS = models.KindRollupRow.__table__
_EXCHANGE_SOURCES = models.ExchangeSourceRow.__table__
_SOURCES = models.SourceRow.__table__
_MARKS = models.MarkRow.__table__

type Row = Mapping[Any, Any]
type Sums = dict[tuple[Any, ...], dict[str, int]]
"""Amounts by primary key."""


def hour_of(at_us: int) -> int:
    """Start of the hour."""
    return at_us - at_us % HOUR_US


def is_error(row: Row) -> bool:
    """Failed, interrupted, or refused by the API."""
    return row["state"] in {ExchangeState.FAILED, ExchangeState.INTERRUPTED} or (row["status_code"] or 0) >= 400


def is_billed(row: Row) -> bool:
    """Tell whether its tokens were consumed."""
    return not row["is_estimate"] and row["request_class"] != RequestClass.COUNT_TOKENS


def of_exchange(row: Row) -> tuple[tuple[Any, ...], dict[str, int]] | None:
    """Say what an exchange adds to `exchange_rollup`: (key, amounts); `None` while it is open, or not analysed."""
    if row["state"] == ExchangeState.OPEN or row["attribution_version"] is None:
        return None
    cost = row["cost_nano_usd"]
    billed = is_billed(row)
    amounts = {
        "requests": 1,
        "errors": int(is_error(row)),
        **{name: (row[name] or 0) if billed else 0 for name in TOKEN_COLUMNS},
        "cost_nano_usd": cost or 0,
        "priced": int(cost is not None),
        "unpriced": int(billed and cost is None),
        "latency_us": row["latency_us"] or 0,
        "latency_count": int(row["latency_us"] is not None),
        "proxy_us": row["proxy_us"] or 0,
        "proxy_count": int(row["proxy_us"] is not None),
    }
    return (hour_of(row["started_us"]), row["model"] or "", row["request_class"] or ""), amounts


def of_source(exchange: Row, row: Row) -> tuple[tuple[Any, ...], dict[str, int]]:
    """Say what a row of `exchange_source` adds to `source_rollup`: (key, amounts)."""
    cost = row["cost_nano_usd"]
    amounts = {
        "exchanges": 1,
        "tokens": row["tokens"] if is_billed(exchange) else 0,
        "cost_nano_usd": cost or 0,
        "priced": int(cost is not None),
    }
    return (hour_of(exchange["started_us"]), row["source_id"], exchange["session_id"] or ""), amounts


def kind_of(exchange: Row, row: Row) -> tuple[int, str]:
    """Say under which (minute, kind) a row of `exchange_source` counts."""
    started_us = exchange["started_us"]
    return started_us - started_us % MINUTE_US, row["source_type"]


def add(sums: Sums, change: tuple[tuple[Any, ...], dict[str, int]] | None, sign: int = 1) -> None:
    """Add (or with -1 take back) one contribution."""
    if change is None:
        return
    key, amounts = change
    total = sums.setdefault(key, dict.fromkeys(amounts, 0))
    for name, amount in amounts.items():
        total[name] += sign * amount


def apply_exchanges(connection: Connection, sums: Sums) -> None:
    """Write changes of `exchange_rollup`."""
    _apply(connection, _ROLLUPS, sums, "requests")


def apply_sources(connection: Connection, sums: Sums) -> None:
    """Write changes of `source_rollup`, and of `source_day`, `source_month` and `source_total`, which sum it up."""
    _apply(connection, _SOURCE_ROLLUPS, sums, "exchanges")
    days: Sums = {}
    for (hour_us, source_id, _session_id), amounts in sums.items():
        add(days, ((hour_us - hour_us % DAY_US, source_id), amounts))
    _apply(connection, _SOURCE_DAYS, days, "exchanges")
    months: Sums = {}
    for (day_us, source_id), amounts in days.items():
        add(months, ((day_us - day_us % MONTH_US, source_id), amounts))
    _apply(connection, _SOURCE_MONTHS, months, "exchanges")
    totals: Sums = {}
    for (_month_us, source_id), amounts in months.items():
        add(totals, ((source_id,), amounts))
    _apply(connection, _SOURCE_TOTALS, totals, "exchanges")


def apply_kinds(connection: Connection, minutes: Sums) -> None:
    """Write changes of `kind_rollup`, from those by (minute, kind)."""
    sums: Sums = {}
    for (minute_us, source_type), amounts in minutes.items():
        for width_us in KIND_WIDTHS_US:
            add(sums, ((width_us, minute_us - minute_us % width_us, source_type), amounts))
    _apply(connection, _KINDS, sums, "exchanges")


def _apply(connection: Connection, table: Table, sums: Sums, count: str) -> None:
    keys = [column.name for column in table.primary_key]
    changed = {key: amounts for key, amounts in sums.items() if any(amounts.values())}
    add_amounts(connection, table, [dict(zip(keys, key, strict=True)) | amounts for key, amounts in changed.items()])
    lessened = [key for key, amounts in changed.items() if amounts[count] < 0]
    delete_empty(connection, table, count, lessened)


def delete_empty(connection: Connection, table: Table, count: str, keys: Sequence[tuple[Any, ...]]) -> None:
    """Delete those of these rows that count nothing any more."""
    if keys:
        names = [column.name for column in table.primary_key]
        is_key = [table.c[name] == bindparam(f"key_{name}") for name in names]
        rows = [{f"key_{name}": part for name, part in zip(names, key, strict=True)} for key in keys]
        connection.execute(table.delete().where(*is_key, table.c[count] <= 0), rows)


def raise_floor(connection: Connection, deleted_until_us: int) -> None:
    """Note that exchanges up to this time were deleted: their hours keep the totals they have."""
    floor = hour_of(deleted_until_us) + HOUR_US
    if floor > read_floor(connection):
        connection.execute(_MARKS.delete().where(_MARKS.c.name == FLOOR_MARK))
        connection.execute(_MARKS.insert(), {"name": FLOOR_MARK, "number": floor})


def read_floor(connection: Connection) -> int:
    """Read from when on all exchanges are there."""
    return connection.execute(select(_MARKS.c.number).where(_MARKS.c.name == FLOOR_MARK)).scalar() or 0


def recompute(connection: Connection) -> None:
    """Sum up anew all hours whose exchanges are all there; days, months and all time from the hours."""
    floor = read_floor(connection)
    for table, sums in ((_ROLLUPS, sum_exchanges(connection, floor)), (_SOURCE_ROLLUPS, sum_sources(connection, floor))):
        connection.execute(table.delete().where(table.c.bucket_us >= floor))
        keys = [column.name for column in table.primary_key]
        rows = [dict(zip(keys, key, strict=True)) | amounts for key, amounts in sums.items()]
        if rows:
            connection.execute(table.insert(), rows)
    _sum_up(connection, _SOURCE_ROLLUPS, _SOURCE_DAYS, DAY_US)
    recompute_wider(connection)
    recompute_totals(connection)


def recompute_totals(connection: Connection) -> None:
    """Sum up anew what sources came to in all, from the months."""
    amounts = [column.name for column in _SOURCE_TOTALS.c if not column.primary_key]
    months = _SOURCE_MONTHS.c
    sums = select(months.source_id, *(func.sum(months[name]) for name in amounts)).group_by(months.source_id)
    connection.execute(_SOURCE_TOTALS.delete())
    connection.execute(_SOURCE_TOTALS.insert().from_select(["source_id", *amounts], sums))


def recompute_wider(connection: Connection) -> None:
    """Sum up anew what is by month and by kind."""
    _sum_up(connection, _SOURCE_DAYS, _SOURCE_MONTHS, MONTH_US)
    _recompute_kinds(connection, read_floor(connection))


def _sum_up(connection: Connection, narrow: Table, wide: Table, width_us: int) -> None:
    """Make the rows of a table from those of one with shorter buckets."""
    bucket = narrow.c.bucket_us - narrow.c.bucket_us % width_us
    amounts = [column.name for column in wide.c if not column.primary_key]
    sums = select(bucket, narrow.c.source_id, *(func.sum(narrow.c[name]) for name in amounts))
    connection.execute(wide.delete())
    connection.execute(
        wide.insert().from_select(["bucket_us", "source_id", *amounts], sums.group_by(bucket, narrow.c.source_id))
    )


def _recompute_kinds(connection: Connection, floor_us: int) -> None:
    """Sum up anew the minutes whose exchanges are all there; hours and days from the sources' hours."""
    is_minute = _KINDS.c.width_us == MINUTE_US
    connection.execute(_KINDS.delete().where(or_(~is_minute, _KINDS.c.bucket_us >= floor_us)))
    minutes = sum_kinds(connection, floor_us)
    names = [column.name for column in _KINDS.primary_key]
    rows = [dict(zip(names, (MINUTE_US, *key), strict=True)) | amounts for key, amounts in minutes.items()]
    if rows:
        connection.execute(_KINDS.insert(), rows)
    hours = _SOURCE_ROLLUPS.c
    amounts = [column.name for column in _KINDS.c if not column.primary_key]
    for width_us in (HOUR_US, DAY_US):
        bucket = hours.bucket_us - hours.bucket_us % width_us
        sums = select(literal(width_us), bucket, _SOURCES.c.source_type, *(func.sum(hours[name]) for name in amounts))
        joined = sums.join(_SOURCES, _SOURCES.c.id == hours.source_id).group_by(bucket, _SOURCES.c.source_type)
        connection.execute(_KINDS.insert().from_select([*names, *amounts], joined))


def sum_exchanges(connection: Connection, floor_us: int = 0) -> Sums:
    """Sum up `exchange` by hour, model and class."""
    sums: Sums = {}
    columns = [_EXCHANGES.c[name] for name in EXCHANGE_COLUMNS]
    for row in connection.execute(select(*columns).where(_EXCHANGES.c.started_us >= floor_us)).mappings():
        add(sums, of_exchange(row))
    return sums


def sum_sources(connection: Connection, floor_us: int = 0) -> Sums:
    """Sum up `exchange_source` by hour, source and session."""
    sums: Sums = {}
    for exchange, source in _pairs(connection, floor_us):
        add(sums, of_source(exchange, source))
    return sums


def sum_kinds(connection: Connection, floor_us: int = 0) -> Sums:
    """Sum up `exchange_source` by minute and kind."""
    sums: Sums = {}
    for exchange, source in _pairs(connection, floor_us):
        add(sums, (kind_of(exchange, source), of_source(exchange, source)[1]))
    return sums


def _pairs(connection: Connection, floor_us: int) -> Iterator[tuple[Row, Row]]:
    joined = _EXCHANGE_SOURCES.join(_EXCHANGES, _EXCHANGE_SOURCES.c.exchange_id == _EXCHANGES.c.id)
    joined = joined.join(_SOURCES, _SOURCES.c.id == _EXCHANGE_SOURCES.c.source_id)
    sources = [_EXCHANGE_SOURCES.c[name].label(f"source_{name}") for name in SOURCE_COLUMNS]
    columns = [_EXCHANGES.c[name] for name in ("started_us", "session_id", "request_class", "is_estimate")]
    query = select(*columns, *sources, _SOURCES.c.source_type).select_from(joined)
    for row in connection.execute(query.where(_EXCHANGES.c.started_us >= floor_us)).mappings():
        yield row, {"source_type": row["source_type"], **{name: row[f"source_{name}"] for name in SOURCE_COLUMNS}}
