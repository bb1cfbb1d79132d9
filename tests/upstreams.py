"""Small TLS servers and clients that say exactly the bytes a test wants, and keep exactly the bytes they got."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import h2.config
import h2.connection
import h2.events

from proxy_core.certificates import Authority

type Script = Callable[["Conversation"], None]


class Conversation:
    """One connection a server accepted: reads requests, keeps what came."""

    def __init__(self, connection: socket.socket, server: "UpstreamServer") -> None:
        self.connection = connection
        self.server = server
        self._buffer = b""

    def read_head(self) -> bytes:
        """Return the next request's head with its blank line; empty at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            data = self.connection.recv(65536)
            if not data:
                return b""
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.server.heads.append(head + b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def read_exactly(self, size: int) -> bytes:
        """Return a body of a known length."""
        parts, missing = [self._buffer[:size]], size - len(self._buffer[:size])
        self._buffer = self._buffer[size:]
        while missing > 0:
            data = self.connection.recv(min(missing, 1 << 20))
            if not data:
                break
            parts.append(data)
            missing -= len(data)
        self.server.bodies.append(b"".join(parts))
        return self.server.bodies[-1]

    def read_chunked(self) -> bytes:
        """Return a chunked body, decoded; trailers are kept raw."""
        body = b""
        while True:
            size = int(self._line().split(b";")[0], 16)
            if size == 0:
                break
            while len(self._buffer) < size + 2:
                self._buffer += self.connection.recv(65536)
            body += self._buffer[:size]
            self._buffer = self._buffer[size + 2 :]
        while line := self._line():
            self.server.trailers.append(line)
        self.server.bodies.append(body)
        return body

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("cut off")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def read_request(self) -> bytes:
        """Return the head of the next request after reading its body."""
        head = self.read_head()
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            self.read_chunked()
        elif b"content-length:" in lowered:
            self.read_exactly(int(lowered.split(b"content-length:")[1].split(b"\r\n")[0]))
        return head

    def send(self, data: bytes) -> None:
        """Write raw bytes."""
        self.connection.sendall(data)

    def reset(self) -> None:
        """End the connection with RST."""
        import struct

        raw = self.connection
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(raw, ssl.SSLSocket):
            raw = socket.socket(fileno=raw.detach())
        raw.close()


@dataclass
class UpstreamServer:
    """A server on a free loopback port that plays a script for each connection."""

    script: Script
    context: ssl.SSLContext | None
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    trailers: list[bytes] = field(default_factory=list)
    connections: int = 0
    errors: list[BaseException] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._acceptor = threading.Thread(target=self._accept, name="upstream", daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), name="upstream-connection", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wrapped: socket.socket = connection
        try:
            if self.context is not None:
                wrapped = self.context.wrap_socket(connection, server_side=True)
                self._open.append(wrapped)
            self.script(Conversation(wrapped, self))
        except (OSError, ssl.SSLError):
            pass
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.errors.append(error)
        finally:
            wrapped.close()
            connection.close()


def answer_all(response: bytes) -> Script:
    """Answer every request with the same bytes."""

    def script(talk: Conversation) -> None:
        while talk.read_request():
            talk.send(response)

    return script


def h2_script(respond: Callable[[h2.connection.H2Connection, int, list[tuple[bytes, bytes]], bytes], None]) -> Script:
    """Serve HTTP/2: `respond(connection, stream_id, headers, body)` for each whole request."""

    def script(talk: Conversation) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        connection.initiate_connection()
        talk.send(connection.data_to_send())
        headers: dict[int, list[tuple[bytes, bytes]]] = {}
        bodies: dict[int, bytes] = {}
        while data := talk.connection.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers[event.stream_id] = [(bytes(name), bytes(value)) for name, value in event.headers]
                    bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    talk.server.heads.append(repr(headers[event.stream_id]).encode())
                    talk.server.bodies.append(bodies[event.stream_id])
                    respond(connection, event.stream_id, headers[event.stream_id], bodies[event.stream_id])
            if outgoing := connection.data_to_send():
                talk.send(outgoing)

    return script


def connect(
    proxy: tuple[str, int] | None, target: tuple[str, int], ca_file: Path | None, alpn: tuple[str, ...] = ("http/1.1",)
) -> ssl.SSLSocket:
    """Open TLS to a target, through a proxy or straight."""
    raw = socket.create_connection(proxy or target, timeout=60)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if proxy is not None:
        name = f"{target[0]}:{target[1]}".encode()
        raw.sendall(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (name, name))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            piece = raw.recv(1)
            if not piece:
                break
            answer += piece
        if b" 200 " not in answer.split(b"\r\n")[0]:
            raw.close()
            raise ConnectionRefusedError(answer.decode("latin-1"))
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.set_alpn_protocols(list(alpn))
    return context.wrap_socket(raw, server_hostname=target[0])


def read_until_closed(connection: socket.socket, wait_s: float = 30.0) -> bytes:
    """Return everything until the other side closes (however it does that) or is silent."""
    connection.settimeout(wait_s)
    parts = []
    with contextlib.suppress(OSError):
        while data := connection.recv(65536):
            parts.append(data)
    return b"".join(parts)


def read_response(connection: socket.socket) -> bytes:
    """Return one raw HTTP/1.1 response: head, and body by content-length or chunks."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lowered = head.lower()
    if b"content-length:" in lowered:
        size = int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < size and (piece := connection.recv(1 << 20)):
            body += piece
    elif b"transfer-encoding: chunked" in lowered:
        while not body.endswith(b"0\r\n\r\n") and (piece := connection.recv(65536)):
            body += piece
    return head + b"\r\n\r\n" + body


@dataclass
class H2Answer:
    """What an HTTP/2 client got for one stream."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    is_ended: bool = False
    reset_code: int | None = None


class H2Client:
    """A bare HTTP/2 client over a TLS connection."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self.connection = connection
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(2**24)
        self.answers: dict[int, H2Answer] = {}
        self._flush()

    def request(self, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> int:
        """Send a whole request; return its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = H2Answer()
        self.h2.send_headers(stream, headers, end_stream=not body)
        while body:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            if room == 0:
                self._flush()
                self._receive()
                continue
            self.h2.send_data(stream, body[:room], end_stream=room == len(body))
            body = body[room:]
        self._flush()
        return stream

    def wait(self, *streams: int) -> list[H2Answer]:
        """Return the answers once all of them have ended."""
        answers = [self.answers[stream] for stream in streams]
        while not all(answer.is_ended or answer.reset_code is not None for answer in answers):
            if not self._receive():
                break
        return answers

    def _receive(self) -> bool:
        data = self.connection.recv(65536)
        for event in self.h2.receive_data(data) if data else ():
            answer = self.answers.get(getattr(event, "stream_id", None) or 0)
            if answer is None:
                continue
            if isinstance(event, h2.events.ResponseReceived):
                answer.headers = [(bytes(name), bytes(value)) for name, value in event.headers]
            elif isinstance(event, h2.events.TrailersReceived):
                answer.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
            elif isinstance(event, h2.events.DataReceived):
                answer.body += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                answer.is_ended = True
            elif isinstance(event, h2.events.StreamReset):
                answer.reset_code = int(event.error_code)
        self._flush()
        return bool(data)

    def _flush(self) -> None:
        if data := self.h2.data_to_send():
            self.connection.sendall(data)


@contextlib.contextmanager
def upstream(
    script: Script, authority: Authority | None, names: tuple[str, ...] = ("localhost", "127.0.0.1"), **context: object
) -> Iterator[UpstreamServer]:
    """Run a server; TLS when an authority is given."""
    tls = authority.server_context(names, **context) if authority is not None else None  # type: ignore[arg-type]
    with UpstreamServer(script, tls) as server:
        yield server


def is_silent(connection: socket.socket, wait_s: float) -> bool:
    """Say whether nothing comes for a while."""
    return not select.select([connection], [], [], wait_s)[0]
