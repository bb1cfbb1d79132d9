"""Which exchanges a source was in, newest first, and how much of each it was."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, func, select

from proxy_core.attribution.model import SourceType
from storage.models import ExchangeRow, ExchangeSourceRow, SourceRow
from storage.views import SourceUse

_exchange = ExchangeRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c


def read_uses(
    connection: Connection, source_type: SourceType | None, source_name: str | None, limit: int, offset: int
) -> Sequence[SourceUse]:
    """Return the uses of some sources (all: `None`), newest first."""
    keys = (
        select(_use.exchange_id, _use.source_id, _use.tokens, _use.cost_nano_usd)
        .where(*_wanted(source_type, source_name))
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
        for row in connection.execute(query)
    ]


def count_uses(connection: Connection, source_type: SourceType | None, source_name: str | None) -> int:
    """Return how many uses there are."""
    query = select(func.count()).select_from(ExchangeSourceRow.__table__).where(*_wanted(source_type, source_name))
    return connection.scalar(query) or 0


def _wanted(source_type: SourceType | None, source_name: str | None) -> Sequence[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if source_type is not None:
        clauses.append(_source.source_type == source_type.value)
    if source_name is not None:
        clauses.append(_source.source_name == source_name)
    return [_use.source_id.in_(select(_source.id).where(*clauses))] if clauses else []
