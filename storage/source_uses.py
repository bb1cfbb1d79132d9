"""Which exchanges a source was in, newest first, and how much of each it was."""

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import ColumnElement, Connection, and_, func, select

from proxy_core.attribution.model import SourceType
from storage import sqlite
from storage.filters.streams import source_stream
from storage.models import ExchangeRow, ExchangeSourceRow, SourceRow, SourceTotalRow
from storage.rollups import read_floor
from storage.views import SourceUse

_exchange = ExchangeRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c
_total = SourceTotalRow.__table__.c
_MOST_LISTED = 10_000
"""Exchanges whose ids are listed; further on in a list the database sorts all uses."""


def read_uses(
    connection: Connection, source_type: SourceType | None, source_name: str | None, limit: int, offset: int
) -> Sequence[SourceUse]:
    """Return the uses of some sources (all: `None`), newest first."""
    wanted = _wanted(source_type, source_name)
    newest = _newest(connection, wanted, limit + offset) if wanted and sqlite.has_arms(connection) else None
    is_meant: list[ColumnElement[bool]] = [_use.source_id.in_(select(_source.id).where(*wanted))] if wanted else []
    if newest is not None:
        # The addition: an exchange has fewer sources than may be meant.
        is_meant = [sqlite.is_among(_use.exchange_id, "ids"), (_use.source_id + 0).in_(select(_source.id).where(*wanted))]
    keys = (
        select(_use.exchange_id, _use.source_id, _use.tokens, _use.cost_nano_usd)
        .where(*is_meant)
        .order_by(_use.exchange_id.desc(), _use.source_id)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    query = (
        select(_exchange.exchange_id, _source.source_type, _source.source_name, keys.c.tokens, keys.c.cost_nano_usd)
        .select_from(keys)
        .join(ExchangeRow.__table__, _exchange.id == keys.c.exchange_id)
        .join(SourceRow.__table__, _source.id == keys.c.source_id)
        .order_by(keys.c.exchange_id.desc(), keys.c.source_id)
    )
    return [
        SourceUse(
            exchange_id=row.exchange_id,
            source_type=SourceType(row.source_type),
            source_name=row.source_name or None,
            tokens=row.tokens,
            cost_nano_usd=row.cost_nano_usd,
        )
        for row in connection.execute(query, {} if newest is None else {"ids": sqlite.pack_ids(newest)}).all()
    ]


def _newest(connection: Connection, wanted: Sequence[ColumnElement[bool]], many: int) -> list[int] | None:
    """List the newest exchanges with one of the sources, enough for so many uses; `None`: there are too many sources."""
    stream = source_stream(connection, and_(*wanted)) if many <= _MOST_LISTED else None
    return None if stream is None else list(islice(stream.ids(connection, (0, 2**62), is_descending=True), many))


def count_uses(connection: Connection, source_type: SourceType | None, source_name: str | None) -> int:
    """Return how many uses there are: from the sums, as long as retention has deleted nothing that they still hold."""
    if read_floor(connection):
        used, counted = _use, select(func.count()).select_from(ExchangeSourceRow.__table__)
    else:
        used, counted = _total, select(func.sum(_total.exchanges))
    wanted = _wanted(source_type, source_name)
    return connection.scalar(counted.where(used.source_id.in_(select(_source.id).where(*wanted))) if wanted else counted) or 0


def _wanted(source_type: SourceType | None, source_name: str | None) -> Sequence[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if source_type is not None:
        clauses.append(_source.source_type == source_type.value)
    if source_name is not None:
        clauses.append(_source.source_name == source_name)
    return clauses
