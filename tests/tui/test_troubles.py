"""What stops working is said once, and once that it works again; a stammer is not said at all."""

import sys
import threading
from typing import Any

import pytest

from tui import troubles
from tui.troubles import LASTING_S, TroubleTeller, say, troubles_told_beside


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.found: dict[str, str] = {}
        self.teller = TroubleTeller(lambda: self.found, self.clock)

    def pass_time(self) -> None:
        self.teller.look()
        self.clock.now += LASTING_S
        self.teller.look()


def test_each_trouble_and_its_end_are_told_once(capsys: Any) -> None:
    rig = Rig()
    rig.found = {"storing": "disk full", "JSON API": "it ended"}
    rig.pass_time()
    rig.found = {"storing": "still full", "JSON API": "it ended"}
    rig.pass_time()
    rig.pass_time()
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "assay: JSON API fails, traffic goes on: it ended",
        "assay: storing fails, traffic goes on: disk full",
    ]
    del rig.found["storing"]
    rig.pass_time()
    rig.pass_time()
    assert capsys.readouterr().err == "assay: storing works again\n"
    rig.found["storing"] = "locked"
    rig.pass_time()
    assert capsys.readouterr().err == "assay: storing fails, traffic goes on: locked\n"


def test_what_passes_at_once_is_not_told(capsys: Any) -> None:
    rig = Rig()
    for number in range(6):
        rig.found = {"storing": "locked"} if number % 2 else {}
        rig.teller.look()
        rig.clock.now += LASTING_S
    assert capsys.readouterr().err == ""


def test_nobody_who_reads_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_args: object, **_options: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("click.echo", write)
    say("anything")


@pytest.mark.parametrize("has_terminal", [True, False])
def test_beside_a_program_nothing_is_written_into_its_terminal(
    has_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(troubles, "_LOOK_S", 0.001)
    monkeypatch.setattr(troubles, "LASTING_S", 0.0)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: has_terminal, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: has_terminal, raising=False)
    asked = threading.Event()

    def ask() -> dict[str, str]:
        asked.set()
        return {"storing": "disk full"}

    with troubles_told_beside(ask):
        assert asked.wait(0.05 if has_terminal else 60.0) is not has_terminal
    assert ("disk full" in capsys.readouterr().err) is not has_terminal
    assert not [thread for thread in threading.enumerate() if thread.name == "assay-troubles"]
