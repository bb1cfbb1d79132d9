"""What is said of live exchanges on the way to another process: messages, made of them and applied to them.

Raw: secrets are still in it, so a message goes through a pipe to our own recording process and nowhere else.
"""

from collections.abc import Callable, Iterator
from typing import IO

import msgspec

from proxy_core.exchange import CaptureMode
from proxy_core.live import LiveBody, LiveExchange

_LENGTH_BYTES = 4

type _Lines = tuple[tuple[bytes, bytes], ...]


class Opening(msgspec.Struct, array_like=True, gc=False):
    """What is known of an exchange from its beginning; fields as in `LiveExchange`."""

    mode: str
    connection_id: str
    method: bytes
    url: bytes
    """UTF-8; what is none of it as the bytes it was."""
    http_version: bytes
    headers: _Lines
    client_started_us: int


class State(msgspec.Struct, array_like=True, gc=False):
    """How far an exchange has come; fields as in `LiveExchange`."""

    request_trailers: _Lines
    status_code: int | None
    reason: bytes
    response_http_version: bytes
    response_headers: _Lines
    response_trailers: _Lines
    proxy_received_us: int | None
    proxy_forwarded_us: int | None
    first_byte_us: int | None
    first_byte_delivered_us: int | None
    last_byte_us: int | None
    delivered_us: int | None
    upstream_connect_us: int | None
    error: bytes | None
    is_request_done: bool
    is_response_done: bool


_PLAIN = tuple(name for name in State.__struct_fields__ if name != "error")


class Message(msgspec.Struct, array_like=True, gc=False):
    """What is new of one exchange."""

    exchange_id: str
    opening: Opening | None
    """`None`: it was sent before."""
    state: State
    request: list[bytes]
    """New bytes of the request's body."""
    response: list[bytes]
    is_partial: bool
    """More of what there was when it was sent follows at once."""
    is_request_cut: bool
    is_response_cut: bool
    is_over: bool
    """Nothing follows."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """Write a message down.

    Raises:
        msgspec.MsgspecError, TypeError, ValueError, OverflowError: Something in it cannot be written.
    """
    return _encoder.encode(message)


def decode(data: bytes) -> Message:
    """Read a message.

    Raises:
        msgspec.MsgspecError: It is none.
        ValueError: It says what cannot be.
    """
    return _decoder.decode(data)


def opening_of(live: LiveExchange) -> Opening:
    """Return what is known of an exchange from its beginning."""
    return Opening(
        live.mode.value,
        live.connection_id,
        live.method,
        _encoded(live.url),
        live.http_version,
        tuple(live.headers),
        live.client_started_us,
    )


def live_of(exchange_id: str, opening: Opening, new_body: Callable[[], LiveBody]) -> LiveExchange:
    """Make an exchange of what is known from its beginning."""
    return LiveExchange(
        exchange_id=exchange_id,
        mode=CaptureMode(opening.mode),
        connection_id=opening.connection_id,
        method=opening.method,
        url=opening.url.decode("utf-8", "surrogateescape"),
        http_version=opening.http_version,
        headers=opening.headers,
        request_body=new_body(),
        response_body=new_body(),
        client_started_us=opening.client_started_us,
    )


def state_of(live: LiveExchange) -> State:
    """Return how far an exchange has come."""
    values = {name: getattr(live, name) for name in _PLAIN}
    return State(**values, error=None if live.error is None else _encoded(live.error))


def apply_state(live: LiveExchange, state: State) -> None:
    """Bring an exchange as far as it has come elsewhere."""
    for name in _PLAIN:
        setattr(live, name, getattr(state, name))
    live.error = None if state.error is None else state.error.decode("utf-8", "surrogateescape")


def write_message(sink: IO[bytes], message: bytes) -> None:
    """Write a message with its length before it; an empty one tells the end."""
    sink.write(len(message).to_bytes(_LENGTH_BYTES))
    sink.write(message)


def read_messages(source: IO[bytes]) -> Iterator[bytes]:
    """Read messages up to the one that tells the end, which is given too; without it the source has broken off."""
    while len(length := source.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        size = int.from_bytes(length)
        message = source.read(size)
        if len(message) < size:
            return
        yield message
        if not message:
            return


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair
        return text.encode("utf-8", "replace")
