"""The counting service: the parent's end of the counting process. Starts it when something is to be counted, restarts it when it
dies or hangs, and never lets a text that kills it kill it for ever.

Used from the analysis thread; waiting here holds no lock that the proxy needs.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxy_core.attribution.tokens.counting import CountedTexts, TokenCount

HANG_LIMIT_S = 45.0
"""A single text may take this long; the worst bounded one (64 kB of newlines) takes two seconds."""
QUICK_LIMIT_S = 8.0
"""How long quick figures may take, loading the vocabulary included."""
MAX_STRIKES = 2
"""A text that was being counted when the process ended this often is guessed."""
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
    begun: tuple[int, float] | None = None
    next_id: int = 1


class WorkerCounting:
    """A `CountingService` over a process of its own."""

    def __init__(self, *, hang_limit_s: float = HANG_LIMIT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._hang_limit_s = hang_limit_s
        self._clock = clock
        self._changed = threading.Condition()
        self._state = _State()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._is_closed = False
        self.restarts = 0

    def count(self, family: str, texts: Mapping[str, str], *, patience_s: float) -> CountedTexts:
        """Count texts; what is not done in time comes as a quick figure and goes on being counted."""
        keys = {key: (family, key) for key in texts}
        with self._changed:
            for key, text in texts.items():
                self._submit(keys[key], text, is_quick=False)
        self._wait(lambda: all(pair in self._state.finished for pair in keys.values()), patience_s)
        with self._changed:
            late = [key for key, pair in keys.items() if pair not in self._state.finished]
            for key in late:
                self._submit(keys[key], texts[key], is_quick=True)
        self._wait(lambda: all(keys[key] in self._state.quick for key in late), QUICK_LIMIT_S)
        with self._changed:
            counts = {key: self._state.finished.pop(pair) for key, pair in keys.items() if pair in self._state.finished}
            quick = {key: self._quick_figure(keys[key], texts[key]) for key in texts if key not in counts}
        return CountedTexts(counts=counts, quick=quick)

    def close(self) -> None:
        """End the process."""
        with self._changed:
            self._is_closed = True
            process, self._process = self._process, None
            self._changed.notify_all()
        if process is not None:
            _end(process)
        if self._reader is not None:
            self._reader.join(timeout=2)

    @property
    def process_id(self) -> int | None:
        """Id of the running process; `None` when there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _submit(self, key: Key, text: str, *, is_quick: bool) -> None:
        state = self._state
        if (key, is_quick) in state.by_key or key in (state.quick if is_quick else state.finished):
            return
        job_id, state.next_id = state.next_id, state.next_id + 1
        state.jobs[job_id] = _Job(key, text, is_quick)
        state.by_key[key, is_quick] = job_id
        self._send(job_id)

    def _send(self, job_id: int) -> None:
        if self._is_closed:
            return
        if self._process is None:
            self._start()
            return
        job = self._state.jobs[job_id]
        line = json.dumps({"id": job_id, "family": job.key[0], "text": job.text, "quick": job.is_quick}).encode() + b"\n"
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _start(self) -> None:
        """Start the process and give it everything that is still open."""
        root = str(Path(__file__).resolve().parents[3])
        environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                [sys.executable, "-m", "proxy_core.attribution.tokens.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError:
            self._is_closed = True
            return
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="token-counts", daemon=True)
        self._reader.start()
        for job_id in list(self._state.jobs):
            self._send(job_id)

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                self._take(json.loads(line))
        process.wait()
        with self._changed:
            if self._process is process:
                self._restart()
            self._changed.notify_all()

    def _take(self, reply: Mapping[str, Any]) -> None:
        with self._changed:
            if "begun" in reply:
                self._state.begun = (reply["begun"], self._clock())
                return
            job = self._state.jobs.pop(reply["id"], None)
            if job is not None:
                self._finish(job, TokenCount(reply["tokens"], is_sampled=reply["sampled"]))
            if self._state.begun and self._state.begun[0] == reply["id"]:
                self._state.begun = None

    def _finish(self, job: _Job, count: TokenCount) -> None:
        self._state.by_key.pop((job.key, job.is_quick), None)
        done = self._state.quick if job.is_quick else self._state.finished
        done[job.key] = count
        while len(done) > MAX_FINISHED:
            done.pop(next(iter(done)))
        self._changed.notify_all()

    def _restart(self) -> None:
        """Start anew after the process ended; the text it was at is struck."""
        self._process = None
        self.restarts += 1
        begun, self._state.begun = self._state.begun, None
        if begun is not None and (job := self._state.jobs.get(begun[0])) is not None:
            job.strikes += 1
            if job.strikes >= MAX_STRIKES:
                del self._state.jobs[begun[0]]
                self._finish(job, _guess(job.text))
        if self._state.jobs and not self._is_closed:
            self._start()

    def _wait(self, is_done: Callable[[], bool], patience_s: float) -> None:
        deadline = self._clock() + patience_s
        with self._changed:
            while not is_done() and not self._is_closed and (left := deadline - self._clock()) > 0:
                self._changed.wait(min(left, 1.0))
                self._end_hung()

    def _end_hung(self) -> None:
        begun, process = self._state.begun, self._process
        if begun is not None and process is not None and self._clock() - begun[1] > self._hang_limit_s:
            process.kill()

    def _quick_figure(self, key: Key, text: str) -> TokenCount:
        return self._state.quick.get(key) or _guess(text)


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
    """Close the input, which ends the process; kill it if that does not."""
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    process.kill()
    process.wait()
    if process.stdout is not None:
        with contextlib.suppress(OSError):
            process.stdout.close()
