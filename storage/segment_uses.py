"""When each distinct content came first, and how many exchanges carried it.

A request of a long conversation has hundreds of segments that the one before had too. Their rows were inserted one after the
other, so counting them again means a few ranges of neighbouring rows, not hundreds of scattered ones; which ids those are is
remembered between turns.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, select

from storage import models
from storage.statements import Adding, Lookup, Prepared

_USES = models.SegmentUseRow.__table__
_REMEMBERED = 50_000
_FIND = Lookup(select(_USES.c.content_hash, _USES.c.id), _USES.c.content_hash)
_ADD = Adding(_USES, "content_hash", ("content_hash", "first_id", "uses"))
_NAMES = Lookup(select(_USES.c.id, _USES.c.content_hash), _USES.c.id)
_COUNT = Prepared(
    _USES.update()
    .where(_USES.c.id.between(bindparam("low"), bindparam("high")))
    .values(uses=_USES.c.uses + bindparam("amount")),
    ("low", "high", "amount"),
)


class SegmentUses:
    """Keeps the counts. For one thread; `forget` after a transaction that was rolled back."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._ids: OrderedDict[bytes, int] = OrderedDict()
        self._remembered = remembered

    def forget(self) -> None:
        """Forget ids that may not exist."""
        self._ids.clear()

    def replace(self, connection: Connection, row_id: int, before: Iterable[int], after: Sequence[bytes]) -> list[int]:
        """Count an exchange for the contents it carries now, and no longer for those it carried as we knew it before.

        Args:
            connection: Inside a transaction.
            row_id: The exchange.
            before: Numbers of the contents it was counted for.
            after: Hashes of the contents that it carries.

        Returns:
            The numbers of the contents, in the order of their hashes.
        """
        distinct = list(dict.fromkeys(after))
        self._load(connection, distinct)
        unseen = [key for key in distinct if key not in self._ids]
        self._ids.update(_ADD.run(connection, [{"content_hash": key, "first_id": row_id, "uses": 0} for key in unseen]))
        numbers = [self._ids[key] for key in after]
        old, new = set(before), set(numbers)
        _add(connection, new - old, 1)
        _add(connection, old - new, -1)
        self._trim(distinct)
        return numbers

    def _load(self, connection: Connection, keys: Sequence[bytes]) -> None:
        unknown = [key for key in keys if key not in self._ids]
        self._ids.update((row[0], row[1]) for row in _FIND.fetch(connection, unknown))

    def _trim(self, used: Iterable[bytes]) -> None:
        for key in used:
            self._ids.move_to_end(key)
        while len(self._ids) > self._remembered:
            self._ids.popitem(last=False)


def read_hashes(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Read content hashes (32 hex digits) by their numbers."""
    return {row[0]: row[1].hex() for row in _NAMES.fetch(connection, set(numbers))}


def _add(connection: Connection, ids: set[int], amount: int) -> None:
    _COUNT.run(connection, [{"low": low, "high": high, "amount": amount} for low, high in contiguous(ids)])


def contiguous(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Join ids into ranges, both ends included."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(ids)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges
