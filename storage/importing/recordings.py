"""What a recording is turned into: the event that live traffic would have made, secrets replaced.

Every reader of a format goes through here, so that nothing gets past the redaction.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from proxy_core.decoding import decode_body
from proxy_core.exchange import CapturedBody, CapturedRequest, CapturedResponse, Headers
from proxy_core.redact import Redactor
from proxy_core.redacting import BodyRedaction
from storage.errors import StorageError

_LARGEST_NUMBER = 2**53
_LAST_MOMENT_US = 253_402_300_799_000_000

type RawHeaders = Iterable[tuple[bytes, bytes]]

LARGEST_BYTES = 256 * 1024 * 1024
"""Of one recorded exchange: it is held whole, and several times over while it is read."""

# What reading a record brings out that another program wrote, or somebody who means harm.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


class RecordingUnreadableError(StorageError):
    """A file that cannot be imported: missing, damaged, or of no format that is known."""


@contextmanager
def reading(place: str, redactor: Redactor) -> Iterator[None]:
    """Turn whatever is wrong with a record into an error that names the place and holds no secret.

    Raises:
        RecordingUnreadableError: Something was.
    """
    try:
        yield
    except _UNREADABLE as error:
        raise RecordingUnreadableError(f"{place} cannot be read: {redact_word(error, redactor)}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBody:
    """A body as a recording has it, before redaction."""

    data: bytes
    wire_bytes: int | None = None
    """Length on the wire where it is known to differ from `data`'s."""
    wire_sha256: str | None = None
    """Of the bytes on the wire where `data` is not these."""
    is_redacted: bool = False
    is_decoded: bool = False
    """`data` is without its content-encoding."""
    is_truncated: bool = False


def capture_body(body: RawBody, content_encoding: str | None, redaction: BodyRedaction) -> CapturedBody:
    """Redact a body: also inside its content-encoding, which is then undone, as live traffic's is.

    Raises:
        ValueError: It claims a length that none has.
    """
    if body.wire_bytes is not None and not 0 <= body.wire_bytes <= _LARGEST_NUMBER:
        raise ValueError("a body's length is none")
    data, is_decoded, is_truncated = body.data, body.is_decoded, body.is_truncated
    kept = redaction.whole(data)
    is_redacted = kept is not data
    if content_encoding and not is_decoded:
        decoded = decode_body(data, content_encoding)
        shown = redaction.whole(decoded.data)
        if shown is not decoded.data or decoded.is_oversized:
            is_redacted = is_redacted or shown is not decoded.data
            kept, is_decoded, is_truncated = shown, True, is_truncated or not decoded.is_complete
    return CapturedBody(
        data=kept,
        wire_bytes=len(data) if body.wire_bytes is None else body.wire_bytes,
        wire_sha256=body.wire_sha256 or hashlib.sha256(data).hexdigest(),
        is_redacted=body.is_redacted or is_redacted,
        is_decoded=is_decoded,
        is_truncated=is_truncated,
    )


def recorded_request(
    method: object, url: object, version: object, headers: Headers, redactor: Redactor, trailers: Headers = ()
) -> CapturedRequest:
    """Make the head of a request out of what a recording says; header lines are redacted already.

    Raises:
        ValueError: Its URL is none.
    """
    return CapturedRequest(
        method=redact_word(method, redactor),
        url=redact_url(url, redactor),
        http_version=redact_word(version or "", redactor),
        headers=headers,
        trailers=trailers,
    )


def recorded_response(
    status: object, reason: object, version: object, headers: Headers, redactor: Redactor, trailers: Headers = ()
) -> CapturedResponse:
    """Make the head of a response out of what a recording says; header lines are redacted already.

    Raises:
        ValueError: Its status is none.
    """
    return CapturedResponse(
        status_code=status_of(status),
        reason=redact_word(reason or "", redactor),
        http_version=redact_word(version or "", redactor),
        headers=headers,
        trailers=trailers,
    )


def is_exchange_id(text: object) -> bool:
    """Say whether something is an id as Assay makes them."""
    return isinstance(text, str) and len(text) == 32 and set(text) <= set("0123456789abcdef")


def redact_word(text: object, redactor: Redactor, limit_chars: int = 200) -> str:
    """Redact a method, a version, a reason: what has no line breaks and is short."""
    return " ".join(redactor.text(str(text)[:limit_chars]).split())


def status_of(value: object) -> int:
    """Read a status.

    Raises:
        ValueError: It is none.
    """
    status = int(str(value))
    if not 0 <= status <= 999:
        raise ValueError("a status is none")
    return status


def checked_time_us(at_us: int) -> int:
    """Return a time, if a calendar has it.

    Raises:
        ValueError: It is before 1970 or after 9999.
    """
    if not 0 <= at_us <= _LAST_MOMENT_US:
        raise ValueError("a time is none")
    return at_us


def redact_url(url: object, redactor: Redactor) -> str:
    """Redact a URL.

    Raises:
        ValueError: It is none.
    """
    shown = redactor.url(str(url))
    urlsplit(shown)
    return shown


def content_type_in(headers: Headers) -> str:
    """Return the content type a message says it has; empty when it says nothing."""
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def redact_headers(headers: Headers, redactor: Redactor) -> Headers:
    """Redact header lines that are text already."""
    return redactor.headers((name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers)


def content_encoding_of(headers: Headers) -> str | None:
    """Return the content-encodings of a message, in the order in which they were applied."""
    values = [value for name, value in headers if name.lower() == "content-encoding"]
    return ", ".join(values) or None


def stable_id(at_us: int, *parts: str) -> str:
    """Make an id out of what is recorded: the same recording taken in twice is the same exchange.

    Shaped like the ids of live traffic (UUID version 7), so that it sorts by time.
    """
    milliseconds, microseconds = divmod(max(0, at_us), 1000)
    tail = int.from_bytes(hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).digest())
    head = f"{milliseconds & 0xFFFFFFFFFFFF:012x}7{microseconds * 4096 // 1000:03x}"
    return f"{head}{tail >> 2 | 0x8000000000000000:016x}"
