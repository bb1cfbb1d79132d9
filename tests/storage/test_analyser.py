import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from proxy_core.attribution.analysis import analyse
from proxy_core.attribution.context import Topic
from proxy_core.attribution.model import ATTRIBUTION_VERSION
from proxy_core.attribution.prices import load_price_book
from proxy_core.attribution.tokens.counting import TokenCount
from proxy_core.attribution.tokens.service import lengths_only
from storage import analyser, pacing
from storage.analyser import AnalysisThread
from storage.analysis_context import DatabaseContext
from storage.attributions import AttributionWriter
from storage.errors import StorageError
from storage.notices import Change, ExchangeChanged, Notices
from storage.pacing import Pacing
from storage.store import Store
from tests import factories
from tests.storage.recorded_traffic import analyst, conversation, store


@pytest.fixture
def started(database):
    """Start a thread over the database; stop it at the end."""
    threads = []

    def start(work=analyse, pacing=None):
        thread = AnalysisThread(database, Notices(), analyst=analyst(database, work), pacing=pacing)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        if thread.failure is None:
            thread.stop()


def test_what_was_stored_before_is_analysed_at_the_start(database, started, wait_until):
    store(database, *conversation(4))
    thread = started()
    wait_until(lambda: thread.analysed == 4)
    detail = Store(database).exchanges.detail(4)
    assert detail.ledger.is_settled
    assert detail.summary.previous_id == 3
    assert detail.summary.attribution_version == ATTRIBUTION_VERSION


def test_a_stored_exchange_is_analysed_and_told(database, started, wait_until):
    thread = started()
    heard = []
    thread._notices.subscribe(heard.append)
    store(database, *conversation(1))
    thread._notices.post(ExchangeChanged(1, Change.FINISHED))
    wait_until(lambda: ExchangeChanged(1, Change.ANALYSED) in heard)
    assert thread.waiting == 0


def test_an_open_exchange_gives_an_estimate_that_the_end_replaces(database):
    event = conversation(1)[0]
    ingest = store(database, factories.exchange_started(exchange_id=event.exchange_id, request_body=event.request_body))
    worker = analyst(database)
    assert worker.analyse(1, has_ended=False)
    exchanges = Store(database).exchanges
    estimate = exchanges.summary(1)
    assert estimate.is_estimate
    assert estimate.input_tokens > 0
    assert estimate.cost_nano_usd is None
    store(database, event, ingest=ingest)
    assert not worker.analyse(1, has_ended=False), "an estimate that comes too late is dropped"
    assert worker.analyse(1, has_ended=True)
    assert not exchanges.summary(1).is_estimate


def test_an_estimate_left_by_a_killed_process_is_analysed_again(database, started, wait_until):
    event = conversation(1)[0]
    ingest = store(database, factories.exchange_started(exchange_id=event.exchange_id, request_body=event.request_body))
    analyst(database).analyse(1, has_ended=False)
    store(database, event, ingest=ingest)
    thread = started()
    wait_until(lambda: thread.analysed == 1)
    assert not Store(database).exchanges.summary(1).is_estimate


def test_a_parser_bug_loses_no_capture(database, started, wait_until):
    store(database, *conversation(2))
    bad = conversation(1)[0].request_body.data

    def work(recorded, context, **named):
        if recorded.request_body == bad:
            raise RecursionError("too deep")
        return analyse(recorded, context, **named)

    thread = started(work)
    wait_until(lambda: thread.errors == 1 and thread.analysed == 1)
    assert "too deep" in thread.last_error
    detail = Store(database).exchanges.detail(1)
    assert detail.facts is None
    assert any("too deep" in note for note in detail.notes)
    assert Store(database).exchanges.body(1, "request") == bad


class Broken:
    """An analyst that fails as no analyst should."""

    error = None

    def __init__(self, real):
        self.real = real
        self.asked = 0

    def analyse(self, row_id, *, has_ended):
        self.asked += 1
        if self.asked == 1:
            raise ValueError("no such thing")
        return self.real.analyse(row_id, has_ended=has_ended)

    def close(self):
        self.real.close()


def test_an_analyst_that_breaks_costs_only_what_it_broke_over(database, wait_until):
    store(database, *conversation(2))
    thread = AnalysisThread(database, Notices(), analyst=Broken(analyst(database)))
    thread.start()
    wait_until(lambda: thread.analysed == 1)
    thread.stop()
    assert (thread.errors, thread.failure) == (1, None)
    assert "no such thing" in thread.last_error


def test_a_database_that_refuses_is_tried_again(database, started, wait_until, monkeypatch):
    monkeypatch.setattr(analyser, "_RETRY_S", (0.01,))
    real, left = AttributionWriter.save, [2]

    def save(self, *args):
        if left[0]:
            left[0] -= 1
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))
        return real(self, *args)

    monkeypatch.setattr(AttributionWriter, "save", save)
    store(database, *conversation(1))
    thread = started()
    wait_until(lambda: thread.analysed == 1)
    assert thread.errors == 2
    assert "locked" in thread.last_error


def test_what_cannot_be_saved_is_noted(database, monkeypatch):
    def save(self, *args):
        raise ValueError("no such hash")

    monkeypatch.setattr(AttributionWriter, "save", save)
    store(database, *conversation(1))
    worker = analyst(database)
    assert worker.analyse(1, has_ended=True)
    assert "no such hash" in str(worker.error)


class _Pressed(Pacing):
    """Much is coming in until it is told otherwise."""

    is_pressed = True


def test_under_pressure_what_has_ended_is_analysed_all_the_same(database, started, wait_until, monkeypatch):
    monkeypatch.setattr(pacing, "LONGEST_REST_S", 0.01)
    store(database, *conversation(4))
    thread = started(pacing=_Pressed())
    wait_until(lambda: thread.analysed == 4)


def test_under_pressure_no_estimates_are_made_until_it_is_over(database, started, wait_until):
    event = conversation(1)[0]
    store(database, factories.exchange_started(exchange_id=event.exchange_id, request_body=event.request_body))
    pressed = _Pressed()
    thread = started(pacing=pressed)
    thread._notices.post(ExchangeChanged(1, Change.STARTED))
    with thread._changed:
        assert thread._choose() is None
        pressed.is_pressed = False
        assert thread._choose() == 1
    wait_until(lambda: thread.waiting == 0)


def test_it_is_noted_when_nothing_waits_any_more(database, started, wait_until):
    analysed = []

    class Noting(Pacing):
        analysed_before: int | None = None

        def note_idle(self):
            self.analysed_before = len(analysed)

    def work(*args, **options):
        analysed.append(1)
        return analyse(*args, **options)

    noting = Noting()
    store(database, *conversation(3))
    started(work, noting)
    wait_until(lambda: noting.analysed_before is not None)
    assert noting.analysed_before == 3, "what waits in the database waits too"


def test_a_rest_ends_with_the_thread(database, started, wait_until, monkeypatch):
    monkeypatch.setattr(pacing, "LONGEST_REST_S", 1000.0)
    monkeypatch.setattr(pacing, "LEAST_SHARE", 1e-9)
    store(database, *conversation(3))
    thread = started(pacing=_Pressed())
    wait_until(lambda: thread._is_resting)
    thread.stop()
    assert not thread._thread.is_alive()
    assert thread.analysed == 3, "what waits is analysed before the end, without more rests"


def test_an_exchange_that_is_gone_is_passed_over(database):
    assert not analyst(database).analyse(77, has_ended=True)


def test_a_full_backlog_is_taken_up_from_the_database(database, started, wait_until, monkeypatch):
    monkeypatch.setattr(analyser, "BACKLOG", 3)
    store(database, *conversation(10))
    thread = started()
    for number in range(1, 11):
        thread._notices.post(ExchangeChanged(number, Change.FINISHED))
    wait_until(lambda: all(one.attribution_version for one in Store(database).exchanges.page()))


def test_a_dead_thread_is_reported_on_stop(database, started, wait_until, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(AnalysisThread, "_next", broken)
    thread = started()
    wait_until(lambda: thread.failure)
    with pytest.raises(StorageError, match="bug"):
        thread.stop()


def test_what_was_learnt_survives_the_process(database):
    def context():
        return DatabaseContext(database, prices=load_price_book(None), counting=lengths_only())

    first = context()
    first.keep_counts("claude", {"ab" * 16: TokenCount(7), "no hex": TokenCount(8, is_sampled=True)})
    first.remember(Topic.ANCHOR, {"key": "{}"})
    assert first.recall(Topic.ANCHOR, ["key", "other"]) == {"key": "{}"}
    with database.write() as connection:
        first.flush(connection)
    first.settle()
    for known in (first, context()):
        assert known.cached_counts("claude", ["ab" * 16, "no hex", "cd" * 16]) == {
            "ab" * 16: TokenCount(7),
            "no hex": TokenCount(8, is_sampled=True),
        }
        assert known.cached_counts("other", ["ab" * 16]) == {}
        assert known.recall(Topic.ANCHOR, ["key", "other"]) == {"key": "{}"}
        assert known.recall(Topic.SAMPLE, ["key"]) == {}


def test_what_a_failed_analysis_learnt_is_forgotten(database):
    context = DatabaseContext(database, prices=load_price_book(None), counting=lengths_only())
    context.remember(Topic.ANCHOR, {"key": "{}"})
    context.discard()
    assert context.recall(Topic.ANCHOR, ["key"]) == {}
