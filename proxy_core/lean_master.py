"""Everything taken from mitmproxy's inside to make it fast: one small file, gated by version in `server.py`, with a way back.

Plain mitmdump spends a third of its time asking 34 addons about every event. Here: the few that are needed, a
table of who listens to what, hooks run in place instead of one task each, and no run-time type checks.
What a client sees is the same on both paths; `tests/proxy_core/wire` runs everything on both and compares.
"""

# mypy: disable-error-code="no-untyped-call"

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import h2.connection
import h11
from h11._readers import ChunkedReader
from mitmproxy import addonmanager, exceptions, hooks, http, options
from mitmproxy.addons import core, disable_h2c, dns_resolver, proxyserver
from mitmproxy.connection import Connection
from mitmproxy.master import Master
from mitmproxy.proxy import commands, events, mode_servers, server
from mitmproxy.proxy.layers.http import _events, _http1
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.utils import asyncio_utils

from proxy_core.lean_layers import LAYER_PATCHES, Tunnel, find_tunnel

_WRITTEN_AT_ONCE_BYTES = 64 * 1024
"""So much is not kept back until more can be sent with it."""
_READ_BYTES = 256 * 1024
_log = logging.getLogger("mitmproxy.assay")

type HookFunction = Callable[..., Any]


class _TableAddonManager(addonmanager.AddonManager):
    """Knows for each event who listens, instead of asking every addon every time."""

    def __init__(self, master: Master) -> None:
        self._table: dict[str, list[HookFunction]] = {}
        self._sync_table: dict[str, list[HookFunction] | None] = {}
        super().__init__(master)

    def register(self, addon: object) -> object:
        self._forget()
        registered = super().register(addon)
        self._forget()
        return registered

    def remove(self, addon: object) -> None:
        super().remove(addon)
        self._forget()

    def clear(self) -> None:
        super().clear()
        self._forget()

    def _forget(self) -> None:
        self._table.clear()
        self._sync_table.clear()

    def listeners(self, name: str) -> list[HookFunction]:
        """Return the functions that listen to an event, in the addons' order."""
        found = self._table.get(name)
        if found is None:
            found = [
                function for addon in addonmanager.traverse(self.chain) if callable(function := getattr(addon, name, None))
            ]
            self._table[name] = found
        return found

    def sync_listeners(self, name: str) -> list[HookFunction] | None:
        """Return the functions that listen to an event, or `None` when one of them must be awaited."""
        try:
            return self._sync_table[name]
        except KeyError:
            found = self.listeners(name)
            usable = None if any(map(inspect.iscoroutinefunction, found)) else found
            self._sync_table[name] = usable
            return usable

    async def trigger_event(self, event: hooks.Hook) -> None:
        for function in self.listeners(event.name):
            try:
                with addonmanager.safecall():
                    result = function(*event.args())
                    if result is not None and inspect.isawaitable(result):
                        await result
            except exceptions.AddonHalt:
                return


class LeanMaster(Master):
    """A `Master` with only the addons a forwarding proxy needs; `server.py` adds those for TLS and the next layer.

    Args:
        opts: mitmproxy's options.
    """

    def __init__(self, opts: options.Options) -> None:
        super().__init__(opts)
        self.addons = _TableAddonManager(self)
        self.addons.add(
            core.Core(),
            disable_h2c.DisableH2C(),
            proxyserver.Proxyserver(),
            dns_resolver.DnsResolver(),
        )


class _WideReader:
    """Gives a large body in fewer pieces than mitmproxy asks for; what is there is given at once, as ever."""

    __slots__ = ("_reader",)

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        if hasattr(reader, "_limit"):
            reader._limit = max(reader._limit, _READ_BYTES)  # noqa: SLF001 - set where connections are opened: not here

    async def read(self, _count: int) -> bytes:
        return await self._reader.read(_READ_BYTES)


