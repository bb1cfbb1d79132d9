"""HAR files, of browsers, proxies, or our own, read an entry at a time. A HAR holds bodies without their content-encodings."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
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
from proxy_core.redacting import BodyRedaction
from storage.importing.json_stream import JsonReader, ValueTooLargeError
from storage.importing.recordings import (
    LARGEST_BYTES,
    RawBody,
    RecordingUnreadableError,
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
    stable_id,
)

_BEFORE_ANSWER = ("blocked", "dns", "connect", "send", "wait")
"""One after the other; `ssl` is a part of `connect`, and what is not known is -1."""


def read_har(path: Path, redactor: Redactor) -> Iterator[ExchangeFinished]:
    """Yield the exchanges of a HAR file.

    Raises:
        RecordingUnreadableError: It is no HAR, or damaged; what came before the damage was yielded.
    """
    with path.open(encoding="utf-8-sig", errors="surrogatepass", newline="") as file:
        entries = _entries(JsonReader(file, LARGEST_BYTES))
        number = 0
        while True:
            try:
                entry = next(entries, None)
            except ValueTooLargeError as error:
                raise RecordingUnreadableError(f"entry {number} of {path} cannot be read: {error}") from error
            except (ValueError, RecursionError) as error:
                damage = f"is damaged after entry {number - 1}" if number else "is no HAR file"
                raise RecordingUnreadableError(f"{path} {damage}") from error
            if entry is None:
                return
            with reading(f"entry {number} of {path}", redactor):
                event = _event(entry[0], redactor)
            yield event
            number += 1


def _entries(document: JsonReader) -> Iterator[tuple[Any]]:
    """Walk to the entries; what stands beside them is passed over, what follows them is not read."""
    for name in document.names():
        if name != "log":
            document.value()
            continue
        for inner in document.names():
            if inner == "entries":
                yield from ((entry,) for entry in document.items())
                return
            document.value()
    raise ValueError("it has no entries")


def _event(entry: Mapping[str, Any], redactor: Redactor) -> ExchangeFinished:
    request, answer = entry["request"], entry["response"]
    timing = _timing(entry)
    has_answer = bool(answer.get("status"))
    own_id = entry.get("_id")
    parts = (str(request["method"]), str(request["url"]), json.dumps(request.get("postData"), sort_keys=True))
    return ExchangeFinished(
        exchange_id=str(own_id) if is_exchange_id(own_id) else stable_id(timing.client_started_us, "har", *parts),
        mode=CaptureMode.IMPORTED,
        state=ExchangeState(entry.get("_state") or ("complete" if has_answer else "failed")),
        request=_request(request, redactor),
        request_body=_request_body(request, redactor, str(request["url"])),
        response=_response(answer, redactor) if has_answer else None,
        response_body=_response_body(answer, redactor, str(request["url"])) if has_answer else None,
        timing=timing,
        error=redactor.text(str(entry["_error"])) if entry.get("_error") else None,
        connection_id=redact_word(entry.get("connection") or "har", redactor),
    )


def _request(request: Mapping[str, Any], redactor: Redactor) -> CapturedRequest:
    headers = redact_headers(_headers(request), redactor)
    return recorded_request(request["method"], request["url"], request.get("httpVersion"), headers, redactor)


def _response(answer: Mapping[str, Any], redactor: Redactor) -> CapturedResponse:
    headers = redact_headers(_headers(answer), redactor)
    return recorded_response(answer["status"], answer.get("statusText"), answer.get("httpVersion"), headers, redactor)


def _headers(message: Mapping[str, Any]) -> Headers:
    return tuple((str(line["name"]), str(line["value"])) for line in message.get("headers") or ())


def _request_body(request: Mapping[str, Any], redactor: Redactor, url: str) -> CapturedBody:
    posted = request.get("postData") or {}
    data = _bytes(posted.get("text"), posted.get("_encoding"))
    return _body(request, data, BodyRedaction(redactor, url, content_type_in(_headers(request))))


def _response_body(answer: Mapping[str, Any], redactor: Redactor, url: str) -> CapturedBody:
    content = answer.get("content") or {}
    redaction = BodyRedaction(redactor, url, content_type_in(_headers(answer)))
    return _body(answer, _bytes(content.get("text"), content.get("encoding")), redaction)


def _body(message: Mapping[str, Any], data: bytes, redaction: BodyRedaction) -> CapturedBody:
    encoding = content_encoding_of(_headers(message))
    size = message.get("bodySize")
    wire_bytes = size if isinstance(size, int) and size > 0 else None
    is_lost = not data and bool(wire_bytes)
    raw = RawBody(data=data, wire_bytes=wire_bytes, is_decoded=encoding is not None, is_truncated=is_lost)
    return capture_body(raw, encoding, redaction)


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
    before, receive = (_sum_ms(spans, names) for names in (_BEFORE_ANSWER, ("receive",)))
    first_byte_us = checked_time_us(checked_time_us(started_us) + int(before * 1000))
    ended_us = checked_time_us(first_byte_us + int(receive * 1000))
    if not entry["response"].get("status"):
        return Timing(client_started_us=started_us)
    return Timing(client_started_us=started_us, first_byte_us=first_byte_us, last_byte_us=ended_us, delivered_us=ended_us)


def _sum_ms(spans: Mapping[str, Any], names: Iterable[str]) -> float:
    return sum(max(0.0, float(spans.get(name) or 0)) for name in names)
