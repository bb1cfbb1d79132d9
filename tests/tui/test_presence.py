"""A running Assay can be found; one that is gone cannot."""

import os
import stat
from pathlib import Path
from typing import Any

from tui.presence import Presence, announced, find_running


def presence(**changes: Any) -> Presence:
    fields: dict[str, Any] = {
        "pid": os.getpid(),
        "proxy_url": "http://127.0.0.1:1",
        "is_reverse": False,
        "is_private": False,
        "api_url": None,
        "started_us": 1,
    }
    return Presence(**(fields | changes))


def test_found_while_it_runs_only(tmp_path: Path) -> None:
    with announced(tmp_path, presence()):
        assert [found.proxy_url for found in find_running(tmp_path)] == ["http://127.0.0.1:1"]
        assert stat.S_IMODE((tmp_path / "running" / f"{os.getpid()}.json").stat().st_mode) == 0o600
    assert find_running(tmp_path) == []


def test_private_ones_are_not_for_others(tmp_path: Path) -> None:
    with announced(tmp_path, presence(is_private=True)):
        assert find_running(tmp_path) == []


def test_leftovers_are_cleared(tmp_path: Path) -> None:
    (tmp_path / "running").mkdir()
    (tmp_path / "running" / "1.json").write_text("{")
    (tmp_path / "running" / "2.json").write_text('{"pid": 1}')
    assert find_running(tmp_path) == []
    assert list((tmp_path / "running").iterdir()) == []


def test_a_directory_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with announced(blocked, presence()):
        assert find_running(tmp_path) == []
