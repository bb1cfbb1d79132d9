"""The counting process: reads jobs from standard input, answers on standard output, and lets others go first.

It exists because the Claude tokenizers are pure Python and would hold the interpreter lock of the proxy. It ends with its
input. One line of JSON each way. Exact counts are made by a thread of their own, so that quick figures never wait behind them.

    {"id": 7, "family": "ctok 4.8", "text": "...", "quick": false}  ->  {"begun": 7}, {"id": 7, "tokens": 12, "sampled": false}
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from queue import SimpleQueue
from typing import Any, BinaryIO

from proxy_core.attribution.tokens.counters import counter_for, quick_counter_for
from proxy_core.attribution.tokens.counting import TokenCount, TokenCounter
from proxy_core.attribution.tokens.sampling import count_bounded
from proxy_core.priority import give_way

IDLE_LIMIT_S = 600.0
"""Without a job for this long the process ends and gives its memory back; the service starts another when there is work."""

type Job = Mapping[str, Any]
type Answer = Callable[[Mapping[str, Any]], None]


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer jobs until the input ends."""
    lock = threading.Lock()

    def answer(reply: Mapping[str, Any]) -> None:
        with lock:
            sink.write(json.dumps(reply).encode() + b"\n")
            sink.flush()

    jobs: SimpleQueue[Job | None] = SimpleQueue()
    idle = _IdleEnd(jobs)
    thread = threading.Thread(target=_count_exactly, args=(jobs, answer), name="exact-counts", daemon=True)
    thread.start()
    for line in source:
        idle.restart()
        job = json.loads(line)
        if job["quick"]:
            _answer(job, answer, _count_quickly)
        else:
            jobs.put(job)
    jobs.put(None)


class _IdleEnd:
    """Ends the process when nobody has wanted anything for long."""

    def __init__(self, jobs: "SimpleQueue[Job | None]") -> None:
        self._jobs = jobs
        self._wanted_at = time.monotonic()
        threading.Thread(target=self._watch, name="idle-end", daemon=True).start()

    def restart(self) -> None:
        """Note that something was wanted."""
        self._wanted_at = time.monotonic()

    def _watch(self) -> None:
        while not self._jobs.empty() or time.monotonic() - self._wanted_at < IDLE_LIMIT_S:
            time.sleep(IDLE_LIMIT_S / 10)
        os._exit(0)


def _count_exactly(jobs: "SimpleQueue[Job | None]", answer: Answer) -> None:
    while (job := jobs.get()) is not None:
        answer({"begun": job["id"]})
        _answer(job, answer, _count_wholly)


def _answer(job: Job, answer: Answer, count: Callable[[str, str], TokenCount]) -> None:
    """Answer one job; a text that breaks a counter is answered by its length."""
    try:
        found = count(job["family"], job["text"])
    except Exception:  # noqa: BLE001 - a hostile text must not end the process; the figure says that it is no count
        found = TokenCount(len(job["text"]) // 4 + 1, is_sampled=True)
    answer({"id": job["id"], "tokens": found.tokens, "sampled": found.is_sampled})


def _count_wholly(family: str, text: str) -> TokenCount:
    return count_bounded(text, _exact(family), _quick(family))


def _count_quickly(family: str, text: str) -> TokenCount:
    return TokenCount(_quick(family).count(text), is_sampled=True)


@cache
def _exact(family: str) -> TokenCounter:
    return counter_for(family)


@cache
def _quick(family: str) -> TokenCounter:
    return quick_counter_for(family)


def main() -> None:
    """Run as a process."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give_way()
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except (BrokenPipeError, ValueError):
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
