"""Assay without a screen: one line per exchange on standard output, until a signal ends it. Imports no Textual.

Lines come after analysis, so they hold the bill: of what the recording tells, and from the store where it does not, which loads
much into the process that forwards. A reader that goes away ends the lines, never the traffic.
"""

import io
import os
import select
import shlex
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from proxy_core.exchange import ExchangeState
from storage.notices import Change, ExchangeChanged
from tui.config import default_data_dir
from tui.ending import ending_signals
from tui.invocation import own_command
from tui.lines import json_line, text_line
from tui.troubles import TroubleTeller, say

if TYPE_CHECKING:
    from storage.store import Store
    from storage.views import ExchangeSummary
    from tui.runtime import Runtime

_WRITERS: dict[str, "Callable[[ExchangeSummary], str]"] = {"json": json_line, "text": text_line}
_WAIT_S = 0.2
"""How soon a signal is obeyed."""
_READER_S = 5.0
"""When it is time to end, a reader that takes nothing for so long gets no more lines."""
_READ_AT_ONCE = 200
"""Exchanges read from the store in one query."""
_MOST_SUMMARIES = 2_000
"""So many changes wait with all they tell; of more than that it is read when it is written."""
_MOST_EARLY = 1_000
"""So many analysed exchanges wait for the news that they have ended: those analysed anew wait for it in vain."""
MOST_NEWS = 40_000
"""So many changes wait for a reader that takes nothing; exchanges that end later get no line."""
ANALYSIS_S = 30.0
"""An exchange that was not analysed after so long is written without its bill, unless others still are."""
LONGEST_ANALYSIS_S = 300.0
"""The same while others are: the analysis has fallen behind."""


