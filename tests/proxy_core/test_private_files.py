import stat
import threading
from pathlib import Path

import pytest

from proxy_core.errors import AuthorityError
from proxy_core.private_files import (
    find_redaction_key,
    open_private_directory,
    open_redaction_key,
    read_or_create,
    replace,
)


def test_the_redaction_key_is_made_once(tmp_path: Path) -> None:
    key = open_redaction_key(tmp_path / "ca")
    assert len(key) == 32
    assert open_redaction_key(tmp_path / "ca") == key
    assert stat.S_IMODE((tmp_path / "ca" / "redaction.key").stat().st_mode) == 0o600


def test_a_key_that_was_never_made_is_not_made_by_looking_for_it(tmp_path: Path) -> None:
    assert find_redaction_key(tmp_path / "ca") is None
    assert not list(tmp_path.iterdir())
    key = open_redaction_key(tmp_path / "ca")
    assert find_redaction_key(tmp_path / "ca") == key
    (tmp_path / "ca" / "redaction.key").write_bytes(b"short")
    assert find_redaction_key(tmp_path / "ca") is None


def test_a_damaged_redaction_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "redaction.key").write_bytes(b"short")
    with pytest.raises(AuthorityError, match="damaged"):
        open_redaction_key(tmp_path)


def test_many_at_once_agree_on_one_file(tmp_path: Path) -> None:
    got: list[bytes] = []
    barrier = threading.Barrier(8)

    def create(number: int) -> None:
        barrier.wait()
        got.append(read_or_create(tmp_path / "file", lambda: b"%d" % number * 1000))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_replacing_is_skipped_when_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace(path, b"one")
    before = path.stat().st_ino
    replace(path, b"one")
    assert path.stat().st_ino == before
    replace(path, b"two")
    assert path.read_bytes() == b"two"


def test_places_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AuthorityError, match="cannot use the directory"):
        open_private_directory(tmp_path / "file" / "below")
    with pytest.raises(AuthorityError, match="cannot read or write"):
        read_or_create(tmp_path, lambda: b"")
    with pytest.raises(AuthorityError, match="cannot write"):
        replace(tmp_path / "none" / "file", b"")
