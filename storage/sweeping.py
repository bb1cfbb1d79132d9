"""Deletes what nothing points to any more, in small slices beside running writers.

First the mark is raised (see `pieces.py`): whatever writers use from then on is stamped with it. Then everything that is
pointed to is marked, reading only. What is neither stamped nor marked is deleted.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, tuple_

from storage import manifests, models
from storage.database import Database
from storage.errors import BodyCorruptError
from storage.pieces import SWEEP_MARK, read_sweeps

_PIECES = models.PieceRow.__table__
_LOOSE = models.LoosePieceRow.__table__
_BODIES = models.BodyRow.__table__
_MARKS = models.MarkRow.__table__
_USES = models.SegmentUseRow.__table__
_COUNTS = models.TokenCountRow.__table__
_LEARNT = models.LearnedOverheadRow.__table__
_ROWS_AT_ONCE = 500

type Pause = Callable[[], bool]
"""Called between slices; True: give up."""


def sweep(database: Database, pause: Pause = lambda: False) -> int:
    """Delete all pieces that nothing points to; returns how many were deleted."""
    with database.write() as connection:
        number = _raise_mark(connection)
    live = bytearray()
    for ids in _pointers(database):
        _mark(live, ids)
        if pause():
            return 0
    _mark_grounds(database, live)
    deleted = 0
    for ids in _unstamped(database, number):
        dead = [piece_id for piece_id in ids if not _is_marked(live, piece_id)]
        if dead:
            with database.write() as connection:
                is_dead = _PIECES.c.id.in_(dead) & (_PIECES.c.sweep < number)
                deleted += connection.execute(_PIECES.delete().where(is_dead)).rowcount
                kept = select(_PIECES.c.id).where(_PIECES.c.id.in_(dead))
                connection.execute(_LOOSE.delete().where(_LOOSE.c.id.in_(dead), _LOOSE.c.id.not_in(kept)))
        if pause():
            break
    return deleted


def _raise_mark(connection: Connection) -> int:
    number = read_sweeps(connection) + 1
    connection.execute(_MARKS.delete().where(_MARKS.c.name == SWEEP_MARK))
    connection.execute(_MARKS.insert(), {"name": SWEEP_MARK, "number": number})
    return number


def _pointers(database: Database) -> Iterator[list[int]]:
    """List the pieces that bodies, heads and attributions point to."""
    for rows in _slices(database, _BODIES.c.id, _BODIES.c.manifest):
        yield [piece_id for manifest in rows if manifest is not None for piece_id in _ids_in(manifest)]
    for table in (models.ExchangeHeadRow.__table__, models.AttributionRow.__table__):
        for rows in _slices(database, table.c.id, table.c.base_piece_id):
            yield [piece_id for piece_id in rows if piece_id is not None]


def _mark_grounds(database: Database, live: bytearray) -> None:
    """Mark what the marked pieces are compressed against; writers stamp the grounds of what they stamp."""
    key = _PIECES.c.id
    for rows in _pairs(database, key, _PIECES.c.ground_id, _PIECES.c.ground_id.is_not(None)):
        _mark(live, {ground_id for piece_id, ground_id in rows if _is_marked(live, piece_id)})


def _ids_in(manifest: bytes) -> list[int]:
    """List the pieces of a recipe; a damaged one cannot be rebuilt anyway."""
    try:
        return manifests.piece_ids(manifests.decode(manifest))
    except BodyCorruptError:
        return []


def _unstamped(database: Database, number: int) -> Iterator[list[int]]:
    yield from _slices(database, _PIECES.c.id, _PIECES.c.id, _PIECES.c.sweep < number)


def _slices(
    database: Database, key: ColumnElement[int], value: ColumnElement[Any], *where: ColumnElement[bool]
) -> Iterator[list[Any]]:
    for rows in _pairs(database, key, value, *where):
        yield [value for _, value in rows]


def _pairs(
    database: Database, key: ColumnElement[int], value: ColumnElement[Any], *where: ColumnElement[bool]
) -> Iterator[list[tuple[int, Any]]]:
    last = 0
    while True:
        query = select(key.label("key"), value.label("value")).where(key > last, *where)
        with database.read() as connection:
            rows = connection.execute(query.order_by(key).limit(_ROWS_AT_ONCE)).all()
        if not rows:
            return
        last = rows[-1].key
        yield [(row.key, row.value) for row in rows]


def _mark(live: bytearray, ids: Iterable[int]) -> None:
    for piece_id in ids:
        index = piece_id >> 3
        if index >= len(live):
            live.extend(bytes(index + 1024 - len(live)))
        live[index] |= 1 << (piece_id & 7)


def _is_marked(live: bytearray, piece_id: int) -> bool:
    index = piece_id >> 3
    return index < len(live) and bool(live[index] >> (piece_id & 7) & 1)


def sweep_uses(database: Database, pause: Pause = lambda: False) -> None:
    """Delete contents that no exchange carries any more, and the counts of their tokens."""
    for ids in _slices(database, _USES.c.id, _USES.c.id, _USES.c.uses <= 0):
        with database.write() as connection:
            _raise_mark(connection)
            connection.execute(_USES.delete().where(_USES.c.id.in_(ids), _USES.c.uses <= 0))
        if pause():
            return
    _sweep_counts(database, pause)


def _sweep_counts(database: Database, pause: Pause) -> None:
    key = tuple_(_COUNTS.c.family, _COUNTS.c.hash)
    last: tuple[str, bytes] = ("", b"")
    while not pause():
        with database.read() as connection:
            query = select(_COUNTS.c.family, _COUNTS.c.hash).where(key > last).order_by(_COUNTS.c.family, _COUNTS.c.hash)
            rows = [(row.family, row.hash) for row in connection.execute(query.limit(_ROWS_AT_ONCE))]
            hashes = [row[1] for row in rows]
            known = set(connection.execute(select(_USES.c.content_hash).where(_USES.c.content_hash.in_(hashes))).scalars())
        if not rows:
            return
        last = rows[-1]
        dead = [row for row in rows if row[1] not in known]
        if dead:
            is_unused = key.in_(dead) & _COUNTS.c.hash.not_in(select(_USES.c.content_hash))
            with database.write() as connection:
                connection.execute(_COUNTS.delete().where(is_unused))


def sweep_facts(database: Database, before_us: int, pause: Pause = lambda: False) -> None:
    """Delete facts that were learnt, or confirmed, before a time."""
    last = ""
    while not pause():
        with database.read() as connection:
            query = select(_LEARNT.c.key, _LEARNT.c.learned_us).where(_LEARNT.c.key > last).order_by(_LEARNT.c.key)
            rows = connection.execute(query.limit(_ROWS_AT_ONCE)).all()
        if not rows:
            return
        last = rows[-1].key
        old = [row.key for row in rows if row.learned_us < before_us]
        if old:
            with database.write() as connection:
                connection.execute(_LEARNT.delete().where(_LEARNT.c.key.in_(old), _LEARNT.c.learned_us < before_us))
