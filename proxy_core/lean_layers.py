"""The way of bytes through mitmproxy's layers, shortened: same layers, same order, fewer generators and copies.

mitmproxy hands each event down a stack of layers and each command up again, four generators to a layer. Here: one to a
TLS layer, none for the tunnel a `CONNECT` has opened. What is not plain data in an open connection goes the
original's way. Part of `lean_master.py`: its versions, its switch, its differential tests.
"""

# mypy: disable-error-code="no-untyped-call"
# ruff: noqa: SLF001 - mitmproxy's inside is what this file is about

import copy
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from logging import WARNING
from typing import Any

import h2.events
from h11._readers import ContentLengthReader
from mitmproxy import optmanager
from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import commands, events, layer, tunnel
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers import modes, tls
from mitmproxy.proxy.layers.http import _http1, _http_h2
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.proxy.layers.http._events import ErrorCode, RequestHeaders, ResponseProtocolError
from OpenSSL import SSL

__all__ = ["LAYER_PATCHES", "Tunnel", "find_tunnel"]

type Commands = Iterator[commands.Command]

_PLAIN_TYPES = frozenset({bool, int, str, type(None)})
_RECORD_BYTES = 16384 + 512
"""More than one TLS record gives."""
_BUFFER_BYTES = 256 * 1024
_SLICE_BYTES = 128 * 1024
"""Encrypted and written at a time: the other side begins to read while we still encrypt, and OpenSSL's buffer stays small."""
# pyOpenSSL makes a new buffer for each record, and an exception for each last one.
_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]


class _Buffer(threading.local):
    """Where OpenSSL writes to; one to a thread, because it does so without the interpreter's lock."""

    def __init__(self) -> None:
        self.memory = _ffi.new("char[]", _BUFFER_BYTES)


_buffer = _Buffer()


def _current(self: Any) -> Any:
    value = self._default if self.value is optmanager.unset else self.value
    return value if type(value) in _PLAIN_TYPES else copy.deepcopy(value)


def _fork(self: Context) -> Context:
    """Copy a context, without the connection that the original makes first and throws away."""
    forked = Context.__new__(Context)
    forked.client, forked.options, forked.server = self.client, self.options, self.server
    forked.layers = self.layers.copy()
    return forked


def _is_same(self: Connection, other: object) -> bool:
    return self is other or (isinstance(other, Connection) and self.id == other.id)


# TLS.


def _decrypt(connection: SSL.Connection, data: bytes) -> tuple[bytes, Exception | None]:
    """Return what came, and why nothing more will; `None` when more may."""
    connection.bio_write(data)
    ssl, memory = connection._ssl, _buffer.memory
    parts: list[bytes] = []
    filled = 0
    while True:
        result = _lib.SSL_read(ssl, memory + filled, _BUFFER_BYTES - filled)
        if result <= 0:
            break
        filled += result
        if filled > _BUFFER_BYTES - _RECORD_BYTES:
            parts.append(_ffi.buffer(memory, filled)[:])
            filled = 0
    end: Exception | None = None
    try:
        connection._raise_ssl_error(ssl, result)
    except SSL.WantReadError:
        pass
    except SSL.Error as error:
        end = error
    if filled:
        parts.append(_ffi.buffer(memory, filled)[:])
    return parts[0] if len(parts) == 1 else b"".join(parts), end


def _outgoing(connection: SSL.Connection) -> Iterator[bytes]:
    """Yield what is to be sent."""
    bio, memory = connection._from_ssl, _buffer.memory
    while (result := _lib.BIO_read(bio, memory, _BUFFER_BYTES)) > 0:
        yield _ffi.buffer(memory, result)[:]
        if result < _BUFFER_BYTES:
            return


def _encrypt(connection: SSL.Connection, data: bytes) -> Iterator[bytes]:
    """Yield the records to be sent for some data."""
    pieces = [data] if len(data) <= _SLICE_BYTES else _slices(data)
    for piece in pieces:
        with suppress(SSL.ZeroReturnError, SSL.SysCallError):  # as the original: the other side may still be sending
            connection.sendall(piece)
        yield from _outgoing(connection)


