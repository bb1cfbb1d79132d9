"""Reports that workers write: in the form their name says, for their owner alone, over nothing."""

import json
from pathlib import Path

import pytest

from storage.ranges import ALL_TIME
from storage.store import Store
from tui.reading_insights import write_report


@pytest.mark.parametrize(("name", "beginning"), [("a.html", "<!"), ("a.HTML", "<!"), ("a.md", "# "), ("a.json", "{")])
def test_the_ending_names_the_form(store: Store, tmp_path: Path, name: str, beginning: str) -> None:
    path = tmp_path / name
    assert write_report(store, path, ALL_TIME) == (f"Wrote {path}", True)
    text = path.read_text(encoding="utf-8")
    assert text.lower().startswith(beginning)
    assert path.stat().st_mode & 0o777 == 0o600
    if name.endswith(".json"):
        assert json.loads(text)["totals"]["requests"] == store.sources.summary().total_requests


def test_nothing_is_written_over(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("mine")
    words, is_done = write_report(store, path, ALL_TIME)
    assert not is_done
    assert "Could not write a.md" in words
    assert path.read_text() == "mine"
