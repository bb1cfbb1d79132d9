"""Heads of requests and responses, packed. Those to one host look alike, so each is compressed against an earlier one.

The earlier one is kept as a piece of its own; nothing is ever compressed against something that is itself compressed so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, bindparam, select

from proxy_core.exchange import CapturedRequest, CapturedResponse, Headers
from storage import models
from storage.bases import Bases, unpack_with_base
from storage.errors import BodyCorruptError
from storage.statements import Prepared

_HEADS = models.ExchangeHeadRow.__table__
_FIND = Prepared(select(_HEADS.c.base_piece_id, _HEADS.c.packed).where(_HEADS.c.id == bindparam("row_id")), ("row_id",))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """Both heads of an exchange, but for what the exchange's row says."""

    request_http_version: str
    request_headers: Headers
    request_trailers: Headers
    response_http_version: str | None
    """`None`: no response (yet), as for the rest."""
    response_reason: str | None
    response_headers: Headers
    response_trailers: Headers


def head_row(
    connection: Connection, bases: Bases, row_id: int, request: CapturedRequest, response: CapturedResponse | None
) -> dict[str, object]:
    """Make the row of an exchange's heads."""
    fields = (
        request.http_version,
        request.headers,
        request.trailers,
        response.http_version if response else None,
        response.reason if response else None,
        response.headers if response else (),
        response.trailers if response else (),
    )
    url = urlsplit(request.url)
    base_id, packed = bases.pack(connection, msgspec.msgpack.encode(fields), (f"{url.netloc}{url.path}", url.netloc))
    return {"id": row_id, "base_piece_id": base_id, "packed": packed}


_decode: Callable[[bytes], tuple[str, Headers, Headers, str | None, str | None, Headers, Headers]] = msgspec.msgpack.Decoder(
    tuple[
        str,
        tuple[tuple[str, str], ...],
        tuple[tuple[str, str], ...],
        str | None,
        str | None,
        tuple[tuple[str, str], ...],
        tuple[tuple[str, str], ...],
    ]
).decode


def read_head(connection: Connection, row_id: int) -> StoredHead:
    """Read the heads of an exchange.

    Raises:
        BodyCorruptError: They are not there or cannot be read.
    """
    found = _FIND.fetch(connection, {"row_id": row_id})
    if not found:
        raise BodyCorruptError(f"the heads of exchange {row_id} are missing")
    try:
        fields = _decode(unpack_with_base(connection, *found[0]))
    except msgspec.DecodeError as error:
        raise BodyCorruptError(f"the heads of exchange {row_id} cannot be read: {error}") from error
    return StoredHead(
        request_http_version=fields[0],
        request_headers=fields[1],
        request_trailers=fields[2],
        response_http_version=fields[3],
        response_reason=fields[4],
        response_headers=fields[5],
        response_trailers=fields[6],
    )
