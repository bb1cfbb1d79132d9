"""The bearer token of the API: made once, kept beside the database, readable by its owner alone.

It must not be logged, and is compared in constant time only.
"""

import hmac
import os
import secrets
from pathlib import Path

TOKEN_FILE = "api-token"  # noqa: S105 - a name, not a token
"""Its name in the directory of Assay's data."""
_MIN_LENGTH = 20


class TokenUnreadableError(Exception):
    """The token's file is there but cannot be used, or it cannot be made."""


def ensure_token(path: Path) -> str:
    """Return the token in a file; make file and token at the first start.

    Raises:
        TokenUnreadableError: the file cannot be read or written, or holds no token.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path)
        token = path.read_text("ascii").strip()
        path.chmod(0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise TokenUnreadableError(f"The API's token in {path} cannot be used: {error}") from error
    if len(token) < _MIN_LENGTH or not token.isprintable() or " " in token:
        raise TokenUnreadableError(f"The file {path} holds no token of the API; remove it and a new one is made")
    return token


def _make(path: Path) -> None:
    """Write a new token, unless there is one; two processes that start together agree on one."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_urlsafe(32)}\n")
        try:
            draft.hardlink_to(path)
        except FileExistsError:
            return
        except OSError:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def is_token(given: str, expected: str) -> bool:
    """Say whether a token is the right one, in a time that tells nothing about it."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
