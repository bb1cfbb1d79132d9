"""Storing is stopped at every single statement in turn: nothing is lost, nothing is half there, and the next attempt works."""

import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from proxy_core.exchange import BodyGrew, Side
from storage.store import Store
from storage.verify import verify_database
from storage.writer import StorageWriter
from tests import factories
from tests.storage.recorded_traffic import analyst, conversation, store
from tests.storage.test_totals import assert_equal_to_recomputation


class Stop:
    """Lets the statement of one number fail, once; counts them."""

    def __init__(self, database) -> None:
        self.at = -1
        self.seen = 0
        event.listen(database.write_engine, "before_cursor_execute", self)

    def __call__(self, _connection, _cursor, statement, *_rest):
        if statement.startswith("PRAGMA"):
            return
        if self.seen == self.at:
            self.at = -1
            raise OperationalError(statement, {}, sqlite3.OperationalError("database or disk is full"))
        self.seen += 1


def test_the_writer_stopped_anywhere(database, feed, wait_until):
    stop = Stop(database)
    writer = StorageWriter(database, feed, sleep=lambda _seconds: False)
    writer.start()
    events = conversation(30)
    failures = 0
    for number, finished in enumerate(events):
        stop.seen = 0
        stop.at = number
        started = factories.exchange_started(exchange_id=factories.exchange_id(1000 + number))
        feed.put(started, BodyGrew(exchange_id=started.exchange_id, side=Side.RESPONSE, data=b"x"), finished)
        wait_until(lambda expected=number + 1: writer.stored == expected)
        failures += stop.at == -1
    writer.stop()
    assert failures > 5
    assert writer.dropped == 0
    exchanges = Store(database).exchanges
    assert exchanges.count() == 60
    for finished in events:
        assert exchanges.body(finished.exchange_id, Side.REQUEST) == finished.request_body.data
    assert verify_database(database).is_sound


@pytest.mark.slow
def test_the_analysis_stopped_anywhere(database):
    events = conversation(40)
    store(database, *events)
    stop = Stop(database)
    worker = analyst(database)
    stops = 0
    for number in range(40):
        stop.seen, stop.at = 0, number
        try:
            worker.analyse(number + 1, has_ended=True)
        except OperationalError:
            stops += 1
            assert worker.analyse(number + 1, has_ended=True)
        assert worker.error is None
        stop.at = -1
    assert stops > 10
    assert_equal_to_recomputation(database)
    exchanges = Store(database).exchanges
    assert [one.previous_id for one in exchanges.page()] == [*range(39, 0, -1), None]
    assert exchanges.segment_use(exchanges.detail(40).segments[0].content_hash).uses == 40
    assert verify_database(database).is_sound
