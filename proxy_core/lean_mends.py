"""What mitmproxy keeps from a client that the API itself would have given it: announced answers, and those that end otherwise.

Part of `lean_master.py`: its versions, its switch. Plain mitmproxy goes on without.
"""

# mypy: disable-error-code="no-untyped-call"
# ruff: noqa: SLF001 - mitmproxy's inside is what this file is about

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import h2.events
from h2.errors import ErrorCodes
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers.http import _http1, _http2, _http_h2
from mitmproxy.proxy.layers.http._events import ResponseEndOfMessage

__all__ = ["MEND_PATCHES"]

type Commands[T] = Generator[commands.Command, Any, T]

_ANNOUNCEMENT = re.compile(rb"HTTP/1\.1 1(?!01)\d\d[^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n")
"""The head of an answer that another follows; none follows 101."""


def _read_headers(self: Any, event: events.Event) -> Commands[None]:
    """Pass on what announces an answer: mitmproxy takes it for the answer, and the client waits for one in vain."""
    is_news = self.request is not None and isinstance(event, events.DataReceived)
    while is_news and (found := _ANNOUNCEMENT.match(bytes(self.buf))):
        self.buf.maybe_extract_at_most(found.end())
        if self.request.is_http11:
            yield commands.SendData(self.context.client, found[0])
    yield from _stock_read_headers(self, event)


@dataclass(kw_only=True)
class _Leaving(h2.events.Event):
    """The API takes no more requests on a connection, and answers those it has begun to."""

    last_stream_id: int
    """The last it has begun to answer."""


def _receive_goaway(self: Any, frame: Any) -> tuple[list[Any], list[h2.events.Event]]:
    if frame.error_code or not self.config.client_side:
        return _stock_receive_goaway(self, frame)
    return [], [_Leaving(last_stream_id=frame.last_stream_id)]


def _handle_h2_event(self: Any, event: h2.events.Event) -> Commands[bool]:
    """Let an API that goes away in good order end its answers: mitmproxy cuts them off."""
    if isinstance(event, _Leaving):
        yield from _keep_to(self, event.last_stream_id)
    elif (yield from _stock_handle_h2_event(self, event)):
        return True
    if self.conn.state is ConnectionState.CAN_READ and not self.streams:
        yield from self.close_connection("all is answered")
        return True
    return False


def _keep_to(self: Any, last_stream_id: int) -> Commands[None]:
    """Expect no answers but those up to one."""
    self.conn.state = ConnectionState.CAN_READ  # mitmproxy opens another one for the next request
    for waiting in self.stream_queue:  # sent now, nobody would read it
        self.our_stream_id[waiting], self.their_stream_id[-waiting] = -waiting, waiting
        self.streams[-waiting] = _http2.StreamState.EXPECTING_HEADERS
    self.stream_queue.clear()
    for stream_id in [each for each in self.streams if not 0 < each <= last_stream_id]:
        refused = h2.events.StreamReset(stream_id=stream_id, error_code=ErrorCodes.REFUSED_STREAM)
        yield from _stock_handle_h2_event(self, refused)
        if not self.is_closed(stream_id):
            self.h2_conn.reset_stream(stream_id, ErrorCodes.CANCEL)  # what is still to be sent of it is in others' way


def _send_response(self: Any, already_streamed: bool = False) -> Commands[None]:
    """End an answer that is whole before the request is: mitmproxy waits for the request, which need not come any more."""
    yield from _stock_send_response(self, already_streamed)
    is_early = self.server_state == self.state_done and self.client_state == self.state_stream_request_body
    if is_early and self.context.client.alpn == b"h2":
        self.assay_is_ended = True
        yield http_layers.SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)


def _flow_done(self: Any) -> Commands[None]:
    for command in _stock_flow_done(self):
        is_end = isinstance(command, http_layers.SendHttp) and isinstance(command.event, ResponseEndOfMessage)
        if not (is_end and "assay_is_ended" in vars(self)):
            yield command


_stock_read_headers: Callable[..., Commands[None]] = _http1.Http1Client.read_headers
_stock_receive_goaway: Callable[..., tuple[list[Any], list[h2.events.Event]]] = (
    _http_h2.BufferedH2Connection._receive_goaway_frame
)
_stock_handle_h2_event: Callable[..., Commands[bool]] = _http2.Http2Client.handle_h2_event
_stock_send_response: Callable[..., Commands[None]] = http_layers.HttpStream.send_response
_stock_flow_done: Callable[..., Commands[None]] = http_layers.HttpStream.flow_done

MEND_PATCHES: tuple[tuple[Any, str, Any], ...] = (
    (_http1.Http1Client, "read_headers", _read_headers),
    (_http_h2.BufferedH2Connection, "_receive_goaway_frame", _receive_goaway),
    (_http2.Http2Client, "handle_h2_event", _handle_h2_event),
    (http_layers.HttpStream, "send_response", _send_response),
    (http_layers.HttpStream, "flow_done", _flow_done),
)
