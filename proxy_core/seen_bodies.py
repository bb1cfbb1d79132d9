"""What of a body was searched before: requests of a conversation begin with the same megabyte, again and again.

Remembers the beginnings of the last few large bodies and what was found in them. Only what no place can contain that
is looked for (a space) ends a beginning, so nothing found ever reaches over its end. For one thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

LEAST_BYTES = 32 * 1024
"""A smaller body is searched faster than it is recognised."""
_BLOCK_BYTES = 16 * 1024
_BLOCKS = 128
"""Of one body: two megabytes are recognised."""
_BODIES = 6
_SAME_CONVERSATION = 0.75
"""A body that shares so much of another takes its place."""


class Placed(Protocol):
    """Something found."""

    @property
    def end(self) -> int:
        """Where it ends."""


@dataclass(frozen=True, slots=True)
class Beginning[Found: Placed]:
    """What is known of a body before it is searched."""

    length: int = 0
    """Up to here; the byte before is a space."""
    keys: Sequence[Found] = ()
    """Found as they are, in order of searching; all end before."""
    encoded: Sequence[Found] = ()
    """Found in base64."""
    has_members: bool = False
    """Names of members that are secrets may stand in it."""


@dataclass(frozen=True, slots=True)
class _Body[Found: Placed]:
    blocks: Sequence[bytes]
    keys: Sequence[Found]
    encoded: Sequence[Found]
    has_members: bool


class SeenBodies[Found: Placed]:
    """The last few large bodies.

    Args:
        block_bytes: What is compared at a time.
    """

    def __init__(self, block_bytes: int = _BLOCK_BYTES) -> None:
        self._block_bytes = block_bytes
        self._bodies: list[_Body[Found]] = []
        """The newest first."""

    def beginning_of(self, data: bytes) -> Beginning[Found]:
        """Return what is known of a body's beginning."""
        body, count = self._most_alike(data)
        length = data.rfind(b" ", 0, count * self._block_bytes) + 1
        if body is None or not length:
            return Beginning()
        keys = [each for each in body.keys if each.end <= length]
        encoded = [each for each in body.encoded if each.end <= length]
        return Beginning(length, keys, encoded, body.has_members)

    def remember(self, data: bytes, keys: Sequence[Found], encoded: Sequence[Found], *, has_members: bool) -> None:
        """Keep a body that was searched, in place of the one it continues."""
        alike, count = self._most_alike(data)
        known = alike.blocks[:count] if alike is not None else ()
        end = min(len(data) // self._block_bytes, _BLOCKS) * self._block_bytes
        new = (data[at : at + self._block_bytes] for at in range(len(known) * self._block_bytes, end, self._block_bytes))
        if alike is not None and count >= len(alike.blocks) * _SAME_CONVERSATION:
            self._bodies.remove(alike)
        self._bodies.insert(0, _Body((*known, *new), keys, encoded, has_members))
        del self._bodies[_BODIES:]

    def _most_alike(self, data: bytes) -> tuple[_Body[Found] | None, int]:
        """Return the body that begins like this one for the most blocks, and how many these are."""
        best: _Body[Found] | None = None
        most = 0
        for body in self._bodies:
            count = 0
            for block in body.blocks:
                if not data.startswith(block, count * self._block_bytes):
                    break
                count += 1
            if count > most:
                best, most = body, count
        return best, most
