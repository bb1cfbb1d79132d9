"""The table of pieces: each distinct run of bytes once, found by its hash.

Ids are remembered in memory, so that a turn of a conversation looks up only what is new. A sweep of unused pieces
(`sweeping.py`) begins by raising a mark; whoever remembers ids reads the mark at the start of each transaction, forgets them
when it moved, and stamps each piece it looks up from then on, with what that is compressed against. The sweep never deletes a
stamped piece, so no body ever points to one that is gone.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from storage import models
from storage.compression import Ground, pack, unpack
from storage.errors import BodyCorruptError

HASH_BYTES = 16
SWEEP_MARK = "piece_sweeps"
_PIECES = models.PieceRow.__table__
_MARKS = models.MarkRow.__table__
_FIND = select(_PIECES.c.hash, _PIECES.c.id, _PIECES.c.ground_id).where(_PIECES.c.hash.in_(bindparam("hashes", expanding=True)))
_READ = select(_PIECES.c.id, _PIECES.c.raw_bytes, _PIECES.c.ground_id, _PIECES.c.packed).where(
    _PIECES.c.id.in_(bindparam("ids", expanding=True))
)
_INSERT = _PIECES.insert()
_READ_SWEEPS = select(_MARKS.c.number).where(_MARKS.c.name == SWEEP_MARK)
_STAMP = (
    _PIECES.update()
    .where(_PIECES.c.id.in_(bindparam("ids", expanding=True)), _PIECES.c.sweep < bindparam("number"))
    .values(sweep=bindparam("number"))
)
_REMEMBERED = 30_000
_AT_ONCE = 400
"""Ids or hashes in one statement; databases limit the number of parameters."""


def hash_piece(content: bytes) -> bytes:
    """Name a piece by its content."""
    return hashlib.blake2b(content, digest_size=HASH_BYTES).digest()


class KnownPiece(NamedTuple):
    """A piece that is stored."""

    id: int
    ground_id: int | None
    """What it is compressed against."""


class PieceWriter:
    """Stores pieces. For one thread; call `begin` first in each transaction, `forget` after one that was rolled back."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._known: OrderedDict[bytes, KnownPiece] = OrderedDict()
        self._remembered = remembered
        self._sweeps = -1

    def begin(self, connection: Connection) -> bool:
        """Forget ids that a sweep may have deleted; True when it did (other remembered ids are void too)."""
        sweeps = read_sweeps(connection)
        is_void = sweeps != self._sweeps
        if is_void:
            self._known.clear()
            self._sweeps = sweeps
        return is_void

    def forget(self) -> None:
        """Forget all: ids given in a transaction that was rolled back do not exist."""
        self._known.clear()
        self._sweeps = -1

    def store(self, connection: Connection, contents: Sequence[bytes]) -> list[int]:
        """Store what is not there yet, each for itself, and return the id of each content."""
        hashes = [hash_piece(content) for content in contents]
        known = self.find(connection, hashes)
        new = {key: content for key, content in zip(hashes, contents, strict=True) if key not in known}
        added = self.add(connection, [(key, len(content), None, pack(content)) for key, content in new.items()])
        return [(known.get(key) or added[key]).id for key in hashes]

    def find(self, connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, KnownPiece]:
        """Look pieces up by hash, and keep them from being swept; what is not stored is left out."""
        unknown = {key for key in hashes if key not in self._known}
        found = _find(connection, unknown)
        ids = [number for piece in found.values() for number in piece if number is not None]
        for some in _slices(ids):
            connection.execute(_STAMP, {"ids": some, "number": self._sweeps})
        self._known.update(found)
        known = {key: self._known[key] for key in hashes if key in self._known}
        self._trim(known)
        return known

    def add(self, connection: Connection, pieces: Sequence[tuple[bytes, int, int | None, bytes]]) -> dict[bytes, KnownPiece]:
        """Insert pieces that are not there: (hash, length, ground, packed); the ground was found, or added, before."""
        if not pieces:
            return {}
        names = ("hash", "raw_bytes", "ground_id", "packed")
        connection.execute(_INSERT, [dict(zip(names, piece, strict=True)) | {"sweep": self._sweeps} for piece in pieces])
        added = _find(connection, [piece[0] for piece in pieces])
        self._known.update(added)
        self._trim(added)
        return added

    def _trim(self, used: Iterable[bytes]) -> None:
        for key in used:
            self._known.move_to_end(key)
        while len(self._known) > self._remembered:
            self._known.popitem(last=False)


def _find(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, KnownPiece]:
    found: dict[bytes, KnownPiece] = {}
    for some in _slices(list(hashes)):
        found.update((row[0], KnownPiece(row[1], row[2])) for row in connection.execute(_FIND, {"hashes": some}))
    return found


def _slices[Item](items: Sequence[Item]) -> Iterable[list[Item]]:
    return (list(items[start : start + _AT_ONCE]) for start in range(0, len(items), _AT_ONCE))


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
    grounds = _read_grounds(connection, {ground_id for _, ground_id, _ in rows.values() if ground_id is not None}, cache)
    for piece_id, (raw_bytes, ground_id, packed) in rows.items():
        content = found[piece_id] = unpack(packed) if ground_id is None else grounds[ground_id].unpack(packed)
        if len(content) != raw_bytes:
            raise BodyCorruptError(f"piece {piece_id} has {len(content)} bytes instead of {raw_bytes}")
        if cache is not None:
            cache.put(piece_id, content)
    return found


def _read_rows(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, int | None, bytes]]:
    rows: dict[int, tuple[int, int | None, bytes]] = {}
    for some in _slices(ids):
        rows.update((row[0], (row[1], row[2], row[3])) for row in connection.execute(_READ, {"ids": some}))
    missing = next((piece_id for piece_id in ids if piece_id not in rows), None)
    if missing is not None:
        raise BodyCorruptError(f"piece {missing} is missing")
    return rows


def _read_grounds(connection: Connection, ids: set[int], cache: PieceCache | None) -> dict[int, Ground]:
    """Read what pieces are compressed against: these stand alone, so that nothing is followed further."""
    contents = {piece_id: cache.get(piece_id) for piece_id in ids} if cache is not None else dict.fromkeys(ids)
    rows = _read_rows(connection, [piece_id for piece_id, content in contents.items() if content is None])
    for piece_id, (_, _, packed) in rows.items():
        content = contents[piece_id] = unpack(packed)
        if cache is not None:
            cache.put(piece_id, content)
    return {piece_id: Ground(content) for piece_id, content in contents.items() if content is not None}


def read_sweeps(connection: Connection) -> int:
    """Read how often pieces were swept."""
    return connection.execute(_READ_SWEEPS).scalar() or 0
