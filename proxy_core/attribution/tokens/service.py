"""The counting service: the parent's end of the counting process.

Starts it when something is to be counted, restarts it when it dies or hangs, and gives up a text that killed it twice.
Used from the analysis thread; waiting here holds no lock that the proxy needs.
"""

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from proxy_core.attribution.tokens.counting import CountedTexts, TokenCount
from proxy_core.child_process import close_pipes, launch

HANG_LIMIT_S = 45.0
"""Silence for this long while something is to be counted is a hang; the worst bounded text takes two seconds."""
QUICK_LIMIT_S = 8.0
"""How long quick figures may take, loading the vocabulary included."""
MAX_STRIKES = 2
"""A text that was being counted when the process ended this often is guessed."""
MAX_RESTARTS_IN_A_ROW = 5
"""A process that ends this often without an answer is given up."""
MAX_FINISHED = 20_000
"""Counts that came after their question gave up, kept for the next one."""
CHARS_PER_TOKEN = 3.5

type Key = tuple[str, str]


@dataclass(slots=True)
class _Job:
    key: Key
    text: str
    is_quick: bool
    strikes: int = 0


@dataclass(slots=True)
class _State:
    """What is under way. Guarded by the service's condition."""

    jobs: dict[int, _Job] = field(default_factory=dict)
    by_key: dict[tuple[Key, bool], int] = field(default_factory=dict)
    finished: dict[Key, TokenCount] = field(default_factory=dict)
    quick: dict[Key, TokenCount] = field(default_factory=dict)
    begun: int | None = None
    heard_at: float = 0.0
    next_id: int = 1
    fruitless_restarts: int = 0


