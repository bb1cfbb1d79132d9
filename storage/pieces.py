"""The table of pieces: each distinct run of bytes once, found by its hash.

Ids are remembered in memory, so that a turn of a conversation looks up only what is new. A sweep of unused pieces
(`sweeping.py`) begins by raising a mark; whoever remembers ids reads the mark at the start of each transaction, forgets them
when it moved, and stamps each piece it looks up from then on, with what that is compressed against. The sweep never deletes a
stamped piece, so no body ever points to one that is gone.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from storage import models
from storage.compression import Ground, pack, unpack
from storage.errors import BodyCorruptError
from storage.statements import Adding, Lookup, Prepared
from storage.upserts import update_columns

HASH_BYTES = 16
SWEEP_MARK = "piece_sweeps"
_PIECES = models.PieceRow.__table__
_LOOSE = models.LoosePieceRow.__table__
LOOSE = 1 << 22
"""Stands for the place in a ground of a piece that is not in it; as many bytes as a place takes: rows never grow."""
_MARKS = models.MarkRow.__table__
_FIND = Lookup(select(_PIECES.c.hash, _PIECES.c.id, _PIECES.c.ground_id), _PIECES.c.hash)
_READ = Lookup(select(_PIECES.c.id, _PIECES.c.raw_bytes, _PIECES.c.ground_id, _PIECES.c.start, _PIECES.c.packed), _PIECES.c.id)
_READ_LOOSE = Lookup(select(_LOOSE.c.id, _LOOSE.c.packed), _LOOSE.c.id)
_ADD = Adding(_PIECES, "hash", ("hash", "raw_bytes", "sweep", "ground_id", "start", "packed"))
_INSERT_LOOSE = Prepared(_LOOSE.insert(), ("id", "packed"))
_MOVE = Prepared(update_columns(_PIECES, ("ground_id", "start")), ("row_id", "ground_id", "start"))
_GROUND = Prepared(update_columns(_PIECES, ("ground_id",)), ("row_id", "ground_id"))
_REPACK = Prepared(update_columns(_LOOSE, ("packed",)), ("row_id", "packed"))
_DELETE_LOOSE = Prepared(_LOOSE.delete().where(_LOOSE.c.id == bindparam("row_id")), ("row_id",))
_READ_SWEEPS = Prepared(select(_MARKS.c.number).where(_MARKS.c.name == bindparam("name")), ("name",))
_STAMP = Prepared(
    _PIECES.update()
    .where(_PIECES.c.id == bindparam("row_id"), _PIECES.c.sweep < bindparam("number"))
    .values(sweep=bindparam("number")),
    ("row_id", "number"),
)
_REMEMBERED = 30_000


def hash_piece(content: bytes) -> bytes:
    """Name a piece by its content."""
    return hashlib.blake2b(content, digest_size=HASH_BYTES).digest()


class KnownPiece(NamedTuple):
    """A piece that is stored."""

    id: int
    ground_id: int | None
    """What it is compressed against."""


class NewPiece(NamedTuple):
    """A piece about to be inserted."""

    hash: bytes
    raw_bytes: int
    packed: bytes | None
    """`None`: the ground holds it."""
    ground_id: int | None = None
    """What holds it, or what it is compressed against; `None`: it stands alone."""
    start: int | None = None
    """Where in the ground it begins; `LOOSE`: not in there."""


class PieceWriter:
    """Stores pieces. For one thread; call `begin` first in each transaction, `forget` after one that was rolled back."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._known = _Known(remembered)
        self._absent: set[bytes] = set()
        """Looked up in vain in this transaction."""
        self._sweeps = -1

    def begin(self, connection: Connection) -> bool:
        """Forget ids that a sweep may have deleted; True when it did (other remembered ids are void too)."""
        sweeps = read_sweeps(connection)
        is_void = sweeps != self._sweeps
        self._absent.clear()
        if is_void:
            self._known.clear()
            self._sweeps = sweeps
        return is_void

    def forget(self) -> None:
        """Forget all: ids given in a transaction that was rolled back do not exist."""
        self._known.clear()
        self._absent.clear()
        self._sweeps = -1

    def store(self, connection: Connection, contents: Sequence[bytes]) -> list[int]:
        """Store what is not there yet, each for itself, and return the id of each content."""
        hashes = [hash_piece(content) for content in contents]
        known = self.find(connection, hashes)
        new = {key: content for key, content in zip(hashes, contents, strict=True) if key not in known}
        added = self.add(connection, [NewPiece(key, len(content), pack(content)) for key, content in new.items()])
        return [(known.get(key) or added[key]).id for key in hashes]

    def find(self, connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, KnownPiece]:
        """Look pieces up by hash, and keep them from being swept; what is not stored is left out."""
        known = self._known.find(hashes)
        unknown = {key for key in hashes if key not in known and key not in self._absent}
        if not unknown:
            return known
        found = {row[0]: KnownPiece(row[1], row[2]) for row in _FIND.fetch(connection, unknown)}
        self._absent.update(key for key in unknown if key not in found)
        ids = dict.fromkeys(number for piece in found.values() for number in piece if number is not None)
        _STAMP.run(connection, [{"row_id": piece_id, "number": self._sweeps} for piece_id in ids])
        self._known.add(found)
        return known | found

    def add(self, connection: Connection, pieces: Sequence[NewPiece]) -> dict[bytes, KnownPiece]:
        """Insert pieces that are not there; what is their ground was found, or added, before."""
        if not pieces:
            return {}
        ids = _ADD.run(connection, [self._row(piece) for piece in pieces])
        added = {piece.hash: KnownPiece(ids[piece.hash], piece.ground_id) for piece in pieces}
        loose = [{"id": ids[piece.hash], "packed": piece.packed} for piece in pieces if piece.start == LOOSE]
        _INSERT_LOOSE.run(connection, loose)
        self._absent.difference_update(added)
        self._known.add(added)
        return added

    def _row(self, piece: NewPiece) -> dict[str, object]:
        return {**piece._asdict(), "sweep": self._sweeps, "packed": None if piece.start == LOOSE else piece.packed}

    def move(self, connection: Connection, ground_id: int, places: Mapping[bytes, int]) -> None:
        """Say that loose pieces are in another ground now, and where; those that were forgotten stay where they are."""
        known = self._known.find(places)
        rows = [{"row_id": piece.id, "ground_id": ground_id, "start": places[key]} for key, piece in known.items()]
        _MOVE.run(connection, rows)
        _DELETE_LOOSE.run(connection, rows)
        self._known.add({key: KnownPiece(piece.id, ground_id) for key, piece in known.items()})

    def repack(self, connection: Connection, ground_id: int, packed: Mapping[bytes, bytes]) -> None:
        """Say that loose pieces are compressed against another ground now; those that were forgotten stay as they are."""
        known = self._known.find(packed)
        rows = [{"row_id": piece.id, "ground_id": ground_id, "packed": packed[key]} for key, piece in known.items()]
        _GROUND.run(connection, rows)
        _REPACK.run(connection, rows)
        self._known.add({key: KnownPiece(piece.id, ground_id) for key, piece in known.items()})


class _Known:
    """Remembers pieces by hash; those not asked for in a long time are forgotten.

    Args:
        limit: Pieces remembered, about: two generations, so that asking for one changes nothing while it is in the younger.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit // 2
        self._young: dict[bytes, KnownPiece] = {}
        self._old: dict[bytes, KnownPiece] = {}

    def clear(self) -> None:
        self._young, self._old = {}, {}

    def find(self, keys: Collection[bytes]) -> dict[bytes, KnownPiece]:
        young = self._young
        found = {key: piece for key in keys if (piece := young.get(key)) is not None}
        if self._old:
            aged = {key: self._old[key] for key in keys if key in self._old and key not in found}
            self.add(aged)
            found |= aged
        return found

    def add(self, pieces: Mapping[bytes, KnownPiece]) -> None:
        self._young.update(pieces)
        if len(self._young) > self._limit:
            self._young, self._old = {}, self._young


class PieceCache:
    """Keeps pieces that were read lately, up to a number of bytes. For one thread. Ids are never given twice."""

    def __init__(self, limit_bytes: int = 32 * 1024 * 1024) -> None:
        self._contents: OrderedDict[int, bytes] = OrderedDict()
        self._limit_bytes = limit_bytes
        self._bytes = 0

    def get(self, piece_id: int) -> bytes | None:
        """Return a piece if it is here."""
        content = self._contents.get(piece_id)
        if content is not None:
            self._contents.move_to_end(piece_id)
        return content

    def put(self, piece_id: int, content: bytes) -> None:
        """Keep a piece, letting go of those not used for longest."""
        self._contents[piece_id] = content
        self._bytes += len(content)
        while self._bytes > self._limit_bytes:
            _, dropped = self._contents.popitem(last=False)
            self._bytes -= len(dropped)


def read_pieces(connection: Connection, ids: Iterable[int], cache: PieceCache | None = None) -> Mapping[int, bytes]:
    """Read pieces by id.

    Raises:
        BodyCorruptError: One is not there, or not what it was.
    """
    wanted = list(dict.fromkeys(ids))
    found: dict[int, bytes] = {}
    if cache is not None:
        found = {piece_id: content for piece_id in wanted if (content := cache.get(piece_id)) is not None}
    rows = _read_rows(connection, [piece_id for piece_id in wanted if piece_id not in found])
    grounds = _read_grounds(connection, {row.ground_id for row in rows.values() if row.ground_id is not None}, cache)
    loose = _read_loose(connection, rows)
    for piece_id, row in rows.items():
        content = found[piece_id] = _content(piece_id, row, grounds, loose)
        if len(content) != row.raw_bytes:
            raise BodyCorruptError(f"piece {piece_id} has {len(content)} bytes instead of {row.raw_bytes}")
        if cache is not None:
            cache.put(piece_id, content)
    return found


def _content(piece_id: int, row: Any, grounds: Mapping[int, Ground], loose: Mapping[int, bytes]) -> bytes:
    if row.ground_id is None:
        return unpack(row.packed)
    ground = grounds[row.ground_id]
    if piece_id in loose:
        return ground.unpack(loose[piece_id])
    return ground.raw[row.start : row.start + row.raw_bytes]


def _read_rows(connection: Connection, ids: Sequence[int]) -> dict[int, Any]:
    rows: dict[int, Any] = {row[0]: row for row in _READ.fetch(connection, ids)}
    missing = next((piece_id for piece_id in ids if piece_id not in rows), None)
    if missing is not None:
        raise BodyCorruptError(f"piece {missing} is missing")
    return rows


def _read_loose(connection: Connection, rows: Mapping[int, Any]) -> dict[int, bytes]:
    ids = [piece_id for piece_id, row in rows.items() if row.start == LOOSE]
    return {row[0]: row[1] for row in _READ_LOOSE.fetch(connection, ids)}


def _read_grounds(connection: Connection, ids: set[int], cache: PieceCache | None) -> dict[int, Ground]:
    """Read what holds pieces, or what they are compressed against: it stands alone, so that nothing is followed further."""
    contents = {piece_id: cache.get(piece_id) for piece_id in ids} if cache is not None else dict.fromkeys(ids)
    rows = _read_rows(connection, [piece_id for piece_id, content in contents.items() if content is None])
    for piece_id, row in rows.items():
        if row.packed is None:
            raise BodyCorruptError(f"piece {piece_id} does not stand alone")
        content = contents[piece_id] = unpack(row.packed)
        if cache is not None:
            cache.put(piece_id, content)
    return {piece_id: Ground(content) for piece_id, content in contents.items() if content is not None}


def read_sweeps(connection: Connection) -> int:
    """Read how often pieces were swept."""
    rows = _READ_SWEEPS.fetch(connection, {"name": SWEEP_MARK})
    return rows[0][0] if rows else 0
