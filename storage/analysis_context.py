"""What an analysis knows and learns, over the database (`proxy_core.attribution.context.AnalysisContext`).

Reads go to memory first, then to the database. What is learnt waits in memory until `flush` writes it in the transaction
that saves the analysis: an analysis that fails teaches nothing.
"""

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, select

from proxy_core.attribution.context import Topic
from proxy_core.attribution.prices import PriceBook
from proxy_core.attribution.tokens.counting import CountingService, TokenCount
from storage import models
from storage.database import Database
from storage.statements import Lookup
from storage.upserts import replace_rows

_COUNTS = models.TokenCountRow.__table__
_LEARNT = models.LearnedOverheadRow.__table__
_REMEMBERED_COUNTS = 50_000
_REMEMBERED_FACTS = 5_000
_FIND_COUNTS = Lookup(
    select(_COUNTS.c.hash, _COUNTS.c.tokens, _COUNTS.c.is_exact).where(_COUNTS.c.family == bindparam("family")), _COUNTS.c.hash
)
_FIND_FACTS = Lookup(select(_LEARNT.c.key, _LEARNT.c.learned), _LEARNT.c.key)


class DatabaseContext:
    """An `AnalysisContext` over a database. For one thread."""

    def __init__(self, database: Database, *, prices: PriceBook, counting: CountingService) -> None:
        self.prices = prices
        self.counting = counting
        self._database = database
        self._counts: OrderedDict[tuple[str, str], TokenCount] = OrderedDict()
        self._facts: OrderedDict[str, str] = OrderedDict()
        self._new_counts: dict[tuple[str, str], TokenCount] = {}
        self._new_facts: dict[str, str] = {}

    def cached_counts(self, family: str, content_hashes: Collection[str]) -> Mapping[str, TokenCount]:
        """Return the counts known for these contents; unknown ones are left out."""
        found = {key: count for key in content_hashes if (count := self._known_count(family, key)) is not None}
        unknown = [key for key in content_hashes if key not in found]
        if unknown:
            read = self._read_counts(family, unknown)
            found.update(read)
            _remember(self._counts, {(family, key): count for key, count in read.items()}, _REMEMBERED_COUNTS)
        return found

    def keep_counts(self, family: str, counts: Mapping[str, TokenCount]) -> None:
        """Keep counts by content hash."""
        self._new_counts.update({(family, key): count for key, count in counts.items()})

    def recall(self, topic: Topic, keys: Collection[str]) -> Mapping[str, str]:
        """Return what was remembered under these keys; unknown ones are left out."""
        wanted = {f"{topic}:{key}": key for key in keys}
        known = {name: fact for name in wanted if (fact := self._known_fact(name)) is not None}
        unknown = [name for name in wanted if name not in known]
        if unknown:
            read = self._read_facts(unknown)
            known.update(read)
            _remember(self._facts, read, _REMEMBERED_FACTS)
        return {wanted[name]: fact for name, fact in known.items()}

    def remember(self, topic: Topic, values: Mapping[str, str]) -> None:
        """Remember small JSON texts by key, replacing what was there."""
        self._new_facts.update({f"{topic}:{key}": value for key, value in values.items()})

    def flush(self, connection: Connection) -> None:
        """Write what was learnt since the last time, inside the caller's transaction; call `settle` when it is committed."""
        counts = [
            {"family": family, "hash": _hash_of(key), "tokens": count.tokens, "is_exact": not count.is_sampled}
            for (family, key), count in self._new_counts.items()
        ]
        replace_rows(connection, _COUNTS, counts)
        now_us = time.time_ns() // 1000
        facts = [{"key": key, "learned": fact, "learned_us": now_us} for key, fact in self._new_facts.items()]
        replace_rows(connection, _LEARNT, facts)

    def settle(self) -> None:
        """What was flushed is committed."""
        _remember(self._counts, self._new_counts, _REMEMBERED_COUNTS)
        _remember(self._facts, self._new_facts, _REMEMBERED_FACTS)
        self.discard()

    def discard(self) -> None:
        """Unlearn what was not flushed: the analysis failed."""
        self._new_counts = {}
        self._new_facts = {}

    def _known_count(self, family: str, key: str) -> TokenCount | None:
        return self._new_counts.get((family, key)) or self._counts.get((family, key))

    def _known_fact(self, name: str) -> str | None:
        return self._new_facts.get(name) or self._facts.get(name)

    def _read_counts(self, family: str, keys: list[str]) -> dict[str, TokenCount]:
        hashes = {_hash_of(key): key for key in keys}
        with self._database.read() as connection:
            rows = _FIND_COUNTS.fetch(connection, hashes, {"family": family})
            return {hashes[row.hash]: TokenCount(row.tokens, is_sampled=not row.is_exact) for row in rows}

    def _read_facts(self, names: list[str]) -> dict[str, str]:
        with self._database.read() as connection:
            return {row.key: row.learned for row in _FIND_FACTS.fetch(connection, names)}


def _remember[K, V](memory: OrderedDict[K, V], fresh: Mapping[K, V], limit: int) -> None:
    for key, value in fresh.items():
        memory[key] = value
        memory.move_to_end(key)
    while len(memory) > limit:
        memory.popitem(last=False)


def _hash_of(key: str) -> bytes:
    try:
        return bytes.fromhex(key)
    except ValueError:
        return key.encode()
