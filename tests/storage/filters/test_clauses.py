"""Which exchanges of the sample pass which filter."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from storage.database import open_database
from storage.filters.clauses import compile_filter
from storage.filters.fields import FIELDS, Field, Kind
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.store import Store
from tests import sample
from tests.sample import HOUR_US, START_US

NAMES = ("main", "subagent", "failed", "refused", "running")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    database = open_database(tmp_path_factory.mktemp("filters") / "assay.db")
    known = sample.fill(database)
    store = Store(database)
    store.feedback.rate(known.main, 0.8, "found it at once")
    store.feedback.rate(known.subagent, -0.5)
    yield store, known
    database.close()


def passing(filled, line, now_us=None):
    store, known = filled
    wanted = parse(line)
    assert isinstance(wanted, Filter), wanted
    found = {one.exchange_id for one in store.exchanges.page(where=compile_filter(wanted, now_us))}
    return {name for name in NAMES if getattr(known, name) in found}


ALL = set(NAMES)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", ALL),
        ("source:context7", {"main", "refused"}),
        ("source:CONTEXT", {"main", "refused"}),
        ("source:=context", set()),
        ("source:=Context7", {"main", "refused"}),
        ("-source:context7", {"subagent", "failed", "running"}),
        ("kind:mcp", {"main", "subagent", "refused"}),
        ("kind:framework,user", {"main"}),
        ("model:opus", {"main", "refused"}),
        ("model:none", {"failed", "running"}),
        ("status:>=400", {"refused"}),
        ("status:5xx", {"refused"}),
        ("status:200..299", {"main", "subagent"}),
        ("status:none", {"failed", "running"}),
        ("-status:none", {"main", "subagent", "refused"}),
        ("error:yes", {"failed", "refused"}),
        ("error:no", {"main", "subagent", "running"}),
        ("state:open,failed", {"failed", "running"}),
        ("class:subagent", {"subagent"}),
        ("class:none", {"failed", "running"}),
        ("tokens:>=180", {"main"}),
        ("tokens:180", {"main"}),
        ("input:20..40", {"subagent", "refused"}),
        ("output:<10", {"subagent"}),
        ("cached:>=60%", {"main"}),
        ("cached:60", {"main"}),
        ("cached:<50%", {"subagent"}),
        ("cost:0.00033", {"main"}),
        ("cost:none", {"failed", "refused", "running"}),
        ("-cost:>0.0001", {"subagent", "failed", "refused", "running"}),
        ("latency:>900ms", {"main", "subagent", "refused"}),
        ("latency:>1s", set()),
        ("ttfb:200", {"main", "subagent", "refused"}),
        ("proxy:0.8", {"main", "subagent", "refused"}),
        ("size:>10", ALL),
        ("size:>1MB", set()),
        ("rating:<0", {"subagent"}),
        ("rating:0.8", {"main"}),
        ("rating:0..1", {"main"}),
        ("rating:none", {"failed", "refused", "running"}),
        ("note:ONCE", {"main"}),
        ("note:none", ALL - {"main"}),
        ("client:claude-code", {"main", "subagent", "refused"}),
        ("client:=claude-code/2.1.330", {"main", "subagent", "refused"}),
        ("client:none", {"failed", "running"}),
        ("session:session-o", {"main", "subagent"}),
        ("session:=session-one", {"main", "subagent"}),
        ("session:=session-o", set()),
        ("session:none", {"failed", "running"}),
        ("prompt:P1", {"main"}),
        ("prompt:none", ALL - {"main"}),
        ("agent:explore", {"subagent"}),
        ("agent:a1", {"subagent"}),
        ("agent:none", ALL - {"subagent"}),
        ("host:anthropic", ALL),
        ("path:/v1/messages", ALL),
        ("method:=post", ALL),
        ("mode:intercept", ALL),
        ("stream:no", ALL),
        ("estimate:no", {"main", "subagent"}),
        ("build", {"main", "refused"}),
        ("refused", {"failed"}),
        ("overloaded", {"refused"}),
        ("github", {"subagent"}),
        ("sonnet", {"subagent"}),
        ("100%", set()),
        ("model:%", set()),
        ("model:_", set()),
        ("kind:mcp model:sonnet", {"subagent"}),
        ("model:sonnet or error:yes", {"subagent", "failed", "refused"}),
        ("-(model:sonnet or error:yes)", {"main", "running"}),
        ("not not model:opus", {"main", "refused"}),
        ("cost:<9000000000000", {"main", "subagent"}),
        ("cost:>9000000000000", set()),
        ("tokens:>9000000000000000 or size:>9000000GB", set()),
        ("latency:>2000000000h", set()),
        ("model:\0", set()),
        ("\0", set()),
    ],
)
def test_what_passes(filled, line, names):
    assert passing(filled, line) == names


def test_the_beginning_of_an_id_finds_it(filled):
    _, known = filled
    assert passing(filled, f"id:{known.main[:8]}") == {"main"}
    assert passing(filled, f"id:{known.main.upper()}") == {"main"}
    assert passing(filled, f"id:={known.main[:8]}") == set()


def test_times_count_from_now_when_the_filter_is_used(filled):
    now_us = START_US + 4 * HOUR_US
    assert passing(filled, "since:1h", now_us) == {"refused", "running"}
    assert passing(filled, "until:1h", now_us) == {"main", "subagent", "failed"}
    assert passing(filled, "since:2026-01-01T01:00:00Z until:2026-01-01T02:00:00Z") == {"subagent"}


UNKNOWABLE = [field for field in FIELDS if not field.is_always_known]


@pytest.mark.parametrize("field", UNKNOWABLE, ids=lambda field: field.name)
def test_every_exchange_is_known_or_not(filled, field: Field):
    unknown = passing(filled, f"{field.name}:none")
    assert unknown | passing(filled, f"-{field.name}:none") == ALL
    if field.kind not in {Kind.TEXT, Kind.PREFIX, Kind.CHOICE}:
        assert (
            passing(filled, f"{field.name}:-1G..1G" if field.kind is Kind.COUNT else f"{field.name}:-1000..1000")
            == ALL - unknown
        )


def test_another_database_is_asked_in_plain_sql():
    wanted = parse('build source:x or kind:mcp cost:>1 -text:"a_b"')
    assert isinstance(wanted, Filter)
    sql = str(compile_filter(wanted).compile(dialect=postgresql.dialect()))
    assert "MATCH" not in sql
    assert "exchange.title ILIKE" in sql


WORDS = st.sampled_from(
    [field.example for field in FIELDS] + ["or", "-", "not", "(", ")", "x", "%", "_", "'", ";--", "\x00", "ä"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=12).map(" ".join))
def test_whatever_parses_runs_and_a_negation_is_the_rest(filled, line):
    wanted = parse(line)
    if isinstance(wanted, Filter) and not wanted.is_empty:
        assert passing(filled, line) == ALL - passing(filled, f"-({line})")
