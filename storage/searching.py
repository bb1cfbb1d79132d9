"""Finds the exchanges that pass a filter, in order, without looking at all of them.

Most filters pass often, so the newest few hundred are looked at first. Where that is not enough, the part of the filter with
the fewest candidates leads (`storage.filters.streams`) and the others are tested on those. The outcome is that of the where
clause, whichever way it was found; a test holds the two together.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, func, select

from storage.filters.clauses import (
    FilterClause,
    Scope,
    compile_facets,
    compile_node,
    compile_unfaceted,
    is_faceted,
    join_faceted,
)
from storage.filters.streams import Stream, stream_of, time_stream
from storage.filters.tree import Conjunction, Node, Term, TimeTest
from storage.models import ExchangeRow, FacetRow

_EXCHANGES = ExchangeRow.__table__
_exchange = _EXCHANGES.c
_facet = FacetRow.__table__.c
_LARGEST_ID = 2**62
_FIRST_LOOK = 500
"""Ids that are looked at before anything else."""
_LOOK = 5_000
_SAMPLE = 64
"""Candidates of each part by which the leading one is chosen."""
_TESTED_AT_ONCE = 800
_EXHAUSTIBLE = 20_000
"""Candidates that are tested one by one for a count."""

type _Ids = tuple[int, int]
"""From just after an id to just before another."""


class Search:
    """One filter over one state of the database."""

    def __init__(self, connection: Connection, clause: FilterClause) -> None:
        self._connection = connection
        self._now_us = clause.now_us
        root = clause.root
        self._operands = tuple(join_faceted(root.operands)) if isinstance(root, Conjunction) else (root,)

    def find(self, limit: int, between: tuple[int | None, int | None], *, is_descending: bool) -> list[int]:
        """Return the first ids that pass, in order.

        Args:
            limit: At most so many.
            between: Only ids after the first and before the second; `None`: no bound.
            is_descending: The newest first.
        """
        ids = self._bounded(between)
        looked, rest = _cut(ids, _FIRST_LOOK, is_descending=is_descending)
        found = self._look(looked, limit, is_descending=is_descending)
        if len(found) >= limit or rest is None:
            return found
        more = self._followed(rest, is_descending=is_descending)
        if more is None:
            more = self._walked(rest, limit, is_descending=is_descending)
        return [*found, *islice(more, limit - len(found))]

    def count(self) -> int | None:
        """Count what passes by facets or few candidates; `None`: there is no quick way."""
        if all(is_faceted(operand) for operand in self._operands):
            return self._count_by_facets(Conjunction(self._operands))
        ids = self._bounded((None, None))
        for operand, stream in self._streams():
            if not self._others(operand, stream) and stream.is_countable:
                return stream.count(self._connection)
            candidates = list(islice(stream.ids(self._connection, ids, is_descending=True), _EXHAUSTIBLE + 1))
            if len(candidates) <= _EXHAUSTIBLE:
                return sum(1 for _ in self._tested(iter(candidates), self._others(operand, stream), is_descending=True))
        return None

    def _bounded(self, between: tuple[int | None, int | None]) -> _Ids:
        low, high = between
        if low is None:
            low = (self._connection.execute(select(func.min(_exchange.id))).scalar() or 1) - 1
        if high is None:
            high = (self._connection.execute(select(func.max(_exchange.id))).scalar() or 0) + 1
        return low, high

    def _look(self, ids: _Ids, limit: int, *, is_descending: bool) -> list[int]:
        """Look at all exchanges between two ids."""
        order = _exchange.id.desc() if is_descending else _exchange.id.asc()
        query = select(_exchange.id).where(_exchange.id > ids[0], _exchange.id < ids[1]).order_by(order).limit(limit)
        scope = Scope(self._now_us, ids)
        return list(
            self._connection.execute(query.where(*(compile_node(operand, scope) for operand in self._operands))).scalars()
        )

    def _walked(self, ids: _Ids, limit: int, *, is_descending: bool) -> Iterator[int]:
        """Look at all exchanges, more of them each time."""
        rest: _Ids | None = ids
        many = _LOOK
        while rest is not None:
            looked, rest = _cut(rest, many, is_descending=is_descending)
            yield from self._look(looked, limit, is_descending=is_descending)
            many *= 2

    def _followed(self, ids: _Ids, *, is_descending: bool) -> Iterator[int] | None:
        """Follow the part of the filter whose candidates lie the farthest apart; `None`: no part has a quick way."""
        best: tuple[float, Node, Stream] | None = None
        for operand, stream in self._streams():
            sample = list(islice(stream.ids(self._connection, ids, is_descending=is_descending), _SAMPLE))
            apart = abs(sample[0] - sample[-1]) / len(sample) if len(sample) == _SAMPLE else float(_LARGEST_ID)
            if best is None or apart > best[0]:
                best = (apart, operand, stream)
        if best is None:
            return None
        _, operand, stream = best
        candidates = stream.ids(self._connection, ids, is_descending=is_descending)
        return self._tested(candidates, self._others(operand, stream), is_descending=is_descending)

    def _streams(self) -> Iterator[tuple[Node, Stream]]:
        times = [
            (operand.field, test)
            for operand in self._operands
            if isinstance(operand, Term) and len(operand.tests) == 1 and isinstance(test := operand.tests[0], TimeTest)
        ]
        if times and (stream := time_stream(self._connection, times, self._now_us)) is not None:
            yield Conjunction(), stream
        for operand in self._operands:
            found = stream_of(self._connection, operand, self._now_us)
            if found is not None:
                yield operand, found

    def _others(self, leading: Node, stream: Stream) -> list[Node]:
        """List what candidates of a stream must be tested for."""
        return [operand for operand in self._operands if operand is not leading or not stream.is_exact]

    def _tested(self, candidates: Iterator[int], nodes: Sequence[Node], *, is_descending: bool) -> Iterator[int]:
        if not nodes:
            yield from candidates
            return
        while part := list(islice(candidates, _TESTED_AT_ONCE)):
            scope = Scope(self._now_us, (min(part) - 1, max(part) + 1))
            query = select(_exchange.id).where(_exchange.id.in_(part), *(compile_node(node, scope) for node in nodes))
            yield from sorted(self._connection.execute(query).scalars(), reverse=is_descending)

    def _count_by_facets(self, node: Node) -> int:
        counted = select(func.coalesce(func.sum(_facet.exchanges), 0)).where(compile_facets(node, self._now_us))
        loose = select(func.count()).select_from(_EXCHANGES).where(compile_unfaceted(node, self._now_us))
        return int(self._connection.execute(counted).scalar_one()) + int(self._connection.execute(loose).scalar_one())


def _cut(ids: _Ids, many: int, *, is_descending: bool) -> tuple[_Ids, _Ids | None]:
    """Cut off the first so many ids, in the order asked for; the rest is `None` where there is none."""
    low, high = ids
    if high - low - 1 <= many:
        return ids, None
    if is_descending:
        middle = high - many
        return (middle - 1, high), (low, middle)
    middle = low + many
    return (low, middle + 1), (middle, high)
