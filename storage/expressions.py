"""Figures of an exchange that no column holds, as expressions over its row."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, null

from storage.models import ExchangeRow

_exchange = ExchangeRow.__table__.c


def proxy_share_us() -> ColumnElement[Any]:
    """Assay's own share of the latency in microseconds: the same arithmetic as `Timing.proxy_ms`."""
    held = _exchange.proxy_forwarded_us - _exchange.proxy_received_us
    passed_on = _exchange.delivered_us - _exchange.last_byte_us
    own = _not_negative(held) - func.coalesce(_exchange.upstream_connect_us, 0)
    known = and_(held.is_not(null()), passed_on.is_not(null()))
    return case((known, _not_negative(own) + _not_negative(passed_on)), else_=null())


def first_byte_after_us() -> ColumnElement[Any]:
    """Microseconds from the client's start to the first byte of the response."""
    return _not_negative(_exchange.first_byte_us - _exchange.started_us)


def _not_negative(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((value < 0, 0), else_=value)