class WorkerCounting:
    """A `CountingService` over a process of its own.

    Three threads meet here: the caller, a sender that writes jobs, and a reader that takes answers. The condition is never held
    while writing, or the two pipes could fill up against each other.
    """

    def __init__(self, *, hang_limit_s: float = HANG_LIMIT_S, command: Sequence[str] | None = None) -> None:
        self._hang_limit_s = hang_limit_s
        self._command = command
        self._changed = threading.Condition()
        self._state = _State()
        self._outbox: SimpleQueue[int | None] = SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        self.restarts = 0

    def count(self, family: str, texts: Mapping[str, str], *, patience_s: float) -> CountedTexts:
        """Count texts; what is not done in time comes as a quick figure and goes on being counted."""
        pairs = {key: (family, key) for key in texts}
        finished, quick = self._state.finished, self._state.quick
        self._submit({pairs[key]: text for key, text in texts.items()}, is_quick=False)
        self._wait(lambda: all(pair in finished for pair in pairs.values()), patience_s)
        late = {pairs[key]: text for key, text in texts.items() if pairs[key] not in finished}
        self._submit(late, is_quick=True)
        self._wait(lambda: all(pair in quick for pair in late), QUICK_LIMIT_S)
        with self._changed:
            counts = {key: finished.pop(pair) for key, pair in pairs.items() if pair in finished}
            figures = {key: quick.get(pairs[key]) or _guess(text) for key, text in texts.items() if key not in counts}
        return CountedTexts(counts=counts, quick=figures)

    def close(self) -> None:
        """End the process and the threads."""
        with self._changed:
            self._is_closed = True
            process, self._process = self._process, None
            self._changed.notify_all()
        self._outbox.put(None)
        if process is not None:
            _end(process)
        for thread in self._threads:
            thread.join(timeout=2)

    @property
    def process_id(self) -> int | None:
        """Id of the running process; `None` when there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _submit(self, texts: Mapping[Key, str], *, is_quick: bool) -> None:
        state = self._state
        with self._changed:
            if not state.jobs:
                state.heard_at = time.monotonic()
            for key, text in texts.items():
                if (key, is_quick) in state.by_key or key in (state.quick if is_quick else state.finished):
                    continue
                job_id, state.next_id = state.next_id, state.next_id + 1
                state.jobs[job_id] = _Job(key, text, is_quick)
                state.by_key[key, is_quick] = job_id
                self._outbox.put(job_id)
            if state.jobs and self._process is None:
                self._start()

    def _start(self) -> None:
        """Start the process; whoever calls sees to it that the outbox holds what is open."""
        if self._is_closed:
            return
        try:
            self._process = launch("proxy_core.attribution.tokens.worker", command=self._command)
        except OSError:
            self._is_closed = True
            self._changed.notify_all()
            return
        self._state.heard_at = time.monotonic()
        reader = threading.Thread(target=self._read, args=(self._process,), name="token-answers", daemon=True)
        self._threads = [thread for thread in self._threads if thread.is_alive()] + [reader]
        if not any(thread.name == "token-jobs" for thread in self._threads):
            sender = threading.Thread(target=self._send, name="token-jobs", daemon=True)
            self._threads.append(sender)
            sender.start()
        reader.start()

    def _send(self) -> None:
        while (job_id := self._outbox.get()) is not None:
            with self._changed:
                job, process = self._state.jobs.get(job_id), self._process
            if job is None or process is None or process.stdin is None:
                continue
            line = json.dumps({"id": job_id, "family": job.key[0], "text": job.text, "quick": job.is_quick}).encode() + b"\n"
            with contextlib.suppress(OSError, ValueError):
                process.stdin.write(line)
                process.stdin.flush()

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in process.stdout:
                self._take(json.loads(line))
        process.kill()
        process.wait()
        with self._changed:
            if self._process is process:
                close_pipes(process)
                self._restart()
            self._changed.notify_all()

    def _take(self, reply: Mapping[str, Any]) -> None:
        with self._changed:
            self._state.heard_at = time.monotonic()
            if "begun" in reply:
                self._state.begun = reply["begun"]
                return
            job = self._state.jobs.pop(reply["id"], None)
            if self._state.begun == reply["id"]:
                self._state.begun = None
            if job is not None:
                self._state.fruitless_restarts = 0
                self._finish(job, TokenCount(reply["tokens"], is_sampled=reply["sampled"]))

    def _finish(self, job: _Job, count: TokenCount) -> None:
        self._state.by_key.pop((job.key, job.is_quick), None)
        done = self._state.quick if job.is_quick else self._state.finished
        done[job.key] = count
        while len(done) > MAX_FINISHED:
            done.pop(next(iter(done)))
        self._changed.notify_all()

    def _restart(self) -> None:
        """Start anew after the process ended; the text it was at is struck."""
        state = self._state
        self._process = None
        begun, state.begun = state.begun, None
        job = None if begun is None else state.jobs.get(begun)
        if begun is not None and job is not None:
            job.strikes += 1
            if job.strikes >= MAX_STRIKES:
                del state.jobs[begun]
                self._finish(job, _guess(job.text))
        if not state.jobs or self._is_closed:
            return
        self.restarts += 1
        state.fruitless_restarts += 1
        if state.fruitless_restarts > MAX_RESTARTS_IN_A_ROW:
            self._is_closed = True
            return
        self._start()
        for job_id in state.jobs:
            self._outbox.put(job_id)

    def _wait(self, is_done: Callable[[], bool], patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        with self._changed:
            while not is_done() and not self._is_closed and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(min(left, self._hang_limit_s / 4))
                self._end_hung()

    def _end_hung(self) -> None:
        is_hung = bool(self._state.jobs) and time.monotonic() - self._state.heard_at > self._hang_limit_s
        if is_hung and self._process is not None:
            self._process.kill()


class InlineCounting:
    """A `CountingService` that counts where it is called: for tests, and for figures by length alone."""

    def __init__(self, count: Callable[[str, str], int]) -> None:
        self._count = count

    def count(self, family: str, texts: Mapping[str, str], *, patience_s: float) -> CountedTexts:  # noqa: ARG002 - the protocol's
        """Count texts at once."""
        return CountedTexts(counts={key: TokenCount(self._count(family, text)) for key, text in texts.items()})

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


def lengths_only() -> InlineCounting:
    """Make a counting service that divides lengths: instant, 30 % off."""
    return InlineCounting(lambda _family, text: round(len(text) / CHARS_PER_TOKEN))


def _guess(text: str) -> TokenCount:
    return TokenCount(round(len(text) / CHARS_PER_TOKEN) + 1, is_sampled=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    close_pipes(process)
