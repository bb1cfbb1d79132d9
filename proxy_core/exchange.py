"""The frozen types that leave the wire: what was captured of one exchange, and when.

Standard library only. Everything here is already redacted: nothing downstream ever holds a secret.
"""

from dataclasses import dataclass
from enum import StrEnum

type Headers = tuple[tuple[str, str], ...]
"""Header lines in wire order and wire case, decoded as latin-1 (lossless); repeated names stay repeated."""


class Side(StrEnum):
    """Which half of an exchange a body belongs to."""

    REQUEST = "request"
    RESPONSE = "response"


class ExchangeState(StrEnum):
    """How far an exchange came."""

    OPEN = "open"
    """Still running."""
    COMPLETE = "complete"
    """The whole response reached the client (whatever its status)."""
    FAILED = "failed"
    """The connection to the API failed, or one side left before the end."""
    INTERRUPTED = "interrupted"
    """Assay itself was killed while the exchange ran; the bytes so far are kept."""


class CaptureMode(StrEnum):
    """How the traffic reached the proxy."""

    INTERCEPT = "intercept"
    REVERSE = "reverse"
    LOCAL = "local"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The times of one exchange, in microseconds since the epoch (UTC); `None` when not (yet) known.

    All are taken from one monotonic clock anchored to the wall clock once, so that differences
    hold even when the wall clock is set.
    """

    client_started_us: int
    """First byte of the request reached the proxy."""
    proxy_received_us: int | None = None
    """Last byte of the request reached the proxy."""
    proxy_forwarded_us: int | None = None
    """The proxy wrote the last byte of the request to the API's connection."""
    first_byte_us: int | None = None
    """First byte of the response came from the API."""
    first_byte_delivered_us: int | None = None
    """The proxy wrote the first byte of the response to the client's connection."""
    last_byte_us: int | None = None
    """Last byte of the response came from the API."""
    delivered_us: int | None = None
    """The proxy wrote the last byte of the response to the client's connection."""
    upstream_connect_us: int | None = None
    """How long this exchange waited for a new connection to the API, TCP and TLS (a duration); 0: for none, since one was open
    already, used before or made ahead while the client's own was."""

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds from the client's start to the last byte delivered."""
        return _span_ms(self.client_started_us, self.delivered_us)

    @property
    def first_byte_ms(self) -> float | None:
        """Milliseconds from the client's start to the first byte from the API."""
        return _span_ms(self.client_started_us, self.first_byte_us)

    @property
    def proxy_ms(self) -> float | None:
        """Milliseconds of the latency that are the proxy's own: holding the request, passing on the first and last byte."""
        request = _span_ms(self.proxy_received_us, self.proxy_forwarded_us)
        response = _span_ms(self.last_byte_us, self.delivered_us)
        if request is None or response is None:
            return None
        connect = (self.upstream_connect_us or 0) / 1000
        return max(0.0, request - connect) + response


def _span_ms(start_us: int | None, end_us: int | None) -> float | None:
    if start_us is None or end_us is None:
        return None
    return max(0, end_us - start_us) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedRequest:
    """The head of a request as the client sent it, secrets replaced."""

    method: str
    url: str
    """Absolute URL as the API sees it, keys in the query replaced."""
    http_version: str
    """As on the wire: `HTTP/1.1` or `HTTP/2.0`."""
    headers: Headers
    trailers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedResponse:
    """The head of a response as the API sent it, secrets replaced."""

    status_code: int
    reason: str
    """Reason phrase of HTTP/1.1; empty for HTTP/2."""
    http_version: str
    headers: Headers
    trailers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedBody:
    """One body: the exact bytes of the wire but for redactions."""

    data: bytes | None
    """The body as on the wire (still content-encoded). `None`: too large to hold, all of it went ahead in `BodyGrew` events."""
    wire_bytes: int
    """Length of the body on the wire, before redaction."""
    wire_sha256: str
    """SHA-256 (hex) of the body on the wire, before redaction."""
    is_redacted: bool = False
    """A secret in it was replaced, so `data` differs from the wire."""
    is_decoded: bool = False
    """`data` had to be kept without its content-encoding, because a secret stood inside the compressed form."""
    is_truncated: bool = False
    """Bytes are missing at the end: the capture limit was reached, or the sender broke off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStarted:
    """A request is being forwarded."""

    exchange_id: str
    """32 hex digits, ordered by time (UUID version 7)."""
    mode: CaptureMode
    request: CapturedRequest
    request_body: CapturedBody | None
    """`None` while a large request is still being streamed."""
    timing: Timing
    connection_id: str
    """The client connection it came on, for telling parallel clients apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyGrew:
    """More bytes of a body of an open exchange: journalled, so that a killed process keeps them."""

    exchange_id: str
    side: Side
    data: bytes
    """Redacted bytes to append; content-encoded as on the wire unless `is_decoded`."""
    is_decoded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStarted:
    """The head of the response arrived (sent only for exchanges that are still open at the next flush)."""

    exchange_id: str
    response: CapturedResponse
    timing: Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFinished:
    """The exchange ended, well or not. Complete in itself, whatever events went before."""

    exchange_id: str
    mode: CaptureMode
    state: ExchangeState
    request: CapturedRequest
    request_body: CapturedBody
    response: CapturedResponse | None
    """`None` when the API never answered."""
    response_body: CapturedBody | None
    timing: Timing
    error: str | None
    """What went wrong on the wire, in one line; `None` when nothing did."""
    connection_id: str


type CaptureEvent = ExchangeStarted | ResponseStarted | BodyGrew | ExchangeFinished
