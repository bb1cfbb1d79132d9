"""Recording in a process of its own: everything arrives, whatever becomes of that process or of this one."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy_core.child_process import close_pipes, launch
from proxy_core.exchange import ExchangeState, Side
from proxy_core.hook_feed import HookFeed
from proxy_core.live import LiveExchange
from proxy_core.redact import Redactor
from proxy_core.relay import PART_BYTES, Relay
from proxy_core.relay_messages import write_message
from storage import remote_recorder
from storage.database import Database, open_database
from storage.errors import DatabaseUnusableError
from storage.notices import Change, ExchangeChanged, Notices
from storage.remote_recorder import RecordingPlan, RemoteRecorder
from storage.store import Store
from tests.factories import live_exchange

KEY = b"sk-ant-api03-AbCdEf0123456789"
PATIENCE_S = 120.0

pytestmark = pytest.mark.timeout(4 * PATIENCE_S)


class Rig:
    """Hooks and a recorder elsewhere, over a database in a file."""

    def __init__(self, path: Path, *, tells_summaries: bool = False, **options: Any) -> None:
        self.path = path
        self.notices = Notices()
        self.heard: list[Change] = []
        self.notices.subscribe(lambda change: self.heard.append(change.what))
        self.feed = HookFeed(Redactor(b"k" * 16))
        plan = RecordingPlan(
            url=f"sqlite:///{path}",
            redaction_key=b"k" * 16,
            options={"store_s": 60.0},
            stop_s=PATIENCE_S,
            tells_summaries=tells_summaries,
        )
        self.recorder = RemoteRecorder(self.feed, self.notices, plan, **options)

    def begin(self, body: bytes = b'{"model": "m"}') -> LiveExchange:
        live = live_exchange(self.feed, headers=((b"X-Api-Key", KEY),), is_request_done=True)
        for start in range(0, len(body), PART_BYTES):
            live.request_body.append(body[start : start + PART_BYTES])
        self.feed.begin(live)
        self.feed.announce(live)
        return live

    def answer(self, live: LiveExchange, body: bytes = b"{}") -> None:
        live.status_code, live.reason, live.response_http_version = 200, b"OK", b"HTTP/1.1"
        live.response_body.append(body)

    def exchange(self, body: bytes = b'{"model": "m"}') -> str:
        live = self.begin(body)
        self.answer(live)
        self.feed.finish(live)
        return live.exchange_id

    def await_stored(self, count: int) -> None:
        assert eventually(lambda: self.recorder.status().stored == count), self.recorder.status()

    def answer_of(self, live: LiveExchange) -> bytes:
        """Return what is in the database of an exchange's response."""
        with opened(self.path) as database:
            return Store(database).exchanges.body(live.exchange_id, Side.RESPONSE) or b""

    def read(self) -> dict[str, tuple[ExchangeState, bytes | None]]:
        """Return what is in the database: state and request body by exchange id."""
        with opened(self.path) as database:
            exchanges = Store(database).exchanges
            return {row.exchange_id: (row.state, exchanges.body(row.id, Side.REQUEST)) for row in exchanges.page()}


class opened:  # noqa: N801 - used like a function
    """An open database, closed at the end."""

    def __init__(self, path: Path) -> None:
        self._database = open_database(path)

    def __enter__(self) -> Database:
        return self._database

    def __exit__(self, *_exc: object) -> None:
        self._database.close()


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


def scripted(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "assay.db")
    yield made
    made.recorder.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("assay-")]


def test_what_the_hooks_put_is_stored_redacted_and_analysed(rig: Rig) -> None:
    rig.recorder.start()
    first = rig.exchange(b'{"key": "' + KEY + b'"}')
    rig.await_stored(1)
    second = rig.exchange()
    assert rig.recorder.stop() == []
    status = rig.recorder.status()
    assert (status.stored, status.analysed, status.dropped, status.failure) == (2, 2, 0, None)
    assert rig.feed.is_seen
    assert rig.heard.count(Change.FINISHED) == rig.heard.count(Change.ANALYSED) == 2
    stored = rig.read()
    assert set(stored) == {first, second}
    assert b"REDACTED" in (stored[first][1] or b"")
    assert not any(KEY in path.read_bytes() for path in rig.path.parent.iterdir())


