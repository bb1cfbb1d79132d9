"""Two small, quick clients: what they cost must not hide what is measured. They check every answer's status and length."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol, Self

from hpack import Decoder, Encoder

from benchmarks.connecting import Route, open_route

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GO_AWAY, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_OUR_WINDOW = 2**30

type Take = Callable[[bytes], None]
"""Is given each piece of an answer's body as it comes."""


class Client(Protocol):
    """One connection."""

    def post(self, target: str, body: bytes, take: Take | None = None) -> Awaitable[int]:
        """Send a request and return the length of the answer's body."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class Http1Client:
    """HTTP/1.1: one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, route: Route, context: ssl.SSLContext) -> Self:
        """Open a connection."""
        return cls(*await open_route(route, context))

    async def post(self, target: str, body: bytes, take: Take | None = None) -> int:
        """Send a request and return the length of the answer's body."""
        head = (
            f"POST {target} HTTP/1.1\r\nHost: localhost\r\nx-api-key: benchmark\r\ncontent-type: application/json\r\n"
            f"user-agent: claude-cli/2.1.330 (external, cli)\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 200"):
            raise ConnectionError(answer.decode("latin-1"))
        if b"content-length: " in answer:
            length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await self._reader.readexactly(length)
            return length
        return await self._read_chunks(take)

    async def _read_chunks(self, take: Take | None) -> int:
        length = 0
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            piece = await self._reader.readexactly(size + 2)
            if take is not None:
                take(piece[:-2])
            length += size
        await self._reader.readexactly(2)
        return length

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()


class _Stream:
    def __init__(self, window: int, take: Take | None) -> None:
        self.window = window
        self.take = take
        self.status = b""
        self.length = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Http2Client:
    """HTTP/2 with flow control, many streams at a time; written out because a general library costs more than the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._encoder, self._decoder = Encoder(), Decoder()
        self._streams: dict[int, _Stream] = {}
        self._next_id = 1
        self._window = self._initial_window = 65535
        self._window_opened = asyncio.Event()
        self._unacknowledged = 0
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def connect(cls, route: Route, context: ssl.SSLContext) -> Self:
        """Open a connection and say how much may come."""
        reader, writer = await open_route(route, context)
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        if tls.selected_alpn_protocol() != "h2":
            raise ConnectionError("HTTP/2 was not agreed on")
        settings = (4).to_bytes(2) + _OUR_WINDOW.to_bytes(4)
        writer.write(_PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW, 0, 0, (_OUR_WINDOW - 65535).to_bytes(4)))
        return cls(reader, writer)

    async def post(self, target: str, body: bytes, take: Take | None = None) -> int:
        """Send a request and return the length of the answer's body."""
        stream_id, self._next_id = self._next_id, self._next_id + 2
        stream = self._streams[stream_id] = _Stream(self._initial_window, take)
        block = self._encoder.encode(
            [
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", "localhost"),
                (":path", target),
                ("x-api-key", "benchmark"),
                ("content-type", "application/json"),
                ("user-agent", "claude-cli/2.1.330 (external, cli)"),
                ("content-length", str(len(body))),
            ]
        )
        self._writer.write(_frame(_HEADERS, 4, stream_id, block))
        await self._send_body(stream_id, stream, body)
        await stream.ended
        del self._streams[stream_id]
        if stream.status != b"200":
            raise ConnectionError(f"status {stream.status!r}")
        return stream.length

    async def _send_body(self, stream_id: int, stream: _Stream, body: bytes) -> None:
        at = 0
        while at < len(body):
            room = min(self._window, stream.window, len(body) - at)
            if room <= 0:
                self._window_opened.clear()
                await self._window_opened.wait()
                continue
            pieces = []
            for start in range(at, at + room, 16384):
                end = min(start + 16384, at + room)
                pieces.append(_frame(_DATA, 1 if end == len(body) else 0, stream_id, body[start:end]))
            self._writer.write(b"".join(pieces))
            at += room
            self._window -= room
            stream.window -= room

    async def _read(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(9)
                payload = await self._reader.readexactly(int.from_bytes(head[:3]))
                self._handle(head[3], head[4], int.from_bytes(head[5:9]), payload)
        except (asyncio.IncompleteReadError, OSError, ssl.SSLError) as ended:
            self._fail(ConnectionError(f"the connection ended: {ended}"))

    def _handle(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        stream = self._streams.get(stream_id)
        if kind == _DATA:
            self._take_data(stream, payload)
        elif kind in {_HEADERS, _CONTINUATION} and stream is not None:
            headers = dict(self._decoder.decode(payload, raw=True))
            stream.status = headers.get(b":status", stream.status)
        elif kind == _SETTINGS and not flags & 1:
            self._apply_settings(payload)
        elif kind == _WINDOW:
            self._open_window(stream, stream_id, int.from_bytes(payload))
        elif kind == _PING and not flags & 1:
            self._writer.write(_frame(_PING, 1, 0, payload))
        elif kind == _RESET and stream is not None and not stream.ended.done():
            stream.ended.set_exception(ConnectionError("the stream was reset"))
        elif kind == _GO_AWAY:
            self._fail(ConnectionError("the connection was given up"))
        if kind in {_DATA, _HEADERS} and flags & 1 and stream is not None and not stream.ended.done():
            stream.ended.set_result(None)

    def _take_data(self, stream: _Stream | None, payload: bytes) -> None:
        self._unacknowledged += len(payload)
        if self._unacknowledged > _OUR_WINDOW // 2:
            self._writer.write(_frame(_WINDOW, 0, 0, self._unacknowledged.to_bytes(4)))
            self._unacknowledged = 0
        if stream is not None:
            stream.length += len(payload)
            if stream.take is not None and payload:
                stream.take(payload)

    def _apply_settings(self, payload: bytes) -> None:
        for at in range(0, len(payload), 6):
            name, value = int.from_bytes(payload[at : at + 2]), int.from_bytes(payload[at + 2 : at + 6])
            if name == 4:
                for stream in self._streams.values():
                    stream.window += value - self._initial_window
                self._initial_window = value
        self._writer.write(_frame(_SETTINGS, 1, 0, b""))
        self._window_opened.set()

    def _open_window(self, stream: _Stream | None, stream_id: int, increment: int) -> None:
        if stream_id == 0:
            self._window += increment
        elif stream is not None:
            stream.window += increment
        self._window_opened.set()

    def _fail(self, error: Exception) -> None:
        for stream in self._streams.values():
            if not stream.ended.done():
                stream.ended.set_exception(error)
        self._window_opened.set()

    async def close(self) -> None:
        """Close the connection."""
        self._reading.cancel()
        self._writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()


def _frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream_id.to_bytes(4) + payload
