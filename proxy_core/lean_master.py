"""Everything taken from mitmproxy's inside to make it fast: one small file, gated by version in `server.py`, with a way back.

Plain mitmdump spends a third of its time asking 34 addons about every event. Here: the few that are needed, a
table of who listens to what, hooks run in place instead of one task each, and no run-time type checks.
What a client sees is the same on both paths, but for what `lean_mends.py` gives back; `tests/proxy_core/wire` runs everything
on both and compares.
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
from mitmproxy import addonmanager, exceptions, hooks, http, options
from mitmproxy.addons import core, disable_h2c, dns_resolver, proxyserver
from mitmproxy.connection import Connection
from mitmproxy.master import Master
from mitmproxy.proxy import commands, events, mode_servers, server
from mitmproxy.utils import asyncio_utils

from proxy_core.lean_layers import LAYER_PATCHES, Tunnel, find_tunnel
from proxy_core.lean_mends import MEND_PATCHES
from proxy_core.lean_messages import MESSAGE_PATCHES

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


class _Reader:
    """Hands on what comes in the moment it comes, where mitmproxy would wake a task for it; a large body in fewer pieces.

    Args:
        handler: Of the client's connection.
        connection: The one that is read from.
        stream: What mitmproxy reads from.
    """

    __slots__ = ("_connection", "_feed", "_handler", "_is_awaited", "_stream")

    def __init__(self, handler: "_LeanConnectionHandler", connection: Connection, stream: asyncio.StreamReader) -> None:
        self._handler = handler
        self._connection = connection
        self._stream = stream
        self._is_awaited = False
        self._feed = stream.feed_data
        # The transport's protocol gives it all that is received.
        stream.feed_data = self._take  # type: ignore[method-assign, assignment]
        if hasattr(stream, "_limit"):
            stream._limit = max(stream._limit, _READ_BYTES)  # noqa: SLF001 - set where connections are opened: not here

    async def read(self, _count: int) -> bytes:
        self._is_awaited = True
        try:
            return await self._stream.read(_READ_BYTES)
        finally:
            self._is_awaited = False

    def close(self) -> None:
        """Let go of what refers to this."""
        del self._stream.feed_data

    def _take(self, data: bytes) -> None:
        if self._is_awaited and self._handler.is_free(self._connection):
            self._handler.serve(events.DataReceived(self._connection, data))
            return
        self._is_awaited = False  # the task that waits is woken, and what comes until it runs comes after this
        self._feed(data)


def _is_empty(writer: Any) -> bool:
    """Say whether all that was written has left; what local capture's streams still hold cannot be known."""
    transport = getattr(writer, "transport", None)
    return transport is not None and not writer.is_closing() and not transport.get_write_buffer_size()


class _LeanConnectionHandler(mode_servers.ProxyConnectionHandler):
    """Runs hooks in place and writes once per event and connection. Otherwise does what the original does, in its order."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._outgoing: dict[Connection, list[bytes]] = {}
        self._tunnel: Tunnel | None = None
        self._is_tunnel_near = False

    async def server_event(self, event: events.Event) -> None:
        async with self._server_event_lock:
            self.serve(event)

    async def handle_connection(self, connection: Connection) -> None:
        io = self.transports[connection]
        if not isinstance(io.reader, asyncio.StreamReader):
            await super().handle_connection(connection)
            return
        reader = _Reader(self, connection, io.reader)
        io.reader = reader  # type: ignore[assignment]  # has what is asked of it
        try:
            await super().handle_connection(connection)
        finally:
            reader.close()

    def is_free(self, connection: Connection) -> bool:
        """Say whether what a connection brings may be served at once: nothing else is, and all that was written has left."""
        io = self.transports.get(connection)
        if io is None or self._server_event_lock.locked():
            return False
        if isinstance(io.handler, asyncio.Task) and io.handler.cancelling():
            return False
        # Whoever reads slower than we write is waited for by the task that reads.
        return all(each.writer is None or _is_empty(each.writer) for each in self.transports.values())

    def serve(self, event: events.Event) -> None:
        """Do all that an event asks for; no `await` in here: see mitmproxy's own comment on its `server_event`."""
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


type _Patch = tuple[Any, str, Any]

_PATCHES: tuple[_Patch, ...] = (
    (mode_servers, "ProxyConnectionHandler", _make_handler),
    # Exists only to tell addon authors of wrong types; there are none but ours.
    (http.MessageData, "__post_init__", lambda _self: None),
    # h2 formats every frame, body and all, for a logger that drops it.
    (h2.connection, "repr", lambda _frame: ""),
    *MESSAGE_PATCHES,
    *LAYER_PATCHES,
    *MEND_PATCHES,
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
