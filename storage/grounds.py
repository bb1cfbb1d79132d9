"""What a body's new pieces are compressed against: its ground, earlier bytes of the same conversation.

The first request of a conversation, or one that brings much at once, makes a ground of what is new in it: one piece that holds
many, so that each of them is next to nothing. Later turns bring two or three short messages, which alone compress badly and
against a ground well. When enough of them has gathered, they become the next ground, and their rows are written anew against
it; so are those of the streams that had brought the same words before. A ground is found by the pieces that a body shares with
earlier ones, so it outlives restarts. It stands alone: a piece needs at most one other to be read.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from storage.compression import Content, Ground, pack, pack_ground, prepare
from storage.pieces import LOOSE, KnownPiece, NewPiece, PieceWriter, hash_piece, read_pieces

LONGEST_GROUND_BYTES = 64 * 1024
GATHERED_BYTES = 48 * 1024
"""Short pieces of a conversation that become its next ground."""
_WORTH_BYTES = 3 * 1024
"""New bytes that make a ground where there is none."""
_ANEW_BYTES = 24 * 1024
"""New bytes, in several pieces, that make another ground: against each other they compress better than against an old one."""
_SMALL_SHARE = 0.12
"""What shrinks to less is left loose, as streams are: in a ground it would take more room than it does now."""
_SAMPLED_BYTES = 1024
_LOOSE_BYTES = 512 * 1024
"""Bytes of these that are held until they are compressed against the next ground; what is more stays as it is."""
_REMEMBERED = 8
_REMEMBERED_BODIES = 1_000


@dataclass(slots=True)
class _Conversation:
    """What has been stored against one ground."""

    ground: Ground
    gathered: dict[bytes, bytes] = field(default_factory=dict)
    """Contents by hash, in order of arrival."""
    gathered_bytes: int = 0
    loose: dict[bytes, Content] = field(default_factory=dict)
    """The same of what will never be part of a ground."""
    loose_bytes: int = 0

    def gather(self, key: bytes, content: Content, packed_bytes: int) -> None:
        size = len(content.data)
        if not content.is_stream and packed_bytes > _SMALL_SHARE * size:
            self.gathered[key] = content.data
            self.gathered_bytes += size
        elif self.loose_bytes + size <= _LOOSE_BYTES:
            self.loose[key] = content
            self.loose_bytes += size

    def forget(self) -> None:
        """Begin anew: what was gathered has become part of another ground."""
        self.gathered, self.gathered_bytes = {}, 0
        self.loose, self.loose_bytes = {}, 0


class GroundedPieces:
    """Stores the pieces of bodies. For one thread, in the transactions of its `PieceWriter`."""

    def __init__(self, pieces: PieceWriter) -> None:
        self._pieces = pieces
        self._conversations: OrderedDict[int, _Conversation] = OrderedDict()
        self._of_exchanges: OrderedDict[int, int] = OrderedDict()

    def forget(self) -> None:
        """Forget pieces and grounds: they may be gone."""
        self._of_exchanges.clear()
        self._conversations.clear()

    def look_up(self, connection: Connection, hashes: Sequence[bytes]) -> None:
        """Find pieces of several bodies at once, so that storing each of them needs not."""
        self._pieces.find(connection, hashes)

    def store(self, connection: Connection, row_id: int, contents: Sequence[tuple[bytes, bytes]]) -> list[int]:
        """Store the pieces of one body and return the id of each; both bodies of an exchange have the same ground.

        Args:
            connection: Inside a transaction.
            row_id: The exchange.
            contents: (hash, content) of each piece, in order.
        """
        known = self._pieces.find(connection, [key for key, _ in contents])
        ground_id = _ground_in(known, contents) or self._of_exchanges.get(row_id)
        new = {key: content for key, content in contents if key not in known}
        if new:
            ground_id = self._choose(connection, ground_id, new)
            known |= self._add(connection, ground_id, new)
            ground_id = self._renew(connection, ground_id)
        if ground_id is not None:
            self._remember(row_id, ground_id)
        return [known[key].id for key, _ in contents]

    def _choose(self, connection: Connection, ground_id: int | None, new: Mapping[bytes, bytes]) -> int | None:
        """Keep the ground, or make another of what is new."""
        size = sum(len(content) for content in new.values())
        if size < (_WORTH_BYTES if ground_id is None else _ANEW_BYTES) or (ground_id is not None and len(new) == 1):
            return ground_id
        joined, _ = _join(new)
        return self._make(connection, joined) or ground_id

    def _make(self, connection: Connection, content: bytes) -> int | None:
        """Make a ground; `None`: just this content is a piece that has a ground itself."""
        key = hash_piece(content)
        found = self._pieces.find(connection, [key])
        if key not in found:
            found = self._pieces.add(connection, [NewPiece(key, len(content), pack_ground(content))])
        if found[key].ground_id is not None:
            return None
        self._keep(found[key].id, content)
        return found[key].id

    def _add(self, connection: Connection, ground_id: int | None, new: Mapping[bytes, bytes]) -> dict[bytes, KnownPiece]:
        """Insert what is new; a single new piece may be there by now, as the ground itself."""
        present = self._pieces.find(connection, list(new))
        missing = {key: content for key, content in new.items() if key not in present}
        long = {key: raw for key, raw in missing.items() if ground_id is None or len(raw) > LONGEST_GROUND_BYTES}
        rows = [NewPiece(key, len(raw), pack(raw)) for key, raw in long.items()]
        if ground_id is not None and len(long) < len(missing):
            short = {key: raw for key, raw in missing.items() if key not in long}
            rows += self._rows(self._conversation(connection, ground_id), ground_id, short)
        return present | self._pieces.add(connection, rows)

    def _rows(self, conversation: _Conversation, ground_id: int, new: Mapping[bytes, bytes]) -> list[NewPiece]:
        """Say of each where in the ground it is, or compress it against that."""
        ground, rows, position = conversation.ground, [], 0
        for key, raw in new.items():
            if ground.raw.startswith(raw, position):
                rows.append(NewPiece(key, len(raw), None, ground_id, position))
                position += len(raw)
            else:
                content = prepare(raw)
                packed = ground.pack(content)
                rows.append(NewPiece(key, len(raw), packed, ground_id, LOOSE))
                conversation.gather(key, content, len(packed))
        return rows

    def _renew(self, connection: Connection, ground_id: int | None) -> int | None:
        """Make the next ground of what has gathered around this one, once that is enough."""
        conversation = None if ground_id is None else self._conversations.get(ground_id)
        if conversation is None or conversation.gathered_bytes < GATHERED_BYTES:
            return ground_id
        joined, places = _join(conversation.gathered)
        loose = conversation.loose
        conversation.forget()
        next_id = self._make(connection, joined + _sample(loose.values()))
        if next_id is None:
            return ground_id
        ground = self._conversation(connection, next_id).ground
        self._pieces.repack(connection, next_id, {key: ground.pack(content) for key, content in loose.items()})
        self._pieces.move(connection, next_id, places)  # last: only deleting lets half-empty pages be joined
        return next_id

    def _conversation(self, connection: Connection, ground_id: int) -> _Conversation:
        found = self._conversations.get(ground_id)
        if found is None:
            found = self._keep(ground_id, read_pieces(connection, [ground_id])[ground_id])
        self._conversations.move_to_end(ground_id)
        return found

    def _keep(self, ground_id: int, content: bytes) -> _Conversation:
        kept = self._conversations[ground_id] = _Conversation(Ground(content))
        while len(self._conversations) > _REMEMBERED:
            self._conversations.popitem(last=False)
        return kept

    def _remember(self, row_id: int, ground_id: int) -> None:
        self._of_exchanges[row_id] = ground_id
        while len(self._of_exchanges) > _REMEMBERED_BODIES:
            self._of_exchanges.popitem(last=False)


def _join(contents: Mapping[bytes, bytes]) -> tuple[bytes, dict[bytes, int]]:
    """Join as many whole contents as a ground may hold, and say where each begins; the first one may be cut off."""
    places: dict[bytes, int] = {}
    joined = bytearray()
    for key, content in contents.items():
        if len(joined) + len(content) <= LONGEST_GROUND_BYTES:
            places[key] = len(joined)
            joined += content
    return bytes(joined), places


def _sample(contents: Iterable[Content]) -> bytes:
    """Take what the newest stream begins and ends with, which others are sure to share; its words are in the ground."""
    newest = b""
    for content in contents:
        newest = content.data if content.is_stream else newest
    return newest[:_SAMPLED_BYTES] + newest[-_SAMPLED_BYTES // 2 :]


def _ground_in(known: dict[bytes, KnownPiece], contents: Sequence[tuple[bytes, bytes]]) -> int | None:
    """Find the newest ground among the pieces of a body; where they have none, one of them that can be it."""
    found = max((piece.ground_id for piece in known.values() if piece.ground_id is not None), default=None)
    if found is not None:
        return found
    fitting = (known[key].id for key, raw in contents if key in known and _WORTH_BYTES <= len(raw) <= LONGEST_GROUND_BYTES)
    return max(fitting, default=None)
