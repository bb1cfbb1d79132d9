"""The benchmarks' arithmetic and tables: a wrong median would be believed."""

import itertools
import json

from benchmarks import report
from benchmarks.figures import percentile, ratio, spread
from benchmarks.latency import SIZES, Block, Case, _summary, bodies, cases
from benchmarks.storing import conversation, separate_requests
from benchmarks.streams import loads


def block(p50_ms: float, **changes: float) -> Block:
    fields = {
        "p99_ms": p50_ms * 3,
        "requests_per_s": 1000 / p50_ms,
        "cpu_ms": p50_ms / 2,
        "proxy_cpu_ms": p50_ms / 4,
        "all_cpu_ms": p50_ms,
        "errors": 0,
    }
    return Block(p50_ms=p50_ms, **(fields | changes))


def test_percentiles():
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(100)), 0.99) == 99
    assert percentile([7], 0.99) == 7


def test_spread_and_ratio_go_round_by_round():
    assert spread([3, 1, 2]).as_json() == {"median": 2, "low": 1, "high": 3}
    assert ratio([1, 10, 3], [2, 10, 2]).as_json() == {"median": 1.0, "low": 0.5, "high": 1.5}


def test_a_case_is_summed_up_against_both():
    blocks = {"direct": [block(0.1), block(0.2)], "mitmdump": [block(2), block(4)], "assay": [block(1), block(2, errors=3)]}
    summary = _summary(Case(protocol="h1", size="1 kB", connections=1), blocks)
    assert summary["assay_over_mitmdump"]["p50_ms"]["median"] == 0.5
    assert summary["assay_over_mitmdump"]["requests_per_s"]["median"] == 2
    assert summary["assay_added_p50_ms"] == {"median": 1.35, "low": 0.9, "high": 1.8}
    assert summary["assay"]["errors"] == 3
    shown = report.markdown({"circumstances": report.circumstances(), "latency": [summary]})
    assert "| h1 1 kB x1 | 0.15 | 3.00 | 1.50 | 1.35 | 0.50 |" in shown


def test_results_are_written_where_nothing_was_before(tmp_path):
    report.write({"circumstances": report.circumstances(), "took_s": 1}, tmp_path / "new")
    assert (tmp_path / "new" / "results.md").read_text().startswith("# Benchmarks")


def test_every_case_and_load_is_there():
    assert len(cases(is_smoke=False)) == 18
    assert len(cases(is_smoke=True)) == 4
    assert [(load.protocol, load.at_once) for load in loads(is_smoke=False)] == [("h1", 1), ("h1", 500), ("h2", 1), ("h2", 500)]


def test_bodies_have_their_size_and_differ():
    for size in SIZES.values():
        first, second = itertools.islice(bodies(size), 2)
        assert abs(len(first) - size) < size * 0.1 + 200
        assert first != second


def test_what_is_stored_has_the_promised_size():
    turns = list(conversation())
    assert len(turns) == 100
    assert 55_000 < len(turns[0]) < 65_000
    assert 24e6 < sum(map(len, turns)) < 28e6
    assert json.loads(turns[9])["messages"][0] == json.loads(turns[8])["messages"][0]
    assert 18_000 < sum(len(body) for body in separate_requests(40, 20_000)) / 40 < 22_000
