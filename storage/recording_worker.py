"""The recording process: takes live exchanges from the proxy's process, redacts, stores and analyses them.

It exists because all this is Python and would hold the interpreter lock that the proxy needs. When the proxy's process is
killed it stores what has arrived, so that nothing dies with it.

    in   one line of JSON first: {"url": ..., "key": ..., "options": {...}, "tells_summaries": false}; then messages
         (`proxy_core.relay_messages`), an empty one at the end
    out  lines of JSON: {"ready": true} or {"refusal": "..."} first, then {"changes": [[7, "finished"]],
         "stored": ["0193..."], "given_up": [], "status": {...}, "summaries": [{...}]}, of what was analysed if it is to tell
         that, and {"stop_errors": [["writer", "..."]]} last
"""

import contextlib
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any, BinaryIO

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from proxy_core.child_process import PIPE_BYTES, outlive_signals, widen
from proxy_core.feed import CaptureFeed
from proxy_core.priority import LAST, give_way
from proxy_core.redact import Redactor
from proxy_core.relay import Mirror
from proxy_core.relay_messages import read_messages
from storage.database import open_database
from storage.errors import StorageError
from storage.notices import Change, ExchangeChanged, Notices
from storage.recorder import Recorder, RecordingOptions
from storage.recorder_status import RecorderStatus
from storage.recovery import INTERRUPTED
from storage.store import Store
from storage.views import ExchangeSummary

GIVEN_UP = "Assay ended before this exchange did"
FLUSH_S, YOUNG_S = 0.1, 0.0
"""As in `HookFeed`: who sent this has waited already; each time costs a transaction."""
WAITING_BYTES = 48 * 1024 * 1024
"""With so much not looked at yet, no more is read: it waits where it came from, which is bounded. What is held of running
exchanges does not count: only reading on brings their ends."""
TELL_EVERY_S = 0.05
"""A line costs both processes more than what it says; the first news after a pause are told at once."""
_LOOK_S = 0.02
HEARTBEAT_S = 1.0


type Summarise = Callable[[Sequence[int]], Sequence[ExchangeSummary]]


class Teller:
    """Tells the proxy's process what was stored, a few times a second, in a thread of its own.

    Args:
        sink: Where the lines go.
    """

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        # Two threads meet here: one appends, the other takes from the left.
        self._changes: deque[tuple[int, str]] = deque()
        self._stored: deque[str] = deque()
        self._given_up: deque[str] = deque()
        self._news = threading.Event()
        self._ending = threading.Event()
        self._status: Callable[[], RecorderStatus] = RecorderStatus
        self._summarise: Summarise = lambda _row_ids: ()
        self._thread = threading.Thread(target=self._run, name="assay-teller", daemon=True)

    def hear(self, change: ExchangeChanged) -> None:
        """Take note of a committed change."""
        self._changes.append((change.id, change.what.value))
        self._news.set()

    def settle(self, exchange_ids: Sequence[str]) -> None:
        """Take note of exchanges that are stored."""
        self._stored += exchange_ids
        self._news.set()

    def give_up(self, exchange_ids: Sequence[str]) -> None:
        """Take note of exchanges that never will be."""
        self._given_up += exchange_ids
        self._news.set()

    def start(self, recorder: Recorder, feed: CaptureFeed, summarise: Summarise | None = None) -> None:
        """Begin to tell of a recorder and the feed it records from; how what was analysed reads, if that is given."""
        self._status = lambda: _status(recorder, feed)
        self._summarise = summarise or self._summarise
        self._thread.start()

    def stop(self) -> None:
        """Tell what is left, then end."""
        self._ending.set()
        self._news.set()
        self._thread.join()

    def say(self, line: Mapping[str, Any]) -> None:
        """Write a line; when nobody reads any more, nothing."""
        with contextlib.suppress(OSError, ValueError), self._lock:
            self._sink.write(json.dumps(line).encode() + b"\n")
            self._sink.flush()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._news.wait(HEARTBEAT_S)
            self._news.clear()
            self._tell()
            self._ending.wait(TELL_EVERY_S)
        self._tell()

    def _tell(self) -> None:
        changes, stored, given_up = _taken(self._changes), _taken(self._stored), _taken(self._given_up)
        line = {"changes": changes, "stored": stored, "given_up": given_up, "status": asdict(self._status())}
        self.say(line | {"summaries": self._summaries([row_id for row_id, what in changes if what == Change.ANALYSED])})

    def _summaries(self, row_ids: Sequence[int]) -> list[Any]:
        try:
            return [msgspec.to_builtins(summary) for summary in self._summarise(row_ids)] if row_ids else []
        except SQLAlchemyError:  # whoever wants them reads them then, and sees what is wrong
            return []


