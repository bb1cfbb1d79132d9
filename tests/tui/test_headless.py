"""Lines come once each, when all is known; a stuck analysis or a closed reader does not matter."""

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any, cast

import pytest

from proxy_core.exchange import ExchangeState
from storage.notices import Change, ExchangeChanged
from tests import factories
from tui.config import default_data_dir
from tui.headless import ANALYSIS_S, LONGEST_ANALYSIS_S, LineWriter, token_command


class FakeExchanges:
    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def summaries(self, ids: list[int]) -> tuple[Any, ...]:
        self.asked.append(list(ids))
        return tuple(factories.exchange_summary(number) for number in ids)


class FakeStore:
    def __init__(self) -> None:
        self.exchanges = FakeExchanges()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def writer(stream: io.StringIO, clock: Clock | None = None) -> LineWriter:
    return LineWriter(lambda: cast("Any", FakeStore()), stream, "text", clock or Clock())


def test_a_line_once_it_ended_and_was_analysed() -> None:
    stream = io.StringIO()
    lines = writer(stream)
    lines.hear(ExchangeChanged(1, Change.STARTED))
    lines.hear(ExchangeChanged(1, Change.ANALYSED))
    lines.write_new()
    assert stream.getvalue() == ""
    lines.hear(ExchangeChanged(1, Change.FINISHED))
    lines.write_new()
    assert stream.getvalue() == ""
    lines.hear(ExchangeChanged(1, Change.ANALYSED))
    lines.hear(ExchangeChanged(2, Change.ANALYSED))
    lines.write_new(0.01)
    lines.write_new(0.01)
    assert len(stream.getvalue().splitlines()) == 1


def test_what_is_told_needs_no_store() -> None:
    stream, store = io.StringIO(), FakeStore()
    lines = LineWriter(lambda: cast("Any", store), stream, "json")
    for number in range(4):
        lines.hear(ExchangeChanged(number, Change.FINISHED))
        told = factories.exchange_summary(number, title=f"told {number}") if number != 2 else None
        lines.hear(ExchangeChanged(number, Change.ANALYSED, told))
    lines.write_new()
    assert store.exchanges.asked == [[2]]
    titles = [json.loads(line)["title"] for line in stream.getvalue().splitlines()]
    assert titles == ["told 0", "told 1", factories.exchange_summary(2).title, "told 3"]


def test_what_is_told_to_be_analysed_before_it_is_told_to_have_ended_gets_its_line_at_once() -> None:
    stream, store = io.StringIO(), FakeStore()
    lines = LineWriter(lambda: cast("Any", store), stream, "json", Clock())

    def written() -> list[str]:
        lines.write_new()
        return [json.loads(line)["title"] for line in stream.getvalue().splitlines()]

    running = factories.exchange_summary(1, state=ExchangeState.OPEN, is_estimate=True)
    lines.hear(ExchangeChanged(1, Change.ANALYSED, running))
    lines.hear(ExchangeChanged(1, Change.FINISHED))
    assert written() == [], "while it ran it was analysed without its bill"
    lines.hear(ExchangeChanged(1, Change.ANALYSED, factories.exchange_summary(1, title="first")))
    lines.hear(ExchangeChanged(2, Change.ANALYSED, factories.exchange_summary(2, title="second")))
    assert written() == ["first"]
    lines.hear(ExchangeChanged(2, Change.FINISHED))
    assert written() == ["first", "second"]
    assert store.exchanges.asked == []


def test_for_a_reader_who_takes_nothing_no_more_is_kept_than_numbers() -> None:
    stream, store = io.StringIO(), FakeStore()
    lines = LineWriter(lambda: cast("Any", store), stream, "text")
    for number in range(1500):
        lines.hear(ExchangeChanged(number, Change.FINISHED))
        lines.hear(ExchangeChanged(number, Change.ANALYSED, factories.exchange_summary(number)))
    lines.write_new()
    assert [number for asked in store.exchanges.asked for number in asked] == list(range(1000, 1500))
    assert len(stream.getvalue().splitlines()) == 1500


def test_what_is_never_analysed_is_written_in_the_end() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = writer(stream, clock)
    lines.hear(ExchangeChanged(1, Change.FINISHED))
    lines.write_new()
    clock.now = ANALYSIS_S + 1
    lines.write_new()
    assert len(stream.getvalue().splitlines()) == 1
    lines.hear(ExchangeChanged(2, Change.FINISHED))
    lines.write_new(is_final=True)
    assert len(stream.getvalue().splitlines()) == 2


def test_an_analysis_that_has_fallen_behind_is_waited_for() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = writer(stream, clock)
    for number in range(1, 10):
        lines.hear(ExchangeChanged(number, Change.FINISHED))
    for number in range(1, 4):
        clock.now += ANALYSIS_S - 1
        lines.hear(ExchangeChanged(number, Change.ANALYSED))
        lines.write_new()
        assert len(stream.getvalue().splitlines()) == number
    clock.now += ANALYSIS_S
    lines.write_new()
    assert len(stream.getvalue().splitlines()) == 9


