"""What a body's new pieces are compressed against: its ground, earlier bytes of the same conversation.

The first request of a conversation, or one that brings much at once, makes a ground of what is new in it: one piece that holds
many, so that each of them is next to nothing. Later turns bring two or three short messages, which alone compress badly and
against a ground well. A ground is found by the pieces that a body shares with earlier ones, so it outlives restarts. It stands
alone: a piece needs at most one other to be read.
"""

from collections import OrderedDict
from collections.abc import Sequence

from sqlalchemy import Connection

from storage.compression import Ground, pack
from storage.pieces import KnownPiece, PieceWriter, hash_piece, read_pieces

LONGEST_GROUND_BYTES = 64 * 1024
_WORTH_BYTES = 3 * 1024
"""New bytes that make a ground where there is none."""
_ANEW_BYTES = 24 * 1024
"""New bytes, in several pieces, that make another ground: against each other they compress better than against an old one."""
_REMEMBERED = 8
_REMEMBERED_BODIES = 1_000


class GroundedPieces:
    """Stores the pieces of bodies. For one thread, in the transactions of its `PieceWriter`."""

    def __init__(self, pieces: PieceWriter) -> None:
        self._pieces = pieces
        self._grounds: OrderedDict[int, Ground] = OrderedDict()
        self._of_exchanges: OrderedDict[int, int] = OrderedDict()

    def forget(self) -> None:
        """Forget which ground exchanges have: it may be gone."""
        self._of_exchanges.clear()

    def store(self, connection: Connection, row_id: int, contents: Sequence[bytes]) -> list[int]:
        """Store the pieces of one body and return the id of each; both bodies of an exchange have the same ground."""
        hashes = [hash_piece(content) for content in contents]
        known = self._pieces.find(connection, hashes)
        ground_id = _ground_in(known, hashes, contents) or self._of_exchanges.get(row_id)
        new = {key: content for key, content in zip(hashes, contents, strict=True) if key not in known}
        if new:
            ground_id = self._choose(connection, ground_id, new)
            known |= self._add(connection, ground_id, new)
        if ground_id is not None:
            self._remember(row_id, ground_id)
        return [known[key].id for key in hashes]

    def _choose(self, connection: Connection, ground_id: int | None, new: dict[bytes, bytes]) -> int | None:
        """Keep the ground, or make another of what is new."""
        size = sum(len(content) for content in new.values())
        if size < (_WORTH_BYTES if ground_id is None else _ANEW_BYTES) or (ground_id is not None and len(new) == 1):
            return ground_id
        joined = b"".join(new.values())[:LONGEST_GROUND_BYTES]
        key = hash_piece(joined)
        found = self._pieces.find(connection, [key])
        if key not in found:
            found = self._pieces.add(connection, [(key, len(joined), None, pack(joined))])
        if found[key].ground_id is not None:
            return ground_id
        self._keep(found[key].id, Ground(joined))
        return found[key].id

    def _add(self, connection: Connection, ground_id: int | None, new: dict[bytes, bytes]) -> dict[bytes, KnownPiece]:
        present = self._pieces.find(connection, list(new)) if ground_id is not None else {}
        rows: list[tuple[bytes, int, int | None, bytes]] = []
        ground = self._ground(connection, ground_id) if ground_id is not None and len(present) < len(new) else None
        for key, content in new.items():
            if key in present:
                continue
            if ground is None or len(content) > LONGEST_GROUND_BYTES:
                rows.append((key, len(content), None, pack(content)))
            else:
                rows.append((key, len(content), ground_id, ground.pack(content)))
        return present | self._pieces.add(connection, rows)

    def _ground(self, connection: Connection, ground_id: int) -> Ground:
        ground = self._grounds.get(ground_id)
        if ground is None:
            ground = self._keep(ground_id, Ground(read_pieces(connection, [ground_id])[ground_id]))
        self._grounds.move_to_end(ground_id)
        ground.begin()
        return ground

    def _keep(self, ground_id: int, ground: Ground) -> Ground:
        self._grounds[ground_id] = ground
        while len(self._grounds) > _REMEMBERED:
            self._grounds.popitem(last=False)
        return ground

    def _remember(self, row_id: int, ground_id: int) -> None:
        self._of_exchanges[row_id] = ground_id
        while len(self._of_exchanges) > _REMEMBERED_BODIES:
            self._of_exchanges.popitem(last=False)


def _ground_in(known: dict[bytes, KnownPiece], hashes: Sequence[bytes], contents: Sequence[bytes]) -> int | None:
    """Find the newest ground among the pieces of a body; where they have none, one of them that can be it."""
    found = max((piece.ground_id for piece in known.values() if piece.ground_id is not None), default=None)
    if found is not None:
        return found
    sizes = dict(zip(hashes, map(len, contents), strict=True))
    return max((piece.id for key, piece in known.items() if _WORTH_BYTES <= sizes[key] <= LONGEST_GROUND_BYTES), default=None)
