"""The token is made once and belongs to its owner."""

import stat
import threading

import pytest

from storage.api.token import TokenUnreadableError, ensure_token, is_token


def test_it_is_made_once_for_the_owner_alone(tmp_path):
    path = tmp_path / "data" / "api-token"
    token = ensure_token(path)
    assert len(token) >= 40
    assert ensure_token(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["api-token"]


def test_a_file_open_to_others_is_closed(tmp_path):
    path = tmp_path / "api-token"
    ensure_token(path)
    path.chmod(0o644)
    ensure_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_starts_at_the_same_moment_agree(tmp_path):
    tokens = []
    threads = [threading.Thread(target=lambda: tokens.append(ensure_token(tmp_path / "api-token"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tokens)) == 1
    assert len(tokens) == 16


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40, b"two words that are long enough"])
def test_a_file_that_holds_none_is_said(tmp_path, content):
    (tmp_path / "api-token").write_bytes(content)
    with pytest.raises(TokenUnreadableError, match="api-token"):
        ensure_token(tmp_path / "api-token")


def test_no_place_for_it_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TokenUnreadableError, match="cannot be used"):
        ensure_token(tmp_path / "file" / "api-token")


def test_comparing():
    assert is_token("a" * 30, "a" * 30)
    assert not is_token("a" * 29, "a" * 30)
    assert not is_token("", "a" * 30)
    assert not is_token("é\udcff", "a" * 30)
