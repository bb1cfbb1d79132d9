"""What reading beside a capture is summed up to, round by round."""

from benchmarks.api_load import _figures, _line, _summary
from benchmarks.report import markdown

CIRCUMSTANCES = {
    "taken_at": "2026-11-22T00:00:00+00:00",
    "commit": "abc",
    "processor": "one",
    "cores": 2,
    "load_before": 0.1,
    "system": "Linux",
    "python": "3.13",
    "versions": {},
}


def test_a_block_without_readers_has_no_reads():
    assert _figures([1.0, 3.0, 2.0], [], 0.0, 1.5) == {"p50_ms": 2.0, "p99_ms": 3.0, "captures_per_s": 2.0}


def test_cpu_is_that_of_one_read():
    figures = _figures([1.0], [2.0, 4.0, 3.0, 1.0], 0.008, 2.0)
    assert (figures["read_cpu_ms"], figures["reads_per_s"], figures["read_p50_ms"]) == (2.0, 2.0, 3.0)


def test_rounds_are_compared_with_their_own_neighbour():
    def block(p50_ms, **more):
        return {"p50_ms": p50_ms, "p99_ms": p50_ms * 4, "captures_per_s": 100.0, **more}

    reads = {"read_p50_ms": 1.5, "read_p99_ms": 3.0, "reads_per_s": 200.0, "read_cpu_ms": 1.0}
    result = _summary({True: [block(2.0, **reads), block(6.0, **reads)], False: [block(2.0), block(5.0)]})
    assert result["p50_ms"]["ratio"] == {"median": 1.1, "low": 1.0, "high": 1.2}
    assert "p50 x1.10  p99 x1.10" in _line(result)
    written = markdown({"circumstances": CIRCUMSTANCES, "api": result})
    assert "| 100 | 200 | 1.50 | 3.00 | 1.00 | 3.50 | 4.00 | 1.10 (1.00 - 1.20) |" in written
