"""A stored exchange as the analysis wants it: heads, and bodies with their content-encodings undone (bounded)."""

import re

from sqlalchemy import Connection, bindparam, select

from proxy_core.decoding import decode_body
from proxy_core.dialects.base import RecordedCall
from proxy_core.exchange import Side
from storage import bodies, models
from storage.errors import NoSuchExchangeError
from storage.heads import read_head
from storage.pieces import PieceCache
from storage.statements import Prepared

_EXCHANGES = models.ExchangeRow.__table__
_BODIES = models.BodyRow.__table__
_FIND = Prepared(
    select(_EXCHANGES.c.method, _EXCHANGES.c.url, _EXCHANGES.c.status_code, _EXCHANGES.c.started_us).where(
        _EXCHANGES.c.id == bindparam("row_id")
    ),
    ("row_id",),
)
_FIND_ENCODING = Prepared(
    select(_BODIES.c.content_encoding, _BODIES.c.is_decoded).where(
        _BODIES.c.exchange_id == bindparam("row_id"), _BODIES.c.side == bindparam("number")
    ),
    ("row_id", "number"),
)
_MAY_HOLD_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
# A whole pair, half of one, or any other escape: each in turn, so that an escaped backslash is no beginning.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def read_recorded(connection: Connection, row_id: int, cache: PieceCache | None = None) -> RecordedCall:
    """Read an exchange.

    Raises:
        NoSuchExchangeError: There is none of this number.
        BodyCorruptError: It cannot be rebuilt.
    """
    found = _FIND.fetch(connection, {"row_id": row_id})
    if not found:
        raise NoSuchExchangeError(f"there is no exchange {row_id}")
    row = found[0]
    head = read_head(connection, row_id)
    answer = decoded_bytes(connection, row_id, Side.RESPONSE, cache)
    return RecordedCall(
        method=row.method,
        url=row.url,
        request_headers=head.request_headers,
        request_body=without_half_pairs(decoded_bytes(connection, row_id, Side.REQUEST, cache) or b""),
        status_code=row.status_code,
        response_headers=head.response_headers,
        response_body=None if answer is None else without_half_pairs(answer),
        started_us=row.started_us,
    )


def without_half_pairs(body: bytes) -> bytes:
    """Replace halves of surrogate pairs in a JSON text, one for one.

    Clients that cut a text inside an emoji send them, and no database takes them.
    """
    if not _MAY_HOLD_HALF.search(body):
        return body
    return _ESCAPE.sub(lambda match: b"\\ufffd" if match[1] else match[0], body)


def decoded_bytes(connection: Connection, row_id: int, side: Side, cache: PieceCache | None = None) -> bytes | None:
    """Rebuild a body without its content-encoding; what can be decoded of a damaged one; `None` when there is none.

    Raises:
        BodyCorruptError: It cannot be rebuilt.
    """
    raw = bodies.read_body(connection, row_id, side, cache)
    if raw is None:
        return None
    found = _FIND_ENCODING.fetch(connection, {"row_id": row_id, "number": bodies.SIDES[side]})
    if not found or found[0].is_decoded or found[0].content_encoding is None:
        return raw
    return decode_body(raw, found[0].content_encoding).data