def _slices(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    return (view[start : start + _SLICE_BYTES] for start in range(0, len(data), _SLICE_BYTES))


def _tls_handle_event(self: tls.TLSLayer, event: events.Event) -> Commands:
    if self._paused is None and self.debug is None:
        state = self.tunnel_state
        is_own = isinstance(event, events.ConnectionEvent) and event.connection.id == self.conn.id
        if state is tunnel.TunnelState.OPEN:
            if is_own and type(event) is events.DataReceived and event.data:
                return _receive(self, event.data)
            if not is_own:
                return _from_child(self, event)
        elif not is_own and _is_passing_on(self, state) and type(event) is not events.Start:
            return _from_child(self, event)
    return _stock_handle_event(self, event)


def _is_passing_on(self: tls.TLSLayer, state: tunnel.TunnelState) -> bool:
    """Say whether a layer without an open connection lets everything through."""
    is_waiting = state is tunnel.TunnelState.ESTABLISHING or getattr(self, "wait_for_clienthello", False)
    return not is_waiting and "event_to_child" not in vars(self)


def _receive(self: tls.TLSLayer, data: bytes) -> Commands:
    plaintext, end = _decrypt(self.tls, data)
    if end is not None:
        yield from self._Layer__process(_receive_last(self, plaintext, end))  # type: ignore[attr-defined]
        return
    for record in _outgoing(self.tls):
        yield commands.SendData(self.conn, record)
    if plaintext:
        yield from _from_child(self, events.DataReceived(self.conn, plaintext))


def _receive_last(self: tls.TLSLayer, plaintext: bytes, end: Exception) -> Commands:
    """Do what the original does when a connection ends or breaks."""
    is_closed = isinstance(end, SSL.ZeroReturnError)
    if not is_closed:
        yield commands.Log(f"TLS Error: {end}", WARNING)
    yield from self.tls_interact()
    if plaintext:
        yield from self.event_to_child(events.DataReceived(self.conn, plaintext))
    if is_closed:
        self.conn.state &= ~ConnectionState.CAN_READ
        yield from self.event_to_child(events.ConnectionClosed(self.conn))


def _from_child(self: tls.TLSLayer, event: events.Event) -> Commands:
    """Pass an event on; encrypt what is to be sent on this layer's connection."""
    own = self.conn.id
    is_open = self.tunnel_state is tunnel.TunnelState.OPEN
    answers = self.child_layer.handle_event(event)
    for command in answers:
        if not isinstance(command, commands.ConnectionCommand) or command.connection.id != own:
            yield command
        elif is_open and type(command) is commands.SendData:
            for record in _encrypt(self.tls, command.data):
                yield commands.SendData(self.conn, record)
        else:
            yield from self._Layer__process(_stock_commands(self, command, answers))  # type: ignore[attr-defined]
            return


def _stock_commands(self: tls.TLSLayer, first: commands.Command, others: Commands) -> Commands:
    yield from self._handle_command(first)
    for command in others:
        yield from self._handle_command(command)


# HTTP.


def _http_event_to_child(self: Any, child: Any, event: events.Event) -> Commands:
    for command in child.handle_event(event):
        kind = type(command)
        if kind is commands.SendData:
            yield command
        elif kind is ReceiveHttp:
            if type(command.event) is RequestHeaders:
                yield from self.make_stream(command.event.stream_id)
            stream = self.streams.get(command.event.stream_id)
            if stream is not None:  # else: about a stream that is over
                yield from self.event_to_child(stream, command.event)
        elif kind is http_layers.SendHttp:
            yield from self.event_to_child(self.connections[command.connection], command.event)
        else:
            yield from _obey(self, child, command)


def _obey(self: Any, child: Any, command: commands.Command) -> Commands:
    """Do what the original does with the rarer commands."""
    if command.blocking or isinstance(command, commands.RequestWakeup):
        self.command_sources[command] = child
    if isinstance(command, http_layers.DropStream):
        _let_go(self.streams.pop(command.stream_id, None))
    elif isinstance(command, http_layers.GetHttpConnection):
        yield from self.get_connection(command)
    elif isinstance(command, http_layers.RegisterHttpConnection):
        yield from self.register_connection(command)
    else:
        if isinstance(command, commands.OpenConnection):
            self.connections[command.connection] = child
        yield command


def _let_go(stream: Any) -> None:
    """Break the circles of a stream that is over: it goes at once, and the collector has next to nothing to look through.

    What follows asks it for its context and its flow alone.
    """
    if stream is not None:
        stream.client_state = stream.server_state = _over
        with suppress(ValueError):
            stream.context.layers.remove(stream)


def _over(_event: events.Event) -> Commands:
    return iter(())


def _http1_hand_on(self: Any, event: events.Event) -> Commands:
    """Do what an event asks for without the generators around it: these layers send no command that they wait for."""
    if self._paused or self.debug is not None:
        return _stock_handle_event(self, event)
    answers: Commands = self.send(event) if isinstance(event, HttpEvent) else self._handle_event(event)
    return answers


def _http1_handle_event(self: Any, event: events.Event) -> Commands:
    """Take a body's bytes as they are, where nothing else waits: without the two buffers between."""
    if type(event) is events.DataReceived and not self.buf:
        reader = getattr(self, "body_reader", None)
        if type(reader) is ContentLengthReader and self.state == self.read_body and 0 < len(event.data) <= reader._remaining:
            reader._remaining -= len(event.data)
            yield ReceiveHttp(self.ReceiveData(self.stream_id, event.data))
            if not reader._remaining:
                yield from self.read_body(event)
            return
    yield from _stock_http1_handle_event(self, event)


def _receive_frames(self: Any, data: bytes) -> list[h2.events.Event]:
    return _merged(_stock_receive_frames(self, data))


def _merged(received: Iterable[h2.events.Event]) -> list[h2.events.Event]:
    """Make one event of frames of the same body that came together: each would pass all layers alone."""
    merged: list[h2.events.Event] = []
    run: list[h2.events.DataReceived] = []
    for event in [*received, None]:
        if run and not (type(event) is h2.events.DataReceived and event.stream_id == run[0].stream_id):
            merged.append(_joined(run))
            run = []
        if type(event) is h2.events.DataReceived:
            run.append(event)
        elif event is not None:
            merged.append(event)
    return merged


def _joined(run: list[h2.events.DataReceived]) -> h2.events.DataReceived:
    last = run[-1]
    if len(run) > 1:
        last.data = b"".join([event.data or b"" for event in run])
        last.flow_controlled_length = sum(event.flow_controlled_length or 0 for event in run)
    return last


class Tunnel:
    """A tunnel opened by `CONNECT`: what goes through it need not pass the layers that opened it.

    Args:
        outer: The layer the `CONNECT` came to.
        stream: The one it became.
    """

    __slots__ = ("_client", "_outer", "_stream")

    def __init__(self, outer: Any, stream: Any) -> None:
        self._outer = outer
        self._stream = stream
        self._client = outer.context.client

    def handle_event(self, event: events.Event) -> Commands | None:
        """Pass an event through; `None` when it is for the layers outside."""
        outer, stream = self._outer, self._stream
        kind = type(event)
        if kind is events.DataReceived:
            connection = event.connection  # type: ignore[attr-defined]
            if connection is not self._client and outer.connections.get(connection) is not stream:
                return None
        elif isinstance(event, events.CommandCompleted):
            if outer.command_sources.get(event.command) is not stream:
                return None
            del outer.command_sources[event.command]
        else:
            return None
        if stream._paused is not None or outer._paused is not None:
            return None
        return self._pass(event)

    def _pass(self, event: events.Event) -> Commands:
        outer, stream = self._outer, self._stream
        for command in stream.child_layer.handle_event(event):
            if type(command) is commands.SendData:
                if command.data:
                    yield command
            elif isinstance(command, commands.CloseConnection):
                yield from self._close(command)
            else:
                if command.blocking or isinstance(command, commands.RequestWakeup):
                    outer.command_sources[command] = stream
                if isinstance(command, commands.OpenConnection):
                    outer.connections[command.connection] = stream
                yield command

    def _close(self, command: commands.CloseConnection) -> Commands:
        if command.connection == self._client:
            code = ErrorCode.PASSTHROUGH_CLOSE
            ended = ResponseProtocolError(self._stream.stream_id, "EOF", code)
            yield from self._outer.event_to_child(self._outer.connections[self._client], ended)
        else:
            yield commands.CloseConnection(command.connection) if type(command) is commands.CloseTcpConnection else command


def find_tunnel(top: layer.Layer) -> Tunnel | None:
    """Return the open tunnel of a client's connection to a regular proxy; `None` when there is none."""
    context = top.context
    kinds = [type(each) for each in context.layers]
    if kinds != [modes.HttpProxy, http_layers.HttpLayer]:
        return None
    outer: Any = context.layers[1]
    server = outer.connections.get(context.client)
    if not isinstance(server, _http1.Http1Server) or server.state != server.passthrough or server.buf:
        return None
    stream = outer.streams.get(server.stream_id)
    is_through = stream is not None and stream._handle_event == stream.passthrough and stream.child_layer is not None
    if not is_through or any(each._paused for each in (context.layers[0], outer, server, stream)):
        return None
    flow = stream.flow
    is_connect = flow.request.method == "CONNECT" and flow.response is not None and 200 <= flow.response.status_code < 300
    return Tunnel(outer, stream) if is_connect and "transfer-encoding" not in flow.response.headers else None


_stock_handle_event: Callable[..., Commands] = layer.Layer.handle_event
_stock_receive_frames: Callable[..., list[h2.events.Event]] = _http_h2.BufferedH2Connection.receive_data
_stock_http1_handle_event: Callable[..., Commands] = _http1.Http1Connection._handle_event

LAYER_PATCHES: tuple[tuple[Any, str, Any], ...] = (
    # An option is asked for with every chunk, and copied to the depths each time.
    (optmanager._Option, "current", _current),
    (Connection, "__eq__", _is_same),
    (tls.TLSLayer, "handle_event", _tls_handle_event),
    (http_layers.HttpLayer, "event_to_child", _http_event_to_child),
    (_http1.Http1Connection, "handle_event", _http1_hand_on),
    (_http1.Http1Connection, "_handle_event", _http1_handle_event),
    (Context, "fork", _fork),
    (_http_h2.BufferedH2Connection, "receive_data", _receive_frames),
)
