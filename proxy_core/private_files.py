"""Files that only their owner may read: made whole or not at all, and never twice.

Two processes may start at the same moment; the first one's file wins and the other one reads it.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from proxy_core.errors import AuthorityError

_REDACTION_KEY = "redaction.key"
_SHORTEST_KEY = 16
"""In bytes."""


def open_private_directory(directory: Path) -> None:
    """Make a directory for its owner only, or close one that is open to others.

    Raises:
        AuthorityError: It cannot be made, or belongs to somebody else.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(directory.stat().st_mode) & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        raise AuthorityError(f"cannot use the directory {directory}: {error.strerror}") from error


def read_or_create(path: Path, create: Callable[[], bytes]) -> bytes:
    """Return the content of a private file, making it first when it does not exist.

    Raises:
        AuthorityError: It cannot be read or written.
    """
    try:
        if not path.exists():
            _link_into_place(path, create())
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        return path.read_bytes()
    except OSError as error:
        raise AuthorityError(f"cannot read or write {path}: {error.strerror}") from error


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put new content into a file in one step, unless it is there already.

    Raises:
        AuthorityError: It cannot be written.
    """
    try:
        if path.exists() and path.read_bytes() == content:
            return
        _write_beside(path, content, mode).replace(path)
    except OSError as error:
        raise AuthorityError(f"cannot write {path}: {error.strerror}") from error


def open_redaction_key(directory: Path) -> bytes:
    """Return the key of the fingerprints that stand for secrets; made once, kept beside the root CA.

    Raises:
        AuthorityError: It cannot be read or written.
    """
    open_private_directory(directory)
    key = read_or_create(directory / _REDACTION_KEY, lambda: secrets.token_bytes(32))
    if len(key) < _SHORTEST_KEY:
        raise AuthorityError(f"{directory / _REDACTION_KEY} is damaged: remove it and start again")
    return key


def find_redaction_key(directory: Path) -> bytes | None:
    """Return that key if it was made and can be read; makes and changes nothing."""
    try:
        key = (directory / _REDACTION_KEY).read_bytes()
    except OSError:
        return None
    return key if len(key) >= _SHORTEST_KEY else None


def _link_into_place(path: Path, content: bytes) -> None:
    temporary = _write_beside(path, content, 0o600)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary
