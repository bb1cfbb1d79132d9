"""What storing takes: bytes on disk of long conversations, bytes, memory and CPU of ten thousand requests.

Run as a process of its own (`python -m benchmarks.storing DIRECTORY COUNT`), so that memory is its alone. A turn of a
conversation is stored by itself, as it comes (they are made beforehand: whoever makes them meanwhile holds up who stores);
the requests come as fast as they are stored, up to sixteen at a time.
`stored_mb` and `cpu_ms_per_exchange` are storing alone (the writer's thread). Afterwards exchanges are analysed, at most
five hundred, tokens counted by length: `analysis_cpu_ms` is that for each of them, and `disk_mb` what all exchanges take with
everything that belongs to them, reckoned from those where they are more.
"""

import json
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.processes import memory_mb
from proxy_core.attribution.analysis import analyse
from proxy_core.attribution.prices import load_price_book
from proxy_core.attribution.tokens.service import lengths_only
from proxy_core.exchange import BodyGrew, CaptureEvent, ExchangeFinished, ResponseStarted, Side
from storage.analysing import Analyst
from storage.analysis_context import DatabaseContext
from storage.database import Database, open_database
from storage.models import ExchangeRow
from storage.store import Store
from storage.writer import StorageWriter
from tests import factories

_TEXT = "the file reads state before lock and writes entry after check so that total of day stays right when job runs twice"
_WORDS = _TEXT.split()
_ANALYSED = 500
_CHECK_EVERY = 37
_GROWTHS = 20
"""How often a stream is journalled while it runs: one of a second."""
_TOGETHER = 16
_MOST_WAITING = 64
"""Steps that are made ahead of the writer."""

type Steps = Sequence[Sequence[CaptureEvent]]
"""The events of one exchange; those of a step come at once."""


class EventQueue:
    """A feed of a bounded number of steps, filled by another thread than the writer's; the queue is that of the real feed.

    Args:
        at_once: Steps that the writer gets together.
    """

    def __init__(self, at_once: int) -> None:
        self._waiting: queue.SimpleQueue[Sequence[CaptureEvent]] = queue.SimpleQueue()
        self._at_once = at_once
        self.is_closed = False
        self.is_drained = False
        """The writer has taken everything."""

    def put(self, step: Sequence[CaptureEvent]) -> None:
        """Add a step, waiting for room."""
        while self._waiting.qsize() >= _MOST_WAITING:
            time.sleep(0.001)
        self._waiting.put(step)

    def take(self, timeout_s: float) -> list[CaptureEvent]:
        """Return what waits, at most so many steps."""
        taken: list[CaptureEvent] = []
        try:
            taken += self._waiting.get(timeout=min(timeout_s, 0.02) or 0.001)
            for _ in range(self._at_once - 1):
                taken += self._waiting.get_nowait()
        except queue.Empty:
            pass
        self.is_drained = self.is_closed and not taken
        return taken

    def wake(self) -> None:
        """Have who waits in `take` go on at once."""
        self._waiting.put(())


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


def answered(bodies: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
    """Pair each request of a conversation with the answer that the next one repeats."""
    before: bytes | None = None
    for body in bodies:
        if before is not None:
            yield before, json.loads(body)["messages"][-2]["content"][0]["text"]
        before = body


def stream(chance: random.Random, text: str) -> bytes:
    """Return a streamed answer as the API writes it: an event for each word or less, some with spaces at the end."""
    usage = {"input_tokens": 4, "cache_read_input_tokens": chance.randint(9_000, 99_000), "output_tokens": len(text) // 4}
    start = factories.response_json(id=f"msg_01{chance.randbytes(11).hex()}", content=[], usage=usage | {"output_tokens": 1})
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    position = 0
    while position < len(text):
        end = position + chance.randint(1, 7)
        delta = {"type": "text_delta", "text": text[position:end]}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
        position = end
    events.append({"type": "content_block_stop", "index": 0})
    events += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}, {"type": "message_stop"}]
    return b"".join(_event(event, chance.randint(0, 14) if chance.random() < 0.5 else 0) for event in events)


def _event(event: dict[str, Any], spaces: int) -> bytes:
    data = json.dumps(event, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {data[:-1]}{' ' * spaces}}}\n\n".encode()


def finished(body: bytes, answer: bytes) -> ExchangeFinished:
    """Return the event of a request that was answered."""
    return factories.exchange_finished(request_body=factories.body_of(body), response_body=factories.body_of(answer))


def whole(chance: random.Random, talk: Iterable[tuple[bytes, str]]) -> Iterator[Steps]:
    """Give exchanges that were over before they were first stored."""
    for body, text in talk:
        answer = factories.response_json(id=f"msg_01{chance.randbytes(11).hex()}", content=[{"type": "text", "text": text}])
        yield [[finished(body, json.dumps(answer).encode())]]


