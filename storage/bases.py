"""What looks like something stored lately is kept as the difference to that.

The base of a difference is a piece of its own and never a difference itself. A growing conversation drifts away from its
base; a new one is made as soon as the drift has cost what a base costs.
"""

from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import Connection

from storage.compression import Base, pack, unpack
from storage.pieces import PieceWriter, read_pieces

_REMEMBERED = 64


@dataclass(slots=True)
class _Base:
    piece_id: int
    base: Base
    price: int
    """Bytes that storing a base takes."""
    least: int | None = None
    """Smallest difference to it so far."""
    drift: int = 0
    """Bytes by which differences were larger than that, together."""

    def accept(self, packed: bytes) -> bool:
        """Take note of a difference; False: it is time for another base."""
        size = len(packed)
        self.least = size if self.least is None else min(self.least, size)
        self.drift += size - self.least
        return self.drift < self.price and size < self.price


class Bases:
    """Remembers bases by key. For one thread, in the transactions of its `PieceWriter`."""

    def __init__(self, pieces: PieceWriter, remembered: int = _REMEMBERED) -> None:
        self._pieces = pieces
        self._bases: OrderedDict[str, _Base] = OrderedDict()
        self._remembered = remembered

    def forget(self) -> None:
        """Forget all: their pieces may be gone."""
        self._bases.clear()

    def pack(self, connection: Connection, raw: bytes, keys: tuple[str, ...]) -> tuple[int, bytes]:
        """Pack against the base of the first key that has one, or make this a base.

        Returns:
            Id of the base's piece, and the packed bytes.
        """
        found = next((self._bases[key] for key in keys if key in self._bases), None)
        if found is not None:
            packed = found.base.pack(raw)
            if found.accept(packed):
                return found.piece_id, packed
        base_id = self._pieces.store(connection, [raw])[0]
        made = _Base(base_id, Base(raw), price=len(pack(raw)) + 1)
        self._remember(keys, made)
        return base_id, made.base.pack(raw)

    def _remember(self, keys: tuple[str, ...], base: _Base) -> None:
        for key in keys:
            self._bases[key] = base
            self._bases.move_to_end(key)
        while len(self._bases) > self._remembered:
            self._bases.popitem(last=False)


def unpack_with_base(connection: Connection, base_id: int | None, packed: bytes) -> bytes:
    """Undo `Bases.pack`.

    Raises:
        BodyCorruptError: The base is missing, or the bytes are damaged.
    """
    return unpack(packed, None if base_id is None else read_pieces(connection, [base_id])[base_id])
