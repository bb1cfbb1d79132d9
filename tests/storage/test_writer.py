import sqlite3
import time

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from proxy_core.exchange import ExchangeState
from proxy_core.feed import CaptureFeed
from proxy_core.redact import Redactor
from storage import writer as writer_module
from storage.database import open_database
from storage.errors import StorageError
from storage.ingest import Ingest
from storage.leases import Lease
from storage.notices import Change, Notices
from storage.store import Store
from storage.verify import verify_database
from storage.writer import StorageWriter
from tests import factories
from tests.storage.recorded_traffic import store


def locked() -> OperationalError:
    return OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))


@pytest.fixture
def writer(database, feed):
    made = StorageWriter(database, feed, sleep=lambda _seconds: False)
    yield made
    if made.is_running:
        made.stop()


def fail_times(monkeypatch, times, make_error):
    """Let the first so many attempts to store fail."""
    left = [times]
    real = Ingest.store

    def failing(self, connection, batch):
        if left[0]:
            left[0] -= 1
            raise make_error()
        return real(self, connection, batch)

    monkeypatch.setattr(Ingest, "store", failing)


def test_what_the_feed_delivers_is_stored_and_told(database, feed, writer, wait_until):
    heard = []
    writer.notices.subscribe(heard.append)
    writer.start()
    feed.put(*(factories.exchange_finished() for _ in range(120)))
    wait_until(lambda: writer.stored == 120)
    writer.stop()
    assert Store(database).exchanges.count() == 120
    assert [notice.what for notice in heard].count(Change.FINISHED) == 120
    assert verify_database(database).is_sound


def test_stopping_waits_for_no_news(database, monkeypatch):
    monkeypatch.setattr(writer_module, "TAKE_S", 3600.0)
    writer = StorageWriter(database, CaptureFeed(Redactor(b"k" * 16)))
    writer.start()
    writer.stop(60)
    assert not writer.is_running


def test_stopping_stores_what_is_left(database, feed, writer):
    writer.start()
    feed.put(*(factories.exchange_finished() for _ in range(200)))
    writer.stop()
    assert Store(database).exchanges.count() == 200
    assert writer.failure is None


@pytest.mark.parametrize("reason", ["database is locked", "database or disk is full", "attempt to write a readonly database"])
def test_a_failure_that_may_pass_is_tried_again(database, feed, writer, wait_until, monkeypatch, reason):
    fail_times(monkeypatch, 3, lambda: OperationalError("INSERT", {}, sqlite3.OperationalError(reason)))
    writer.start()
    feed.put(factories.exchange_finished())
    wait_until(lambda: writer.stored == 1)
    assert writer.errors == 3
    assert reason in writer.last_error
    assert not writer.is_failing
    assert writer.dropped == 0


def test_while_it_fails_it_says_so(database, feed, writer, wait_until, monkeypatch):
    fail_times(monkeypatch, 10**9, locked)
    writer.start()
    feed.put(factories.exchange_finished())
    wait_until(lambda: writer.is_failing)
    writer.stop(timeout_s=0.2)
    assert writer.dropped == 1
    assert writer.failure is None


@pytest.mark.parametrize(
    "make_error", [lambda: ValueError("bug"), lambda: IntegrityError("INSERT", {}, sqlite3.IntegrityError("x"))]
)
def test_what_can_never_be_stored_costs_only_itself(database, feed, writer, wait_until, monkeypatch, make_error):
    real = Ingest.store
    bad = factories.exchange_finished()

    def failing(self, connection, batch):
        if any(item.exchange_id == bad.exchange_id for item in batch):
            raise make_error()
        return real(self, connection, batch)

    monkeypatch.setattr(Ingest, "store", failing)
    writer.start()
    feed.put(factories.exchange_finished(), bad, factories.exchange_finished())
    wait_until(lambda: writer.stored == 2)
    assert writer.dropped == 1
    assert writer.is_running


def test_a_feed_that_raises_does_not_end_the_recording(database, feed, writer, wait_until, monkeypatch):
    real, calls = feed.take, []

    def take(timeout_s):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("bad chunk")
        return real(timeout_s)

    monkeypatch.setattr(feed, "take", take)
    writer.start()
    feed.put(factories.exchange_finished())
    wait_until(lambda: writer.stored == 1)
    assert "bad chunk" in writer.last_error


def test_a_listener_that_raises_harms_nobody(database, feed, wait_until):
    notices = Notices()

    def listen(_notice):
        raise RuntimeError

    end = notices.subscribe(listen)
    writer = StorageWriter(database, feed, notices)
    writer.start()
    feed.put(factories.exchange_finished())
    wait_until(lambda: writer.stored == 1)
    writer.stop()
    end()
    assert notices.failures == 1


