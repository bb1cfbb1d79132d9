"""What Assay itself needs, looked at without touching it."""

import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.database import open_database
from tests.recorder import Recorder, attribution
from tui.config import load_settings
from tui.doctor import places
from tui.doctor.findings import Finding, Verdict
from tui.settings import Settings
from tui.trust import open_own_authority


def settings_in(directory: Path, **options: object) -> Settings:
    return load_settings({"data_dir": str(directory), **options}, environ={})


def only(findings: object) -> Finding:
    (finding,) = findings  # type: ignore[misc]
    assert isinstance(finding, Finding)
    return finding


def test_a_directory_that_is_not_there_yet_is_no_trouble(tmp_path: Path) -> None:
    finding = only(places.check_directory(tmp_path / "new"))
    assert finding.verdict is Verdict.OK
    assert not (tmp_path / "new").exists()


def test_a_directory_is_private_or_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert only(places.check_directory(tmp_path)).verdict is Verdict.OK
    tmp_path.chmod(0o755)
    finding = only(places.check_directory(tmp_path))
    assert finding.verdict is Verdict.NOTE
    assert finding.remedy == f"chmod 700 {tmp_path}"


def test_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=5_000_000))
    assert "only 5 MB" in only(places.check_directory(tmp_path)).message


def test_an_authority_is_there_will_be_made_or_is_spoilt(tmp_path: Path) -> None:
    assert "will be made" in only(places.check_authority(tmp_path)).message
    path = open_own_authority(tmp_path).certificate_path.with_name("ca.pem")
    assert "more days" in only(places.check_authority(tmp_path)).message
    path.write_bytes(b"")
    assert only(places.check_authority(tmp_path)).remedy == "Remove it: a new one is made"
    path.write_bytes(b"no certificate")
    assert only(places.check_authority(tmp_path)).verdict is Verdict.BAD


def test_a_database_is_new_empty_filled_or_none_of_ours(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert "will be made" in only(places.check_database(settings)).message
    database = open_database(settings.database)
    assert "nothing captured yet" in only(places.check_database(settings)).message
    Recorder(database).record(attribution())
    database.close()
    assert "1 requests, the newest" in only(places.check_database(settings)).message
    other = tmp_path / "other.db"
    other.write_bytes(b"this is no database, whatever its name says" * 100)
    assert only(places.check_database(settings_in(tmp_path, database=str(other)))).verdict is Verdict.BAD


def test_a_port_is_free_or_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert only(places.check_port(settings_in(tmp_path, port=port))).verdict is Verdict.BAD
    assert "is free" in only(places.check_port(settings_in(tmp_path, port=port))).message
