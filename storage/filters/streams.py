"""The quick ways to what passes a part of a filter: ids in order from indices, a few at a time, merged.

A stream gives exactly the exchanges that pass its part, without looking at any other. Where there is no quick way (a negation
of a source, a figure that thousands pass) there is no stream, and the exchanges themselves have to be looked at.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from storage import tables
from storage.filters import tree
from storage.filters.clauses import (
    begins,
    compile_by_facet,
    compile_facets,
    compile_figure,
    compile_unfaceted,
    error_columns,
    is_faceted,
    join_faceted,
    moment_of,
    text_matches,
    text_parts,
    without_nul,
)
from storage.filters.columns import EXCHANGE_FIELDS
from storage.full_text import text_arm
from storage.models import ExchangeRow
from storage.rollups import read_floor
from storage.sqlite import Arm, count_arms, make_arm, read_arm

_MOST_ARMS = 400
"""More are not merged: asking each once would take longer than looking at what is newest."""
_MOST_COLLECTED = 10_000
"""So many ids at most are collected and sorted, where an index gives them in another order."""
_WORTH_AN_ARM = 20
"""Collecting so many ids takes as long as asking one arm."""
_FIRST_READ = 16
_FIRST_READ_OF_FEW = 512
"""Of up to ten arms: asking again may cost more than reading on, full-text search finds its words anew each time."""
_GROWTH = 4
_WITH_FACETS = frozenset({"cost", "latency", "tokens"})
"""Figures with an index that has the facets too."""
_INDEXED = _WITH_FACETS | {"rating"}
"""Figures with an index."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Exchanges that pass a part of a filter."""

    arms: tuple[Arm, ...] = ()
    """Their union, each in order of ids."""
    collected: tuple[int, ...] = ()
    """Further ids, ascending."""
    is_exact: bool = True
    """False: others may be among them."""
    known: int | None = None
    """How many there are, where that is known without counting."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing passes."""
        return not self.arms and not self.collected

    def __or__(self, other: "Stream") -> "Stream":
        is_exact = self.is_exact and other.is_exact
        if self.is_empty or other.is_empty:
            whole = other if self.is_empty else self
            return Stream(whole.arms, whole.collected, is_exact, whole.known)
        collected = {*self.collected, *other.collected} if self.collected else other.collected
        return Stream((*self.arms, *other.arms), tuple(sorted(collected)), is_exact)

    def __and__(self, other: "Stream") -> "Stream":
        """Return what two streams without arms have in common."""
        return Stream(collected=tuple(sorted(set(self.collected).intersection(other.collected))))

    def count(self, connection: Connection) -> int | None:
        """Count the exchanges; `None`: they are too many arms for that."""
        if self.known is not None:
            return self.known
        if not self.arms:
            return len(self.collected)
        if len(self.arms) + len(self.collected) > _MOST_ARMS:
            return None
        return count_arms(connection, (*self.arms, *(Arm("SELECT ?", (number,), "") for number in self.collected)))

    def ids(self, connection: Connection, between: tuple[int, int], *, is_descending: bool) -> Iterator[int]:
        """Give the ids between two ids in order, each once; the database is asked for more as they are taken."""
        first = _FIRST_READ if len(self.arms) > 10 else _FIRST_READ_OF_FEW
        runs = [_read_on(connection, arm, between, first, is_descending=is_descending) for arm in self.arms]
        inside = [number for number in self.collected if between[0] < number < between[1]]
        runs.append(iter(reversed(inside) if is_descending else inside))
        last = None
        for number in heapq.merge(*runs, reverse=is_descending):
            if number != last:
                yield number
            last = number


def _read_on(connection: Connection, arm: Arm, between: tuple[int, int], limit: int, *, is_descending: bool) -> Iterator[int]:
    low, high = between
    while True:
        found = read_arm(connection, arm, (low, high), limit, is_descending=is_descending)
        yield from found
        if len(found) < limit:
            return
        low, high = (low, found[-1]) if is_descending else (found[-1], high)
        limit *= _GROWTH


def stream_of(connection: Connection, node: tree.Node) -> Stream | None:
    """Return the stream of a part of a filter; `None`: there is no quick way."""
    if is_faceted(node):
        return _faceted(connection, node)
    match node:
        case tree.Term(field="since" | "until") | tree.Negation():
            return None
        case tree.Term():
            return _union(_of_test(connection, node.field, test) for test in node.tests)
        case tree.Disjunction():
            return _union(stream_of(connection, operand) for operand in node.operands)
        case tree.Conjunction():
            streams = (stream_of(connection, operand) for operand in join_faceted(node.operands))
            found = next((stream for stream in streams if stream is not None), None)
            return None if found is None else Stream(found.arms, found.collected, is_exact=False)