def test_two_writers_share_a_database(database, feed, wait_until):
    other_database = open_database(database.path)
    other_feed = type(feed)()
    writers = [StorageWriter(database, feed), StorageWriter(other_database, other_feed)]
    for one in writers:
        one.start()
    open_ones = [factories.exchange_started(), factories.exchange_started()]
    for number in range(60):
        for source, begun in zip((feed, other_feed), open_ones, strict=True):
            source.put(*([begun] if number == 0 else []), factories.exchange_finished())
        time.sleep(0.002)
    wait_until(lambda: [one.stored for one in writers] == [60, 60])
    states = [Store(database).exchanges.summary(begun.exchange_id).state for begun in open_ones]
    assert states == [ExchangeState.OPEN, ExchangeState.OPEN]
    for one in writers:
        one.stop()
    assert Store(database).exchanges.count() == 122
    assert verify_database(database).is_sound
    other_database.close()


def test_a_dead_thread_is_reported_on_stop(database, feed, monkeypatch, wait_until):
    def broken(self, timeout_s):
        raise KeyboardInterrupt

    monkeypatch.setattr(StorageWriter, "_round", broken)
    writer = StorageWriter(database, feed)
    writer.start()
    wait_until(lambda: not writer.is_running)
    with pytest.raises(StorageError, match="KeyboardInterrupt"):
        writer.stop()


def test_a_database_that_another_process_holds_is_waited_for(database, feed, wait_until, monkeypatch):
    monkeypatch.setattr(writer_module, "_RETRY_S", (0.01,))
    writer = StorageWriter(database, feed)
    writer.start()
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    feed.put(factories.exchange_finished())
    wait_until(lambda: writer.errors)
    assert "locked" in writer.last_error
    other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: writer.stored == 1)
    writer.stop()


def test_what_a_dead_process_left_open_is_closed(tmp_path, feed):
    database = open_database(tmp_path / "assay.db")
    store(database, factories.exchange_started(exchange_id=factories.exchange_id(1)), owner="dead")
    writer = StorageWriter(database, feed)
    writer.start()
    writer.stop()
    assert Store(database).exchanges.summary(1).state is ExchangeState.INTERRUPTED
    assert verify_database(database).is_sound
    database.close()


def test_what_a_living_process_records_is_left_alone(database, feed):
    lease = Lease()
    with database.write() as connection:
        lease.renew(connection, time.time_ns() // 1000)
    store(database, factories.exchange_started(exchange_id=factories.exchange_id(1)), owner=lease.owner)
    writer = StorageWriter(database, feed)
    writer.start()
    writer.stop()
    assert Store(database).exchanges.summary(1).state is ExchangeState.OPEN


def test_a_database_that_takes_no_writes_is_refused_at_the_start(database, feed, monkeypatch):
    def renew(self, connection, now_us, **_more):
        raise locked()

    monkeypatch.setattr(Lease, "renew", renew)
    with pytest.raises(StorageError, match="cannot write"):
        StorageWriter(database, feed).start()


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_a_clock_that_is_set_interrupts_nothing_that_runs_elsewhere(database, feed, monkeypatch, step_s):
    wall_us = time.time_ns() // 1000
    monkeypatch.setattr(writer_module, "_now_us", lambda: wall_us)
    here, there = StorageWriter(database, feed), StorageWriter(database, type(feed)())
    for one in (here, there):
        one._look_after()
    store(database, factories.exchange_started(exchange_id=factories.exchange_id(1)), owner=there._lease.owner)
    wall_us += step_s * 1_000_000
    here._look_after()
    assert Store(database).exchanges.summary(1).state is ExchangeState.OPEN
    there._look_after()
    wall_us += 11_000_000
    for one in (here, there, here):
        one._look_after()
    assert Store(database).exchanges.summary(1).state is ExchangeState.OPEN
    monkeypatch.setattr("storage.leases._is_running", lambda _pid: False)
    wall_us += 11_000_000
    here._look_after()
    assert Store(database).exchanges.summary(1).state is ExchangeState.INTERRUPTED, "and what was killed is closed still"


def test_exchanges_of_a_clock_that_is_set_back_keep_their_order(database, feed, writer, wait_until):
    hour_us = 3_600_000_000
    starts = [factories.START_US + step for step in (0, hour_us, -hour_us, -hour_us + 1000)]
    events = [factories.exchange_finished(timing=factories.timing(start)) for start in starts]
    writer.start()
    for number, event in enumerate(events, 1):
        feed.put(event)
        wait_until(lambda number=number: writer.stored == number)
    page = Store(database).exchanges.page()
    assert [row.exchange_id for row in page] == [event.exchange_id for event in reversed(events)]
    assert all(row.latency_ms == 900.3 for row in page)
