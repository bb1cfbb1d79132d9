"""What is told of an exchange by several columns, as expressions over its row: the same rules as `storage.rollups`, in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_

from proxy_core.attribution.model import RequestClass
from storage.models import ExchangeRow

_exchange = ExchangeRow.__table__.c


BOUNDS = ("since", "until")
"""Names of a time range's ends in a statement that is put together once; `TimeRange.bounds` gives them."""


def is_within(column: ColumnElement[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the clauses that a column's time lies between the parameters `BOUNDS`."""
    return column >= bindparam("since"), column < bindparam("until")


def first_byte_after_us() -> ColumnElement[Any]:
    """Microseconds from the client's start to the first byte of the response."""
    after = _exchange.first_byte_us - _exchange.started_us
    return case((after < 0, 0), else_=after)


def is_billed() -> ColumnElement[bool]:
    """Whether its tokens were consumed: no estimate, and no mere count."""
    is_count = func.coalesce(_exchange.request_class, "") == RequestClass.COUNT_TOKENS.value
    return and_(_exchange.is_estimate.is_(False), ~is_count)


def is_counted() -> ColumnElement[bool]:
    """Whether it is in the totals: finished and analysed."""
    return and_(_exchange.state != "open", _exchange.attribution_version.is_not(None))


def sum_billed(tokens: ColumnElement[Any]) -> ColumnElement[Any]:
    """Sum tokens over the billed exchanges."""
    return func.coalesce(func.sum(case((is_billed(), tokens), else_=0)), 0)


def is_failed() -> ColumnElement[bool]:
    """Whether it failed, was interrupted, or was answered with an error, also in the midst of a stream."""
    return or_(
        _exchange.state.in_(("failed", "interrupted")),
        _exchange.status_code >= 400,
        _exchange.error.is_not(None),
        _exchange.error_type.is_not(None),
    )
