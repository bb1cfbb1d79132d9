"""HAR files, of browsers, proxies, or our own. A HAR holds bodies without their content-encodings, and is read whole."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
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
from storage.importing.recordings import (
    RawBody,
    RecordingUnreadableError,
    capture_body,
    content_encoding_of,
    redact_headers,
    stable_id,
)

_TIMED = ("send", "wait", "receive")


def read_har(path: Path, redactor: Redactor) -> Iterator[ExchangeFinished]:
    """Yield the exchanges of a HAR file.

    Raises:
        RecordingUnreadableError: it is no HAR.
    """
    try:
        entries = json.loads(path.read_bytes())["log"]["entries"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordingUnreadableError(f"{path} is no HAR file") from error
    for number, entry in enumerate(entries):
        try:
            yield _event(entry, redactor)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise RecordingUnreadableError(f"entry {number} of {path} cannot be read: {error}") from error


def _event(entry: Mapping[str, Any], redactor: Redactor) -> ExchangeFinished:
    request, answer = entry["request"], entry["response"]
    timing = _timing(entry)
    has_answer = bool(answer.get("status"))
    own_id = entry.get("_id")
    is_ours = isinstance(own_id, str) and len(own_id) == 32 and set(own_id) <= set("0123456789abcdef")
    parts = (str(request["method"]), str(request["url"]), json.dumps(request.get("postData"), sort_keys=True))
    return ExchangeFinished(
        exchange_id=str(own_id) if is_ours else stable_id(timing.client_started_us, "har", *parts),
        mode=CaptureMode.IMPORTED,
        state=ExchangeState(entry.get("_state") or ("complete" if has_answer else "failed")),
        request=_request(request, redactor),
        request_body=_request_body(request, redactor),
        response=_response(answer, redactor) if has_answer else None,
        response_body=_response_body(answer, redactor) if has_answer else None,
        timing=timing,
        error=redactor.text(str(entry["_error"])) if entry.get("_error") else None,
        connection_id=str(entry.get("connection") or "har"),
    )


def _request(request: Mapping[str, Any], redactor: Redactor) -> CapturedRequest:
    return CapturedRequest(
        method=str(request["method"]),
        url=redactor.url(str(request["url"])),
        http_version=str(request.get("httpVersion") or ""),
        headers=redact_headers(_headers(request), redactor),
    )


def _response(answer: Mapping[str, Any], redactor: Redactor) -> CapturedResponse:
    return CapturedResponse(
        status_code=int(answer["status"]),
        reason=str(answer.get("statusText") or ""),
        http_version=str(answer.get("httpVersion") or ""),
        headers=redact_headers(_headers(answer), redactor),
    )


def _headers(message: Mapping[str, Any]) -> Headers:
    return tuple((str(line["name"]), str(line["value"])) for line in message.get("headers") or ())


def _request_body(request: Mapping[str, Any], redactor: Redactor) -> CapturedBody:
    posted = request.get("postData") or {}
    data = _bytes(posted.get("text"), posted.get("_encoding"))
    return _body(request, data, redactor)


def _response_body(answer: Mapping[str, Any], redactor: Redactor) -> CapturedBody:
    content = answer.get("content") or {}
    return _body(answer, _bytes(content.get("text"), content.get("encoding")), redactor)


def _body(message: Mapping[str, Any], data: bytes, redactor: Redactor) -> CapturedBody:
    encoding = content_encoding_of(_headers(message))
    size = message.get("bodySize")
    wire_bytes = size if isinstance(size, int) and size > 0 else None
    is_lost = not data and bool(wire_bytes)
    raw = RawBody(data=data, wire_bytes=wire_bytes, is_decoded=encoding is not None, is_truncated=is_lost)
    return capture_body(raw, encoding, redactor)


def _bytes(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str):
        return b""
    if encoding == "base64":
        try:
            return base64.b64decode(text)
        except binascii.Error as error:
            raise ValueError("a body is no base64") from error
    return text.encode("utf-8", "replace")


def _timing(entry: Mapping[str, Any]) -> Timing:
    started = datetime.fromisoformat(str(entry["startedDateTime"]))
    aware = started if started.tzinfo else started.replace(tzinfo=UTC)
    started_us = int(aware.timestamp()) * 1_000_000 + aware.microsecond
    spans = entry.get("timings") or {}
    send, wait, receive = (max(0.0, float(spans.get(name) or 0)) for name in _TIMED)
    first_byte_us = started_us + int((send + wait) * 1000)
    ended_us = first_byte_us + int(receive * 1000)
    if not entry["response"].get("status"):
        return Timing(client_started_us=started_us)
    return Timing(client_started_us=started_us, first_byte_us=first_byte_us, last_byte_us=ended_us, delivered_us=ended_us)
