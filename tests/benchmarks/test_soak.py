from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.soak import Reading, grown, plot

FLAT = Reading(
    second=0.0,
    memory_mb=70.0,
    recording_mb=70.0,
    analysis_mb=80.0,
    api_mb=110.0,
    dashboard_mb=100.0,
    file_handles=68,
    threads=25,
    queued=3,
    unanalysed=200,
    p50_ms=3.0,
    p99_ms=12.0,
    api_p99_ms=20.0,
    errors=0,
)


def test_what_comes_and_goes_has_not_grown() -> None:
    readings = [replace(FLAT, queued=number % 9, unanalysed=number * 97 % 500, p99_ms=7 + number % 5) for number in range(40)]
    assert grown(readings) == []


@pytest.mark.parametrize(
    ("name", "step"), [("memory_mb", 2.0), ("file_handles", 1), ("unanalysed", 100), ("queued", 5), ("p50_ms", 0.2)]
)
def test_what_grows_is_named(name: str, step: float) -> None:
    readings = [replace(FLAT, **{name: getattr(FLAT, name) + step * number}) for number in range(40)]
    (found,) = grown(readings)
    assert found.startswith(f"{name} grew from ")


def test_an_api_that_did_not_answer_ends_nothing() -> None:
    silent = replace(FLAT, queued=None, unanalysed=None)
    assert grown([silent] * 8) == []
    assert grown([silent] * 8 + [replace(FLAT, unanalysed=5_000)] * 8) == [], "what is unknown is not nothing"


def test_a_soak_is_drawn(tmp_path: Path) -> None:
    plot([replace(FLAT, unanalysed=None), replace(FLAT, second=90.0, memory_mb=77.0)], tmp_path / "soak.svg")
    drawn = (tmp_path / "soak.svg").read_text()
    assert drawn.startswith("<svg")
    assert "memory_mb: 77 at the end, at most 77" in drawn