class LineWriter:
    """Writes each exchange of this process once, when it has ended and was analysed.

    Args:
        open_store: Gives the store that exchanges are read from; asked only for those that nobody tells of.
        stream: Where lines go.
        line_format: `json` or `text`.
        clock: Seconds, for not waiting for ever.
        is_ending: Says whether it is time to end: then a reader that takes nothing is not waited for much longer.
    """

    def __init__(
        self,
        open_store: "Callable[[], Store]",
        stream: TextIO,
        line_format: str,
        clock: Callable[[], float] = time.monotonic,
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._open_store = open_store
        self._stream = stream
        self._format = _WRITERS[line_format]
        self._clock = clock
        self._is_ending = is_ending
        self._news: deque[ExchangeChanged] = deque()
        self._left_out = 0
        """Exchanges that will get no line, so far."""
        self._left_out_told = 0
        self._leaving_out = threading.Lock()
        self._finished: dict[int, float] = {}
        """When each exchange ended that was not written yet, by id."""
        self._ready: list[int] = []
        """Exchanges to be written now."""
        self._told: dict[int, ExchangeSummary] = {}
        """How some of them read."""
        self._early: dict[int, ExchangeSummary] = {}
        """How exchanges read that were analysed to the end and are not known to have ended: two threads tell of them."""
        self._analysed_at = float("-inf")
        """When the last one was analysed."""
        self._is_put_off = False
        self.is_broken = False
        """The reader went away."""

    def hear(self, change: "ExchangeChanged") -> None:
        """Take note of a change; for any thread. Wakes nobody: the threads that commit have no time for that."""
        if change.what not in {Change.FINISHED, Change.ANALYSED}:
            return
        if len(self._news) < MOST_NEWS:
            self._news.append(change if len(self._news) < _MOST_SUMMARIES else replace(change, summary=None))
        elif change.what is Change.FINISHED:
            with self._leaving_out:
                self._left_out += 1

    def write_new(self, timeout_s: float = 0.0, *, is_final: bool = False) -> None:
        """Wait, then write what is complete.

        Args:
            timeout_s: How long to wait; not cut short by news, which come in their hundreds.
            is_final: Write also what was not analysed.
        """
        if timeout_s:
            time.sleep(timeout_s)
        self._say_left_out()
        if is_final or len(self._ready) < MOST_NEWS:
            self._ready += self._take_news()
        self._ready += self._take_overdue(float("inf") if is_final else self._clock() - self._patience_s())
        while self._ready and not self.is_broken:
            some = self._ready[:_READ_AT_ONCE]
            try:
                lines = [self._format(exchange) for exchange in self._read(some)]
            except Exception as error:  # noqa: BLE001 - a database that cannot be read now must not end the capturing
                self._put_off(error, is_final=is_final)
                return
            self._is_put_off = False
            del self._ready[:_READ_AT_ONCE]
            for line in lines:
                self._write(line)
        self._ready.clear()
        self._told.clear()

    def _read(self, ids: Sequence[int]) -> list["ExchangeSummary"]:
        """Return exchanges as they read, in this order; those that were deleted are left out."""
        unknown = [id_ for id_ in ids if id_ not in self._told]
        read = {exchange.id: exchange for exchange in self._open_store().exchanges.summaries(unknown)} if unknown else {}
        found = (self._told.pop(id_, None) or read.get(id_) for id_ in ids)
        return [exchange for exchange in found if exchange is not None]

    def _put_off(self, error: Exception, *, is_final: bool) -> None:
        """Leave lines for the next time; say so once until it goes well again, and at the end."""
        if is_final or not self._is_put_off:
            say(f"{len(self._ready)} lines cannot be written, the database cannot be read: {error}".splitlines()[0])
        self._is_put_off = True

    def _say_left_out(self) -> None:
        """Say how many lines are missing since the last time."""
        new, self._left_out_told = self._left_out - self._left_out_told, self._left_out
        if new and not self.is_broken:
            say(f"{new} lines were left out: {MOST_NEWS} changes waited for them to be written")

    def _take_news(self) -> list[int]:
        """Return the exchanges that are ready to be written."""
        ready = []
        now = self._clock()
        while self._news:
            change = self._news.popleft()
            early = self._early.pop(change.id, None)
            if change.what is Change.FINISHED:
                if early is not None:
                    self._told[change.id] = early
                    ready.append(change.id)
                else:
                    self._finished[change.id] = now
                continue
            self._analysed_at = now
            if self._finished.pop(change.id, None) is not None:
                ready.append(change.id)
                if change.summary is not None:
                    self._told[change.id] = change.summary
            elif change.summary is not None and _is_billed(change.summary):
                self._early[change.id] = change.summary
                if len(self._early) > _MOST_EARLY:
                    del self._early[next(iter(self._early))]
        return ready

    def _patience_s(self) -> float:
        return ANALYSIS_S if self._clock() - self._analysed_at >= ANALYSIS_S else LONGEST_ANALYSIS_S

    def _take_overdue(self, before: float) -> list[int]:
        """Return the exchanges that ended before a time; they stand in the order of their ends."""
        overdue = [id_ for id_, _ in takewhile(lambda item: item[1] < before, self._finished.items())]
        for id_ in overdue:
            del self._finished[id_]
        return overdue

    def _write(self, line: str) -> None:
        if self.is_broken:
            return
        try:
            self._await_reader()
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self.is_broken = True
            if self._stream is sys.stdout:
                silence_stdout()
            say("nobody reads the lines any more; capturing goes on")

    def _await_reader(self) -> None:
        """Wait until the reader takes more: a write that waited by itself could not be ended.

        Raises:
            TimeoutError: It is time to end, and nobody reads.
        """
        try:
            descriptor = self._stream.fileno()
        except io.UnsupportedOperation:  # memory
            return
        patience = round(_READER_S / _WAIT_S)
        while patience and not _is_writable(descriptor):
            patience -= self._is_ending()
        if not patience:
            raise TimeoutError("nobody reads")


def _is_billed(summary: "ExchangeSummary") -> bool:
    """Say whether an exchange has ended and was analysed with its bill: nothing follows but the news that it has ended."""
    return summary.state is not ExchangeState.OPEN and summary.attribution_version is not None and not summary.is_estimate


def _is_writable(descriptor: int) -> bool:
    """Wait a moment; say whether a line can be written now. Files always can, and so it is where that cannot be told."""
    try:
        return bool(select.select([], [descriptor], [], _WAIT_S)[1])
    except (OSError, ValueError):
        return True


def run_headless(
    runtime: "Runtime",
    line_format: str,
    *,
    stream: TextIO | None = None,
    begin: Callable[[], None] | None = None,
    has_finished: Callable[[], bool] = lambda: False,
) -> int:
    """Run until SIGINT, SIGTERM or SIGHUP, then store and write everything that is left.

    Args:
        runtime: Started and stopped here.
        line_format: `json` or `text`.
        stream: Where lines go; standard output if `None`.
        begin: Called once it listens.
        has_finished: Ends it as a signal does.

    Returns:
        The exit code: 0, or 1 when something failed or was lost.

    Raises:
        AssayError: It could not start.
    """
    with ending_signals() as ending:
        runtime.start(lambda: say_where(runtime), tells_summaries=True)

        def is_ending() -> bool:
            return ending.is_set() or runtime.has_ended or has_finished()

        lines = LineWriter(lambda: runtime.store, stream or sys.stdout, line_format, is_ending=is_ending)
        with _writing(runtime, lines) as writer:
            say_rest(runtime)
            if begin is not None:
                begin()
            troubles = TroubleTeller(runtime.troubles)
            while not is_ending():
                writer.write_new(_WAIT_S)
                troubles.look()
    say_what_failed(runtime)
    return runtime.exit_code


@contextmanager
def _writing(runtime: "Runtime", writer: LineWriter) -> Iterator[LineWriter]:
    """Let a writer hear of what is captured; in the end stop, and have it write everything that is left."""
    end = runtime.parts.notices.subscribe(writer.hear)
    try:
        yield writer
    finally:
        runtime.drain()
        end()
        writer.write_new(is_final=True)
        runtime.stop()


def say_where(runtime: "Runtime") -> None:
    """Say where it listens and how clients get there."""
    kind = "reverse proxy" if runtime.address.is_reverse else "proxy"
    say(f"{kind} on {runtime.address.url}")
    if not runtime.is_private:
        say(f'in another terminal: eval "$({own_command()} env)"; claude')


def say_rest(runtime: "Runtime") -> None:
    """Say what else runs, and what a person has to know about it."""
    if runtime.api_url:
        say(f"JSON API on {runtime.api_url} ({token_command(runtime.settings.data_dir)} prints its key)")
    for warning in runtime.warnings:
        say(f"WARNING: {warning}")


def say_what_failed(runtime: "Runtime") -> None:
    """Say, once it has stopped, what failed or was lost."""
    from tui.cli.summary import trouble_lines

    for line in [*trouble_lines(runtime), *runtime.stop_errors]:
        say(line)


def token_command(data_dir: Path) -> str:
    """Return what prints the key of an API whose key is kept there."""
    return f"{own_command()} token" + ("" if data_dir == default_data_dir() else f" --data-dir {shlex.quote(str(data_dir))}")


def silence_stdout() -> None:
    """Lead standard output nowhere: its reader went away, and Python would fail once more when it closes the stream."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
