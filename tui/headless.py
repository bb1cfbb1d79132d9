"""Assay without a screen: one line per exchange on standard output, until a signal ends it. Imports no Textual.

Lines come from the store, after analysis, so they hold the bill. A reader that goes away ends the lines, never the traffic.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from tui.lines import json_line, text_line

if TYPE_CHECKING:
    from storage.store import Store
    from storage.views import ExchangeSummary
    from tui.runtime import Runtime

_WRITERS: dict[str, "Callable[[ExchangeSummary], str]"] = {"json": json_line, "text": text_line}
_IDLE_S = 1.0
_BATCH_S = 0.05
"""News are gathered for so long before the store is asked."""


class LineWriter:
    """Writes each exchange once, when it has ended and was analysed.

    Args:
        store: Where exchanges are read from.
        stream: Where lines go.
        line_format: `json` or `text`.
        after_id: Exchanges up to this id are old.
    """

    def __init__(self, store: "Store", stream: TextIO, line_format: str, after_id: int) -> None:
        self._store = store
        self._stream = stream
        self._format = _WRITERS[line_format]
        self._last_id = after_id
        self._waiting: dict[int, None] = {}
        self.is_broken = False
        """The reader went away."""

    def write_new(self, *, is_final: bool = False) -> None:
        """Write what has become complete; `is_final`: also what was not analysed or has not ended."""
        for exchange in self._store.exchanges.since(self._last_id):
            self._last_id = max(self._last_id, exchange.id)
            self._waiting[exchange.id] = None
        for exchange in self._store.exchanges.summaries(tuple(self._waiting)):
            if is_final or _is_settled(exchange):
                del self._waiting[exchange.id]
                self._write(self._format(exchange))

    def _write(self, line: str) -> None:
        if self.is_broken:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self.is_broken = True
            click.echo("assay: nobody reads the lines any more; capturing goes on", err=True)


def _is_settled(exchange: "ExchangeSummary") -> bool:
    return exchange.state.value != "open" and exchange.attribution_version is not None


def run_headless(runtime: "Runtime", line_format: str, stream: TextIO | None = None) -> int:
    """Run until SIGINT or SIGTERM, then store and write everything that is left.

    Returns:
        The exit code: 0, or 1 when something failed or was lost.

    Raises:
        AssayError: It could not start.
    """
    with ending_signals() as ending:
        runtime.start()
        say_where(runtime)
        writer = LineWriter(runtime.store, stream or sys.stdout, line_format, runtime.store.exchanges.newest_id())
        news = threading.Event()
        end = runtime.subscribe(news.set)
        try:
            _write_until(runtime, writer, news, ending)
        finally:
            end()
            runtime.drain()
            writer.write_new(is_final=True)
            runtime.stop()
    from tui.cli.summary import trouble_lines

    for line in [*trouble_lines(runtime), *runtime.stop_errors]:
        click.echo(f"assay: {line}", err=True)
    return runtime.exit_code


def _write_until(runtime: "Runtime", writer: LineWriter, news: threading.Event, ending: threading.Event) -> None:
    while not ending.is_set():
        if news.wait(_IDLE_S if not ending.is_set() else 0):
            ending.wait(_BATCH_S)
            news.clear()
            writer.write_new()
        if runtime.has_ended:
            return


def say_where(runtime: "Runtime") -> None:
    """Say where it listens and how clients get there."""
    kind = "reverse proxy" if runtime.address.is_reverse else "proxy"
    click.echo(f"assay: {kind} on {runtime.address.url}", err=True)
    if runtime.api_url:
        click.echo(f"assay: JSON API on {runtime.api_url} (assay token prints its key)", err=True)
    click.echo('assay: in another terminal: eval "$(assay env)"; claude', err=True)


@contextmanager
def ending_signals() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into an event; a second one is as impatient as ever."""
    ending = threading.Event()

    def end(number: int, _frame: object) -> None:
        ending.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