class _LeanConnectionHandler(mode_servers.ProxyConnectionHandler):
    """Runs hooks in place and writes once per event and connection. Otherwise does what the original does, in its order."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._outgoing: dict[Connection, list[bytes]] = {}
        self._tunnel: Tunnel | None = None
        self._is_tunnel_near = False

    async def server_event(self, event: events.Event) -> None:
        async with self._server_event_lock:
            # No `await` from here on: see mitmproxy's own comment at the same place.
            self.timeout_watchdog.register_activity()
            pending = deque((event,))
            while pending:
                try:
                    # Caught per event: a crash in one must not lose the completions that wait behind it.
                    for command in self._handle(pending.popleft()):
                        if isinstance(command, commands.SendData):
                            self._outgoing.setdefault(command.connection, []).append(command.data)
                            if len(command.data) >= _WRITTEN_AT_ONCE_BYTES:
                                self._write()
                        else:
                            self._run(command, pending)
                    self._write()
                except Exception:  # noqa: BLE001 - as the original does: logged, and the proxy goes on
                    self.log("mitmproxy has crashed!", logging.ERROR, exc_info=True)
                    self._write()

    async def handle_connection(self, connection: Connection) -> None:
        io = self.transports[connection]
        if isinstance(io.reader, asyncio.StreamReader):
            io.reader = _WideReader(io.reader)  # type: ignore[assignment]  # has what is asked of it
        await super().handle_connection(connection)

    def _handle(self, event: events.Event) -> Iterator[commands.Command]:
        if self._is_tunnel_near and self._tunnel is None:
            self._tunnel = find_tunnel(self.layer)
            self._is_tunnel_near = self._tunnel is None
        answers = self._tunnel.handle_event(event) if self._tunnel is not None else None
        return self.layer.handle_event(event) if answers is None else answers

    def _write(self) -> None:
        """Write what was sent so far: a head and its body together, one system call instead of two."""
        while self._outgoing:
            connection, parts = self._outgoing.popitem()
            io = self.transports.get(connection)
            if io is not None and io.writer is not None and not io.writer.is_closing():
                io.writer.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def _run(self, command: commands.Command, pending: deque[events.Event]) -> None:
        if isinstance(command, commands.Log):
            self.log(command.message, command.level)
            return
        self._write()  # hooks look at what was written, and a closed connection takes no more
        if isinstance(command, commands.StartHook):
            self._run_hook(command, pending)
        else:
            self._run_rare(command)

    def _run_hook(self, hook: commands.StartHook, pending: deque[events.Event]) -> None:
        manager = self.master.addons
        assert isinstance(manager, _TableAddonManager)
        listeners = manager.sync_listeners(hook.name)
        if listeners is None:
            asyncio_utils.create_task(
                self.hook_task(hook), name=f"handle_hook({hook.name})", keep_ref=True, client=self.client.peername
            )
            return
        if hook.name == "http_connected":
            self._is_tunnel_near = True
        if listeners:
            (argument,) = hook.args()
            for function in listeners:
                try:
                    function(argument)
                except exceptions.AddonHalt:
                    break
                except Exception as error:  # noqa: BLE001 - as mitmproxy does: logged, and the flow goes on
                    _log.error("Addon error: %s", error, exc_info=True)
        if hook.blocking:
            pending.append(events.HookCompleted(hook))

    def _run_rare(self, command: commands.Command) -> None:
        client = self.client.peername
        if isinstance(command, commands.OpenConnection):
            assert command.connection not in self.transports
            name = f"server connection handler {command.connection.address}"
            handler = asyncio_utils.create_task(self.open_connection(command), name=name, keep_ref=False, client=client)
            self.transports[command.connection] = server.ConnectionIO(handler=handler)
        elif isinstance(command, commands.RequestWakeup):
            name = f"wakeup timer ({command.delay:.1f}s)"
            task = asyncio_utils.create_task(self.wakeup(command), name=name, keep_ref=False, client=client)
            self.wakeup_timer.add(task)
        elif isinstance(command, commands.ConnectionCommand) and command.connection not in self.transports:
            pass  # already closed
        elif isinstance(command, commands.CloseTcpConnection):
            self.close_connection(command.connection, command.half_close)
        elif isinstance(command, commands.CloseConnection):
            self.close_connection(command.connection, half_close=False)
        else:
            raise TypeError(f"Unexpected command: {command}")


_stock_handler = mode_servers.ProxyConnectionHandler


def _make_handler(master: Master, *args: Any) -> mode_servers.ProxyConnectionHandler:
    handler = _LeanConnectionHandler if isinstance(master, LeanMaster) else _stock_handler
    return handler(master, *args)


class _TrailerReader(ChunkedReader):
    """Keeps a chunked body's trailers aside: mitmproxy gives up on a body that has some, and the client hangs."""

    trailers: tuple[tuple[bytes, bytes], ...] = ()

    def __call__(self, buffer: Any) -> Any:
        event = super().__call__(buffer)
        if isinstance(event, h11.EndOfMessage) and event.headers:
            self.trailers = tuple(event.headers.raw_items())
            return h11.EndOfMessage()
        return event


