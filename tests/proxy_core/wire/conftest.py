"""A running proxy on each of the two paths, an upstream's root it trusts, and a collector of what it captured."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proxy_core.certificates import Authority, open_authority
from proxy_core.exchange import CaptureEvent, CaptureMode, ExchangeFinished
from proxy_core.feed import CaptureFeed
from proxy_core.redact import Redactor
from proxy_core.server import ProxySettings, ProxyThread, load_mitmproxy

load_mitmproxy()  # before any test module imports it: its dependencies warn, and warnings are errors here


@dataclass
class RunningProxy:
    """A proxy under test and what came out of its feed."""

    thread: ProxyThread
    feed: CaptureFeed
    address: tuple[str, int]
    ca_file: Path
    events: list[CaptureEvent] = field(default_factory=list)
    _is_done: threading.Event = field(default_factory=threading.Event)

    def collect(self) -> None:
        """Take events until the proxy is done."""
        while not (self._is_done.is_set() and self.feed.is_drained):
            self.events += self.feed.take(0.05)

    @property
    def finished(self) -> list[ExchangeFinished]:
        """Exchanges that ended, in that order."""
        return [event for event in list(self.events) if isinstance(event, ExchangeFinished)]

    def wait_finished(self, count: int = 1, timeout_s: float = 60) -> list[ExchangeFinished]:
        """Return the ended exchanges once there are that many."""
        until = time.monotonic() + timeout_s
        while len(self.finished) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.finished) >= count, (
            self.events,
            self.feed.last_error,
            list(self.thread.log.lines if self.thread.log else []),
        )
        return self.finished

    def wait_noted(self) -> None:
        """Return when the proxy has noted what it wrote: its loop has got past the write of all that was received by now."""
        done = threading.Event()
        assert self.thread._loop is not None
        self.thread._loop.call_soon_threadsafe(done.set)
        assert done.wait(60)


type StartProxy = Callable[..., RunningProxy]


@pytest.fixture(scope="session")
def upstream_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The root the test servers' certificates come from."""
    return open_authority(tmp_path_factory.mktemp("upstream-ca"))


@pytest.fixture(autouse=True)
def _short_thread_turns() -> Iterator[None]:
    """As the product does: with the default of 5 ms, busy threads of one process starve each other."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=["lean", "stock"])
def is_lean(request: pytest.FixtureRequest) -> bool:
    """Everything runs on both masters."""
    return request.param == "lean"


@pytest.fixture
def start_proxy(tmp_path: Path, upstream_authority: Authority, is_lean: bool) -> Iterator[StartProxy]:
    """Start proxies that decrypt `localhost`; they are stopped and checked at the end."""
    running: list[tuple[RunningProxy, threading.Thread]] = []

    def start(
        *, environment: dict[str, str] | None = None, feed: CaptureFeed | None = None, **settings: object
    ) -> RunningProxy:
        feed = feed or CaptureFeed(Redactor(b"test key of the wire suite"))
        values: dict[str, object] = {
            "ca_directory": tmp_path / "ca",
            "port": 0,
            "mode": CaptureMode.INTERCEPT,
            "intercept_hosts": ("localhost",),
            "upstream_ca_bundle": upstream_authority.certificate_path,
            "use_lean_master": is_lean,
        }
        thread = ProxyThread(ProxySettings(**(values | settings)), feed, environment or {})  # type: ignore[arg-type]
        thread.start()
        address = thread.wait_listening()[0]
        assert thread.authority is not None
        proxy = RunningProxy(thread, feed, address, thread.authority.certificate_path)
        collector = threading.Thread(target=proxy.collect, name="collector", daemon=True)
        collector.start()
        running.append((proxy, collector))
        return proxy

    yield start
    for proxy, collector in running:
        proxy.thread.stop(drain_s=0.5)
        proxy._is_done.set()
        collector.join(60)
        assert not collector.is_alive(), "the feed was not drained"
        assert not proxy.thread.is_alive
        assert proxy.feed.in_flight == 0
        assert proxy.feed.queued_bytes == 0
