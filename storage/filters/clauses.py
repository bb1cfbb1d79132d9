"""Turn a filter into a where clause over `exchange`. Figures that are not known fail every test but `none` and a negation.

Nothing typed ever becomes SQL: every value is a bound parameter, and wildcards in it are escaped. What facets answer is asked
of them, and of an exchange itself only where it has none.
"""

import operator
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, String, and_, false, func, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from storage import full_text, sqlite, tables
from storage.filters.columns import EXCHANGE_FIELDS, FACET_FIELDS, FACETED, FieldColumns, has_source
from storage.filters.fields import FIELD_BY_NAME, Kind
from storage.filters.tree import (
    ChoiceTest,
    Comparison,
    Conjunction,
    Disjunction,
    Filter,
    FlagTest,
    Negation,
    Node,
    NumberTest,
    RangeTest,
    Term,
    Test,
    TextTest,
    TimeTest,
    UnknownTest,
)

type Clause = ColumnElement[bool]

_OPERATORS: dict[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.EQUAL: operator.eq,
    Comparison.AT_LEAST: operator.ge,
    Comparison.MORE: operator.gt,
}
_LARGEST_WHOLE = 2**53
"""Up to here whole numbers are bound as such; beyond it they would not fit into a database's integers."""
_FLOAT_SLACK = 1e-9
"""Ratings and shares are kept as binary fractions: equal means this close."""
SCALES = {"cost": 1e9, "latency": 1e3, "ttfb": 1e3, "proxy": 1e3}
"""From the field's unit to the column's."""
_FRACTIONS = frozenset({"cached", "rating"})
_KEPT = 64
"""Clauses: a search asks for each several times, and whoever looks at a list searches the same again and again."""
_NUL = str.maketrans("\0", "\ufffd")
"""A text ends at NUL for some databases: looking for it would find everything."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a filter is used on."""

    now_us: int
    """What `since:1h` counts from."""
    ids: tuple[Any, Any] | None = None
    """Numbers or parameters: exchanges between these two ids are looked at one by one, in a database that has full-text search;
    `None`: all, in any database."""
    fields: FieldColumns = EXCHANGE_FIELDS


class FilterClause(ColumnElement[bool]):
    """A compiled filter that still knows what it was made from, so that readers can find a quicker way to what passes."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, root: Node, now_us: int) -> None:
        self.root = root
        self.now_us = now_us
        self.plain = compile_node(root, Scope(now_us))


@compiles(FilterClause)
def _render_filter(element: FilterClause, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.plain.self_group(), **options))


def compile_filter(wanted: Filter, now_us: int | None = None) -> FilterClause:
    """Return the where clause of a filter.

    Args:
        wanted: the filter.
        now_us: what `since:1h` counts from, microseconds since the epoch; `None`: the present.
    """
    return FilterClause(wanted.root, time.time_ns() // 1000 if now_us is None else now_us)


def compile_node(node: Node, scope: Scope) -> Clause:
    """Return the where clause of a part of a filter."""
    if scope.fields is EXCHANGE_FIELDS and is_faceted(node):
        return compile_by_facet(node)
    match node:
        case Term():
            return or_(*(_compile_test(node.field, test, scope) for test in node.tests))
        case Negation():
            return compile_node(node.operand, scope).is_not(true())
        case Conjunction():
            return and_(true(), *(compile_node(operand, scope) for operand in join_faceted(node.operands)))
        case Disjunction():
            return or_(false(), *(compile_node(operand, scope) for operand in node.operands))


def is_faceted(node: Node) -> bool:
    """Whether facets alone answer it."""
    match node:
        case Term():
            return node.field in FACETED
        case Negation():
            return is_faceted(node.operand)
        case Conjunction() | Disjunction():
            return bool(node.operands) and all(is_faceted(operand) for operand in node.operands)


def join_faceted(operands: Sequence[Node]) -> list[Node]:
    """Put what facets answer of a conjunction into one operand."""
    faceted = tuple(operand for operand in operands if is_faceted(operand))
    others = [operand for operand in operands if not is_faceted(operand)]
    if len(faceted) < 2:
        return [*faceted, *others]
    return [Conjunction(faceted), *others]


@lru_cache(maxsize=_KEPT)
def compile_facets(node: Node) -> Clause:
    """Return the where clause over `facet` of a part that facets answer: those know no times."""
    return _compile_plain(node, Scope(0, fields=FACET_FIELDS))


@lru_cache(maxsize=_KEPT)
def compile_unfaceted(node: Node) -> Clause:
    """Return the where clause over `exchange` of a part that facets answer, for exchanges that have none."""
    return and_(tables.exchange.facet_id.is_(None), _compile_plain(node, Scope(0)))


@lru_cache(maxsize=_KEPT)
def compile_by_facet(node: Node) -> Clause:
    """Return the where clause over `exchange` of a part that facets answer."""
    facets = select(tables.facet.id).where(compile_facets(node))
    return or_(_unindexed(tables.exchange.facet_id).in_(facets), compile_unfaceted(node))


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Keep the database from reading all that passes out of the column's index, where it is asked about a few rows."""
    return column.concat("") if isinstance(column.type, String) else column + 0


