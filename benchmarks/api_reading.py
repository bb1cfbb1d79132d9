"""Readers of the JSON API, in a process of their own: read where others measure, they would delay what is measured.

`python -m benchmarks.api_reading PORT SECONDS`: says `ready`, begins with the first line of its input, then writes as JSON how
long each read took, in milliseconds.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable

READS_PER_S, READERS = 200, 10
PATHS = (
    "/api/claude/requests?limit=20",
    "/api/claude/metrics/summary",
    "/api/claude/metrics/sources",
    "/api/claude/metrics/timeseries?bucket=hour",
    "/api/claude/sessions",
)


class _Api:
    """One keep-alive connection of a reader."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader, self._writer, self._port = reader, writer, port

    async def get(self, path: str) -> None:
        """Read one answer whole."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise ConnectionError(head.decode("latin-1"))
        await self._reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))


async def paced(rate: float, lanes: int, until: float, act: Callable[[int], Awaitable[None]]) -> None:
    """Call `act(lane)` at a steady rate, spread over lanes, until a moment of `time.perf_counter`."""

    async def lane(number: int) -> None:
        due = time.perf_counter() + number / rate
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await act(number)
            due += lanes / rate

    await asyncio.gather(*(lane(number) for number in range(lanes)))


async def _read(port: int, seconds: float) -> list[float]:
    connections = [_Api(*await asyncio.open_connection("127.0.0.1", port, limit=2**22), port) for _ in range(READERS)]
    paths, took_ms = itertools.cycle(PATHS), []
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)

    async def read(lane: int) -> None:
        begun = time.perf_counter()
        await connections[lane].get(next(paths))
        took_ms.append((time.perf_counter() - begun) * 1000)

    await paced(READS_PER_S, READERS, time.perf_counter() + seconds, read)
    return took_ms


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_read(int(sys.argv[1]), float(sys.argv[2])))))
