"""Killing Assay under load, again and again, and counting what of its promises it broke; used by a test and by `make chaos`."""

import json
import random
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from proxy_core.exchange import ExchangeState, Side
from proxy_core.standin.server import StandinServer
from storage.database import open_database
from storage.store import Store
from tests.e2e.product import Headless, assay
from tests.e2e.rig import API_URL

PROMISED_S = 0.1
"""What reached the client longer ago than this is on disk."""


@dataclass(slots=True)
class Toll:
    """What the kills cost."""

    kills: int = 0
    answered: int = 0
    """Requests whose whole answer reached the client in time to be promised."""
    lost: dict[int, str] = field(default_factory=dict)
    """Promised requests that are not there or not whole: how long before the kill they were answered, and what was found."""
    open_left: int = 0
    """Exchanges that still say they run, although nobody runs them."""
    interrupted: int = 0
    """Exchanges kept as interrupted, as they should be."""
    verify_output: str = ""
    """What `assay verify` said if it found something wrong."""


class Load:
    """Clients that send numbered requests until the proxy is gone."""

    def __init__(self, running: Headless, first: int, clients: int) -> None:
        self._context = ssl.create_default_context(cafile=str(running.certificate))
        self._proxy_url = running.proxy_url
        self._lock = threading.Lock()
        self._next = first
        self._stopping = threading.Event()
        self.answered: dict[int, float] = {}
        """When each request was answered, by number."""
        self._threads = [threading.Thread(target=self._work, name=f"load-{number}") for number in range(clients)]

    @property
    def next_number(self) -> int:
        """The first number that was not used."""
        return self._next

    def _take(self) -> int:
        with self._lock:
            self._next += 1
            return self._next - 1

    def _work(self) -> None:
        with httpx.Client(proxy=self._proxy_url, verify=self._context, trust_env=False, timeout=5) as client:
            while not self._stopping.is_set():
                number = self._take()
                try:
                    reply = client.post(f"{API_URL}/v1/messages", json=numbered(number), headers={"x-api-key": "k"})
                except (httpx.HTTPError, OSError):
                    return
                if "message_stop" in reply.text:
                    self.answered[number] = time.monotonic()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests for as long as the block runs."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join(20)


def numbered(number: int) -> dict[str, object]:
    """Return a request that can be told from all others."""
    text = f"request number {number:07d} " + "and some words about it " * (number % 200)
    return {"model": "claude-opus-5-5", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": text}]}


def kill_often(home: Path, standin: StandinServer, *, kills: int, seed: int, clients: int = 4) -> Toll:
    """Start, load, kill at a random moment, start again on the same database; at the end look for what was promised."""
    chance, first = random.Random(seed), 0
    promised: dict[int, float] = {}
    for _ in range(kills):
        with Headless(home, standin) as assayed:
            load = Load(assayed, first, clients)
            with load.running():
                time.sleep(chance.uniform(0.15, 0.9))
                killed_at = time.monotonic()
                assayed.kill()
            first = load.next_number
        promised |= {number: killed_at - at for number, at in load.answered.items() if at < killed_at - PROMISED_S}
    with Headless(home, standin) as last:
        last.stop()
    found = audit(home, promised)
    found.kills = kills
    return found


def audit(home: Path, promised: Mapping[int, float]) -> Toll:
    """Look for the promised requests (and how long before the end they were answered) in the database that was left."""
    toll = Toll(answered=len(promised))
    verified = assay(home, "verify")
    if verified.returncode != 0:
        toll.verify_output = (verified.stdout + verified.stderr).decode()
    database = open_database(next(home.rglob("*.db")))
    try:
        found = _found_requests(Store(database), toll)
    finally:
        database.close()
    for number, ago_s in promised.items():
        if (state := found.get(number, "missing")) != "whole":
            toll.lost[number] = f"{ago_s * 1000:.0f} ms before: {state}"
    return toll


def _found_requests(store: Store, toll: Toll) -> dict[int, str]:
    """Return what is there of each numbered request."""
    found: dict[int, str] = {}
    before: int | None = None
    while page := store.exchanges.page(500, before_id=before):
        before = page[-1].id
        for exchange in page:
            toll.open_left += exchange.state is ExchangeState.OPEN
            toll.interrupted += exchange.state is ExchangeState.INTERRUPTED
            body = store.exchanges.body(exchange.id, Side.REQUEST)
            answer = store.exchanges.decoded_body(exchange.id, Side.RESPONSE) or b""
            if not body:
                continue
            is_whole = exchange.state is ExchangeState.COMPLETE and b"message_stop" in answer
            number = int(json.loads(body)["messages"][0]["content"].split()[2])
            found[number] = "whole" if is_whole else f"{exchange.state}, {len(answer)} bytes of the answer"
    return found