def test_stopping_waits_for_no_news(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_recorder, "_TAKE_S", 3600.0)
    rig.recorder.start()
    assert rig.recorder.stop() == []


def test_how_an_exchange_reads_is_told_once_it_is_analysed(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "assay.db", tells_summaries=True)
    told: list[ExchangeChanged] = []
    rig.notices.subscribe(told.append)
    rig.recorder.start()
    exchange_id = rig.exchange()
    assert rig.recorder.stop() == []
    with opened(rig.path) as database:
        stored = Store(database).exchanges.summary(exchange_id)
    assert [change.summary for change in told if change.what is Change.ANALYSED] == [stored]
    assert {change.summary for change in told if change.what is not Change.ANALYSED} == {None}


def test_a_running_exchange_is_there_before_its_end(rig: Rig) -> None:
    rig.recorder.start()
    live = rig.begin()
    assert eventually(lambda: Change.STARTED in rig.heard)
    assert rig.read()[live.exchange_id][0] is ExchangeState.OPEN
    rig.answer(live)
    rig.feed.finish(live)
    rig.await_stored(1)


def test_a_process_that_is_killed_is_started_anew_and_loses_nothing(rig: Rig) -> None:
    rig.recorder.start()
    before = rig.exchange()
    rig.await_stored(1)
    running = rig.begin(b"running")
    assert eventually(lambda: Change.STARTED in rig.heard)
    first = rig.recorder.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    meanwhile = rig.exchange(b"meanwhile")
    rig.await_stored(2)
    assert rig.recorder.process_id != first
    rig.answer(running)
    rig.feed.finish(running)
    assert rig.recorder.stop() == []
    assert rig.recorder.restarts == 1
    assert {key: body for key, (state, body) in rig.read().items() if state is ExchangeState.COMPLETE} == {
        before: b'{"model": "m"}',
        meanwhile: b"meanwhile",
        running.exchange_id: b"running",
    }
    status = rig.recorder.status()
    assert (status.stored, status.dropped, status.is_failing) == (3, 0, False)


def test_a_signal_to_all_processes_does_not_end_it_before_its_time(rig: Rig) -> None:
    rig.recorder.start()
    first = rig.recorder.process_id
    assert first is not None
    rig.exchange()
    rig.await_stored(1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(first, number)
    rig.exchange()
    rig.await_stored(2)
    assert (rig.recorder.process_id, rig.recorder.restarts) == (first, 0)
    assert rig.recorder.stop() == []


def test_a_process_that_hangs_is_killed_and_started_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.recorder.start()
    first = rig.recorder.process_id
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    exchange_id = rig.exchange(bytes(4 * PART_BYTES))
    with monkeypatch.context() as patience:
        patience.setattr(remote_recorder, "HANG_S", 3.0)
        assert eventually(lambda: rig.recorder.process_id != first)
    rig.await_stored(1)
    assert rig.recorder.restarts == 1
    assert rig.read()[exchange_id][0] is ExchangeState.COMPLETE


def test_when_this_process_dies_what_arrived_is_stored_and_closed(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "assay.db")
    plan = RecordingPlan(url=f"sqlite:///{rig.path}", redaction_key=b"k" * 16, options={})
    process = launch("storage.recording_worker")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(plan.as_line())
    process.stdin.flush()
    assert b"ready" in process.stdout.readline()
    relay = Relay(rig.feed)
    over, running = rig.exchange(b"over"), rig.begin(b"running")
    rig.answer(running, b"half an ans")
    for message in [*relay.news(0.0), *_later(relay)]:
        write_message(process.stdin, message)
    process.stdin.flush()
    process.stdin.close()
    process.stdin = None
    process.communicate(timeout=PATIENCE_S)
    close_pipes(process)
    assert rig.read() == {
        over: (ExchangeState.COMPLETE, b"over"),
        running.exchange_id: (ExchangeState.INTERRUPTED, b"running"),
    }


def _later(relay: Relay) -> list[bytes]:
    time.sleep(0.1)
    return list(relay.news(0.0))


def test_a_database_that_cannot_be_used_is_told_at_the_start(rig: Rig) -> None:
    rig.path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(DatabaseUnusableError, match="not a database"):
        rig.recorder.start()
    assert rig.recorder.process_id is None


def test_a_process_that_does_not_come_up_is_told_at_the_start(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "assay.db", command=scripted("raise SystemExit(1)"))
    rig.recorder.launch()
    with pytest.raises(DatabaseUnusableError, match="ended at once"):
        rig.recorder.start()
    assert rig.recorder.stop() == []


def test_one_that_dies_again_and_again_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_recorder, "_REVIVE_AFTER_S", (0.01,))
    code = "import sys; sys.stdin.buffer.readline(); print('{\"ready\": true}', flush=True); sys.stdin.buffer.read(1)"
    rig = Rig(tmp_path / "assay.db", command=scripted(code))
    rig.recorder.start()
    rig.exchange()
    assert eventually(lambda: rig.recorder.status().dropped == 1)
    assert rig.recorder.restarts >= 3
    assert rig.feed.is_drained
    assert rig.recorder.stop() != []


