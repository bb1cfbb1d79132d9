"""What people are to paste works where they are: by name where that is found, else by path."""

from pathlib import Path

import pytest

from tui.invocation import named_command, own_command


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


def test_a_process_of_ours_says_how_assay_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.argv", ["/opt/assay/bin/assay"])
    handed_on = named_command()
    monkeypatch.setattr("sys.argv", ["/opt/assay/tui/screen_worker.py"])
    for name, value in handed_on.items():
        monkeypatch.setenv(name, value)
    assert own_command() == "/opt/assay/bin/assay"


def test_the_name_where_it_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "assay"
    program.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["/opt/assay/bin/assay"])
    assert own_command() == "assay"
