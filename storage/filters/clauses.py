"""Turn a filter into a where clause over `exchange`. Figures that are not known fail every test but `none` and a negation.

Nothing typed ever becomes SQL: every value is a bound parameter, and wildcards in it are escaped.
"""

import operator
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, false, func, not_, null, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from storage import sqlite
from storage.expressions import first_byte_after_us, is_failed
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
from storage.models import ExchangeRow, ExchangeSourceRow, FeedbackRow, SourceRow

type Clause = ColumnElement[bool]

_exchange = ExchangeRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c
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


def compile_filter(wanted: Filter, now_us: int | None = None) -> Clause:
    """Return the where clause of a filter.

    Args:
        wanted: the filter.
        now_us: what `since:1h` counts from, microseconds since the epoch; `None`: the present.
    """
    return _compile(wanted.root, time.time_ns() // 1000 if now_us is None else now_us)


def _compile(node: Node, now_us: int) -> Clause:
    match node:
        case Term():
            return or_(*(_compile_test(node.field, test, now_us) for test in node.tests))
        case Negation():
            return _compile(node.operand, now_us).is_not(true())
        case Conjunction():
            return and_(true(), *(_compile(operand, now_us) for operand in node.operands))
        case Disjunction():
            return or_(false(), *(_compile(operand, now_us) for operand in node.operands))


def _compile_test(field: str, test: Test, now_us: int) -> Clause:
    clause: Clause
    match test:
        case TimeTest():
            moment = test.at_us if test.at_us is not None else now_us - (test.ago_us or 0)
            clause = _exchange.started_us >= moment if field == "since" else _exchange.started_us < moment
        case UnknownTest():
            clause = _UNKNOWN[field] if field in _UNKNOWN else _EXPRESSIONS[field].is_(null())
        case NumberTest() | RangeTest():
            clause = _compile_figure(field, test)
        case FlagTest():
            clause = _FLAGS[field] if test.is_set else _FLAGS[field].is_not(true())
        case ChoiceTest():
            clause = _any_source(_source.source_type == test.value) if field == "kind" else _EXPRESSIONS[field] == test.value
        case TextTest():
            clause = _compile_text(field, test)
    return clause


def _compile_figure(field: str, test: NumberTest | RangeTest) -> Clause:
    column = _EXPRESSIONS[field]
    scale = _SCALES.get(field, 1)
    slack = _FLOAT_SLACK if field in _FRACTIONS else 0
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


def _compile_text(field: str, test: TextTest) -> Clause:
    # A text ends at NUL for some databases: looking for it would find everything.
    test = TextTest(test.text.replace("\0", "\ufffd"), is_exact=test.is_exact)
    if field == "text":
        return _search(test.text)
    if field == "source":
        return _any_source(_text_matches(_source.source_name, test))
    if field == "note":
        note = FeedbackRow.__table__.c
        return _exchange.id.in_(select(note.exchange_id).where(_text_matches(note.feedback_text, test)))
    columns = _TEXTS[field]
    if FIELD_BY_NAME[field].kind is Kind.PREFIX and not test.is_exact:
        return or_(*(_begins(column, test.text) for column in columns))
    return or_(*(_text_matches(column, test) for column in columns))


def _text_matches(column: ColumnElement[Any], test: TextTest) -> Clause:
    if test.is_exact:
        return func.lower(column) == func.lower(test.text)
    return column.icontains(test.text, autoescape=True)


def _begins(column: ColumnElement[Any], text: str) -> Clause:
    """Compare as a range, which an index answers; ids are lower case, but some clients write others."""
    spellings = {text, text.lower()}
    return or_(*(and_(column >= spelling, column < f"{spelling}\U0010ffff") for spelling in sorted(spellings)))


def _any_source(wanted: Clause) -> Clause:
    sources = select(_source.id).where(wanted)
    return _exchange.id.in_(select(_use.exchange_id).where(_use.source_id.in_(sources)))


def _search(text: str) -> Clause:
    """Look for words in the prompt, the answer and the title, and for the text in a source's name, the model and errors."""
    test = TextTest(text)
    columns = (_exchange.model, _exchange.error, _exchange.error_message, _exchange.path)
    return or_(
        _TextSearch(text),
        _any_source(_text_matches(_source.source_name, test)),
        *(_text_matches(column, test) for column in columns),
    )


class _TextSearch(ColumnElement[bool]):
    """Full-text search where the database has it, else a search in the titles."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, text: str) -> None:
        self.text = text


@compiles(_TextSearch)
def _render_plain(element: _TextSearch, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(_text_matches(_exchange.title, TextTest(element.text)), **options))


@compiles(_TextSearch, "sqlite")
def _render_full_text(element: _TextSearch, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(_exchange.id.in_(sqlite.match_text(element.text)), **options))


_EXPRESSIONS: dict[str, ColumnElement[Any]] = {
    "status": _exchange.status_code,
    "tokens": _exchange.input_tokens + func.coalesce(_exchange.output_tokens, 0),
    "input": _exchange.input_tokens,
    "output": _exchange.output_tokens,
    "cached": _exchange.cache_read_tokens * 100.0 / func.nullif(_exchange.input_tokens, 0),
    "cost": _exchange.cost_nano_usd,
    "latency": _exchange.latency_us,
    "ttfb": first_byte_after_us(),
    "proxy": _exchange.proxy_us,
    "size": _exchange.request_bytes,
    "rating": _exchange.rating,
    "state": _exchange.state,
    "class": _exchange.request_class,
    "mode": _exchange.mode,
}
_SCALES = {"cost": 1e9, "latency": 1e3, "ttfb": 1e3, "proxy": 1e3}
"""From the field's unit to the column's."""
_FRACTIONS = frozenset({"cached", "rating"})
_TEXTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "model": (_exchange.model,),
    "client": (_exchange.client_name, _exchange.client_version, _exchange.client_name + "/" + _exchange.client_version),
    "session": (_exchange.session_id,),
    "prompt": (_exchange.prompt_id,),
    "agent": (_exchange.agent_type, _exchange.agent_id),
    "id": (_exchange.exchange_id,),
    "host": (_exchange.host,),
    "path": (_exchange.path,),
    "method": (_exchange.method,),
}
_UNKNOWN: dict[str, Clause] = {
    "model": _exchange.model.is_(null()),
    "client": _exchange.client_name.is_(null()),
    "session": _exchange.session_id.is_(null()),
    "prompt": _exchange.prompt_id.is_(null()),
    "agent": and_(_exchange.agent_id.is_(null()), _exchange.agent_type.is_(null())),
    "note": not_(_exchange.has_note),
}
_FLAGS: dict[str, Clause] = {
    "error": is_failed(),
    "stream": _exchange.is_streaming.is_(true()),
    "estimate": _exchange.is_estimate.is_(true()),
}
