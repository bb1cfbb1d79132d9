"""What the stand-in received and what it answers, independent of the HTTP version.

Received bytes are kept exactly as they came, because fidelity tests compare them; nothing here may normalise a header.
"""

import hashlib
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

type RawHeaders = tuple[tuple[bytes, bytes], ...]
"""Header lines in wire order and wire case (for HTTP/2 with the pseudo-headers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """A request before its body."""

    method: str
    target: str
    """Path and query as sent."""
    http_version: str
    """`1.1` or `2`."""
    headers: RawHeaders
    connection_number: int
    """Counts the stand-in's connections from 1: tells whether a connection was used again."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or `None`."""
        wanted = name.lower().encode()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value.decode("latin-1")
        return None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A whole request, byte for byte."""

    head: RequestHead
    body: bytes | None
    """`None`: longer than the stand-in was told to keep; only its length and hash are known."""
    body_bytes: int
    body_sha256: str
    trailers: RawHeaders = ()
    received_us: int
    """When its last byte came, microseconds since the epoch."""


class BodyIntake:
    """Collects a request body up to a limit, and hashes all of it."""

    def __init__(self, keep_bytes: int) -> None:
        self._keep_bytes = keep_bytes
        self._kept = bytearray()
        self._sha256 = hashlib.sha256()
        self.length = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.length += len(piece)
        self._sha256.update(piece)
        if self.length <= self._keep_bytes:
            self._kept += piece
        else:
            self._kept.clear()

    def received(self, head: RequestHead, trailers: RawHeaders, received_us: int) -> ReceivedRequest:
        """Close the body and return the whole request."""
        return ReceivedRequest(
            head=head,
            body=bytes(self._kept) if self.length <= self._keep_bytes else None,
            body_bytes=self.length,
            body_sha256=self._sha256.hexdigest(),
            trailers=trailers,
            received_us=received_us,
        )


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait: `seconds` after the last pause ended, so that a schedule does not drift."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """End the connection (HTTP/2: the stream) in the middle, in an orderly way."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Tear the TCP connection down."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing more and keep the connection open."""


type Part = bytes | Pause | Cut | Reset | Stall


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, possibly one that goes wrong."""

    status: int = 200
    headers: RawHeaders = ()
    """Without framing: the connection adds `content-length` or `transfer-encoding` itself."""
    parts: Iterable[Part] = ()
    """Pulled one by one while it is being sent, so a part may carry the time it was made."""
    has_length: bool = True
    """The body is one piece of known length; otherwise it is chunked."""
    trailers: RawHeaders = ()
    garbage: bytes | None = None
    """Sent instead of an HTTP answer, and then the connection is closed."""
    is_closing: bool = False
    """Close the connection after the answer."""


class Responder(Protocol):
    """Decides what is answered; runs on the stand-in's event loop and must not block it."""

    def refuse(self, head: RequestHead) -> Reply | None:
        """Answer before the body was read, or let it come with `None`."""
        ...

    def respond(self, request: ReceivedRequest) -> Awaitable[Reply]:
        """Answer a whole request."""
        ...


@dataclass(slots=True)
class Journal:
    """Every request the stand-in received, for tests to look at."""

    keep_body_bytes: int = 32_000_000
    """Longest body that is kept whole."""
    is_recording: bool = True
    requests: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0
    """Connections accepted so far."""

    def add(self, request: ReceivedRequest) -> None:
        """Note a request."""
        if self.is_recording:
            self.requests.append(request)
