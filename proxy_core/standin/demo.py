"""Live traffic for whoever has none: scripted sessions sent through the real proxy to a stand-in, on loopback alone.

Deterministic by seed but for times. It must not touch the proxy or the store: it only is a client and a server.
"""

import hashlib
import http.client
import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.billing import Billing, NearExactCounter
from proxy_core.standin.client import ClientReply, ProxiedClient
from proxy_core.standin.events import Pace
from proxy_core.standin.faults import Fault, FaultKind
from proxy_core.standin.scenario import Turn, echo
from proxy_core.standin.server import StandinServer
from proxy_core.standin.sessions.claude_code import ClaudeCodeSession
from proxy_core.standin.sessions.exchanges import Exchanges, Outgoing
from proxy_core.standin.sessions.plot import make_story
from proxy_core.standin.sessions.sdk import SdkSession

_RETRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPace:
    """How fast the demonstration runs."""

    between_requests_s: float = 0.6
    """The time the client's tools take."""
    between_sessions_s: float = 2.0
    first_event_s: float = 0.35
    """The time the model takes to begin."""
    event_s: float = 0.02
    """Between two pieces of an answer."""


AS_FAST_AS_POSSIBLE = DemoPace(between_requests_s=0, between_sessions_s=0, first_event_s=0, event_s=0)


class DemoApi:
    """The stand-in of the demonstration: it answers each request as that request's script says."""

    def __init__(self, pace: DemoPace | None = None) -> None:
        pace = pace or DemoPace()
        self._turns: dict[bytes, Turn] = {}
        settings = ApiSettings(
            scenario=self._answer, pace=Pace(first_event_s=pace.first_event_s, event_s=pace.event_s), content_encoding="auto"
        )
        self._api = MessagesApi(settings, Billing(NearExactCounter()))
        self.server = StandinServer(self._api)

    @property
    def proxy_url(self) -> str:
        """What the proxy's `upstream_proxy` must be."""
        return self.server.proxy_url

    @property
    def ca_path(self) -> Path:
        """What the proxy's `upstream_ca` must be."""
        return self.server.ca_path

    def start(self) -> None:
        """Start listening.

        Raises:
            StandinError: it cannot.
        """
        self.server.start()

    def stop(self) -> None:
        """Stop listening."""
        self.server.stop()

    def expect(self, outgoing: Outgoing) -> None:
        """Prepare the answer to a request that is about to be sent."""
        if outgoing.turn is not None:
            self._turns[_key(outgoing.body)] = outgoing.turn
        if outgoing.failing_status is not None:
            self._api.faults.add(Fault(FaultKind.STATUS, outgoing.failing_status))

    def _answer(self, request: Mapping[str, Any]) -> Turn:
        return self._turns.pop(_key(request), None) or echo(request)


class DemoTraffic:
    """Clients that keep working until they are stopped.

    Args:
        api: The stand-in that the proxy forwards to.
        proxy_address: Where the proxy listens.
        ca_bundle: The proxy's root certificate, which the clients trust.
        seed: The same seed gives the same sessions.
        clients: How many sessions run side by side.
        sessions: How many sessions each client runs; `None`: until it is stopped.
    """

    def __init__(
        self,
        api: DemoApi,
        proxy_address: tuple[str, int],
        ca_bundle: Path,
        *,
        seed: int = 1,
        clients: int = 2,
        sessions: int | None = None,
        pace: DemoPace | None = None,
    ) -> None:
        self._api = api
        self._pace = pace or DemoPace()
        self._sessions = sessions
        self._stopping = threading.Event()
        self._clients = [ProxiedClient(proxy_address, ca_bundle) for _ in range(clients)]
        self._threads = [
            threading.Thread(
                target=self._work, args=(client, seed + number, clients), name=f"demo-client-{number}", daemon=True
            )
            for number, client in enumerate(self._clients)
        ]
        self.failure: Exception | None = None
        """Why a client gave up; `None` while all is well."""

    def start(self) -> None:
        """Let the clients begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every client finish the request it is at, and return."""
        self._stopping.set()
        self.wait(10)

    def wait(self, timeout_s: float | None = None) -> None:
        """Return when every client has run its sessions."""
        for thread in self._threads:
            thread.join(timeout_s)

    def _work(self, client: ProxiedClient, first_seed: int, step: int) -> None:
        try:
            seeds = itertools.count(first_seed, step)
            for seed in seeds if self._sessions is None else itertools.islice(seeds, self._sessions):
                self._play(client, seed)
                if self._stopping.wait(self._pace.between_sessions_s):
                    return
        except (OSError, http.client.HTTPException) as error:
            if not self._stopping.is_set():
                self.failure = error
        finally:
            client.close()

    def _play(self, client: ProxiedClient, seed: int) -> None:
        exchanges = play_session(seed)
        outgoing = next(exchanges)
        while not self._stopping.is_set():
            reply = self._send(client, outgoing)
            try:
                outgoing = exchanges.send(reply.content if reply.status == 200 else {})
            except StopIteration:
                return
            self._stopping.wait(self._pace.between_requests_s)

    def _send(self, client: ProxiedClient, outgoing: Outgoing) -> ClientReply:
        """Send a request, again after an error of the kind that passes."""
        body = json.dumps(outgoing.body, separators=(",", ":"), ensure_ascii=False).encode()
        self._api.expect(outgoing)
        for attempt in range(_RETRIES):
            reply = client.send("POST", outgoing.path, outgoing.headers, body)
            if reply.status < 429:
                break
            self._stopping.wait(self._pace.between_requests_s * (attempt + 1))
        return reply


def play_session(seed: int) -> Exchanges:
    """Make up the session of a seed: every fourth is a program over the SDK, the others a coding agent's."""
    if seed % 4 == 3:
        return SdkSession(seed).exchanges()
    return ClaudeCodeSession(make_story(seed), seed).exchanges()


def _key(request: Mapping[str, Any]) -> bytes:
    known = json.dumps([request.get("metadata"), request.get("messages")], sort_keys=True)
    return hashlib.blake2b(known.encode(), digest_size=16).digest()
