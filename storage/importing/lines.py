"""Our own JSONL (`assay export --format jsonl`), read a line at a time: what was exported comes back byte for byte.

The meaning is not taken over: this Assay's analysis reads the exchanges itself, by its own rules and prices.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from proxy_core.exchange import (
    CapturedBody,
    CapturedRequest,
    CapturedResponse,
    CaptureMode,
    ExchangeFinished,
    ExchangeState,
    Headers,
    Timing,
)
from proxy_core.redact import Redactor
from proxy_core.redacting import BodyRedaction
from storage.export.document import SCHEMA_NAME
from storage.importing.recordings import (
    LARGEST_BYTES,
    RawBody,
    capture_body,
    checked_time_us,
    content_encoding_of,
    content_type_in,
    is_exchange_id,
    reading,
    recorded_request,
    recorded_response,
    redact_headers,
    redact_word,
)

_MOMENTS = (
    "client_started",
    "proxy_received",
    "proxy_forwarded",
    "first_byte",
    "first_byte_delivered",
    "last_byte",
    "delivered",
)
_REDACTED = re.compile(r"(?:(?:Bearer|Basic) )?\[REDACTED:[0-9a-f]{12}\]", re.IGNORECASE)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating that came with an exchange."""

    rating: float
    text: str | None
    user_id: str


def read_lines(path: Path, redactor: Redactor) -> Iterator[tuple[ExchangeFinished, Rating | None]]:
    """Yield the exchanges of a JSONL export, with their ratings.

    Raises:
        RecordingUnreadableError: a line is none of ours.
    """
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LARGEST_BYTES), b""), start=1):
            if line.strip():
                with reading(f"line {number} of {path}", redactor):
                    found = _read_line(line, redactor)
                yield found


def _read_line(line: bytes, redactor: Redactor) -> tuple[ExchangeFinished, Rating | None]:
    if len(line) >= LARGEST_BYTES and not line.endswith(b"\n"):
        raise ValueError(f"it is larger than {LARGEST_BYTES // 2**20} MiB")
    record = json.loads(line)
    if record["schema"] != SCHEMA_NAME:
        raise ValueError("it was not written by Assay")
    return _event(record, redactor), _rating(record["feedback"], redactor)


def _event(record: Mapping[str, Any], redactor: Redactor) -> ExchangeFinished:
    request, response = record["request"], record["response"]
    exchange_id, url = str(record["id"]), str(request["url"])
    if not is_exchange_id(exchange_id):
        raise ValueError("its id is none")
    state = ExchangeState(record["state"])
    return ExchangeFinished(
        exchange_id=exchange_id,
        mode=CaptureMode.IMPORTED,
        state=ExchangeState.INTERRUPTED if state is ExchangeState.OPEN else state,
        request=_request(request, redactor),
        request_body=_body(request, redactor, url),
        response=None if response is None else _response(response, redactor),
        response_body=None if response is None or response["body"] is None else _body(response, redactor, url),
        timing=_timing(record["timing"]),
        error=redactor.text(str(record["error"])) if record["error"] else None,
        connection_id="import",
    )


def _request(request: Mapping[str, Any], redactor: Redactor) -> CapturedRequest:
    headers, trailers = _headers(request["headers"], redactor), _headers(request["trailers"], redactor)
    return recorded_request(request["method"], request["url"], request["http_version"], headers, redactor, trailers)


def _response(response: Mapping[str, Any], redactor: Redactor) -> CapturedResponse:
    headers, trailers = _headers(response["headers"], redactor), _headers(response["trailers"], redactor)
    status, reason, version = response["status_code"], response["reason"], response["http_version"]
    return recorded_response(status, reason, version, headers, redactor, trailers)


def _headers(lines: Any, redactor: Redactor) -> Headers:
    """A value that is redacted already is not redacted again: it would become another key's."""
    known = tuple((str(name), str(value)) for name, value in lines)
    fresh = redact_headers(known, redactor)
    return tuple(old if _REDACTED.fullmatch(old[1]) else new for old, new in zip(known, fresh, strict=True))


def _body(message: Mapping[str, Any], redactor: Redactor, url: str) -> CapturedBody:
    body = message["body"]
    data = (
        base64.b64decode(body["base64"]) if body["base64"] is not None else str(body["text"] or "").encode("utf-8", "replace")
    )
    raw = RawBody(
        data=data,
        wire_bytes=int(body["wire_bytes"]),
        wire_sha256=str(body["wire_sha256"]) or None,
        is_redacted=bool(body["is_redacted"]),
        is_decoded=bool(body["is_decoded"]),
        is_truncated=bool(body["is_truncated"]) or (body["base64"] is None and body["text"] is None),
    )
    headers = tuple((str(name), str(value)) for name, value in message["headers"])
    return capture_body(raw, content_encoding_of(headers), BodyRedaction(redactor, url, content_type_in(headers)))


def _timing(record: Mapping[str, Any]) -> Timing:
    moments = {f"{name}_us": _moment(record[f"{name}_at"]) for name in _MOMENTS}
    if moments["client_started_us"] is None:
        raise ValueError("it has no time")
    connect_ms = record["upstream_connect_ms"]
    connect_us = None if connect_ms is None else round(connect_ms * 1000)
    return Timing(**moments, upstream_connect_us=connect_us)  # type: ignore[arg-type] # the one that must be there is


def _moment(text: str | None) -> int | None:
    return None if text is None else checked_time_us((datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1))


def _rating(record: Mapping[str, Any] | None, redactor: Redactor) -> Rating | None:
    if record is None:
        return None
    text = record["text"]
    return Rating(
        float(record["rating"]), None if text is None else redactor.text(str(text)), redact_word(record["user_id"], redactor)
    )
