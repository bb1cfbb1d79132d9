"""A recorder in a process of its own: this end starts it, sends it what the hooks put, revives it when it dies or hangs.

Two threads: one waits for what changed in the feed and sends it, one hears what was stored. Neither holds up the hooks; while
nobody takes what arrives, it waits in the feed, which is bounded. Imports nothing of the database.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from msgspec import convert

from proxy_core.child_process import close_pipes, launch, widen
from proxy_core.hook_feed import HookFeed
from proxy_core.relay import Relay
from proxy_core.relay_messages import write_message
from storage.errors import DatabaseUnusableError, StorageError
from storage.notices import Change, ExchangeChanged, Notices
from storage.recorder_status import RecorderStatus
from storage.views import ExchangeSummary

HANG_S = 60.0
"""The process says something every second; silent for so long it is taken for hung."""
START_S = 600.0
"""To open the database, which may have to be brought up to date first: that must not be broken off."""
_TAKE_S = 0.5
_TAKE_WAITING_S = 0.05
"""The same while something is not known to be stored."""
_REVIVE_AFTER_S = (0.1, 0.5, 2.0, 5.0)
_LOOK_S = 0.02
_MESSAGES_AT_ONCE = 8
_REST_S = 0.001
"""Between so many messages: making them holds the interpreter lock, and sending them a core that who is forwarded may need."""
_END_S = 5.0
"""For the process to end once all is done."""
_COUNTS = ("writer_errors", "analysed", "analysis_errors", "capture_errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPlan:
    """What the process is told; see `storage.recording_worker`."""

    url: str
    """Of the database, with its password."""
    redaction_key: bytes
    options: Mapping[str, object]
    """As in `storage.recorder.RecordingOptions`, which is not imported here."""
    stop_s: float = 30.0
    """How long it may take to end."""
    tells_summaries: bool = False
    """It tells how each analysed exchange reads, so that the process that forwards needs no database for its lines."""

    def as_line(self, awaited: Sequence[str] = ()) -> bytes:
        """Write it as the first line the process reads, with the ids of exchanges that it will get from one that died."""
        options = {**self.options, "awaited": awaited}
        told = {
            "url": self.url,
            "key": self.redaction_key.hex(),
            "options": options,
            "tells_summaries": self.tells_summaries,
        }
        return json.dumps(told).encode() + b"\n"


class _Link:
    """One life of the process."""

    def __init__(self, plan: RecordingPlan, command: Sequence[str] | None, awaited: Sequence[str] = ()) -> None:
        self.process = launch("storage.recording_worker", command=command)
        self.status = RecorderStatus()
        self.stop_errors: list[tuple[str, str]] | None = None
        """What the process said last; `None` as long as it did not."""
        self.heard_at = time.monotonic()
        self.has_ended = threading.Event()
        """It says nothing more."""
        self.is_heard = False
        """Somebody listens to it, and will note that it has ended."""
        assert self.process.stdin is not None
        widen(self.process.stdin.fileno())
        with contextlib.suppress(OSError):  # it ended at once: waiting for its first line will tell
            self.process.stdin.write(plan.as_line(awaited))
            self.process.stdin.flush()

    def wait_ready(self) -> None:
        """Wait until it records.

        Raises:
            DatabaseUnusableError: It cannot.
        """
        assert self.process.stdout is not None
        timer = threading.Timer(START_S, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            line = self.process.stdout.readline()
            told: Mapping[str, Any] = json.loads(line)
        except (OSError, ValueError):  # it ended, or was ended
            told = {"refusal": "the recording process ended at once"}
        finally:
            timer.cancel()
        if "refusal" in told:
            self.end()
            raise DatabaseUnusableError(told["refusal"])
        self.heard_at = time.monotonic()

    def send(self, messages: Iterable[bytes]) -> None:
        """Send messages.

        Raises:
            OSError: It has died.
        """
        sink = self.process.stdin
        assert sink is not None
        for count, message in enumerate(messages, 1):
            write_message(sink, message)
            if count % _MESSAGES_AT_ONCE == 0:
                sink.flush()
                time.sleep(_REST_S)
        sink.flush()

    def end(self) -> None:
        """Kill it, unless it has ended."""
        self.process.kill()
        self.process.wait()
        close_pipes(self.process)
        if not self.is_heard:
            self.has_ended.set()


class RemoteRecorder:
    """Records elsewhere; as `storage.recorder.Recorder` to its caller.

    Args:
        feed: Where from.
        notices: Who hears of what was committed.
        plan: How.
        command: The process; for tests.
    """

    def __init__(self, feed: HookFeed, notices: Notices, plan: RecordingPlan, *, command: Sequence[str] | None = None) -> None:
        self.restarts = 0
        """How often the process had to be started anew."""
        self._notices = notices
        self._plan = plan
        self._command = command
        self._relay = Relay(feed)
        self._feed = feed
        self._link: _Link | None = None
        self._before = RecorderStatus()
        """What earlier processes counted."""
        self._problem: str | None = None
        """Why there is no process right now."""
        self._settled: SimpleQueue[tuple[Sequence[str], Sequence[str]]] = SimpleQueue()
        """Told by the process: ids of what it stored, and of what it gave up."""
        self._stored = 0
        """Counted here: what a process had stored and not told before it died is stored by the next one again."""
        self._given_up = 0
        self._has_stored = True
        """The running process, or the last one, stored something."""
        self._is_searching = False
        """One of those that wait may be what kills the process, and was not found yet."""
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self._pump = threading.Thread(target=self._run, name="assay-relay", daemon=True)
        self._threads: list[threading.Thread] = []
        """What hears and watches the process."""
        self._failure: BaseException | None = None

    @property
    def process_id(self) -> int | None:
        """Id of the running process; `None` when there is none."""
        link = self._link
        return link.process.pid if link is not None and link.process.poll() is None else None

    def launch(self) -> None:
        """Start the process; what it has to load, it loads while others start."""
        self._link = _Link(self._plan, self._command)

    def start(self) -> None:
        """Wait until it is ready, then begin to record.

        Raises:
            StorageError: The database cannot be used.
        """
        if self._link is None:
            self.launch()
        assert self._link is not None
        self._link.wait_ready()
        self._listen(self._link)
        self._pump.start()

    def stop(self) -> list[tuple[str, str]]:
        """Have everything stored and what waits analysed, then end; returns what went wrong: part, reason."""
        self._deadline = time.monotonic() + self._plan.stop_s
        self._stopping.set()
        self._feed.wake()
        if self._pump.is_alive():
            self._pump.join(self._plan.stop_s + _END_S)
        link = self._link
        if link is not None and self._failure is not None and not link.has_ended.is_set():
            self._has_done_all(link)  # nobody else tells it
        has_ended = link is None or link.has_ended.is_set()
        if link is not None:
            link.end()
        for thread in (self._pump, *self._threads):
            if thread.is_alive():
                thread.join(_END_S)
        return self._stop_errors(link, has_ended=has_ended)

    def _stop_errors(self, link: _Link | None, *, has_ended: bool) -> list[tuple[str, str]]:
        if link is None:
            return [("recording", self._problem)] if self._problem else []
        if self._threads and link.stop_errors is None:
            return [("recording", "its process died" if has_ended else "its process did not end")]
        return link.stop_errors or []

    def status(self) -> RecorderStatus:
        """Return what it says of itself; safe from any thread."""
        status = self._summed(self._link)
        return replace(
            status,
            stored=self._stored,
            dropped=self._given_up + self._relay.lost,
            last_error=self._problem or status.last_error or self._before.last_error,
            is_failing=status.is_failing or self._problem is not None,
            failure=None if self._failure is None else f"{type(self._failure).__name__}: {self._failure}",
        )

    # Sending.

    def _run(self) -> None:
        try:
            self._send_all()
        except BaseException as error:  # noqa: BLE001 - the thread's root: kept, and shown by `status`
            self._failure = error

    def _send_all(self) -> None:
        while not self._stopping.is_set():
            self._turn(_TAKE_WAITING_S if self._relay.waiting else _TAKE_S)
        while not self._feed.is_seen and time.monotonic() < self._deadline:
            self._turn(_TAKE_WAITING_S)
        while (link := self._link) is not None and not self._has_done_all(link) and self._is_worth_reviving():
            self._revive()

    def _has_done_all(self, link: _Link) -> bool:
        """Tell the process the end and wait until it has stored and analysed what it has; False: it died over that."""
        with contextlib.suppress(OSError):
            link.send([b""])
        while not link.has_ended.wait(_TAKE_WAITING_S) and time.monotonic() < self._deadline:
            self._settle()
        self._settle()
        return link.stop_errors is not None

    def _is_worth_reviving(self) -> bool:
        """Something would be lost, and there is time; what was not analysed is found at the next start."""
        return bool(self._relay.waiting) and time.monotonic() < self._deadline

    def _turn(self, timeout_s: float) -> None:
        """Send what is new, and see whether the process is well."""
        link = self._link
        try:
            if link is None or link.has_ended.is_set():
                raise BrokenPipeError("the recording process ended")
            link.send(self._relay.news(timeout_s))
        except OSError:
            self._revive()
        self._settle()

    def _settle(self) -> bool:
        """Let go of what is stored; True when there was something since the last process was started."""
        while not self._settled.empty():
            stored, given_up = self._settled.get_nowait()
            self._stored += self._relay.settle(stored)
            self._given_up += self._relay.settle(given_up)
            self._has_stored = True
        return self._has_stored

    def _revive(self) -> None:
        """Start the process anew and send it what is not known to be stored; try until that succeeds or all ends."""
        attempt = 0
        while True:
            self._bury()
            pause_s = _REVIVE_AFTER_S[min(attempt, len(_REVIVE_AFTER_S) - 1)]
            attempt += 1
            if self._stopping.wait(pause_s) and time.monotonic() > self._deadline:
                return
            if self._stopping.is_set():
                time.sleep(_TAKE_WAITING_S)
            try:
                self._settle()
                self._link = link = _Link(self._plan, self._command, self._relay.repeatable())
                link.wait_ready()
                self.restarts += 1
                self._listen(link)
                self._repeat(link)
            except (OSError, StorageError) as error:
                self._problem = str(error)
                continue
            self._problem = None
            return

    def _repeat(self, link: _Link) -> None:
        """Send again what is not known to be stored: at once, or with care when the last process stored nothing of it.

        With care: one, then two, then four ..., each portion once the one before is stored. So one that kills the process is
        found alone after a few lives, and where none does it is soon over.

        Raises:
            OSError: The process has died (over one of them, which is noted if it had only that).
        """
        has_stored, self._has_stored = self._settle(), False
        waiting = self._relay.unsettled()
        if has_stored and not self._is_searching:
            link.send(self._relay.repeat(waiting))
            return
        self._is_searching = True
        size = 1
        while waiting:
            portion, waiting = waiting[:size], waiting[size:]
            link.send(self._relay.repeat(portion))
            if not self._await_stored(link, portion):
                return
            if link.has_ended.is_set():
                if len(portion) == 1:
                    self._relay.blame(*portion)
                raise BrokenPipeError("the recording process ended")
            size *= 2
        self._is_searching = False

    def _await_stored(self, link: _Link, exchange_ids: Sequence[str]) -> bool:
        """Wait until exchanges are stored or the process has died; False: there is no time left."""
        link.has_ended.wait(_LOOK_S)
        while any(map(self._relay.is_unsettled, exchange_ids)) and not link.has_ended.wait(_LOOK_S):
            self._settle()
            if time.monotonic() > self._deadline:
                return False
        return True

    def _bury(self) -> None:
        """Take leave of a process that died, keeping what it had counted and said."""
        link = self._link
        if link is None:
            return
        link.process.kill()
        link.has_ended.wait(_END_S)
        self._before, self._link = replace(self._summed(link), is_failing=False, failure=None), None
        self._problem = "the recording process ended; it is started anew"
        link.end()

    def _summed(self, link: _Link | None) -> RecorderStatus:
        now = link.status if link is not None else RecorderStatus()
        return replace(now, **{name: getattr(self._before, name) + getattr(now, name) for name in _COUNTS})

    # Hearing.

    def _listen(self, link: _Link) -> None:
        link.is_heard = True
        for target, name in ((self._hear, "assay-recorded"), (self._watch, "assay-watch")):
            thread = threading.Thread(target=target, args=(link,), name=name, daemon=True)
            thread.start()
            self._threads = [*(other for other in self._threads if other.is_alive()), thread]

    def _hear(self, link: _Link) -> None:
        assert link.process.stdout is not None
        try:
            for line in link.process.stdout:
                self._take_line(link, json.loads(line))
        except (OSError, ValueError):  # closed meanwhile, or broken off in the middle of a line
            pass
        finally:
            link.has_ended.set()

    def _take_line(self, link: _Link, told: Mapping[str, Any]) -> None:
        link.heard_at = time.monotonic()
        if "stop_errors" in told:
            link.stop_errors = [(part, reason) for part, reason in told["stop_errors"]]
            return
        link.status = RecorderStatus(**told["status"])
        if told["stored"] or told["given_up"]:
            self._settled.put((told["stored"], told["given_up"]))
        summaries = {summary["id"]: convert(summary, ExchangeSummary) for summary in told["summaries"]}
        for row_id, name in told["changes"]:
            what = Change(name)
            self._notices.post(ExchangeChanged(row_id, what, summaries.get(row_id) if what is Change.ANALYSED else None))
        if link.status.failure is not None:
            link.process.kill()

    def _watch(self, link: _Link) -> None:
        """Kill a process that hangs: sending to it would wait for ever."""
        while not link.has_ended.wait(1.0):
            if time.monotonic() - link.heard_at > HANG_S:
                link.process.kill()