POISONED = """
import os, runpy
from proxy_core.relay import Mirror
apply = Mirror.apply
Mirror.apply = lambda self, message: os._exit(9) if b"poison" in message else apply(self, message)
runpy.run_module("storage.recording_worker", run_name="__main__")
"""


def test_an_exchange_that_kills_whoever_gets_it_takes_no_other_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_recorder, "_REVIVE_AFTER_S", (0.01,))
    rig = Rig(tmp_path / "assay.db", command=scripted(POISONED))
    rig.recorder.start()
    bodies = [b"one", b"poison", b"two", b"three"]
    ids = [rig.exchange(body) for body in bodies]
    rig.await_stored(3)
    assert rig.recorder.status().dropped == 1
    ids.append(rig.exchange(b"four"))
    rig.await_stored(4)
    assert rig.recorder.stop() == []
    assert set(rig.read()) == {ids[0], ids[2], ids[3], ids[4]}


@pytest.mark.parametrize("place", [0, 1, 21, 39])
def test_it_is_found_among_many_within_a_few_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    monkeypatch.setattr(remote_recorder, "_REVIVE_AFTER_S", (0.01,))
    rig = Rig(tmp_path / "assay.db", command=scripted(POISONED))
    rig.recorder.launch()
    ids = [rig.exchange(b"poison" if number == place else b"%d" % number) for number in range(40)]
    rig.recorder.start()
    rig.await_stored(39)
    assert eventually(lambda: rig.recorder.status().dropped == 1)
    assert rig.recorder.restarts <= 9
    assert rig.recorder.stop() == []
    assert set(rig.read()) == {each for number, each in enumerate(ids) if number != place}


def test_what_waited_for_one_that_stored_nothing_is_sent_in_growing_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portions: list[int] = []
    repeat = Relay.repeat
    monkeypatch.setattr(Relay, "repeat", lambda self, ids: portions.append(len(ids)) or repeat(self, ids))
    rig = Rig(tmp_path / "assay.db", command=faulty_at_first(tmp_path, STORES_NOTHING_AND_DIES_AT_THE_END))
    rig.recorder.start()
    rig.recorder._has_stored = False  # as if there had been one before it that stored nothing either
    for _ in range(20):
        rig.exchange()
    assert rig.recorder.stop() == []
    assert portions == [1, 2, 4, 8, 5]
    assert rig.recorder.status().stored == 20


def test_a_writer_that_fails_for_good_is_replaced(rig: Rig) -> None:
    rig.recorder.start()
    first = rig.recorder.process_id
    link = rig.recorder._link
    assert link is not None
    status = {"failure": "the thread died"}
    rig.recorder._take_line(link, {"status": status, "stored": [], "given_up": [], "changes": [], "summaries": []})
    assert eventually(lambda: rig.recorder.process_id not in {None, first})
    rig.exchange()
    rig.await_stored(1)


FIRST_LIFE = """
import os, pathlib, time
from proxy_core.feed import CaptureFeed
from storage import recording_worker
from storage.recorder import Recorder
mark = pathlib.Path({mark!r})
is_first = not mark.exists()
mark.touch()
{fault}
recording_worker.main()
"""
STORES_NOTHING_AND_DIES_AT_THE_END = """
if is_first:
    CaptureFeed.take = lambda self, timeout_s: time.sleep(timeout_s) or []
    Recorder.stop = lambda self: os._exit(9)
"""
DOES_NOT_TELL_WHAT_IT_STORED = """
if is_first:
    recording_worker.Teller.settle = lambda self, exchange_ids: None
"""


