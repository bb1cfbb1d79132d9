"""What storing takes: bytes on disk of a long conversation, bytes, memory and CPU of ten thousand requests.

Run as a process of its own (`python -m benchmarks.storing DIRECTORY`), so that memory is its alone. Storage only: no analysis.
"""

import contextlib
import json
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.processes import cpu_seconds, memory_mb
from proxy_core.exchange import CaptureEvent, ExchangeFinished, Side
from storage.database import open_database
from storage.store import Store
from storage.writer import StorageWriter
from tests import factories

_TEXT = "the file reads state before lock and writes entry after check so that total of day stays right when job runs twice"
_WORDS = _TEXT.split()


class EventQueue:
    """A feed of a bounded number of events, filled by another thread than the writer's."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[CaptureEvent] = queue.Queue(64)
        self.is_closed = False
        self.is_drained = False
        """The writer has taken everything."""

    def put(self, event: CaptureEvent) -> None:
        """Add an event, waiting for room."""
        self._waiting.put(event)

    def take(self, timeout_s: float) -> list[CaptureEvent]:
        """Return what waits, at most sixteen events."""
        taken: list[CaptureEvent] = []
        with contextlib.suppress(queue.Empty):
            taken.append(self._waiting.get(timeout=min(timeout_s, 0.02) or 0.001))
            while len(taken) < 16:
                taken.append(self._waiting.get_nowait())
        self.is_drained = self.is_closed and not taken
        return taken


def prose(chance: random.Random, length: int) -> str:
    """Return text that compresses like text."""
    words: list[str] = []
    size = 0
    while size < length:
        word = chance.choice(_WORDS) if chance.random() < 0.9 else f"{chance.choice(_WORDS)}_{chance.randint(0, 9999)}"
        words.append(word)
        size += len(word) + 1
    return " ".join(words)[:length]


def conversation(turns: int = 100, start_bytes: int = 60_000, turn_bytes: int = 4_000) -> Iterator[bytes]:
    """Yield the request bodies of a conversation that sends its whole history each turn."""
    chance = random.Random(7)
    tools = [
        {"name": f"tool_{number}", "description": prose(chance, 1500), "input_schema": {"type": "object"}}
        for number in range(20)
    ]
    system = [{"type": "text", "text": prose(chance, start_bytes - 34_000), "cache_control": {"type": "ephemeral"}}]
    messages: list[dict[str, object]] = []
    for turn in range(turns):
        if messages:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": prose(chance, turn_bytes // 4)}]})
        text = prose(chance, turn_bytes * 3 // 4)
        marked = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
        body = {"model": "claude-opus-5-5", "messages": [*messages, {"role": "user", "content": [marked]}], "system": system}
        yield json.dumps({**body, "tools": tools, "max_tokens": 8000, "metadata": {"user_id": f"turn {turn}"}}).encode()
        messages.append({"role": "user", "content": [{"type": "text", "text": text}]})


def separate_requests(count: int, size: int) -> Iterator[bytes]:
    """Yield requests of sessions of twenty turns; each request is about `size` bytes."""
    chance = random.Random(11)
    while True:
        standing = prose(chance, size // 2)
        said: list[dict[str, str]] = []
        for turn in range(20):
            if count <= 0:
                return
            count -= 1
            said = [*said[-8:], {"role": "assistant" if turn % 2 else "user", "content": prose(chance, size // 16)}]
            yield json.dumps({"model": "claude-opus-5-5", "max_tokens": 99, "system": standing, "messages": said}).encode()


def finished(chance: random.Random, body: bytes) -> ExchangeFinished:
    """Return the event of a request that was answered with a short text."""
    answer = factories.response_json(content=[{"type": "text", "text": prose(chance, 800)}])
    return factories.exchange_finished(request_body=factories.body_of(body), response_body=factories.body_of(answer))


def store_all(path: Path, bodies: Iterable[bytes]) -> dict[str, float]:
    """Store through the real writer; return what it took."""
    database, feed, chance = open_database(path), EventQueue(), random.Random(13)
    writer = StorageWriter(database, feed)
    writer.start()
    (thread,) = [each.native_id for each in threading.enumerate() if each.name == "assay-writer"]
    kept: dict[str, bytes] = {}
    before_mb, begun = memory_mb(os.getpid()), time.perf_counter()
    raw_bytes = count = 0
    for body in bodies:
        event = finished(chance, body)
        raw_bytes, count = raw_bytes + len(body), count + 1
        if count % 37 == 0:
            kept[event.exchange_id] = body
        feed.put(event)
    feed.is_closed = True
    while not feed.is_drained:
        time.sleep(0.005)
    wall_s, cpu_s = time.perf_counter() - begun, cpu_seconds(os.getpid(), thread)
    grown_mb = memory_mb(os.getpid()) - before_mb
    writer.stop()
    database.checkpoint()
    reader = Store(database).exchanges
    wrong = sum(reader.body(exchange_id, Side.REQUEST) != body for exchange_id, body in kept.items())
    database.close()
    return {
        "exchanges": count,
        "raw_mb": raw_bytes / 1e6,
        "disk_mb": sum(each.stat().st_size for each in path.parent.glob(path.name + "*")) / 1e6,
        "cpu_ms_per_exchange": cpu_s / count * 1000,
        "exchanges_per_s": count / wall_s,
        "memory_grown_mb": grown_mb,
        "bodies_checked": len(kept),
        "wrong_bodies": wrong,
    }


def main() -> None:
    """Measure both and print the result as JSON."""
    directory, count = Path(sys.argv[1]), int(sys.argv[2])
    result = {
        "conversation": store_all(directory / "conversation.db", conversation()),
        "requests": store_all(directory / "requests.db", separate_requests(count, 20_000)),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
