"""Totals by hour, kept in the transaction that changes what they sum up.

What an exchange adds is a pure function of its row and of its sources, so a change first takes back what the old rows had
added. `recompute` sums up everything anew and must come to the same; a test holds the two together. Roll-ups outlive the
exchanges: hours in which retention has deleted something are never recomputed. Tokens count once they are billed: an
estimate of a request that was refused, or the answer of a count_tokens call, is nobody's consumption.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, select

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import ExchangeState
from storage import models
from storage.upserts import add_amounts

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
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
"""What `of_source` reads of a row."""

_EXCHANGES = models.ExchangeRow.__table__
_ROLLUPS = models.ExchangeRollupRow.__table__
_SOURCE_ROLLUPS = models.SourceRollupRow.__table__
_SOURCE_DAYS = models.SourceDayRow.__table__
_EXCHANGE_SOURCES = models.ExchangeSourceRow.__table__
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
    """Write changes of `source_rollup`, and of `source_day`, which sums it up."""
    _apply(connection, _SOURCE_ROLLUPS, sums, "exchanges")
    days: Sums = {}
    for (hour_us, source_id, _session_id), amounts in sums.items():
        add(days, ((hour_us - hour_us % DAY_US, source_id), amounts))
    _apply(connection, _SOURCE_DAYS, days, "exchanges")


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
    """Sum up anew all hours whose exchanges are all there."""
    floor = read_floor(connection)
    for table, sums in ((_ROLLUPS, sum_exchanges(connection, floor)), (_SOURCE_ROLLUPS, sum_sources(connection, floor))):
        connection.execute(table.delete().where(table.c.bucket_us >= floor))
        keys = [column.name for column in table.primary_key]
        rows = [dict(zip(keys, key, strict=True)) | amounts for key, amounts in sums.items()]
        if rows:
            connection.execute(table.insert(), rows)
    _sum_up_days(connection)


def _sum_up_days(connection: Connection) -> None:
    hours = _SOURCE_ROLLUPS.c
    day = hours.bucket_us - hours.bucket_us % DAY_US
    amounts = [column.name for column in _SOURCE_DAYS.c if not column.primary_key]
    sums = select(day, hours.source_id, *(func.sum(hours[name]) for name in amounts)).group_by(day, hours.source_id)
    connection.execute(_SOURCE_DAYS.delete())
    connection.execute(_SOURCE_DAYS.insert().from_select(["bucket_us", "source_id", *amounts], sums))


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
    joined = _EXCHANGE_SOURCES.join(_EXCHANGES, _EXCHANGE_SOURCES.c.exchange_id == _EXCHANGES.c.id)
    sources = [_EXCHANGE_SOURCES.c[name] for name in SOURCE_COLUMNS]
    columns = [_EXCHANGES.c[name] for name in ("started_us", "session_id", "request_class", "is_estimate")]
    query = select(*columns, *(column.label(f"source_{column.name}") for column in sources)).select_from(joined)
    for row in connection.execute(query.where(_EXCHANGES.c.started_us >= floor_us)).mappings():
        add(sums, of_source(row, {name: row[f"source_{name}"] for name in SOURCE_COLUMNS}))
    return sums