def time_stream(
    connection: Connection, tests: Sequence[tuple[str, tree.TimeTest]], now_us: int, faceted: tree.Node | None = None
) -> Stream | None:
    """Return the stream of all `since:` and `until:` of a conjunction together, and of the part that facets answer."""
    clauses = [
        tables.exchange.started_us >= moment_of(test, now_us)
        if name == "since"
        else tables.exchange.started_us < moment_of(test, now_us)
        for name, test in tests
    ]
    query = select(tables.exchange.id).where(and_(*clauses)).order_by(tables.exchange.started_us)
    return _collect_among(connection, query, faceted)


def figure_stream(connection: Connection, node: tree.Node, faceted: tree.Node) -> Stream | None:
    """Return the stream of a figure together with the part that facets answer: their index knows both; `None`: it has none."""
    clause = _figure_clause(node)
    return None if clause is None else _collect_among(connection, select(tables.exchange.id).where(clause), faceted)


def count_together(connection: Connection, figure: tree.Node, faceted: tree.Node) -> int | None:
    """Count what passes a figure and the part that facets answer; `None`: no index knows both."""
    clause = _figure_clause(figure)
    if clause is None:
        return None
    counted = select(func.count()).select_from(ExchangeRow.__table__)
    passing = counted.where(clause, compile_by_facet(faceted))
    return int(connection.execute(passing).scalar_one())


def _figure_clause(node: tree.Node) -> ColumnElement[bool] | None:
    """Compile one test of a figure whose index has the facets too; `None`: it is something else."""
    if not isinstance(node, tree.Term) or node.field not in _WITH_FACETS or len(node.tests) != 1:
        return None
    test = node.tests[0]
    if isinstance(test, tree.NumberTest | tree.RangeTest):
        return compile_figure(node.field, test, EXCHANGE_FIELDS.figures[node.field])
    return None


def _collect_among(connection: Connection, query: Select[Any], faceted: tree.Node | None) -> Stream | None:
    if faceted is None:
        return _collect(connection, query)
    return _collect(connection, query.where(compile_by_facet(faceted)), is_counted=False)


def _union(streams: Iterator[Stream | None]) -> Stream | None:
    whole = Stream()
    for stream in streams:
        if stream is None:
            return None
        whole |= stream
    return whole if len(whole.arms) <= _MOST_ARMS else None


def _faceted(connection: Connection, node: tree.Node) -> Stream | None:
    query = select(tables.facet.id, tables.facet.exchanges).where(compile_facets(node))
    facets = {row[0]: row[1] for row in connection.execute(query).all()}
    loose = _collect(connection, select(tables.exchange.id).where(compile_unfaceted(node)))
    if loose is None:
        return None
    if sum(facets.values()) <= min(_MOST_COLLECTED, len(facets) * _WORTH_AN_ARM):
        found = _collect(connection, select(tables.exchange.id).where(tables.exchange.facet_id.in_(list(facets))))
        return None if found is None else found | loose
    if len(facets) > _MOST_ARMS:
        return None
    arms = tuple(Arm("SELECT id FROM exchange WHERE facet_id = ?", (facet,), "id") for facet in facets)
    return Stream(arms, known=sum(facets.values())) | loose


def _of_test(connection: Connection, name: str, test: tree.Test) -> Stream | None:
    match test:
        case tree.TextTest():
            return _of_text(connection, name, without_nul(test))
        case tree.NumberTest() | tree.RangeTest() if name in _INDEXED:
            return _of_figure(connection, name, test)
        case tree.NumberTest() | tree.RangeTest() if name == "input":
            return _at_least(connection, test)
    return None


def _of_figure(connection: Connection, name: str, test: tree.NumberTest | tree.RangeTest) -> Stream | None:
    """Collect by the index of a figure; ratings can be read in order."""
    if name == "rating":
        given = select(tables.feedback.exchange_id).where(compile_figure(name, test, tables.feedback.rating))
        return Stream((make_arm(connection, given),))
    return _collect(connection, select(tables.exchange.id).where(compile_figure(name, test, EXCHANGE_FIELDS.figures[name])))


def _at_least(connection: Connection, test: tree.NumberTest | tree.RangeTest) -> Stream | None:
    """Collect by the index of all tokens: they are at least those of the input."""
    if isinstance(test, tree.NumberTest) and test.comparison in {tree.Comparison.LESS, tree.Comparison.AT_MOST}:
        return None
    low = tree.NumberTest(tree.Comparison.AT_LEAST, test.low if isinstance(test, tree.RangeTest) else test.value)
    found = _of_figure(connection, "tokens", low)
    return None if found is None else Stream(found.arms, found.collected, is_exact=False)


