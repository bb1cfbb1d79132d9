"""What a killed process left open is closed: such exchanges become `interrupted`, with the bytes that were journalled.

Exchanges of a process that still lives are left alone (`leases.py`).
"""

import hashlib

from sqlalchemy import Connection, select

from proxy_core.exchange import CapturedBody, ExchangeState, Headers, Side
from storage import models, totals
from storage.bodies import SIDES, BodyDraft, BodyWriter, read_journal
from storage.errors import BodyCorruptError
from storage.heads import read_head
from storage.leases import drop_leases, find_dead_owners
from storage.pieces import PieceWriter

_EXCHANGES = models.ExchangeRow.__table__
_BODIES = models.BodyRow.__table__
_JOURNAL = models.JournalRow.__table__
_LEASES = models.WriterLeaseRow.__table__
INTERRUPTED = "Assay was killed while this exchange ran"
"""What is said of an exchange in progress when that happened."""
_AT_ONCE = 50


def recover(connection: Connection, now_us: int) -> list[int]:
    """Close up to 50 exchanges that dead writers left open; returns their ids. Call it again until it returns none."""
    dead = find_dead_owners(connection, now_us)
    living = select(_LEASES.c.owner).where(_LEASES.c.owner.not_in(dead))
    query = select(_EXCHANGES.c.id).where(_EXCHANGES.c.owner.is_not(None), _EXCHANGES.c.owner.not_in(living))
    row_ids = list(connection.execute(query.order_by(_EXCHANGES.c.id).limit(_AT_ONCE)).scalars())
    if len(row_ids) < _AT_ONCE:
        drop_leases(connection, dead)
    if not row_ids:
        return []
    bodies = BodyWriter(pieces := PieceWriter())
    pieces.begin(connection)
    with totals.following(connection, row_ids):
        for row_id in row_ids:
            _close(connection, bodies, row_id)
    connection.execute(_JOURNAL.delete().where(_JOURNAL.c.exchange_id.in_(row_ids)))
    return row_ids


def _close(connection: Connection, bodies: BodyWriter, row_id: int) -> None:
    kept = set(connection.execute(select(_BODIES.c.side).where(_BODIES.c.exchange_id == row_id)).scalars())
    lengths: dict[str, int] = {}
    for side, number in SIDES.items():
        if number in kept:
            continue
        body = _journalled(connection, row_id, number)
        if body is not None:
            headers = _headers(connection, row_id, side)
            encoding = next((value for name, value in headers if name.lower() == "content-encoding"), None)
            bodies.save(connection, [BodyDraft(row_id, side, body, encoding)])
            lengths[f"{side}_bytes"] = body.wire_bytes
        elif side is Side.REQUEST:
            bodies.save(connection, [BodyDraft(row_id, side, _empty(), None)])
    values = {"state": ExchangeState.INTERRUPTED, "owner": None, "error": INTERRUPTED, "is_pending": True, **lengths}
    connection.execute(_EXCHANGES.update().where(_EXCHANGES.c.id == row_id).values(values))


def _journalled(connection: Connection, row_id: int, side: int) -> CapturedBody | None:
    """Describe the journalled bytes: what the wire's would have been is not known, so these are what is proved."""
    query = select(_JOURNAL.c.is_decoded).where(_JOURNAL.c.exchange_id == row_id, _JOURNAL.c.side == side).limit(1)
    is_decoded = connection.execute(query).scalar_one_or_none()
    if is_decoded is None:
        return None
    digest = hashlib.sha256()
    length = 0
    for chunk in read_journal(connection, row_id, side):
        digest.update(chunk)
        length += len(chunk)
    return CapturedBody(data=None, wire_bytes=length, wire_sha256=digest.hexdigest(), is_decoded=is_decoded, is_truncated=True)


def _empty() -> CapturedBody:
    return CapturedBody(data=b"", wire_bytes=0, wire_sha256=hashlib.sha256(b"").hexdigest(), is_truncated=True)


def _headers(connection: Connection, row_id: int, side: Side) -> Headers:
    try:
        head = read_head(connection, row_id)
    except BodyCorruptError:
        return ()
    return head.request_headers if side is Side.REQUEST else head.response_headers