def faulty_at_first(path: Path, fault: str) -> tuple[str, ...]:
    return scripted(FIRST_LIFE.format(mark=str(path / "mark"), fault=fault))


def test_a_process_that_dies_while_all_ends_is_started_anew_once_more(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "assay.db", command=faulty_at_first(tmp_path, STORES_NOTHING_AND_DIES_AT_THE_END))
    rig.recorder.start()
    ids = [rig.exchange() for _ in range(3)]
    assert rig.recorder.stop() == []
    assert rig.recorder.restarts == 1
    assert set(rig.read()) == set(ids)
    status = rig.recorder.status()
    assert (status.stored, status.dropped, rig.feed.captured) == (3, 0, 3)


def test_what_is_stored_twice_is_counted_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "assay.db", command=faulty_at_first(tmp_path, DOES_NOT_TELL_WHAT_IT_STORED))
    rig.recorder.start()
    rig.exchange()
    assert eventually(lambda: Change.FINISHED in rig.heard)
    kill(rig)
    rig.exchange()
    rig.await_stored(2)
    assert rig.recorder.stop() == []
    assert rig.recorder.status().stored == rig.feed.captured == 2


def test_what_still_runs_stays_open_through_two_deaths(rig: Rig) -> None:
    rig.recorder.start()
    live = rig.begin(b"running")
    parts = [letter * 10_000 for letter in (b"one ", b"two ", b"three ")]
    rig.answer(live, b"")
    assert eventually(lambda: Change.STARTED in rig.heard)
    for number, part in enumerate(parts):
        if number:
            kill(rig)
        live.response_body.append(part)
        # The last bytes of what still comes are held back: they may be the beginning of a secret.
        assert eventually(lambda part=part: part[:100] in rig.answer_of(live)), number  # type: ignore[misc]
        assert rig.read()[live.exchange_id][0] is ExchangeState.OPEN
    assert Change.FINISHED not in rig.heard, "nobody is told that it was over"
    rig.feed.finish(live)
    rig.await_stored(1)
    assert rig.answer_of(live) == b"".join(parts)
    assert rig.recorder.stop() == []


def kill(rig: Rig) -> None:
    """Kill the process and wait until another has taken its place."""
    first = rig.recorder.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: rig.recorder.process_id not in {None, first})


SOON_FULL = "from storage import recording_worker; recording_worker.WAITING_BYTES = 100_000; recording_worker.main()"


def test_running_exchanges_together_larger_than_what_may_wait_do_not_stop_the_recording(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "assay.db", command=scripted(SOON_FULL))
    rig.recorder.start()
    lives = [rig.begin(bytes(60_000)) for _ in range(4)]
    assert eventually(lambda: rig.heard.count(Change.STARTED) == 4)
    for live in lives:
        rig.answer(live)
        rig.feed.finish(live)
    rig.await_stored(4)
    assert rig.recorder.stop() == []


def test_what_was_sent_is_stored_also_when_sending_fails_for_good(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.recorder.start()
    exchange_id = rig.exchange()
    rig.await_stored(1)
    rig.exchange()
    relay = rig.recorder._relay

    def fail(_timeout_s: float) -> Iterator[bytes]:
        raise MemoryError("no more")
        yield

    monkeypatch.setattr(relay, "news", fail)
    assert eventually(lambda: rig.recorder.status().failure == "MemoryError: no more")
    assert rig.recorder.stop() == []
    assert exchange_id in rig.read()


def test_a_process_that_breaks_at_the_start_says_why(tmp_path: Path) -> None:
    code = "from storage import recording_worker as w; w.open_database = lambda url: 1 / 0; w.main()"
    rig = Rig(tmp_path / "assay.db", command=scripted(code))
    with pytest.raises(DatabaseUnusableError, match="ZeroDivisionError"):
        rig.recorder.start()
    assert rig.recorder.stop() == []
