"""Clients that never rest: they send numbered requests and compare every byte of the answers with what the API sent."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from benchmarks.chaos.witness import Witness, body_of
from tests.e2e.product import Headless
from tests.e2e.rig import API_URL

_PAUSE_S = 0.05


class Load:
    """Clients of one running Assay, every other one with HTTP/2.

    Args:
        running: Which Assay.
        witness: Who answers.
        first: The first number.
        clients: How many at a time.
        timeout_s: How long a client waits for a byte.
    """

    def __init__(self, running: Headless, witness: Witness, first: int, clients: int = 4, timeout_s: float = 20.0) -> None:
        self._context = ssl.create_default_context(cafile=str(running.certificate))
        self._proxy_url = running.proxy_url
        self._witness = witness
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._next = first
        self._stopping = threading.Event()
        self.answered: dict[int, float] = {}
        """When each request was answered whole, by number."""
        self.failed: dict[int, str] = {}
        """What went wrong for a client, by number."""
        self.wrong: list[str] = []
        """Answers that are not what was sent: never right."""
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(clients)]

    @property
    def next_number(self) -> int:
        """The first number that was not used."""
        return self._next

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
                thread.join(3 * self._timeout_s)

    def end(self) -> None:
        """Send nothing more."""
        self._stopping.set()

    def wait_for_more(self, count: int, timeout_s: float = 60.0) -> bool:
        """Wait until so many more requests were answered; False when they were not."""
        wanted, until = len(self.answered) + count, time.monotonic() + timeout_s
        while len(self.answered) < wanted and time.monotonic() < until:
            time.sleep(0.01)
        return len(self.answered) >= wanted

    def _take(self) -> int:
        with self._lock:
            self._next += 1
            return self._next - 1

    def _work(self, client_number: int) -> None:
        while not self._stopping.is_set():
            with (
                suppress(httpx.HTTPError, OSError, ssl.SSLError),
                httpx.Client(
                    http2=client_number % 2 == 1,
                    proxy=self._proxy_url,
                    verify=self._context,
                    trust_env=False,
                    timeout=self._timeout_s,
                ) as client,
            ):
                while not self._stopping.is_set() and self._ask(client, self._take()):
                    pass
            self._stopping.wait(_PAUSE_S)

    def _ask(self, client: httpx.Client, number: int) -> bool:
        """Ask once; False: the connection is no good any more."""
        got, failure = bytearray(), None
        try:
            headers = {"x-api-key": "k", "content-type": "application/json"}
            with client.stream("POST", f"{API_URL}/v1/messages", content=body_of(number), headers=headers) as reply:
                for piece in reply.iter_raw():
                    got += piece
                status = reply.status_code
        except (httpx.HTTPError, OSError, ssl.SSLError) as error:
            failure = f"{type(error).__name__}: {error}"
        sent = self._witness.sent.pop(number, None)
        if failure is not None:
            self.failed[number] = failure
            self._compare(number, got, None if sent is None else bytes(sent[: len(got)]))
            return False
        if sent is None:
            self.failed[number] = f"answered {status} by the proxy itself"
            return True
        if self._compare(number, got, bytes(sent)) and status == 200:
            self.answered[number] = time.monotonic()
        return True

    def _compare(self, number: int, got: bytearray, sent: bytes | None) -> bool:
        is_right = got == (sent or b"")
        if not is_right:
            self.wrong.append(f"request {number}: {len(got)} bytes, {None if sent is None else len(sent)} were sent")
        return is_right