def live(chance: random.Random, talk: Iterable[tuple[bytes, str]]) -> Iterator[Steps]:
    """Give exchanges whose answer is streamed, and stored as it comes."""
    for body, text in talk:
        end = finished(body, stream(chance, text))
        changes = {"exchange_id": end.exchange_id, "request_body": end.request_body}
        answer = end.response_body.data if end.response_body else None
        assert end.response is not None
        assert answer is not None
        size = len(answer) // _GROWTHS + 1
        grown = (answer[start : start + size] for start in range(0, len(answer), size))
        yield [
            [factories.exchange_started(**changes)],
            [ResponseStarted(exchange_id=end.exchange_id, response=end.response, timing=end.timing)],
            *([BodyGrew(exchange_id=end.exchange_id, side=Side.RESPONSE, data=part)] for part in grown),
            [end],
        ]


@dataclass(slots=True)
class _Stored:
    """What was stored, and what that took."""

    kept: list[ExchangeFinished] = field(default_factory=list)
    """Some of the exchanges, to compare with what is read again."""
    exchanges: int = 0
    raw_bytes: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    """Of the writer's thread."""
    grown_mb: float = 0.0
    """Of memory."""


def store_all(path: Path, exchanges: Iterable[Steps], at_once: int) -> dict[str, float]:
    """Store through the real writer, then analyse; return what it took."""
    database = open_database(path)
    stored = _store(database, exchanges, at_once)
    stored_mb = _disk_mb(database, path)
    analysed, analysis_s = _analyse(database)
    grown_disk_mb = _disk_mb(database, path) - stored_mb
    wrong = sum(_is_wrong(database, end) for end in stored.kept)
    database.close()
    return {
        "exchanges": stored.exchanges,
        "raw_mb": stored.raw_bytes / 1e6,
        "stored_mb": stored_mb,
        "disk_mb": stored_mb + grown_disk_mb * stored.exchanges / analysed,
        "cpu_ms_per_exchange": stored.cpu_s / stored.exchanges * 1000,
        "analysis_cpu_ms": analysis_s / analysed * 1000,
        "exchanges_per_s": stored.exchanges / stored.wall_s,
        "memory_grown_mb": stored.grown_mb,
        "bodies_checked": 2 * len(stored.kept),
        "wrong_bodies": wrong,
    }


def _store(database: Database, exchanges: Iterable[Steps], at_once: int) -> _Stored:
    feed, stored = EventQueue(at_once), _Stored()
    writer = StorageWriter(database, feed)
    writer.start()
    (thread,) = [each.ident for each in threading.enumerate() if each.name == "assay-writer"]
    assert thread is not None
    clock = time.pthread_getcpuclockid(thread)
    before_mb, begun, begun_cpu_s = memory_mb(os.getpid()), time.perf_counter(), time.clock_gettime(clock)
    for steps in exchanges:
        for step in steps:
            feed.put(step)
        end = steps[-1][-1]
        assert isinstance(end, ExchangeFinished)
        stored.raw_bytes, stored.exchanges = stored.raw_bytes + _wire_bytes(end), stored.exchanges + 1
        if stored.exchanges % _CHECK_EVERY == 0:
            stored.kept.append(end)
    feed.is_closed = True
    while not feed.is_drained:
        time.sleep(0.005)
    stored.wall_s, stored.cpu_s = time.perf_counter() - begun, time.clock_gettime(clock) - begun_cpu_s
    stored.grown_mb = memory_mb(os.getpid()) - before_mb
    writer.stop()
    return stored


def _wire_bytes(end: ExchangeFinished) -> int:
    return end.request_body.wire_bytes + (end.response_body.wire_bytes if end.response_body else 0)


def _disk_mb(database: Database, path: Path) -> float:
    database.checkpoint()
    log = path.with_name(f"{path.name}-wal")
    return (path.stat().st_size + (log.stat().st_size if log.exists() else 0)) / 1e6


def _analyse(database: Database) -> tuple[int, float]:
    """Analyse the first exchanges: how many, and the CPU seconds that took."""
    context = DatabaseContext(database, prices=load_price_book(None), counting=lengths_only())
    analyst = Analyst(database, context, analyse)
    id_of = ExchangeRow.__table__.c.id
    with database.read() as connection:
        row_ids = connection.execute(select(id_of).order_by(id_of).limit(_ANALYSED)).scalars().all()
    begun_s = time.thread_time()
    for row_id in row_ids:
        analyst.analyse(row_id, has_ended=True)
        assert analyst.error is None
    return len(row_ids), time.thread_time() - begun_s


def _is_wrong(database: Database, end: ExchangeFinished) -> int:
    """Count the bodies that do not come back as they were."""
    reader = Store(database).exchanges
    pairs = ((Side.REQUEST, end.request_body), (Side.RESPONSE, end.response_body))
    return sum(reader.body(end.exchange_id, side) != (body.data if body else None) for side, body in pairs)


def main() -> None:
    """Measure all and print the result as JSON."""
    directory, count = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(13)
    requests = ((body, prose(chance, 800)) for body in separate_requests(count, 20_000))
    cases = {
        "conversation": (list(whole(chance, answered(conversation(101)))), 1),
        "conversation, streamed live": (list(live(chance, answered(conversation(101)))), 1),
        "requests": (whole(chance, requests), _TOGETHER),
    }
    result = {name: store_all(directory / f"{name}.db", exchanges, at_once) for name, (exchanges, at_once) in cases.items()}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
