"""The table of pieces: each distinct run of bytes once, found by its hash.

Ids are remembered in memory, so that a turn of a conversation looks up only what is new. A sweep of unused pieces
(`sweeping.py`) begins by raising a mark; whoever remembers ids reads the mark at the start of each transaction, forgets them
when it moved, and stamps each piece it looks up from then on. The sweep never deletes a stamped piece, so no body ever
points to one that is gone.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, select

from storage import models
from storage.compression import pack, unpack
from storage.errors import BodyCorruptError

HASH_BYTES = 16
SWEEP_MARK = "piece_sweeps"
_PIECES = models.PieceRow.__table__
_MARKS = models.MarkRow.__table__
_FIND = select(_PIECES.c.hash, _PIECES.c.id).where(_PIECES.c.hash.in_(bindparam("hashes", expanding=True)))
_READ = select(_PIECES.c.id, _PIECES.c.raw_bytes, _PIECES.c.packed).where(_PIECES.c.id.in_(bindparam("ids", expanding=True)))
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


class PieceWriter:
    """Stores pieces. For one thread; call `begin` first in each transaction, `forget` after one that was rolled back."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._ids: OrderedDict[bytes, int] = OrderedDict()
        self._remembered = remembered
        self._sweeps = -1

    def begin(self, connection: Connection) -> bool:
        """Forget ids that a sweep may have deleted; True when it did (other remembered ids are void too)."""
        sweeps = read_sweeps(connection)
        is_void = sweeps != self._sweeps
        if is_void:
            self._ids.clear()
            self._sweeps = sweeps
        return is_void

    def forget(self) -> None:
        """Forget all: ids given in a transaction that was rolled back do not exist."""
        self._ids.clear()
        self._sweeps = -1

    def store(self, connection: Connection, contents: Sequence[bytes]) -> list[int]:
        """Store what is not there yet and return the id of each content."""
        hashes = [hash_piece(content) for content in contents]
        unknown = {key: content for key, content in zip(hashes, contents, strict=True) if key not in self._ids}
        found = self._find_stamped(connection, unknown)
        new = [key for key in unknown if key not in found]
        if new:
            rows = [
                {"hash": key, "raw_bytes": len(unknown[key]), "sweep": self._sweeps, "packed": pack(unknown[key])}
                for key in new
            ]
            connection.execute(_PIECES.insert(), rows)
            found.update(find_ids(connection, new))
        self._ids.update(found)
        ids = [self._ids[key] for key in hashes]
        self._trim(hashes)
        return ids

    def _row(self, key: bytes, content: bytes) -> dict[str, object]:
        return {"hash": key, "raw_bytes": len(content), "sweep": self._sweeps, "packed": pack(content)}

    def _find_stamped(self, connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Look up ids, and keep those pieces from being swept from now on."""
        found = find_ids(connection, hashes)
        ids = list(found.values())
        for start in range(0, len(ids), _AT_ONCE):
            connection.execute(_STAMP, {"ids": ids[start : start + _AT_ONCE], "number": self._sweeps})
        return found

    def _trim(self, used: Iterable[bytes]) -> None:
        for key in used:
            self._ids.move_to_end(key)
        while len(self._ids) > self._remembered:
            self._ids.popitem(last=False)


def find_ids(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, int]:
    """Look up ids by hash; what is not stored is left out."""
    keys = list(hashes)
    found: dict[bytes, int] = {}
    for start in range(0, len(keys), _AT_ONCE):
        found.update((row[0], row[1]) for row in connection.execute(_FIND, {"hashes": keys[start : start + _AT_ONCE]}))
    return found


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
    unread = [piece_id for piece_id in wanted if piece_id not in found]
    for start in range(0, len(unread), _AT_ONCE):
        for piece_id, raw_bytes, packed in connection.execute(_READ, {"ids": unread[start : start + _AT_ONCE]}):
            content = found[piece_id] = unpack(packed)
            if len(content) != raw_bytes:
                raise BodyCorruptError(f"piece {piece_id} has {len(content)} bytes instead of {raw_bytes}")
            if cache is not None:
                cache.put(piece_id, content)
    if len(found) != len(wanted):
        missing = next(piece_id for piece_id in wanted if piece_id not in found)
        raise BodyCorruptError(f"piece {missing} is missing")
    return found


def read_sweeps(connection: Connection) -> int:
    """Read how often pieces were swept."""
    return connection.execute(_READ_SWEEPS).scalar() or 0
