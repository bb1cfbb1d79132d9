"""A running stand-in and clients that trust it."""

import ssl
from collections.abc import Callable, Iterator

import httpx
import pytest

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.server import ServerSettings, StandinServer
from proxy_core.standin.wire import Journal

type Serve = Callable[..., StandinServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start stand-ins; they end with the test."""
    running: list[StandinServer] = []

    def start(
        api: ApiSettings | None = None, *, server_settings: ServerSettings | None = None, journal: Journal | None = None
    ) -> StandinServer:
        server = StandinServer(MessagesApi(api), server_settings, journal)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture(params=[False, True], ids=["h1", "h2"])
def client_for(request: pytest.FixtureRequest) -> Iterator[Callable[[StandinServer], httpx.Client]]:
    """Make clients of one HTTP version or the other."""
    opened: list[httpx.Client] = []

    def connect(server: StandinServer) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(server.ca_path))
        client = httpx.Client(
            http2=request.param,
            verify=context,
            trust_env=False,
            base_url=server.url,
            headers={"x-api-key": "key"},
            timeout=60,
        )
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()
