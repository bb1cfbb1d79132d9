"""The outline of a long list: the little that ordering, grouping and folding need of every exchange that passes a filter.

A list of a hundred thousand rows is laid out from this; only what is in sight is then read whole (`ExchangeReader`).
It must stay narrow: one index-ordered scan, no bodies, no joins.
"""

from typing import NamedTuple

from sqlalchemy import ColumnElement, case, func, or_, select

from proxy_core.exchange import ExchangeState
from storage import sqlite
from storage.database import Database
from storage.expressions import is_billed
from storage.filters.clauses import FilterClause
from storage.models import ExchangeRow
from storage.searching import Search

_exchange = ExchangeRow.__table__.c


class OutlineEntry(NamedTuple):
    """One exchange of an outline; a tuple, because there are many."""

    id: int
    """The paging key, ascending."""
    session_id: str | None
    prompt_id: str | None
    agent_id: str | None
    is_error: int
    """1 when it failed, was cut off, or answered with 400 and above; else 0."""
    input_tokens: int | None
    """Billed, as the totals of sessions count them; `None`: none, or not known."""
    cost_nano_usd: int | None
    """1e-9 dollars; `None`: not priced."""


def read_ids(database: Database, where: ColumnElement[bool] | None = None, after_id: int = 0) -> list[int]:
    """List the ids of all exchanges that pass, oldest first.

    Args:
        database: Where to read.
        where: A compiled filter; `None` lets all pass.
        after_id: Leave out this id and those before.
    """
    query = select(_exchange.id).where(_exchange.id > after_id).order_by(_exchange.id)
    if where is not None:
        query = query.where(where)
    with database.read() as connection:
        if isinstance(where, FilterClause) and sqlite.has_arms(connection):
            return Search(connection, where).find_all(after_id)
        return list(connection.execute(query).scalars())


def count_ids(database: Database, where: ColumnElement[bool] | None, upto_id: int) -> int:
    """Count the exchanges up to an id that pass, to see whether an outline of them still holds."""
    query = select(func.count()).select_from(ExchangeRow.__table__).where(_exchange.id <= upto_id)
    if where is not None:
        query = query.where(where)
    with database.read() as connection:
        if isinstance(where, FilterClause) and sqlite.has_arms(connection):
            return Search(connection, where).count_up_to(upto_id)
        return connection.execute(query).scalar_one()


def read_outline(database: Database, where: ColumnElement[bool] | None = None, after_id: int = 0) -> list[OutlineEntry]:
    """List all exchanges that pass with what groups them, oldest first; the arguments are those of `read_ids`."""
    is_error = case(
        (
            or_(
                _exchange.state.in_([ExchangeState.FAILED, ExchangeState.INTERRUPTED]),
                _exchange.status_code >= 400,
            ),
            1,
        ),
        else_=0,
    )
    query = (
        select(
            _exchange.id,
            _exchange.session_id,
            _exchange.prompt_id,
            _exchange.agent_id,
            is_error,
            case((is_billed(), _exchange.input_tokens)),
            _exchange.cost_nano_usd,
        )
        .where(_exchange.id > after_id)
        .order_by(_exchange.id)
    )
    if where is not None:
        query = query.where(where)
    with database.read() as connection:
        return [OutlineEntry(*row) for row in connection.execute(query)]
