"""The stand-in as a thread: a TLS port that speaks HTTP/1.1 and HTTP/2, and a plain port that also takes `CONNECT`.

With `CONNECT` it plays the API's host by name for clients and proxies that are pointed to it as their (upstream) proxy,
so nothing on the machine has to be told that the host lives elsewhere. Loopback only.
"""

import asyncio
import contextlib
import ssl
import tempfile
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from proxy_core.standin.authority import API_HOST, make_authority, server_context
from proxy_core.standin.http1 import read_head, serve_http1
from proxy_core.standin.http2 import Http2Connection
from proxy_core.standin.wire import Journal, Responder

_HOST = "127.0.0.1"
_BROKEN = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError, TimeoutError, ValueError)


class StandinError(Exception):
    """The stand-in could not be started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What the server is made of."""

    names: tuple[str, ...] = (API_HOST, "localhost", "127.0.0.1")
    """Names its certificate carries."""
    is_expired: bool = False
    """Its certificate has run out."""
    protocols: tuple[str, ...] = ("h2", "http/1.1")
    """What it offers in TLS, best first."""
    tls_port: int = 0
    """0: any free one."""
    plain_port: int = 0
    """0: any free one."""
    backlog: int = 1024


class StandinServer:
    """A server on loopback, in a thread of its own."""

    def __init__(self, responder: Responder, settings: ServerSettings | None = None, journal: Journal | None = None) -> None:
        self.settings = settings or ServerSettings()
        self.responder = responder
        self.journal = journal or Journal()
        self.authority = make_authority()
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._listening = threading.Event()
        self._failure: BaseException | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.tls_port = 0
        self.plain_port = 0

    @property
    def url(self) -> str:
        """Base URL over TLS."""
        return f"https://localhost:{self.tls_port}"

    @property
    def plain_url(self) -> str:
        """Base URL without TLS."""
        return f"http://{_HOST}:{self.plain_port}"

    @property
    def proxy_url(self) -> str:
        """URL for whoever shall reach the API's host through the stand-in (`CONNECT`)."""
        return self.plain_url

    @property
    def ca_path(self) -> Path:
        """PEM file with the root certificate; exists from `start` to `stop`."""
        if self._directory is None:
            raise StandinError("the stand-in is not running")
        return Path(self._directory.name) / "ca.pem"

    def start(self) -> None:
        """Start and return once it listens.

        Raises:
            StandinError: a port is taken, or the start took too long.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="assay-standin-")
        directory = Path(self._directory.name)
        (directory / "ca.pem").write_bytes(self.authority.certificate_pem)
        chain = directory / "server.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(self.authority.issue(self.settings.names, is_expired=self.settings.is_expired))
        self._listening.clear()
        self._failure = None
        context = server_context(chain, protocols=self.settings.protocols)
        self._thread = threading.Thread(target=self._run, args=(context,), name="standin", daemon=True)
        self._thread.start()
        if not self._listening.wait(15) or self._failure is not None:
            failure = self._failure
            self.stop()
            raise StandinError(f"the stand-in did not start: {failure or 'no answer within 15 s'}") from failure

    def stop(self) -> None:
        """Close every connection and return once the thread ended."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(10)
            self._thread = None
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _run(self, context: ssl.SSLContext) -> None:
        try:
            asyncio.run(self._serve(context))
        except Exception as error:  # noqa: BLE001 - a thread's root: handed to start()
            self._failure = error
        finally:
            self._listening.set()

    async def _serve(self, context: ssl.SSLContext) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        backlog = self.settings.backlog
        tls = await asyncio.start_server(
            self._accept_tls, _HOST, self.settings.tls_port, ssl=context, backlog=backlog, limit=2**18
        )
        async with tls:
            plain = await asyncio.start_server(
                lambda reader, writer: self._spawn(self._serve_plain(reader, writer, context), writer),
                _HOST,
                self.settings.plain_port,
                backlog=backlog,
                limit=2**18,
            )
            self.tls_port = tls.sockets[0].getsockname()[1]
            self.plain_port = plain.sockets[0].getsockname()[1]
            self._listening.set()
            await self._stop.wait()
            plain.close()
            tls.close()
            await self._hang_up()

    async def _hang_up(self) -> None:
        open_connections = list(self._connections)
        for connection in open_connections:
            connection.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)
        await asyncio.sleep(0)

    def _accept_tls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._spawn(self._serve_http(reader, writer), writer)

    def _spawn(self, work: Coroutine[Any, Any, None], writer: asyncio.StreamWriter) -> None:
        # Begun at once: one that is cancelled before it has begun closes nothing.
        task = asyncio.Task(self._guard(work, writer), loop=self._loop, eager_start=True)
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _guard(self, work: Coroutine[Any, Any, None], writer: asyncio.StreamWriter) -> None:
        try:
            await work
        except _BROKEN:
            pass  # clients may leave or talk nonsense whenever they like
        finally:
            await _close(writer)

    async def _serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self._count()
        tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() == "h2":
            await Http2Connection(reader, writer, self.responder, self.journal, number).serve()
        else:
            await serve_http1(reader, writer, self.responder, self.journal, number)

    async def _serve_plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
        head = await read_head(reader, self.journal.connections + 1)
        if head is None:
            return
        if head.method != "CONNECT":
            await serve_http1(reader, writer, self.responder, self.journal, self._count(), head)
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(context)
        await self._serve_http(reader, writer)

    def _count(self) -> int:
        self.journal.connections += 1
        return self.journal.connections


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(*_BROKEN, asyncio.CancelledError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
