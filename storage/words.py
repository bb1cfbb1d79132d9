"""Names that occur in the database, for completing what a person types. Each list is small and comes from a summing table."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from storage.models import ExchangeRollupRow, SessionRow, SourceRow

_source = SourceRow.__table__.c
_total = ExchangeRollupRow.__table__.c
_session = SessionRow.__table__.c

_COLUMNS: dict[str, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "source": (_source.source_name, func.max(_source.last_used_us)),
    "model": (_total.model, func.sum(_total.requests)),
    "client": (_session.client_name, func.count()),
    "session": (_session.session_id, func.max(_session.last_us)),
}
"""By field: its column, and what its values are sorted by, largest first."""


def read_words(connection: Connection, field: str, part: str, limit: int) -> Sequence[str]:
    """Return values of a field that hold a text; those that begin with it first."""
    if field not in _COLUMNS:
        return ()
    column, weight = _COLUMNS[field]
    query = (
        select(column)
        .where(column.is_not(None), column != "", column.icontains(part, autoescape=True))
        .group_by(column)
        .order_by(func.lower(column).startswith(part.lower(), autoescape=True).desc(), weight.desc(), column)
        .limit(limit)
    )
    return connection.scalars(query).all()
