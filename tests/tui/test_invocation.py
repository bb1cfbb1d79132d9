"""What people are to paste works where they are: by name where that is found, else by path."""

from pathlib import Path

import pytest

from tui.invocation import own_command


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/opt/assay/bin/assay", "/opt/assay/bin/assay"),
        ("/opt/my tools/assay", "'/opt/my tools/assay'"),
        ("/home/ada/src/assay/.venv/bin/assay", "~/src/assay/.venv/bin/assay"),
        ("/usr/bin/pytest", "assay"),
    ],
)
def test_a_path_where_the_name_is_not_found(monkeypatch: pytest.MonkeyPatch, path: str, expected: str) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setattr("sys.argv", [path])
    assert own_command() == expected


def test_the_name_where_it_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "assay"
    program.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["/opt/assay/bin/assay"])
    assert own_command() == "assay"
