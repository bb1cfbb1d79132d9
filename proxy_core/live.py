"""An exchange while it runs: what the hooks write down and the feed's consumer reads.

Two threads meet here without a lock. Every attribute has one writer; the bytes cross in deques, whose `append`
and `popleft` are atomic. Nothing here may raise: an exception in the tee would break the client's connection.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from proxy_core.exchange import CaptureMode

type RawHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True, eq=False)
class Volume:
    """Bytes that were captured and not yet handed over; bounds the memory of all recordings together."""

    limit_bytes: int
    """Beyond this, bytes are forwarded but no longer recorded."""
    taken_in: int = 0
    """Written by the proxy's thread only."""
    absorbed: int = 0
    """Taken over by the consumer, which may still hold them; written by its thread only."""
    released: int = 0
    """Written by the consumer's thread only."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes that the consumer has not looked at yet."""
        return self.taken_in - self.absorbed

    @property
    def queued_bytes(self) -> int:
        """Bytes held right now."""
        return self.taken_in - self.released


@dataclass(slots=True, eq=False)
class LiveBody:
    """One body on its way."""

    volume: Volume
    chunks: deque[bytes] = field(default_factory=deque)
    """Appended by the hooks, emptied by the consumer."""
    is_cut: bool = False
    """Bytes are missing: the capture limit was reached or the sender broke off."""
    recorded_bytes: int = 0
    """Bytes recorded so far; written by the proxy's thread only."""

    def append(self, chunk: bytes) -> None:
        """Record a chunk, unless too much is queued already."""
        volume = self.volume
        size = len(chunk)
        if self.is_cut or volume.taken_in - volume.released + size > volume.limit_bytes:
            self.is_cut = True
            return
        volume.taken_in += size
        self.recorded_bytes += size
        self.chunks.append(chunk)


def make_tee(body: LiveBody) -> Callable[[bytes], bytes]:
    """Return a function for a message's `stream`: records a chunk and passes it on unchanged."""
    append = body.append

    def pass_on(chunk: bytes) -> bytes:
        if chunk:  # the end of a stream is told by an empty chunk
            append(chunk)
        return chunk

    return pass_on


@dataclass(slots=True, eq=False)
class LiveExchange:
    """One exchange from its first header to its end. Raw: secrets are still in it, so it never leaves the feed."""

    exchange_id: str
    mode: CaptureMode
    connection_id: str
    method: bytes
    url: str
    http_version: bytes
    headers: RawHeaders
    request_body: LiveBody
    response_body: LiveBody
    client_started_us: int
    request_trailers: RawHeaders = ()
    status_code: int | None = None
    """`None` until the response's head came."""
    reason: bytes = b""
    response_http_version: bytes = b""
    response_headers: RawHeaders = ()
    response_trailers: RawHeaders = ()
    proxy_received_us: int | None = None
    proxy_forwarded_us: int | None = None
    first_byte_us: int | None = None
    first_byte_delivered_us: int | None = None
    last_byte_us: int | None = None
    delivered_us: int | None = None
    upstream_connect_us: int | None = None
    error: str | None = None
    """As mitmproxy said it; secrets possible."""
    is_interrupted: bool = False
    """Assay itself was killed while it ran."""
    is_request_done: bool = False
    is_response_done: bool = False
    is_finished: bool = False
    """Set once, when it is handed to the feed for good."""
    is_taken: bool = False
    """Written by the consumer's thread only: its last event was made."""
