"""Whoever waits at a terminal for an older database to be updated is told so; programs are not."""

import sys
from pathlib import Path

import pytest

from tests.storage.older import make_older
from tui.cli.opening import opened_database
from tui.config import load_settings


@pytest.mark.parametrize("is_terminal", [True, False])
def test_an_update_is_said_once_and_only_to_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_terminal: bool
) -> None:
    make_older(tmp_path / "assay.db")
    settings = load_settings({"database": f"sqlite:///{tmp_path / 'assay.db'}"}, environ={})
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    for _ in range(2):
        with opened_database(settings):
            pass
    told = capsys.readouterr().err
    assert told.count("assay: Updating the database (") == int(is_terminal)
