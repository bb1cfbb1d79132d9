"""Recorded calls from files: a request body, and beside it a JSON file with method, path and header list."""

from pathlib import Path
from typing import Any

import msgspec

from proxy_core.dialects.base import RecordedCall
from proxy_core.exchange import Headers

DEFAULT_HOST = "https://api.anthropic.com"
DEFAULT_PATH = "/v1/messages"


class RecordedFileError(ValueError):
    """A file does not hold what it should."""


def recorded_from_files(body_path: Path, headers_path: Path | None = None, response_path: Path | None = None) -> RecordedCall:
    """Read a recorded call.

    Args:
        body_path: The raw request body.
        headers_path: JSON with `method`, `path` (or `url`), `headers` as a list of pairs, and perhaps `response` with `status`
            and `headers`; `None`: a message to the API by an unknown client.
        response_path: The raw response body, JSON or event stream, not content-encoded.

    Raises:
        RecordedFileError: The headers file is not of that form.
        OSError: A file cannot be read.
    """
    described = _described(headers_path) if headers_path is not None else {}
    response = described.get("response")
    answer = response if isinstance(response, dict) else {}
    status = answer.get("status", answer.get("status_code"))
    body = response_path.read_bytes() if response_path is not None else None
    return RecordedCall(
        method=str(described.get("method", "POST")),
        url=_url_of(described),
        request_headers=_headers_of(described.get("headers")),
        request_body=body_path.read_bytes(),
        status_code=status if isinstance(status, int) else (200 if body is not None else None),
        response_headers=_headers_of(answer.get("headers")),
        response_body=body,
    )


def _described(path: Path) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RecordedFileError(f"{path}: {error}") from error
    if not isinstance(value, dict):
        raise RecordedFileError(f"{path}: not a JSON object")
    return value


def _url_of(described: dict[str, Any]) -> str:
    url = described.get("url")
    return url if isinstance(url, str) else f"{DEFAULT_HOST}{described.get('path', DEFAULT_PATH)}"


def _headers_of(value: Any) -> Headers:
    if isinstance(value, dict):
        return tuple((str(name), str(text)) for name, text in value.items())
    lines = value if isinstance(value, list) else []
    return tuple((str(line[0]), str(line[1])) for line in lines if isinstance(line, list) and len(line) == 2)