def _of_text(connection: Connection, name: str, test: tree.TextTest) -> Stream | None:
    match name:
        case "text":
            return _of_search(connection, test)
        case "source":
            return source_stream(connection, text_matches(tables.source.source_name, test))
        case "session" | "prompt":
            return _of_sessions(connection, name, test)
        case "agent":
            return _of_agents(connection, test)
    if name not in _LISTED:
        return None
    column, is_meant = _LISTED[name]
    return _collect(connection, select(column).where(is_meant(test)))


def _is_meant(column: ColumnElement[Any], test: tree.TextTest) -> ColumnElement[bool]:
    return text_matches(column, test) if test.is_exact else begins(column, test.text)


_LISTED: dict[str, tuple[ColumnElement[Any], Callable[[tree.TextTest], ColumnElement[bool]]]] = {
    "note": (tables.feedback.exchange_id, lambda test: text_matches(tables.feedback.feedback_text, test)),
    "id": (tables.exchange.id, lambda test: _is_meant(tables.exchange.exchange_id, test)),
}
"""Fields whose exchanges are listed at once: the id, and what is looked for."""


def source_stream(connection: Connection, is_meant: ColumnElement[bool]) -> Stream | None:
    """Return the stream of the exchanges with one of the sources that are meant; `None`: these are too many."""
    sources = connection.execute(select(tables.source.id).where(is_meant).limit(_MOST_ARMS + 1)).scalars().all()
    if len(sources) > _MOST_ARMS:
        return None
    sql = "SELECT exchange_id FROM exchange_source WHERE source_id = ?"
    return Stream(tuple(Arm(sql, (source,), "exchange_id") for source in sources))


def _of_sessions(connection: Connection, name: str, test: tree.TextTest) -> Stream | None:
    """Follow the sessions that are meant, or those with a prompt that is meant."""
    wanted = select(tables.session.session_id).where(_is_meant(tables.session.session_id, test))
    if name == "prompt":
        wanted = (
            select(tables.member.session_id).where(tables.member.kind == name, _is_meant(tables.member.value, test)).distinct()
        )
    sessions = connection.execute(wanted.limit(_MOST_ARMS + 1)).scalars().all()
    if len(sessions) > _MOST_ARMS:
        return None
    arms = (Arm("SELECT id FROM exchange WHERE session_id = ?", (each,), "id") for each in sessions)
    return Stream(tuple(arms), is_exact=name == "session")


def _of_agents(connection: Connection, test: tree.TextTest) -> Stream | None:
    """Follow the facets with a type that is meant, and the agents of sessions with an id that is."""
    query = select(tables.facet.id, tables.facet.exchanges).where(text_matches(tables.facet.agent_type, test))
    facets = {row[0]: row[1] for row in connection.execute(query).all()}
    agents = select(tables.member.session_id, tables.member.value).where(
        tables.member.kind == "agent", text_matches(tables.member.value, test)
    )
    named = connection.execute(agents.limit(_MOST_ARMS + 1)).all()
    loose = _collect(
        connection,
        select(tables.exchange.id).where(tables.exchange.facet_id.is_(None), text_matches(tables.exchange.agent_type, test)),
    )
    if loose is None or len(facets) + len(named) > _MOST_ARMS:
        return None
    types = tuple(Arm("SELECT id FROM exchange WHERE facet_id = ?", (facet,), "id") for facet in facets)
    sql = "SELECT id FROM exchange WHERE session_id = ? AND agent_id = ?"
    ids = Stream(tuple(Arm(sql, (session, agent), "id") for session, agent in named))
    return Stream(types, known=sum(facets.values())) | ids | loose


def _of_search(connection: Connection, test: tree.TextTest) -> Stream | None:
    """Whatever `text:` looks into, each by its own way."""
    errors = or_(*(text_matches(column, test) for column in error_columns()))
    has_error = or_(*(column.is_not(None) for column in error_columns()))
    parts = (
        Stream((text_arm(connection, test.text, has_leftovers=read_floor(connection) > 0),)),
        source_stream(connection, text_matches(tables.source.source_name, test)),
        _faceted(connection, tree.Disjunction(text_parts(test.text))),
        _collect(connection, select(tables.exchange.id).where(has_error, errors), is_counted=False),
    )
    return _union(iter(parts))


def _collect(connection: Connection, query: Select[Any], *, is_counted: bool = True) -> Stream | None:
    """Read ids that an index gives in another order; `None`: there are too many to sort.

    To count them first takes a tenth of the time of reading them in vain, but as long again where few of many pass.
    """
    limited = query.limit(_MOST_COLLECTED + 1)
    if is_counted:
        found = connection.execute(select(func.count()).select_from(limited.subquery())).scalar()
        if (found or 0) > _MOST_COLLECTED:
            return None
    ids = sorted([row[0] for row in connection.execute(limited).all()])
    return Stream(collected=tuple(ids)) if len(ids) <= _MOST_COLLECTED else None
