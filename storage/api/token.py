"""The bearer token of the API: made once, kept beside the database, readable by its owner alone.

It must not be logged, and is compared in constant time only.
"""

import hmac
import secrets
from pathlib import Path

from proxy_core.errors import AuthorityError
from proxy_core.private_files import read_or_create

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
        token = read_or_create(path, _make_token).decode("ascii").strip()
    except (AuthorityError, OSError, UnicodeDecodeError) as error:
        raise TokenUnreadableError(f"The API's token in {path} cannot be used: {error}") from error
    if len(token) < _MIN_LENGTH or not token.isprintable() or " " in token:
        raise TokenUnreadableError(f"The file {path} holds no token of the API; remove it and a new one is made")
    return token


def _make_token() -> bytes:
    return f"{secrets.token_urlsafe(32)}\n".encode("ascii")


def is_token(given: str, expected: str) -> bool:
    """Say whether a token is the right one, in a time that tells nothing about it."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
