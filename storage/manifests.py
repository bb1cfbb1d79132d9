"""The recipe of one body: literal bytes and ids of pieces, in order.

The ids of a conversation's pieces ascend by small steps, and a turn's manifest differs from the one before by its end, so
each id is kept as its difference to the one before it and the whole is compressed: about 100 bytes for 200 messages. A chain
of manifests, each against the one before, would save little and make every body depend on others.

Encoded as MessagePack, `[entry ...]`, where an entry is bytes (a literal) or a list (pieces with a comma between them): each
item of the list is a difference of ids, or `[difference, offset, bytes, offset, bytes ...]` for a piece with inserts.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from storage.compression import Content, pack_content, unpack
from storage.errors import BodyCorruptError

type Inserts = tuple[tuple[int, bytes], ...]
type Entry = bytes | tuple[int, Inserts]
"""A literal, or a piece's id with its inserts."""

_COMMA = b","


def encode(entries: Sequence[Entry]) -> bytes:
    """Pack a recipe."""
    packed: list[Any] = []
    group: list[Any] | None = None  # pieces that the next one may join
    has_comma = False  # it came after the group, and is implied should another piece follow
    previous = 0
    for entry in entries:
        if isinstance(entry, bytes):
            if group is not None and not has_comma and entry == _COMMA:
                has_comma = True
                continue
            packed += (_COMMA, entry) if has_comma else (entry,)
            group, has_comma = None, False
            continue
        piece_id, inserts = entry
        step, previous = piece_id - previous, piece_id
        item = [step, *(part for insert in inserts for part in insert)] if inserts else step
        if group is not None and has_comma:
            group.append(item)
        else:
            group = [item]
            packed.append(group)
        has_comma = False
    if has_comma:
        packed.append(_COMMA)
    return pack_content(Content(msgspec.msgpack.encode(packed)))


def decode(manifest: bytes) -> list[Entry]:
    """Unpack a recipe.

    Raises:
        BodyCorruptError: It is damaged.
    """
    try:
        return list(_entries(msgspec.msgpack.decode(unpack(manifest))))
    except (msgspec.DecodeError, TypeError, ValueError, IndexError) as error:
        raise BodyCorruptError(f"a manifest cannot be read: {error}") from error


def piece_ids(entries: Iterable[Entry]) -> list[int]:
    """List the pieces that a recipe needs, in order, repeats included."""
    return [entry[0] for entry in entries if isinstance(entry, tuple)]


def _entries(packed: list[Any]) -> Iterator[Entry]:
    previous = 0
    for entry in packed:
        if isinstance(entry, bytes):
            yield entry
            continue
        for number, item in enumerate(entry):
            if number:
                yield _COMMA
            step, inserts = (item, ()) if isinstance(item, int) else (item[0], _inserts(item[1:]))
            previous += step
            yield previous, inserts


def _inserts(flat: list[Any]) -> Inserts:
    return tuple((int(flat[index]), bytes(flat[index + 1])) for index in range(0, len(flat), 2))
