"""A process of ours is made of our modules, wherever it is started."""

import os
import sys
from pathlib import Path

import pytest

from proxy_core.child_process import close_pipes, launch, own_environment


@pytest.fixture(autouse=True)
def in_a_directory_full_of_traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from a directory whose modules are called as ours and as Python's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queue.py").write_text("raise SystemExit(7)")
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "__init__.py").write_text("raise SystemExit(7)")


@pytest.mark.parametrize("module", ["proxy_core.attribution.tokens.worker", "storage.api.worker", "storage.recording_worker"])
def test_what_lies_in_the_users_directory_is_not_imported(module: str) -> None:
    process = launch(module)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) != 7
    close_pipes(process)


def test_what_the_user_looks_for_modules_in_comes_after_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/theirs")
    ours, theirs = own_environment()["PYTHONPATH"].split(":")
    assert (Path(ours) / "proxy_core").is_dir()
    assert theirs == "/theirs"


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="this system knows no groups")
def test_what_is_for_our_group_is_not_for_it_but_its_session_is_ours() -> None:
    says_where = "import os, sys; sys.stdin.read(); print(os.getpgid(0) == os.getpid(), os.getsid(0))"
    process = launch("unused", command=[sys.executable, "-c", says_where])
    said, _ = process.communicate(timeout=60)
    assert said.split() == [b"True", str(os.getsid(0)).encode()]
