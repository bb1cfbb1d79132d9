"""Finds the exchanges that pass a filter, in order, without looking at all of them.

Most filters pass often, so the newest few hundred are looked at first. Where that is not enough, the part of the filter with
the fewest candidates leads (`storage.filters.streams`) and the others are tested on those. The outcome is that of the where
clause, whichever way it was found; a test holds the two together.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice

from sqlalchemy import BigInteger, Connection, Select, bindparam, func, or_, select

from storage import sqlite
from storage.filters.clauses import (
    FilterClause,
    Scope,
    compile_facets,
    compile_node,
    compile_unfaceted,
    is_faceted,
    join_faceted,
)
from storage.filters.streams import Stream, count_together, figure_stream, stream_of, time_stream
from storage.filters.tree import Conjunction, Node, Term, TimeTest
from storage.models import ExchangeRow, FacetRow

_EXCHANGES = ExchangeRow.__table__
_exchange = _EXCHANGES.c
_facet = FacetRow.__table__.c
_LOW, _HIGH = bindparam("low", type_=BigInteger), bindparam("high", type_=BigInteger)
_LARGEST_ID = 2**62
_FIRST_LOOK = 1_000
"""Ids that are looked at before anything else."""
_LOOK = 5_000
"""So many at most, as long as there is no reason to look at all."""
_LEADING = frozenset({"text", "source", "session"})
"""Fields whose streams take less time than a look at rows would."""
_SAMPLE = 64
"""Candidates of each part by which the leading one is chosen."""
_SHORT = 1_000
"""Candidates that are tested rather than looking for a part that has fewer."""
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
        self._scope = Scope(clause.now_us, (_LOW, _HIGH))
        root = clause.root
        self._operands = tuple(join_faceted(root.operands)) if isinstance(root, Conjunction) else (root,)
        self._is_faceted = all(is_faceted(operand) for operand in self._operands)
        fields = {operand.field for operand in self._operands if isinstance(operand, Term)}
        self._searches_text = "text" in fields
        self._leads = not fields.isdisjoint(_LEADING)

    def find(self, limit: int, between: tuple[int | None, int | None], *, is_descending: bool) -> list[int]:
        """Return the first ids that pass, in order.

        Args:
            limit: At most so many.
            between: Only ids after the first and before the second; `None`: no bound.
            is_descending: The newest first.
        """
        rest: _Ids | None = self._bounded(between)
        found: list[int] = []
        looked_at, many = 0, 0 if self._leads else _FIRST_LOOK
        while rest is not None and looked_at + many <= _LOOK and many:
            part, rest = _cut(rest, many, is_descending=is_descending)
            found += self._look(part, limit - len(found), is_descending=is_descending)
            looked_at += many
            # As many again as it takes if they go on to pass as often, and some more.
            many = (limit - len(found)) * looked_at * 5 // (len(found) * 4) + 1 if 0 < len(found) < limit else 0
        if len(found) >= limit or rest is None:
            return found
        more = self._followed(rest, is_descending=is_descending)
        if more is None:
            more = self._walked(rest, limit - len(found), is_descending=is_descending)
        return [*found, *islice(more, limit - len(found))]

    def find_all(self, after_id: int) -> list[int]:
        """Return all ids after one that pass, ascending."""
        ids = self._bounded((after_id, None))
        if ids[1] - ids[0] <= _LOOK:
            return self._look(ids, _LARGEST_ID, is_descending=False)
        if self._is_faceted:
            facets = select(_facet.id).where(compile_facets(Conjunction(self._operands)))
            loose = compile_unfaceted(Conjunction(self._operands))
            query = select(_exchange.id).where(_exchange.id > after_id, or_(_exchange.facet_id.in_(facets), loose))
            return [row[0] for row in self._connection.execute(query.order_by(_exchange.id))]
        for stream, others in self._streams():
            candidates = stream.ids(self._connection, ids, is_descending=False)
            first = list(islice(candidates, _EXHAUSTIBLE + 1))
            if len(first) <= _EXHAUSTIBLE or not others:
                return list(self._tested(chain(first, candidates), others, is_descending=False))
        return self._look(ids, _LARGEST_ID, is_descending=False)

    def count_up_to(self, last_id: int) -> int:
        """Count what passes of the exchanges up to an id, most of which are few behind the newest."""
        _, high = self._bounded((None, None))
        if high - last_id <= _LOOK:
            return self.count() - len(self._look((last_id, high), _LARGEST_ID, is_descending=True))
        return self._count_all((0, last_id + 1))

    def count(self) -> int:
        """Count what passes: by facets, by an index, by testing few candidates, or else by looking at everything."""
        if self._is_faceted:
            return self._count_by_facets(Conjunction(self._operands))
        if len(self._operands) == 2 and is_faceted(self._operands[0]):
            together = count_together(self._connection, self._operands[1], self._operands[0])
            if together is not None:
                return together
        ids = self._bounded((None, None))
        for stream, others in self._streams():
            if not others and (counted := stream.count(self._connection)) is not None:
                return counted
            candidates = list(islice(stream.ids(self._connection, ids, is_descending=True), _EXHAUSTIBLE + 1))
            if len(candidates) <= _EXHAUSTIBLE:
                return sum(1 for _ in self._tested(iter(candidates), others, is_descending=True))
        return self._count_all(ids)

    def _count_all(self, ids: _Ids) -> int:
        """Ask the database; one part alone is best left to its index, several would make it read the wrong one."""
        is_one = len(self._operands) == 1 and not self._searches_text
        scope = Scope(self._now_us) if is_one else self._scope
        passing = [compile_node(operand, scope) for operand in self._operands]
        if not is_one or ids != self._bounded((None, None)):
            passing += [_exchange.id > _LOW, _exchange.id < _HIGH]
        query = select(func.count()).select_from(_EXCHANGES).where(*passing)
        return int(self._connection.execute(query, {"low": ids[0], "high": ids[1]}).scalar_one())

    def _bounded(self, between: tuple[int | None, int | None]) -> _Ids:
        lowest = (self._connection.execute(select(func.min(_exchange.id))).scalar() or 1) - 1
        highest = (self._connection.execute(select(func.max(_exchange.id))).scalar() or 0) + 1
        low, high = between
        return lowest if low is None else max(low, lowest), highest if high is None else min(high, highest)

    @cached_property
    def _looking(self) -> dict[bool, Select[int]]:
        passing = [compile_node(operand, self._scope) for operand in self._operands]
        query = select(_exchange.id).where(_exchange.id > _LOW, _exchange.id < _HIGH, *passing).limit(bindparam("most"))
        return {True: query.order_by(_exchange.id.desc()), False: query.order_by(_exchange.id.asc())}

    def _look(self, ids: _Ids, limit: int, *, is_descending: bool) -> list[int]:
        """Look at all exchanges between two ids."""
        parameters = {"low": ids[0], "high": ids[1], "most": limit}
        return [row[0] for row in self._connection.execute(self._looking[is_descending], parameters)]

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
        best: tuple[float, Iterator[int], list[Node]] | None = None
        for stream, others in self._streams():
            candidates = stream.ids(self._connection, ids, is_descending=is_descending)
            if not others or not stream.arms:
                return self._tested(candidates, others, is_descending=is_descending)
            sample = list(islice(candidates, _SAMPLE))
            apart = abs(sample[0] - sample[-1]) / len(sample) if len(sample) == _SAMPLE else float(_LARGEST_ID)
            if best is None or apart > best[0]:
                best = apart, chain(sample, candidates), others
        return None if best is None else self._tested(best[1], best[2], is_descending=is_descending)

    def _streams(self) -> Iterator[tuple[Stream, list[Node]]]:
        """Give the streams, and what else their candidates must be tested for; one made of all short ones comes first."""
        short: Stream | None = None
        tested = list(self._operands)
        longer: list[tuple[Stream, Node]] = []
        for stream, operands in self._parts():
            if stream.arms:
                longer += [(stream, operand) for operand in operands[:1]]
                continue
            short = stream if short is None else short & stream
            if stream.is_exact:
                tested = [operand for operand in tested if operand not in operands]
            if len(short.collected) <= _SHORT:
                break
        if short is not None:
            yield short, tested
        for stream, operand in longer:
            yield stream, [other for other in self._operands if other is not operand or not stream.is_exact]

    def _parts(self) -> Iterator[tuple[Stream, list[Node]]]:
        """Give the stream of each part that has one, and the operands that are the part."""
        times: dict[Node, tuple[str, TimeTest]] = {
            operand: (operand.field, test)
            for operand in self._operands
            if isinstance(operand, Term) and len(operand.tests) == 1 and isinstance(test := operand.tests[0], TimeTest)
        }
        faceted = next((operand for operand in self._operands if is_faceted(operand)), None)
        also = [] if faceted is None else [faceted]
        if times and (stream := time_stream(self._connection, list(times.values()), self._now_us, faceted)) is not None:
            yield stream, [*times, *also]
        for operand in self._operands:
            if faceted is not None and (both := figure_stream(self._connection, operand, faceted)) is not None:
                yield both, [operand, faceted]
            elif (found := stream_of(self._connection, operand)) is not None:
                yield found, [operand]

    def _tested(self, candidates: Iterator[int], nodes: Sequence[Node], *, is_descending: bool) -> Iterator[int]:
        if not nodes:
            yield from candidates
            return
        passing = [compile_node(node, self._scope) for node in nodes]
        query = select(_exchange.id).where(sqlite.is_among(_exchange.id, "ids"), *passing)
        while part := list(islice(candidates, _TESTED_AT_ONCE)):
            parameters = {"ids": sqlite.pack_ids(part), "low": min(part) - 1, "high": max(part) + 1}
            yield from sorted(self._connection.execute(query, parameters).scalars(), reverse=is_descending)

    def _count_by_facets(self, node: Node) -> int:
        counted = select(func.coalesce(func.sum(_facet.exchanges), 0)).where(compile_facets(node))
        loose = select(func.count()).select_from(_EXCHANGES).where(compile_unfaceted(node))
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
