"""The counting process: reads jobs from standard input, answers on standard output, at the lowest priority.

It exists because the Claude tokenizers are pure Python and would hold the interpreter lock of the proxy. It ends with its input.
One line of JSON each way. Exact counts are made by a thread of their own, so that quick figures never wait behind them.

    {"id": 7, "family": "ctok 4.8", "text": "...", "quick": false}  ->  {"begun": 7}, {"id": 7, "tokens": 12, "sampled": false}
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from queue import SimpleQueue
from typing import Any, BinaryIO

from proxy_core.attribution.tokens.counters import counter_for, quick_counter_for
from proxy_core.attribution.tokens.counting import TokenCount, TokenCounter
from proxy_core.attribution.tokens.sampling import count_bounded

LOWEST_PRIORITY = 19

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
    thread = threading.Thread(target=_count_exactly, args=(jobs, answer), name="exact-counts", daemon=True)
    thread.start()
    for line in source:
        job = json.loads(line)
        if job["quick"]:
            _answer(job, answer, _count_quickly)
        else:
            jobs.put(job)
    jobs.put(None)


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
    os.nice(LOWEST_PRIORITY)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except (BrokenPipeError, ValueError):
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
