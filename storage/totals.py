"""The one way to change an exchange's row so that all totals follow: read it before, change it, read it after.

Every update of a column that a total is made of goes through `following`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, select

from storage import facets, models, rollups, session_totals
from storage.rollups import Row
from storage.statements import Lookup

_EXCHANGES = models.ExchangeRow.__table__
_EXCHANGE_SOURCES = models.ExchangeSourceRow.__table__
_SOURCES = models.SourceRow.__table__
_COLUMNS = tuple(dict.fromkeys((*facets.EXCHANGE_COLUMNS, *rollups.EXCHANGE_COLUMNS, *session_totals.SESSION_COLUMNS)))
_READ_EXCHANGES = Lookup(select(*(_EXCHANGES.c[name] for name in _COLUMNS)), _EXCHANGES.c.id)
_READ_SOURCES = Lookup(
    select(_SOURCES.c.source_type, *(_EXCHANGE_SOURCES.c[name] for name in ("exchange_id", *rollups.SOURCE_COLUMNS))).join(
        _SOURCES, _SOURCES.c.id == _EXCHANGE_SOURCES.c.source_id
    ),
    _EXCHANGE_SOURCES.c.exchange_id,
)


@contextmanager
def following(connection: Connection, row_ids: Sequence[int]) -> Iterator[None]:
    """Let the totals follow whatever the block does to these exchanges and their sources, in the same transaction."""
    if not row_ids:
        yield
        return
    before = _read(connection, row_ids)
    sources_before = _read_sources(connection, before)
    yield
    after = _read(connection, row_ids)
    sources_after = _read_sources(connection, after)
    _apply_exchanges(connection, before, after)
    _apply_sources(connection, sources_before, sources_after)
    session_totals.apply(connection, before, after)
    facets.follow(connection, after, _kinds(sources_after))


def recompute(connection: Connection) -> None:
    """Sum up everything anew; the outcome is what the steps before had come to."""
    rollups.recompute(connection)
    session_totals.recompute(connection)
    facets.recompute(connection)


def _read(connection: Connection, row_ids: Sequence[int]) -> list[Row]:
    return [row._asdict() for row in _READ_EXCHANGES.fetch(connection, row_ids)]


def _read_sources(connection: Connection, exchanges: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Read (exchange, source) pairs; an exchange that was not analysed has none."""
    analysed = {row["id"]: row for row in exchanges if row["attribution_version"] is not None}
    if not analysed:
        return []
    rows = (row._asdict() for row in _READ_SOURCES.fetch(connection, analysed))
    return [(analysed[row["exchange_id"]], row) for row in rows]


def _apply_exchanges(connection: Connection, before: Sequence[Row], after: Sequence[Row]) -> None:
    sums: rollups.Sums = {}
    for rows, sign in ((before, -1), (after, 1)):
        for row in rows:
            rollups.add(sums, rollups.of_exchange(row), sign)
    rollups.apply_exchanges(connection, sums)


def _apply_sources(connection: Connection, before: Sequence[tuple[Row, Row]], after: Sequence[tuple[Row, Row]]) -> None:
    sums: rollups.Sums = {}
    kinds: rollups.Sums = {}
    for pairs, sign in ((before, -1), (after, 1)):
        for exchange, source in pairs:
            key, amounts = rollups.of_source(exchange, source)
            rollups.add(sums, (key, amounts), sign)
            rollups.add(kinds, (rollups.kind_of(exchange, source), amounts), sign)
    rollups.apply_sources(connection, sums)
    rollups.apply_kinds(connection, kinds)


def _kinds(pairs: Sequence[tuple[Row, Row]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for exchange, source in pairs:
        found[exchange["id"]] = found.get(exchange["id"], 0) | facets.kind_bit(source["source_type"])
    return found