def _read_body(self: Any, event: events.Event) -> Iterator[commands.Command]:
    kind = _events.ResponseTrailers if isinstance(self, _http1.Http1Client) else _events.RequestTrailers
    for command in _stock_read_body(self, event):
        trailers = getattr(self.body_reader, "trailers", ())
        if trailers and isinstance(command, ReceiveHttp) and isinstance(command.event, self.ReceiveEndOfMessage):
            yield ReceiveHttp(kind(self.stream_id, http.Headers(trailers)))
        yield command


def _sending_trailers(stock_send: Callable[..., Iterator[commands.Command]]) -> Callable[..., Iterator[commands.Command]]:
    def send(self: Any, event: Any) -> Iterator[commands.Command]:
        if isinstance(event, _events.RequestTrailers | _events.ResponseTrailers):
            self.assay_trailers = event.trailers.fields
            return
        trailers = self.__dict__.pop("assay_trailers", ())
        for command in stock_send(self, event):
            if trailers and isinstance(command, commands.SendData) and command.data == b"0\r\n\r\n":
                lines = b"".join(b"%s: %s\r\n" % line for line in trailers)
                command.data = b"0\r\n%s\r\n" % lines
            yield command

    return send


def _get_all(self: http.Headers, name: str | bytes) -> list[str]:
    wanted = (name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name).lower()
    return [value.decode("utf-8", "surrogateescape") for key, value in self.fields if key.lower() == wanted]


type _Patch = tuple[Any, str, Any]

_stock_read_body = _http1.Http1Connection.read_body
_PATCHES: tuple[_Patch, ...] = (
    (mode_servers, "ProxyConnectionHandler", _make_handler),
    # Exists only to tell addon authors of wrong types; there are none but ours.
    (http.MessageData, "__post_init__", lambda _self: None),
    # The same answer without four calls per header line; every layer asks a dozen times per message.
    (http.Headers, "get_all", _get_all),
    # h2 formats every frame, body and all, for a logger that drops it.
    (h2.connection, "repr", lambda _frame: ""),
    (_http1, "ChunkedReader", _TrailerReader),
    (_http1.Http1Connection, "read_body", _read_body),
    (_http1.Http1Server, "send", _sending_trailers(_http1.Http1Server.send)),
    (_http1.Http1Client, "send", _sending_trailers(_http1.Http1Client.send)),
    *LAYER_PATCHES,
)
_MISSING = object()
_users: list[object] = []
_kept: list[_Patch] = []


@contextmanager
def lean_patches() -> Iterator[None]:
    """Hold the patches in place while a `LeanMaster` runs; several may run at once."""
    user = object()
    _users.append(user)
    if len(_users) == 1:
        for owner, name, patch in _PATCHES:
            _kept.append((owner, name, vars(owner).get(name, _MISSING)))
            setattr(owner, name, patch)
    try:
        yield
    finally:
        _users.remove(user)
        while not _users and _kept:
            owner, name, original = _kept.pop()
            if original is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