def test_no_line_waits_for_ever_for_an_analysis_that_goes_on() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = writer(stream, clock)
    lines.hear(ExchangeChanged(1, Change.FINISHED))
    lines.write_new()
    clock.now = LONGEST_ANALYSIS_S + 1
    lines.hear(ExchangeChanged(2, Change.ANALYSED))
    lines.write_new()
    assert len(stream.getvalue().splitlines()) == 1


def test_a_closed_reader_ends_the_lines_only(capsys: Any) -> None:
    stream = io.StringIO()
    lines = writer(stream)
    stream.close()
    for number in (1, 2):
        lines.hear(ExchangeChanged(number, Change.FINISHED))
    lines.write_new(is_final=True)
    assert lines.is_broken
    assert capsys.readouterr().err.count("nobody reads") == 1


def test_a_database_that_cannot_be_read_puts_lines_off(capsys: Any) -> None:
    stream, store, refusals = io.StringIO(), FakeStore(), [OSError("locked")] * 2

    def open_store() -> Any:
        if refusals:
            raise refusals.pop()
        return store

    lines = LineWriter(open_store, stream, "text", Clock())
    for number in range(300):
        lines.hear(ExchangeChanged(number, Change.FINISHED))
        lines.hear(ExchangeChanged(number, Change.ANALYSED))
    lines.write_new()
    lines.write_new()
    assert (stream.getvalue(), capsys.readouterr().err.count("locked")) == ("", 1)
    lines.write_new()
    assert len(stream.getvalue().splitlines()) == 300
    refusals += [OSError("gone")] * 2
    lines.hear(ExchangeChanged(300, Change.FINISHED))
    lines.hear(ExchangeChanged(300, Change.ANALYSED))
    lines.write_new()
    assert "1 lines cannot be written" in capsys.readouterr().err, "it had gone well in between"
    lines.write_new(is_final=True)
    assert "1 lines cannot be written" in capsys.readouterr().err


def test_so_many_lines_wait_and_no_more(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.headless.MOST_NEWS", 6)
    stream = io.StringIO()
    lines = writer(stream)
    for number in range(1, 6):
        lines.hear(ExchangeChanged(number, Change.FINISHED))
        lines.hear(ExchangeChanged(number, Change.ANALYSED))
    lines.write_new()
    lines.write_new()
    assert len(stream.getvalue().splitlines()) == 3
    assert capsys.readouterr().err.count("2 lines were left out") == 1
    lines.hear(ExchangeChanged(5, Change.ANALYSED))
    lines.hear(ExchangeChanged(6, Change.FINISHED))
    lines.hear(ExchangeChanged(6, Change.ANALYSED))
    lines.write_new()
    assert len(stream.getvalue().splitlines()) == 4, "and it goes on as before"
    assert capsys.readouterr().err == ""


def test_lines_that_cannot_be_read_do_not_gather_without_end(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.headless.MOST_NEWS", 6)
    stream, refusals = io.StringIO(), [OSError("locked")] * 4

    def open_store() -> Any:
        if refusals:
            raise refusals.pop()
        return FakeStore()

    lines = LineWriter(open_store, stream, "text", Clock())
    for number in range(30):
        lines.hear(ExchangeChanged(number, Change.FINISHED))
        lines.hear(ExchangeChanged(number, Change.ANALYSED))
        if refusals:
            lines.write_new()
    lines.write_new(is_final=True)
    written = len(stream.getvalue().splitlines())
    assert written < 30
    assert f"{30 - written} lines were left out" in capsys.readouterr().err


def test_a_reader_that_takes_nothing_does_not_keep_it_from_ending(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.headless._WAIT_S", 0.01)
    monkeypatch.setattr("tui.headless._READER_S", 0.05)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    asked = []

    def is_ending() -> bool:
        asked.append(1)
        return len(asked) > 3

    with os.fdopen(writing, "w") as stream:
        lines = LineWriter(lambda: cast("Any", FakeStore()), stream, "text", Clock(), is_ending)
        for number in (1, 2):
            lines.hear(ExchangeChanged(number, Change.FINISHED))
        lines.write_new(is_final=True)
        assert lines.is_broken
        assert len(asked) == 8, "and it is waited for as long as there is time"
        os.read(reading, 1 << 20)
    os.close(reading)
    assert capsys.readouterr().err.count("nobody reads") == 1


def test_the_key_is_looked_for_where_it_is_kept() -> None:
    assert token_command(default_data_dir()) == "assay token"
    assert token_command(Path("/tmp/my demo")) == "assay token --data-dir '/tmp/my demo'"
