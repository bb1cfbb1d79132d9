"""What a search finds is what the filter's clause and a plain evaluation of every row say, whichever way it goes."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from benchmarks.day import make_day
from benchmarks.filling import START_US, write_day
from proxy_core.attribution.model import SourceType
from storage import full_text, searching
from storage.database import open_database
from storage.deleting import delete_exchanges
from storage.exchanges import ExchangeOrder
from storage.facets import kinds_of
from storage.filters import streams
from storage.filters.clauses import compile_filter
from storage.filters.fields import FIELD_BY_NAME, KIND_WORDS
from storage.filters.parsing import parse
from storage.filters.tree import (
    ChoiceTest,
    Conjunction,
    Disjunction,
    Filter,
    FlagTest,
    Negation,
    NumberTest,
    RangeTest,
    Term,
    TextTest,
    UnknownTest,
)
from storage.models import ExchangeRow, ExchangeSourceRow, FacetRow, FeedbackRow, SourceRow
from storage.outline import count_ids, read_ids
from storage.store import Store
from tests import factories, sample

COUNT = 260


@dataclass(frozen=True)
class Everything:
    """Every row, read without any filter."""

    store: Store
    rows: tuple[dict[str, object], ...]
    sources: dict[int, list[tuple[str, str]]]
    notes: dict[int, str]
    texts: dict[int, str]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    database = open_database(tmp_path_factory.mktemp("searching") / "assay.db")
    day = make_day(COUNT, START_US)
    write_day(database, day)
    known = sample.fill(database)
    store = Store(database)
    store.feedback.rate(known.main, 0.8, "found it At once")
    with database.read() as connection:
        rows = connection.execute(select(ExchangeRow.__table__).order_by(ExchangeRow.__table__.c.id)).mappings().all()
        uses = select(
            ExchangeSourceRow.__table__.c.exchange_id, SourceRow.__table__.c.source_type, SourceRow.__table__.c.source_name
        )
        sources: dict[int, list[tuple[str, str]]] = {}
        for number, kind, name in connection.execute(
            uses.join(SourceRow.__table__, SourceRow.__table__.c.id == ExchangeSourceRow.__table__.c.source_id)
        ):
            sources.setdefault(number, []).append((kind, name))
        notes = select(FeedbackRow.__table__.c.exchange_id, FeedbackRow.__table__.c.feedback_text)
        noted = {row[0]: row[1] for row in connection.execute(notes) if row[1]}
    texts = {number: " ".join(one.texts) for number, one in enumerate(day, 1)}
    yield Everything(store, tuple(dict(row) for row in rows), sources, noted, texts)
    database.close()


def passes(everything, node, row):
    """Say whether an exchange passes, in plain Python."""
    match node:
        case Conjunction():
            return all(passes(everything, operand, row) for operand in node.operands)
        case Disjunction():
            return any(passes(everything, operand, row) for operand in node.operands)
        case Negation():
            return not passes(everything, node.operand, row)
        case Term():
            return any(holds(everything, node.field, test, row) for test in node.tests)


def holds(everything, name, test, row):
    if name in {"since", "until"}:
        return (row["started_us"] >= test.at_us) is (name == "since")
    values = values_of(everything, name, row)
    match test:
        case UnknownTest():
            return all(value is None for value in values)
        case FlagTest():
            return bool(values[0]) is test.is_set
        case ChoiceTest():
            return test.value in values
        case NumberTest() | RangeTest():
            return values[0] is not None and compares(name, test, values[0])
        case TextTest():
            return any(value is not None and text_passes(name, test, value) for value in values)


def compares(name, test, value):
    scale = {"cost": 1e9, "latency": 1e3, "ttfb": 1e3, "proxy": 1e3}.get(name, 1)
    if isinstance(test, RangeTest):
        return test.low * scale - 1e-6 <= value <= test.high * scale + 1e-6
    wanted = round(test.value * scale, 6)
    return {
        "<": value < wanted,
        "<=": value <= wanted,
        "=": abs(value - wanted) < 1e-9,
        ">=": value >= wanted,
        ">": value > wanted,
    }[test.comparison]


def text_passes(name, test, value):
    if test.is_exact:
        return value.lower() == test.text.lower()
    if FIELD_BY_NAME[name].kind == "id":
        return value.startswith((test.text, test.text.lower()))
    return test.text.lower() in value.lower()


def values_of(everything, name, row):
    sources = everything.sources.get(row["id"], [])
    tokens = row["input_tokens"]
    client, version = row["client_name"], row["client_version"]
    found = {
        "kind": [kind for kind, _ in sources],
        "source": [source for _, source in sources],
        "note": [everything.notes.get(row["id"])],
        "error": [
            row["state"] in {"failed", "interrupted"}
            or (row["status_code"] or 0) >= 400
            or row["error"] is not None
            or row["error_type"] is not None
        ],
        "text": [*(source for _, source in sources), *(row[each] for each in ("model", "path", "error", "error_message"))],
        "tokens": [None if tokens is None else tokens + (row["output_tokens"] or 0)],
        "cached": [row["cache_read_tokens"] * 100 / tokens if tokens and row["cache_read_tokens"] is not None else None],
        "ttfb": [None if row["first_byte_us"] is None else max(0, row["first_byte_us"] - row["started_us"])],
        "client": [client, version, f"{client}/{version}" if client and version else None],
        "agent": [row["agent_type"], row["agent_id"]],
    }
    columns = {
        "status": "status_code",
        "class": "request_class",
        "input": "input_tokens",
        "output": "output_tokens",
        "cost": "cost_nano_usd",
        "latency": "latency_us",
        "proxy": "proxy_us",
        "size": "request_bytes",
        "session": "session_id",
        "prompt": "prompt_id",
        "id": "exchange_id",
        "stream": "is_streaming",
        "estimate": "is_estimate",
    }
    if name == "text" and row["id"] in everything.texts:
        found["text"] += everything.texts[row["id"]].split()
    return found[name] if name in found else [row[columns.get(name, name)]]


def paths():
    """The ways a search can go: by a first look, by streams, by streams with few candidates, by looking at everything."""
    return (
        {},
        {"_FIRST_LOOK": 1, "_LOOK": 20, "_SAMPLE": 2, "_TESTED_AT_ONCE": 7},
        {"_FIRST_LOOK": 3, "_LOOK": 20, "_MOST_ARMS": 2, "_MOST_COLLECTED": 3, "_EXHAUSTIBLE": 5},
        {"_FIRST_LOOK": 3, "_LOOK": 20, "_MOST_COLLECTED": 60, "_SHORT": 1},
    )


def parsed(line):
    wanted = parse(line)
    assert isinstance(wanted, Filter), (line, wanted)
    return wanted


def check(everything, line):
    wanted = parsed(line)
    expected = [row["id"] for row in everything.rows if passes(everything, wanted.root, row)]
    clause, exchanges = compile_filter(wanted), everything.store.exchanges
    with everything.store.database.read() as connection:
        plain = select(ExchangeRow.__table__.c.id).where(clause).order_by(ExchangeRow.__table__.c.id)
        assert list(connection.execute(plain).scalars()) == expected, line
    for changes in paths():
        with pytest.MonkeyPatch.context() as patch:
            for name, value in changes.items():
                patch.setattr(searching if hasattr(searching, name) else streams, name, value)
            assert [one.id for one in exchanges.page(1000, where=clause)] == expected[::-1], (line, changes)
            oldest = exchanges.page(5, where=clause, order=ExchangeOrder.OLDEST, after_id=40)
            assert [one.id for one in oldest] == [number for number in expected if number > 40][:5], (line, changes)
            older = exchanges.page(4, where=clause, before_id=200, offset=2)
            assert [one.id for one in older] == [number for number in expected[::-1] if number < 200][2:6], (line, changes)
            assert exchanges.count(clause) == len(expected), (line, changes)
            assert read_ids(everything.store.database, clause, 50) == [number for number in expected if number > 50], line
            assert count_ids(everything.store.database, clause, upto_id=100) == sum(each <= 100 for each in expected), line
    assert count_ids(everything.store.database, clause, upto_id=100) == sum(number <= 100 for number in expected)


def moment(second):
    return datetime.fromtimestamp(START_US / 1e6 + second, UTC).isoformat()


LINES = [
    "",
    "source:=Tool3",
    "source:module_7.py",
    "source:tool",
    "-source:tool",
    "kind:file model:sonnet",
    "kind:file or session:0",
    "-kind:file",
    "model:none or kind:hook",
    "error:yes status:>=400",
    "client:claude-code/2.1",
    "agent:agent-3",
    "agent:none -class:main",
    "cost:>0.3",
    "cost:>0.01 latency:>20s",
    "latency:<3s or rating:<0",
    "tokens:>60k",
    "input:>60k output:<200",
    "input:20k..21k",
    "input:<3000",
    "rating:none error:yes",
    "rating:-0.5..0.5",
    "rating:<0",
    "rating:>=0.5 kind:mcp",
    "rating:>0 cost:>0.05",
    "note:AT",
    "note:none source:github",
    "session:a",
    "session:none",
    "session:=SESSION-ONE",
    "prompt:b",
    "prompt:=p1",
    "prompt:P1 kind:mcp",
    "id:0",
    "id:019",
    "text:postgres",
    "text:sonnet -kind:file",
    "text:overloaded or text:module_7",
    "-text:tool3",
    "text:messages",
    "cached:>80 proxy:>1",
    "size:>1 stream:yes",
    "ttfb:>1500 estimate:no",
    "state:open",
    "state:open or kind:mcp",
    "kind:file kind:mcp (model:opus or latency:>40s) -source:=module",
    "host:anthropic path:messages method:post mode:intercept",
    "class:compaction cost:>0.1",
    f"since:{moment(43_200)} error:yes",
    f"since:{moment(40_000)} until:{moment(50_000)}",
]


@pytest.mark.parametrize("line", LINES)
def test_every_way_finds_the_same(everything, line):
    check(everything, line)


TERMS = st.one_of(
    st.sampled_from([line for line in LINES if line and " " not in line]),
    st.sampled_from([f"kind:{word}" for word, _ in KIND_WORDS]),
    st.builds(
        "{}:{}{}".format,
        st.sampled_from(["input", "tokens", "output"]),
        st.sampled_from(["<", ">", ">=", ""]),
        st.integers(0, 90_000),
    ),
    st.builds("cost:{}{}".format, st.sampled_from(["<", ">"]), st.sampled_from([0, 0.001, 0.05, 0.2, 0.5])),
    st.builds("rating:{}{}".format, st.sampled_from(["<", ">", ">=", ""]), st.sampled_from([-1, -0.5, 0, 0.3, 1])),
    st.builds("latency:{}{}s".format, st.sampled_from(["<", ">"]), st.integers(0, 60)),
    st.builds("status:{}".format, st.sampled_from(["429", "4xx", "5xx", "200", "none", ">=400"])),
    st.builds("id:{}".format, st.text("0123456789abcdef", min_size=1, max_size=3)),
    st.builds("session:{}".format, st.text("0123456789abcdef", min_size=1, max_size=2)),
)
LINES_OF_TERMS = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        inner.map("-({})".format),
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' or '.join(parts)})"),
    ),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES_OF_TERMS)
@example("-(text:postgres or kind:file) (id:0 or session:none)")
def test_any_filter_finds_what_plain_python_finds(everything, line):
    check(everything, line)


def test_facets_count_what_is_there(tmp_path):
    with_facets = open_database(tmp_path / "facets.db")
    write_day(with_facets, make_day(40, START_US))
    facets, exchanges = FacetRow.__table__, ExchangeRow.__table__
    counted = select(exchanges.c.facet_id, func.count()).group_by(exchanges.c.facet_id)
    with with_facets.write() as connection:
        delete_exchanges(connection, [3, 4, 5, 17])
        kept = select(facets.c.id, facets.c.exchanges).where(facets.c.exchanges > 0)
        assert dict(map(tuple, connection.execute(kept))) == dict(map(tuple, connection.execute(counted)))
    with_facets.close()


def test_a_text_that_outlived_its_exchange_leads_nowhere(tmp_path):
    database = open_database(tmp_path / "assay.db")
    write_day(database, make_day(30, START_US))
    with database.write() as connection:
        delete_exchanges(connection, [7, 8, 30])
        full_text.index_text(connection, 8, ("zebra", "", ""))
        full_text.index_text(connection, 9, ("zebra", "", ""))
    clause, exchanges = compile_filter(parsed("text:zebra")), Store(database).exchanges
    assert [one.id for one in exchanges.page(5, where=clause)] == [9]
    assert exchanges.count(clause) == 1
    assert read_ids(database, clause) == [9]
    database.close()


def test_bounds_far_away_are_soon_reached(everything):
    clause, exchanges = compile_filter(parsed("model:gpt")), everything.store.exchanges
    assert exchanges.page(5, where=clause, before_id=10**18) == ()
    assert exchanges.page(5, where=clause, after_id=10**18) == ()
    everyone = compile_filter(parsed("method:post"))
    assert len(exchanges.page(5, where=everyone, before_id=10**18)) == 5


def test_each_kind_has_a_bit_of_its_own():
    assert kinds_of(SourceType).bit_count() == len(SourceType)
    assert kinds_of(["of a newer program"]) == 0


def test_a_long_list_is_read_on_from_where_it_was(everything):
    line = f"id:{factories.exchange_id(1)[:1]} model:sonnet"
    clause, exchanges = compile_filter(parsed(line)), everything.store.exchanges
    seen: list[int] = []
    while page := exchanges.page(7, where=clause, before_id=seen[-1] if seen else None):
        seen += [one.id for one in page]
    assert seen == [row["id"] for row in reversed(everything.rows) if passes(everything, parsed(line).root, row)]
