"""The process that serves the API of a running capture: reads the database itself, asks the capture what only that knows.

It exists because answering costs milliseconds of pure Python, which the proxy's interpreter lock cannot spare. One line of JSON
each way; it ends with its input.

    in   {"url": ..., "settings": {...}, "listening": "7", "redaction_key": "6b..."} first, then {"rung": true} when something
         changed, {"reply": 7, "value": {...}}
    out  {"pid": 4711} first (whom the socket is to be lent to), {"serves": true} or {"error": "..."} next, then {"ask": 7,
         "what": "counters" | "pause" | "resume"}
"""

import contextlib
import gc
import itertools
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO

from proxy_core.priority import give_way
from proxy_core.redact import Redactor
from storage.api.listening import borrow
from storage.api.server import ApiThread
from storage.api.settings import ApiSettings
from storage.database import open_database
from storage.errors import ApiUnavailableError
from storage.store import Store
from storage.views import CaptureCounters

GC_THRESHOLDS = (20_000, 50, 100)
"""Far more than by default: a long answer is thousands of objects, none of them garbage, gone at once when it is written."""
_REPLY_S = 2.0


class PipedControl:
    """The running capture on the other end of the pipes, as the routes need it.

    Args:
        sink: Where questions go.
    """

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._waiting: dict[int, SimpleQueue[Mapping[str, Any]]] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._last = CaptureCounters()

    def counters(self) -> CaptureCounters:
        """Return what the capture says; what it said last when it does not answer."""
        value = self._ask("counters")
        if value is not None:
            self._last = CaptureCounters(**value)
        return self._last

    def pause(self) -> None:
        """Stop capturing; traffic goes on."""
        self._ask("pause")

    def resume(self) -> None:
        """Capture again."""
        self._ask("resume")

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever the capture says that something changed; returns a function that ends it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def hear(self, line: Mapping[str, Any]) -> None:
        """Take a line from the capture."""
        if "reply" in line:
            waiting = self._waiting.get(line["reply"])
            if waiting is not None:
                waiting.put(line["value"])
            return
        for callback in list(self._callbacks):
            callback()

    def tell(self, line: Mapping[str, Any]) -> None:
        """Send a line to the capture."""
        with self._lock:
            self._sink.write(json.dumps(line).encode() + b"\n")
            self._sink.flush()

    def _ask(self, what: str) -> Mapping[str, Any] | None:
        number = next(self._ids)
        answer: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        self._waiting[number] = answer
        try:
            self.tell({"ask": number, "what": what})
            return answer.get(timeout=_REPLY_S)
        except (Empty, OSError, ValueError):
            return None
        finally:
            del self._waiting[number]


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Serve until the input ends."""
    control = PipedControl(sink)
    control.tell({"pid": os.getpid()})
    told = json.loads(source.readline())
    settings = told["settings"]
    shape = ApiSettings(**settings | {name: tuple(settings[name]) for name in ("allowed_origins", "allowed_hosts")})
    database = open_database(told["url"])
    key = bytes.fromhex(told["redaction_key"])
    api = ApiThread(Store(database, Redactor(key) if key else None), shape, control)
    try:
        api.start(borrow(told["listening"]))
    except ApiUnavailableError as error:
        control.tell({"error": str(error)})
        return
    control.tell({"serves": True})
    threading.Thread(target=_end_with, args=(api,), daemon=True).start()
    try:
        for line in source:
            control.hear(json.loads(line))
    finally:
        api.stop()
        database.close()


def _end_with(api: ApiThread) -> None:
    """End this process with the thread that answers: who connects then is answered by the next one."""
    api.wait()
    if api.failure is not None:
        os._exit(1)


if __name__ == "__main__":
    give_way()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        serve(sys.stdin.buffer, sys.stdout.buffer)
