import time

import pytest
from sqlalchemy import func, select

from proxy_core import clock
from proxy_core.exchange import Side
from storage import full_text, models, sqlite
from storage.attributions import AttributionWriter
from storage.deleting import drop_bodies
from storage.errors import StorageError
from storage.notices import Notices
from storage.pieces import PieceWriter
from storage.retention import DAY_US, RetentionPolicy, RetentionThread, prune
from storage.store import Store
from storage.sweeping import sweep
from storage.verify import verify_database
from tests import factories
from tests.storage.recorded_traffic import conversation, store, store_and_analyse

NEVER = RetentionPolicy(max_age_days=None)


def count(database, row):
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(row.__table__)).scalar_one()


def days_later(days):
    return factories.START_US + days * DAY_US


def test_what_is_young_enough_stays(database):
    store_and_analyse(database, *conversation(3))
    assert prune(database, RetentionPolicy(max_age_days=30), now_us=days_later(29)).exchanges == 0
    assert prune(database, NEVER).exchanges == 0
    assert Store(database).exchanges.count() == 3


def test_what_is_too_old_goes_with_everything_that_is_its_own(database):
    store_and_analyse(database, *conversation(3))
    young = factories.exchange_finished(timing=factories.timing(days_later(20)))
    store_and_analyse(database, young)
    heard = []
    notices = Notices()
    notices.subscribe(heard.append)
    outcome = prune(database, RetentionPolicy(max_age_days=30), now_us=days_later(40), notices=notices)
    assert outcome.exchanges == 3
    assert outcome.pieces > 0
    assert [notice.what for notice in heard] == ["deleted"]
    assert count(database, models.BodyRow) == 2
    assert count(database, models.ExchangeHeadRow) == count(database, models.AttributionRow) == 1
    left = Store(database).exchanges.detail(young.exchange_id)
    assert count(database, models.SegmentUseRow) == len({segment.content_hash for segment in left.segments})
    assert [segment.text for segment in left.segments]
    assert verify_database(database).is_sound
    assert Store(database).sources.metrics()


def test_deleted_exchanges_are_not_found_by_their_words(database):
    store_and_analyse(database, *conversation(2))
    words = full_text.match_text("answer")
    with database.read() as connection:
        assert len(connection.execute(words).all()) == 2
    prune(database, RetentionPolicy(max_age_days=1), now_us=days_later(40))
    with database.read() as connection:
        assert connection.execute(words).all() == []


def test_the_oldest_go_until_the_rest_fits(database):
    store(database, *(factories.exchange_finished(request_body=factories.body_of(bytes_of(n))) for n in range(120)))
    with database.read() as connection:
        size = sqlite.file_bytes(connection)
    outcome = prune(database, RetentionPolicy(max_age_days=None, max_bytes=size // 2))
    with database.read() as connection:
        assert sqlite.file_bytes(connection) <= size // 2
    assert 0 < outcome.exchanges < 120
    assert outcome.freed_bytes >= size // 2
    assert Store(database).exchanges.summary(120)
    assert verify_database(database).is_sound


def bytes_of(seed):
    import random

    return random.Random(seed).randbytes(6_000)


def test_open_exchanges_are_never_deleted(database):
    store(database, factories.exchange_started())
    assert prune(database, RetentionPolicy(max_age_days=1, max_bytes=1), now_us=days_later(99)).exchanges == 0


def test_a_sweep_beside_a_writer_deletes_nothing_that_is_used_again(database):
    """A piece whose last body was deleted is looked up again between the marking and the deleting."""
    store(database, factories.exchange_finished())
    writer = PieceWriter()
    with database.write() as connection:
        writer.begin(connection)
        (piece_id,) = writer.store(connection, [b"used again" * 20])
    others = [PieceWriter(), writer]

    def use_again():
        if others:
            again = others.pop()
            with database.write() as connection:
                again.begin(connection)
                assert again.store(connection, [b"used again" * 20]) == [piece_id]
        return False

    assert sweep(database, use_again) == 0
    assert sweep(database) == 1


def test_a_writer_forgets_what_was_swept(database):
    writer = PieceWriter()
    with database.write() as connection:
        writer.begin(connection)
        (first,) = writer.store(connection, [b"gone" * 30])
    assert sweep(database) == 1
    with database.write() as connection:
        assert writer.begin(connection)
        (second,) = writer.store(connection, [b"gone" * 30])
    assert second > first


def test_a_conversation_goes_on_after_a_sweep(database):
    events = conversation(6)
    ingest = store(database, *events[:3])
    prune(database, RetentionPolicy(max_age_days=1), now_us=days_later(99))
    store(database, *events[3:], ingest=ingest)
    assert Store(database).exchanges.body(events[5].exchange_id, Side.REQUEST) == events[5].request_body.data
    assert verify_database(database).proved == 6


def test_bodies_can_be_dropped_alone(database):
    store_and_analyse(database, *conversation(2))
    with database.write() as connection:
        drop_bodies(connection, 1)
    exchanges = Store(database).exchanges
    assert exchanges.body(1, Side.REQUEST) is None
    detail = exchanges.detail(1)
    assert not detail.request_body.is_kept
    assert detail.segments
    assert {segment.text for segment in detail.segments} == {""}
    assert verify_database(database).dropped == 2


def test_the_thread_prunes_and_stops(database, wait_until):
    store_and_analyse(database, *conversation(2))
    thread = RetentionThread(database, RetentionPolicy(max_age_days=1), first_s=0.0, every_s=0.01)
    thread.start()
    wait_until(lambda: thread.deleted == 2)
    thread.stop()
    assert thread.last_error is None


def test_a_refusing_database_is_tried_again_later(database, wait_until, monkeypatch):
    import sqlite3

    from sqlalchemy.exc import OperationalError

    from storage import retention

    real = retention.prune
    calls = []

    def refusing(*args, **more):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("DELETE", {}, sqlite3.OperationalError("database or disk is full"))
        return real(*args, **more)

    monkeypatch.setattr(retention, "prune", refusing)
    thread = RetentionThread(database, NEVER, first_s=0.0, every_s=0.01)
    thread.start()
    wait_until(lambda: len(calls) > 1)
    thread.stop()


def test_a_dead_thread_is_reported_on_stop(database, wait_until, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(RetentionThread, "_prune", broken)
    thread = RetentionThread(database, first_s=0.0)
    thread.start()
    wait_until(lambda: thread.failure)
    with pytest.raises(StorageError, match="bug"):
        thread.stop()


def test_attributions_are_saved_beside_a_sweep(database):
    worker = store_and_analyse(database, *conversation(2))
    assert isinstance(worker._writer, AttributionWriter)
    sweep(database)
    worker.analyse(1, has_ended=True)
    worker.analyse(2, has_ended=True)
    assert verify_database(database).is_sound


def test_the_wall_clock_set_years_ahead_deletes_nothing(database, monkeypatch):
    store(database, factories.exchange_finished(timing=factories.timing(clock.now_us())))
    thread = RetentionThread(database, RetentionPolicy(max_age_days=30))
    real = time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: real() + 5 * 365 * DAY_US * 1000)
    thread._prune()
    monkeypatch.undo()
    assert (thread.deleted, thread.last_error) == (0, None)
    assert Store(database).exchanges.count() == 1


def test_what_was_recorded_in_the_future_stays_until_then(database):
    store(database, factories.exchange_finished(timing=factories.timing(days_later(400))))
    assert prune(database, RetentionPolicy(max_age_days=30), now_us=days_later(0)).exchanges == 0
    assert prune(database, RetentionPolicy(max_age_days=30), now_us=days_later(431)).exchanges == 1
