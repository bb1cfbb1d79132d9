"""The real proxy over loopback between real clients and the stand-in, with everything captured kept in a list."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy_core.exchange import CapturedBody, CaptureEvent, ExchangeFinished
from proxy_core.feed import CaptureFeed
from proxy_core.private_files import open_redaction_key
from proxy_core.redact import Redactor
from proxy_core.server import ProxySettings, ProxyThread
from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.server import ServerSettings, StandinServer
from proxy_core.standin.wire import Journal

API_URL = "https://api.anthropic.com"


class Collector:
    """Takes everything out of a feed, in its own thread, as the storage writer does."""

    def __init__(self, feed: CaptureFeed) -> None:
        self._feed = feed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self.events: list[CaptureEvent] = []

    @property
    def finished(self) -> list[ExchangeFinished]:
        """Exchanges that ended, in that order."""
        return [event for event in self.events if isinstance(event, ExchangeFinished)]

    def start(self) -> None:
        """Begin taking."""
        self._thread.start()

    def stop(self) -> None:
        """Take what is left and end."""
        self._stopping.set()
        self._thread.join(60)

    def wait_for(self, count: int, timeout_s: float = 60.0) -> list[ExchangeFinished]:
        """Return the finished exchanges once there are `count` of them."""
        until = time.monotonic() + timeout_s
        while len(self.finished) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self.finished)} of {count} exchanges were captured")
            time.sleep(0.01)
        return self.finished

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.events += self._feed.take(0.05)
        self.events += self._feed.take(0)


class Rig:
    """A stand-in, a proxy in front of it, and what the proxy captured."""

    def __init__(self, standin: StandinServer, proxy: ProxyThread, feed: CaptureFeed, collector: Collector) -> None:
        self.standin = standin
        self.proxy = proxy
        self.feed = feed
        self.collector = collector
        host, port = proxy.wait_listening()[0]
        self.proxy_url = f"http://{host}:{port}"

    @property
    def ca_path(self) -> Path:
        """The proxy's root certificate."""
        assert self.proxy.authority is not None
        return self.proxy.authority.certificate_path

    def context(self) -> ssl.SSLContext:
        """Trust the proxy, and nobody else."""
        return ssl.create_default_context(cafile=str(self.ca_path))


type StartRig = Callable[..., Rig]


@contextmanager
def running_rig(
    directory: Path,
    api: ApiSettings | None = None,
    *,
    server: ServerSettings | None = None,
    journal: Journal | None = None,
    is_lean: bool | None = None,
    limit_bytes: int = 256 * 1024 * 1024,
    is_chained: bool = True,
) -> Iterator[Rig]:
    """Start a stand-in and a proxy in front of it.

    Chained, the way to the API's name leads through the stand-in's `CONNECT`; otherwise clients ask for `localhost`.
    """
    with StandinServer(MessagesApi(api), server, journal) as standin:
        settings = ProxySettings(
            ca_directory=directory,
            port=0,
            intercept_hosts=("localhost",),
            upstream_proxy=standin.proxy_url if is_chained else "none",
            upstream_ca_bundle=standin.ca_path,
            use_lean_master=is_lean,
        )
        feed = CaptureFeed(Redactor(open_redaction_key(directory)), limit_bytes=limit_bytes)
        proxy = ProxyThread(settings, feed, environment={})
        proxy.start()
        collector = Collector(feed)
        try:
            proxy.wait_listening()
            collector.start()
            yield Rig(standin, proxy, feed, collector)
        finally:
            proxy.stop(drain_s=0.5)
            collector.stop()


def whole(body: CapturedBody | None) -> bytes:
    """Return a captured body that was held whole."""
    assert body is not None
    assert body.data is not None
    return body.data