def _compile_plain(node: Node, scope: Scope) -> Clause:
    """Compile without asking facets, or for them."""
    match node:
        case Term():
            return or_(*(_compile_test(node.field, test, scope) for test in node.tests))
        case Negation():
            return _compile_plain(node.operand, scope).is_not(true())
        case Conjunction():
            return and_(true(), *(_compile_plain(operand, scope) for operand in node.operands))
        case Disjunction():
            return or_(false(), *(_compile_plain(operand, scope) for operand in node.operands))


def _compile_test(name: str, test: Test, scope: Scope) -> Clause:
    clause: Clause
    match test:
        case TimeTest():
            moment, started_us = moment_of(test, scope.now_us), _column(tables.exchange.started_us, scope)
            clause = started_us >= moment if name == "since" else started_us < moment
        case UnknownTest():
            clause = scope.fields.is_unknown(name)
        case NumberTest() | RangeTest():
            clause = compile_figure(name, test, _column(scope.fields.figures[name], scope))
        case FlagTest():
            flag = scope.fields.flags[name]
            clause = flag if test.is_set else flag.is_not(true())
        case ChoiceTest():
            is_kind = name == "kind"
            clause = scope.fields.has_kind(test.value) if is_kind else scope.fields.figures[name] == test.value
        case TextTest():
            clause = _compile_text(name, test, scope)
    return clause


def _column(column: ColumnElement[Any], scope: Scope) -> ColumnElement[Any]:
    return column if scope.ids is None else _unindexed(column)


def moment_of(test: TimeTest, now_us: int) -> int:
    """Return the moment that is meant, microseconds since the epoch."""
    return test.at_us if test.at_us is not None else now_us - (test.ago_us or 0)


def compile_figure(name: str, test: NumberTest | RangeTest, column: ColumnElement[Any]) -> Clause:
    """Compare a column, in its own unit, with what was written in the field's."""
    scale = SCALES.get(name, 1)
    slack = _FLOAT_SLACK if name in _FRACTIONS else 0
    if isinstance(test, RangeTest):
        return column.between(_round(test.low * scale) - slack, _round(test.high * scale) + slack)
    value = _round(test.value * scale)
    if slack and test.comparison is Comparison.EQUAL:
        return column.between(value - slack, value + slack)
    clause: Clause = _OPERATORS[test.comparison](column, value)
    return clause


def _round(value: float) -> float:
    """Take off what arithmetic on binary fractions left over: 0.05 dollars are 50,000,000 of 1e-9 dollars exactly."""
    rounded = round(value, 6)
    return int(rounded) if rounded.is_integer() and abs(rounded) < _LARGEST_WHOLE else rounded


def _compile_text(name: str, test: TextTest, scope: Scope) -> Clause:
    test = without_nul(test)
    if name == "text":
        return _search(test.text, scope)
    if name == "source":
        return has_source(text_matches(tables.source.source_name, test))
    if name == "note":
        noted = select(tables.feedback.exchange_id).where(text_matches(tables.feedback.feedback_text, test))
        return tables.exchange.id.in_(noted)
    columns = scope.fields.texts[name]
    if FIELD_BY_NAME[name].kind is Kind.PREFIX and not test.is_exact:
        return or_(*(begins(_column(column, scope), test.text) for column in columns))
    return or_(*(text_matches(column, test) for column in columns))


def without_nul(test: TextTest) -> TextTest:
    """Replace what would end the text for a database."""
    return TextTest(test.text.translate(_NUL), is_exact=test.is_exact)


def text_matches(column: ColumnElement[Any], test: TextTest) -> Clause:
    """Compare as a part, or as a whole; case does not matter."""
    if test.is_exact:
        return func.lower(column) == func.lower(test.text)
    return sqlite.holds(column, test.text)


def begins(column: ColumnElement[Any], text: str) -> Clause:
    """Compare as a range, which an index answers; ids are lower case, but some clients write others."""
    spellings = {text, text.lower()}
    return or_(*(and_(column >= spelling, column < f"{spelling}\U0010ffff") for spelling in sorted(spellings)))


def text_parts(text: str) -> tuple[Node, ...]:
    """Return the tests of facets that `text:` stands for, beside full-text search, sources' names and errors."""
    return tuple(Term(name, (TextTest(text),)) for name in ("model", "path"))


def error_columns() -> tuple[ColumnElement[Any], ...]:
    """Return the columns of errors that `text:` looks into."""
    return (tables.exchange.error, tables.exchange.error_message)


def _search(text: str, scope: Scope) -> Clause:
    """Look for words in the prompt, the answer and the title, and for the text in a source's name, the model and errors."""
    test = TextTest(text)
    return or_(
        _TextSearch(text) if scope.ids is None else tables.exchange.id.in_(full_text.match_text(text, ids=scope.ids)),
        compile_by_facet(Disjunction(text_parts(text))),
        *(text_matches(column, test) for column in error_columns()),
        has_source(text_matches(tables.source.source_name, test)),
    )


class _TextSearch(ColumnElement[bool]):
    """Full-text search where the database has it, else a search in the titles."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, text: str) -> None:
        self.text = text


@compiles(_TextSearch)
def _render_plain(element: _TextSearch, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(text_matches(tables.exchange.title, TextTest(element.text)), **options))


@compiles(_TextSearch, "sqlite")
def _render_full_text(element: _TextSearch, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(tables.exchange.id.in_(full_text.match_text(element.text)), **options))