def _taken[T](waiting: deque[T]) -> list[T]:
    return [waiting.popleft() for _ in range(len(waiting))]


def record(source: BinaryIO, sink: BinaryIO) -> None:
    """Record until the input ends."""
    told = json.loads(source.readline())
    teller = Teller(sink)
    feed = CaptureFeed(Redactor(bytes.fromhex(told["key"])), limit_bytes=1 << 62, flush_s=FLUSH_S, young_s=YOUNG_S)
    feed.on_lost = lambda exchange_id: teller.give_up([exchange_id])
    notices = Notices()
    notices.subscribe(teller.hear)
    try:
        database = open_database(told["url"])
        options = RecordingOptions(**told["options"])
        recorder = Recorder(database, feed, notices, options, on_settled=teller.settle, on_given_up=teller.give_up)
        recorder.start(lambda: teller.say({"ready": True}))
    except StorageError as error:
        teller.say({"refusal": str(error)})
        return
    except Exception as error:  # noqa: BLE001 - the process's root: told to whoever started it, who tells a person
        teller.say({"refusal": f"{type(error).__name__}: {error}".splitlines()[0]})
        return
    # The writer alone: processes that others start for the analysis have much to load before they give way themselves.
    give_way(LAST, recorder.writer.thread_id)
    teller.start(recorder, feed, Store(database).exchanges.summaries if told["tells_summaries"] else None)
    is_told = False
    try:
        # Behind all others; this thread is not, for somebody waits while it ends.
        with ThreadPoolExecutor(1, "assay-intake", give_way, (LAST,)) as intake:
            is_told = intake.submit(_take_in, source, feed, recorder).result()
    finally:
        # What still runs when the end is told was given up by whoever told it.
        feed.interrupt(GIVEN_UP if is_told else INTERRUPTED)
        stop_errors = recorder.stop()
        teller.stop()
        teller.say({"stop_errors": stop_errors})
        database.close()


def _take_in(source: BinaryIO, feed: CaptureFeed, recorder: Recorder) -> bool:
    """Take in messages until they end; True when the end was told."""
    mirror = Mirror(feed)
    for message in read_messages(source):
        if not message:
            return True
        try:
            mirror.apply(message)
        except (msgspec.MsgspecError, ValueError) as error:
            feed.count_error("recording", error)
        while feed.waiting_bytes > WAITING_BYTES and recorder.writer.is_running:
            time.sleep(_LOOK_S)
        if not recorder.writer.is_running:
            break
    return False


def _status(recorder: Recorder, feed: CaptureFeed) -> RecorderStatus:
    status = recorder.status()
    return replace(status, capture_errors=feed.errors, last_error=feed.last_error or status.last_error)


def main() -> None:
    """Record what standard input brings."""
    outlive_signals()
    widen(sys.stdin.fileno())
    with (
        contextlib.suppress(BrokenPipeError),
        open(sys.stdin.fileno(), "rb", buffering=PIPE_BYTES, closefd=False) as standard_input,
    ):
        record(standard_input, sys.stdout.buffer)


if __name__ == "__main__":
    main()
