"""The proxy as a thread: checked before it starts, drained when it stops, and never able to take the program along.

Owns mitmproxy's event loop. Knows nothing of storage or screens; what it captures goes into a `HookFeed`.
"""

# mypy: disable-error-code="no-untyped-call"

import asyncio
import contextlib
import importlib
import os
import threading
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from proxy_core.certificates import Authority, LeafCache, merged_bundle, open_authority
from proxy_core.errors import ListenError, ProxySettingsError, ProxyStoppedError
from proxy_core.exchange import CaptureMode
from proxy_core.hook_feed import HookFeed
from proxy_core.hosts import intercept_patterns, is_claude_call
from proxy_core.lean_imports import import_addons_one_by_one
from proxy_core.private_files import open_redaction_key, replace
from proxy_core.proxy_log import ProxyLog
from proxy_core.redact import Redactor
from proxy_core.settings import Address, ProxySettings, check_port
from proxy_core.upstream_proxy import UpstreamProxy, choose_upstream_proxy

if TYPE_CHECKING:
    from mitmproxy.master import Master

    from proxy_core.capture import CaptureAddon

__all__ = ["LEAN_SWITCH", "LEAN_VERSIONS", "ProxySettings", "ProxyThread", "load_mitmproxy"]

LEAN_SWITCH = "ASSAY_STOCK_MASTER"
"""Environment variable: 1 runs plain mitmproxy instead of the lean one."""
LEAN_VERSIONS = ("12.2.", "12.3.")
"""Versions of mitmproxy whose inside is the one `lean_master.py` was written for."""
_IDLE_S = 86_400
"""A silent connection is kept this long: thinking can take minutes, and it is not for us to hang up."""
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound


class ProxyThread:
    """Runs the proxy until it is stopped.

    Args:
        settings: How.
        feed: Takes what is captured.
        environment: For proxy variables and switches; the process's own when left out.
    """

    def __init__(self, settings: ProxySettings, feed: HookFeed, environment: Mapping[str, str] | None = None) -> None:
        self.settings = settings
        self._feed = feed
        self._environment = dict(os.environ if environment is None else environment)
        self._thread = threading.Thread(target=self._run, name="assay-proxy", daemon=True)
        self._is_decided = threading.Event()
        self._addresses: tuple[Address, ...] = ()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_requested: asyncio.Event | None = None
        self._drain_s = 0.0
        self._is_stopping = False
        self.log: ProxyLog | None = None
        """mitmproxy's log lines, redacted; `None` before the start."""
        self.authority: Authority | None = None
        """The root CA; `None` before the start."""
        self.upstream_proxy: UpstreamProxy | None = None
        """The other proxy connections go through; `None` when they go straight."""

    @property
    def failure(self) -> BaseException | None:
        """Why the proxy ended by itself; `None` while it runs or after it was stopped."""
        return self._failure

    @property
    def is_alive(self) -> bool:
        """The thread runs."""
        return self._thread.is_alive()

    @property
    def is_lean(self) -> bool:
        """The lean master is used."""
        from mitmproxy.version import VERSION

        if self.settings.use_lean_master is not None:
            return self.settings.use_lean_master
        return VERSION.startswith(LEAN_VERSIONS) and self._environment.get(LEAN_SWITCH) != "1"

    def start(self) -> None:
        """Check everything that can be checked, then start the thread.

        Raises:
            ProxySettingsError: A setting makes no sense.
            AuthorityError: The root CA cannot be used.
            ListenError: The port is taken.
        """
        self.settings.check()
        self.upstream_proxy = choose_upstream_proxy(self.settings.upstream_proxy, self._environment)
        if self.upstream_proxy is not None and self._is_ourselves(self.upstream_proxy, self.settings.port):
            self.upstream_proxy = None
        self.authority = open_authority(self.settings.ca_directory)
        self._write_upstream_roots()
        redactor = Redactor(open_redaction_key(self.settings.ca_directory))
        self.log = ProxyLog(redactor, lambda text: self._feed.count_error("mitmproxy", RuntimeError(text.split("\n")[0])))
        if self.settings.mode is not CaptureMode.LOCAL:
            check_port(self.settings.host, self.settings.port)
        load_mitmproxy(is_lean=self.is_lean)
        self._thread.start()

    def wait_listening(self, timeout_s: float = 15.0) -> tuple[Address, ...]:
        """Return where the proxy listens, with the real port.

        Raises:
            ListenError: It does not listen.
        """
        if not self._is_decided.wait(timeout_s):
            raise ListenError(f"the proxy did not listen within {timeout_s:g} s")
        if self._failure is not None:
            raise self._failure
        return self._addresses

    def stop(self, drain_s: float = 5.0) -> None:
        """Stop listening, let running exchanges end, and end the thread.

        Args:
            drain_s: The most time given to running exchanges; what is left then is cut.

        Raises:
            ProxyStoppedError: The proxy had ended by itself before.
        """
        self._is_stopping = True
        self._drain_s = drain_s
        if self._thread.ident is not None and self._is_decided.wait(15):
            if self._loop is not None and self._stop_requested is not None and self._thread.is_alive():
                with contextlib.suppress(RuntimeError):  # the loop has ended by itself just now
                    self._loop.call_soon_threadsafe(self._stop_requested.set)
            self._thread.join(drain_s + 15)
        if self._failure is not None and not isinstance(self._failure, ListenError):
            raise ProxyStoppedError(f"the proxy had ended by itself: {self._failure}") from self._failure

    # Before the thread.

    def _is_ourselves(self, proxy: UpstreamProxy, port: int) -> bool:
        return proxy.port == port != 0 and (proxy.host in _LOCAL_NAMES or proxy.host == self.settings.host)

    @property
    def _upstream_roots(self) -> Path:
        return self.settings.ca_directory / "upstream-bundle.pem"

    def _write_upstream_roots(self) -> None:
        bundle = self.settings.upstream_ca_bundle
        if bundle is not None and not bundle.is_file():
            raise ProxySettingsError(f"the CA bundle {bundle} is not there")
        replace(self._upstream_roots, merged_bundle([bundle] if bundle else []), mode=0o644)

    # In the thread.

    def _run(self) -> None:
        assert self.log is not None
        try:
            with self.log.installed():
                asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the thread's root; kept, shown and raised again by `stop`
            self._failure = self._failure or error
        else:
            if not self._is_stopping and self._failure is None:
                self._failure = ProxyStoppedError("the proxy's event loop ended")
        finally:
            self._feed.abandon("the proxy was stopped")
            self._is_decided.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop_requested = asyncio.Event()
        with self._patches():
            master, capture = self._assemble()
            running = asyncio.create_task(master.run())
            try:
                await self._listen(master, running)
                if self._failure is None:
                    await asyncio.wait(
                        [running, asyncio.create_task(self._stop_requested.wait())], return_when=asyncio.FIRST_COMPLETED
                    )
                    await self._drain(master, capture)
            finally:
                await master.addons.get("proxyserver").servers.update([])
                master.should_exit.set()
                await running

    def _patches(self) -> AbstractContextManager[None]:
        if not self.is_lean:
            return nullcontext()  # nothing of the lean master is even imported: the way back must always be open
        from proxy_core.lean_master import lean_patches

        return lean_patches()

    def _assemble(self) -> "tuple[Master, CaptureAddon]":
        from mitmproxy import options

        from proxy_core.capture import CaptureAddon
        from proxy_core.routing import AuthorityTlsConfig, QuickNextLayer, RoutingAddon

        assert self.authority is not None
        _, reverse_host, prefix = self.settings.reverse_target()
        extra = (*self.settings.intercept_hosts, *((reverse_host,) if reverse_host else ()))
        patterns = intercept_patterns(extra)
        opts = options.Options(confdir=str(self.settings.ca_directory))
        master: Master
        if self.is_lean:
            from proxy_core.lean_master import LeanMaster

            master = LeanMaster(opts)
        else:
            from mitmproxy.tools.dump import DumpMaster

            master = DumpMaster(opts, with_termlog=False, with_dumper=False)
            for name in ("errorcheck", "nextlayer", "tlsconfig"):
                addon = master.addons.get(name)
                if name == "errorcheck":
                    addon.finish()
                master.addons.remove(addon)
        master._legacy_log_events.uninstall()  # noqa: SLF001 - it would outlive a failed start

        def is_recorded(host: str, path: str) -> bool:
            return bool(reverse_host) or is_claude_call(host, path, extra)

        capture = CaptureAddon(self._feed, self.settings.mode, is_recorded, self.settings.request_buffer_bytes)
        routing = RoutingAddon(patterns, self.upstream_proxy, prefix)
        master.addons.add(AuthorityTlsConfig(LeafCache(self.authority)), routing, QuickNextLayer(), capture)
        capture.proxyserver = master.addons.get("proxyserver")
        self._set_options(master, patterns)
        return master, capture

    def _set_options(self, master: "Master", patterns: list[str]) -> None:
        from mitmproxy import exceptions
        from mitmproxy.proxy.mode_specs import ProxyMode

        is_intercepting = self.settings.mode is not CaptureMode.REVERSE
        spec = self.settings.mode_spec()
        try:
            # No QUIC listener beside reverse mode's port: nobody asked for one.
            ProxyMode.parse(spec).transport_protocol = "tcp"  # type: ignore[misc]  # an attribute of the instance
            master.options.update_known(
                mode=[spec],
                allow_hosts=patterns if is_intercepting else [],
                connection_strategy="eager" if is_intercepting else "lazy",
                ssl_verify_upstream_trusted_ca=str(self._upstream_roots),
                upstream_cert=False,
                tcp_timeout=_IDLE_S,
                websocket=False,
                http3=False,
                onboarding=False,
                emudhra=False,
                emudhra_old=False,
            )
        except (exceptions.OptionsError, ValueError) as error:
            raise ProxySettingsError(f"{spec}: {error}") from error

    async def _listen(self, master: "Master", running: "asyncio.Task[None]") -> None:
        assert self.log is not None
        proxyserver = master.addons.get("proxyserver")
        while not proxyserver.is_running and not running.done():  # noqa: ASYNC110 - mitmproxy has no event for it
            await asyncio.sleep(0.002)
        servers = list(proxyserver.servers)
        self._addresses = tuple(address[:2] for server in servers for address in server.listen_addrs)
        if running.done() or not servers or not all(server.is_running for server in servers):
            reason = self.log.lines[-1].split("\n")[0] if self.log.lines else "unknown reason"
            self._failure = ListenError(f"cannot listen on {self.settings.host}:{self.settings.port}: {reason}")
        self._is_decided.set()

    async def _drain(self, master: "Master", capture: "CaptureAddon") -> None:
        await master.addons.get("proxyserver").servers.update([])
        loop = asyncio.get_running_loop()
        until = loop.time() + self._drain_s
        while capture.open_flows and loop.time() < until:  # noqa: ASYNC110 - exchanges end in a hundred places
            await asyncio.sleep(0.01)


def load_mitmproxy(*, is_lean: bool = False) -> None:
    """Import what is needed of mitmproxy (it takes a while) without the deprecation warnings of its dependencies."""
    if is_lean:
        import_addons_one_by_one()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("proxy_core.lean_master" if is_lean else "mitmproxy.tools.dump")
        importlib.import_module("proxy_core.routing")
