"""A steady load, as one busy person's agents make it: so many requests a second, each at its time, whatever the others do."""

import asyncio
import itertools
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from benchmarks.connecting import Route, open_route
from benchmarks.latency import bodies

PER_SECOND = 100
BODY_BYTES = 20_000
_LANES = 10
_MARKED_EVERY = 20
_MARKS = range(430, 500)
"""Status codes that no screen treats in a special way; each told apart from its neighbours on the screen."""


@dataclass(slots=True)
class Traffic:
    """What came of a load."""

    latencies_ms: list[float] = field(default_factory=list)
    marks: list[tuple[float, int]] = field(default_factory=list)
    """When the answer with a telling status code had come, by `time.perf_counter`, and the code."""
    errors: int = 0
    late: int = 0
    """Requests that began more than 50 ms after their time: the machine did not keep up."""
    screen_cpu_share: float = 0.0
    """CPU of the process that draws, of one core; 0 where none does."""


class Load:
    """Requests at a steady rate, in a thread of their own, until it is left.

    Args:
        route: Through what.
        per_second: How many.
    """

    def __init__(self, route: Route, per_second: float = PER_SECOND) -> None:
        self._route = route
        self._per_second = per_second
        self._is_ending = False
        self._numbers = itertools.count()
        self.traffic = Traffic()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._is_ending = True
        self._thread.join()

    async def _run(self) -> None:
        context = self._route.context("http/1.1")
        supply = itertools.cycle(list(itertools.islice(bodies(BODY_BYTES), 200)))
        begun = time.perf_counter() + 0.2
        await asyncio.gather(*(self._lane(number, context, supply, begun) for number in range(_LANES)))

    async def _lane(self, number: int, context: ssl.SSLContext, supply: "itertools.cycle[bytes]", begun: float) -> None:
        reader, writer = await open_route(self._route, context)
        due = begun + number / self._per_second
        while not self._is_ending:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.traffic.late += time.perf_counter() - due > 0.05
            due += _LANES / self._per_second
            try:
                await self._ask(reader, writer, next(supply))
            except (OSError, asyncio.IncompleteReadError):
                self.traffic.errors += 1
                reader, writer = await open_route(self._route, context)
        writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
        number = next(self._numbers)
        mark = _MARKS[number // _MARKED_EVERY % len(_MARKS)] if number % _MARKED_EVERY == 0 else None
        target = "/v1/messages" if mark is None else f"/v1/messages?status={mark}"
        head = (
            f"POST {target} HTTP/1.1\r\nHost: localhost\r\nx-api-key: benchmark\r\ncontent-type: application/json\r\n"
            f"user-agent: claude-cli/2.1.330 (external, cli)\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        begun = time.perf_counter()
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        ended = time.perf_counter()
        self.traffic.latencies_ms.append((ended - begun) * 1000)
        if not answer.startswith(b"http/1.1 %d" % (mark or 200)):
            self.traffic.errors += 1
        elif mark is not None:
            self.traffic.marks.append((ended, mark))
