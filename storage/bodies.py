"""Bodies in and out: cut, content-addressed, rebuilt byte for byte.

Knows nothing of what a body means. What is stored is what was captured (already redacted); the length and SHA-256 of the
original are kept beside it, so that every unredacted body can be proved.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from proxy_core.exchange import CapturedBody, Side
from storage import manifests, models
from storage.cutting import CHUNK_BYTES, cut_plainly, restore
from storage.errors import BodyCorruptError
from storage.grounds import GroundedPieces
from storage.manifests import Entry
from storage.pieces import PieceCache, PieceWriter, read_pieces
from storage.recutting import Cutter, Part, name_run
from storage.statements import Prepared
from storage.views import BodyFacts

SIDES = {Side.REQUEST: 0, Side.RESPONSE: 1}
"""How a side is written in the database."""
_BODIES = models.BodyRow.__table__
_JOURNAL = models.JournalRow.__table__
_DELETE_BODY = Prepared(
    _BODIES.delete().where(_BODIES.c.exchange_id == bindparam("row_id"), _BODIES.c.side == bindparam("number")),
    ("row_id", "number"),
)
_INSERT_BODY = Prepared(_BODIES.insert(), [column.name for column in _BODIES.c if column.name != "id"])
_FIND_BODY = Prepared(
    select(_BODIES.c.manifest, _BODIES.c.wire_sha256, _BODIES.c.stored_sha256).where(
        _BODIES.c.exchange_id == bindparam("row_id"), _BODIES.c.side == bindparam("number")
    ),
    ("row_id", "number"),
)
_WHOLE_BYTES = 16 * 1024 * 1024
"""Journalled bodies up to this size are cut like others; larger ones are moved chunk by chunk, in bounded memory."""
_PIECES_AT_ONCE = 256
_PIECES_IN_PORTION = 32
_ROWS_AT_ONCE = 16

type Lend = Callable[[], AbstractContextManager[Connection]]
"""Lends a connection for one transaction, as `Database.read`."""


@dataclass(frozen=True, slots=True)
class BodyDraft:
    """A body about to be stored."""

    row_id: int
    """`exchange.id`."""
    side: Side
    body: CapturedBody
    content_encoding: str | None
    is_first: bool = False
    """Nothing was stored for this exchange before."""


class BodyWriter:
    """Stores bodies. For one thread, inside the caller's transaction."""

    def __init__(self, pieces: PieceWriter) -> None:
        self._pieces = GroundedPieces(pieces)
        self._cutter = Cutter()

    def forget(self) -> None:
        """Forget what a sweep or a transaction that was rolled back may have undone."""
        self._pieces.forget()

    def save(self, connection: Connection, drafts: Sequence[BodyDraft]) -> None:
        """Store bodies, replacing what was stored for the same side before."""
        if not drafts:
            return
        older = [{"row_id": draft.row_id, "number": SIDES[draft.side]} for draft in drafts if not draft.is_first]
        _DELETE_BODY.run(connection, older)
        cuts = [self._cutter.cut(draft.body.data) if draft.body.data is not None else () for draft in drafts]
        self._pieces.look_up(connection, [part.key for parts in cuts for part in parts if part.key is not None])
        rows = [self._row(connection, draft, parts) for draft, parts in zip(drafts, cuts, strict=True)]
        _INSERT_BODY.run(connection, rows)

    def _row(self, connection: Connection, draft: BodyDraft, parts: Sequence[Part]) -> dict[str, object]:
        body = draft.body
        if body.data is None:
            manifest, stored_sha256 = self._from_journal(connection, draft.row_id, SIDES[draft.side])
        else:
            manifest = manifests.encode(self._recipe(connection, draft.row_id, parts))
            stored_sha256 = hashlib.sha256(body.data).digest() if _differs(body) else b""
        return {
            "exchange_id": draft.row_id,
            "side": SIDES[draft.side],
            "manifest": manifest,
            "wire_bytes": body.wire_bytes,
            "wire_sha256": bytes.fromhex(body.wire_sha256),
            "stored_sha256": stored_sha256 if _differs(body) else None,
            "content_encoding": draft.content_encoding,
            "is_redacted": body.is_redacted,
            "is_decoded": body.is_decoded,
            "is_truncated": body.is_truncated,
        }

    def _recipe(self, connection: Connection, row_id: int, parts: Sequence[Part]) -> list[Entry]:
        """Store the parts worth a piece; short ones stay in the recipe."""
        pieces = [(part.key, part.content) for part in parts if part.key is not None]
        ids = iter(self._pieces.store(connection, row_id, pieces))
        return [part.content if part.key is None else (next(ids), part.inserts) for part in parts]

    def _from_journal(self, connection: Connection, row_id: int, side: int) -> tuple[bytes, bytes]:
        """Make a body of the journalled bytes: (manifest, SHA-256)."""
        digest = hashlib.sha256()
        entries: list[Entry] = []
        waiting = bytearray()
        for chunk in read_journal(connection, row_id, side):
            digest.update(chunk)
            waiting += chunk
            if len(waiting) >= _WHOLE_BYTES:
                whole = len(waiting) - len(waiting) % CHUNK_BYTES
                entries += self._recipe(connection, row_id, _chunks(bytes(waiting[:whole])))
                del waiting[:whole]
        rest = bytes(waiting)
        entries += self._recipe(connection, row_id, _chunks(rest) if entries else self._cutter.cut(rest))
        return manifests.encode(entries), digest.digest()


def _chunks(data: bytes) -> list[Part]:
    return [name_run(run) for run in cut_plainly(data)]


def _differs(body: CapturedBody) -> bool:
    """Tell whether the stored bytes may differ from the wire's, whose hash cannot prove them then."""
    return body.is_redacted or body.is_decoded or body.is_truncated


def read_journal(connection: Connection, row_id: int, side: int) -> Iterator[bytes]:
    """Read the journalled bytes of one side of an open exchange, in order, a bounded number at a time."""
    last = 0
    while rows := _journal_rows(connection, row_id, side, last):
        yield from (row.chunk for row in rows)
        last = rows[-1].id


def _journal_rows(connection: Connection, row_id: int, side: int, after_id: int) -> Sequence[Any]:
    query = (
        select(_JOURNAL.c.id, _JOURNAL.c.chunk)
        .where(_JOURNAL.c.exchange_id == row_id, _JOURNAL.c.side == side, _JOURNAL.c.id > after_id)
        .order_by(_JOURNAL.c.id)
        .limit(_ROWS_AT_ONCE)
    )
    return connection.execute(query).all()


def read_body(connection: Connection, row_id: int, side: Side, cache: PieceCache | None = None) -> bytes | None:
    """Rebuild a body; `None` when there is none or its bytes were dropped. Of an open exchange: the bytes so far.

    Raises:
        BodyCorruptError: It cannot be rebuilt.
    """
    row = _find_body(connection, row_id, side)
    if row is not None:
        return None if row.manifest is None else b"".join(rebuild(connection, row.manifest, cache))
    journal = list(read_journal(connection, row_id, SIDES[side]))
    return b"".join(journal) if journal else None


def _find_body(connection: Connection, row_id: int, side: Side) -> Any:
    return next(iter(_FIND_BODY.fetch(connection, {"row_id": row_id, "number": SIDES[side]})), None)


def rebuild(connection: Connection, manifest: bytes, cache: PieceCache | None = None) -> Iterator[bytes]:
    """Give the bytes that a manifest describes, in order."""
    entries = manifests.decode(manifest)
    for start in range(0, len(entries), _PIECES_AT_ONCE):
        yield from _restored(connection, entries[start : start + _PIECES_AT_ONCE], cache)


def _restored(connection: Connection, entries: Sequence[Entry], cache: PieceCache | None = None) -> Iterator[bytes]:
    pieces = read_pieces(connection, manifests.piece_ids(entries), cache)
    for entry in entries:
        if isinstance(entry, bytes):
            yield entry
        elif entry[1]:
            yield from restore(pieces[entry[0]], entry[1])
        else:
            yield pieces[entry[0]]


def read_portions(lend: Lend, row_id: int, side: Side) -> Iterator[bytes]:
    """Rebuild a body in portions, each read in a transaction of its own: while one lasts, the log cannot be emptied.

    Whoever takes them may be slow, and an exchange may be deleted meanwhile.

    Raises:
        BodyCorruptError: It cannot be rebuilt (any more).
    """
    with lend() as connection:
        row = _find_body(connection, row_id, side)
    if row is None:
        yield from _journal_portions(lend, row_id, SIDES[side])
    elif row.manifest is not None:
        entries = manifests.decode(row.manifest)
        for start in range(0, len(entries), _PIECES_IN_PORTION):
            with lend() as connection:
                portion = b"".join(_restored(connection, entries[start : start + _PIECES_IN_PORTION]))
            yield portion


def _journal_portions(lend: Lend, row_id: int, side: int) -> Iterator[bytes]:
    """Give what an open exchange has so far; less, when it ends meanwhile."""
    last, has_more = 0, True
    while has_more:
        with lend() as connection:
            rows = _journal_rows(connection, row_id, side, last)
        yield b"".join(row.chunk for row in rows)
        has_more = len(rows) == _ROWS_AT_ONCE
        last = rows[-1].id if rows else last


def read_facts(connection: Connection, row_id: int) -> dict[Side, BodyFacts]:
    """Read what is known of an exchange's bodies."""
    rows = connection.execute(select(_BODIES).where(_BODIES.c.exchange_id == row_id)).all()
    by_number = {number: side for side, number in SIDES.items()}
    return {
        by_number[row.side]: BodyFacts(
            wire_bytes=row.wire_bytes,
            wire_sha256=row.wire_sha256.hex(),
            content_encoding=row.content_encoding,
            is_redacted=row.is_redacted,
            is_decoded=row.is_decoded,
            is_truncated=row.is_truncated,
            is_kept=row.manifest is not None,
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyCheck:
    """What rebuilding a body showed."""

    checked_bytes: int
    is_wire: bool
    """Compared with the hash of the wire's bytes; else with that of what was kept of them."""
    problem: str | None
    """`None`: byte for byte the same."""


def check_body(connection: Connection, row_id: int, side: Side, cache: PieceCache | None = None) -> BodyCheck | None:
    """Rebuild a body and compare its hash; `None` when there are no bytes to compare."""
    row = _find_body(connection, row_id, side)
    if row is None or row.manifest is None:
        return None
    digest = hashlib.sha256()
    length = 0
    problem = None
    try:
        for part in rebuild(connection, row.manifest, cache):
            digest.update(part)
            length += len(part)
    except BodyCorruptError as error:
        problem = str(error)
    expected = row.wire_sha256 if row.stored_sha256 is None else row.stored_sha256
    if problem is None and digest.digest() != expected:
        problem = "the rebuilt bytes have another SHA-256"
    return BodyCheck(checked_bytes=length, is_wire=row.stored_sha256 is None, problem=problem)
