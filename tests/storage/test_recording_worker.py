"""The recording process from its input to its output, without a process around it."""

import io
import json
import time

import pytest
from msgspec import convert
from sqlalchemy.exc import OperationalError

from proxy_core.exchange import ExchangeState
from proxy_core.hook_feed import FLUSH_S, HookFeed
from proxy_core.redact import Redactor
from proxy_core.relay import Relay
from proxy_core.relay_messages import write_message
from storage.database import open_database
from storage.recording_worker import GIVEN_UP, record
from storage.recovery import INTERRUPTED
from storage.remote_recorder import RecordingPlan
from storage.store import Store
from storage.views import ExchangeSummary
from tests import factories
from tests.storage.recorded_traffic import store

PATIENCE_S = 60.0


class Rig:
    """Hooks, and what they tell written down."""

    def __init__(self, path):
        self.url = f"sqlite:///{path / 'assay.db'}"
        self.feed = HookFeed(Redactor(b"k" * 16), young_s=0.0)
        self.relay = Relay(self.feed)
        self.messages = []

    def begin(self):
        live = factories.live_exchange(self.feed, is_request_done=True)
        live.request_body.append(b"asked")
        self.feed.begin(live)
        self.feed.announce(live)
        return live

    def exchange(self):
        live = self.begin()
        self.feed.finish(live)
        return live.exchange_id

    def record(self, *, is_told=True, awaited=(), analyse_s=0.0, **asked):
        """Return what is said: lines with the first and the last one apart."""
        plan = RecordingPlan(url=self.url, redaction_key=b"k" * 16, options={"analyse_s": analyse_s}, **asked)
        source, sink = io.BytesIO(), io.BytesIO()
        source.write(plan.as_line(awaited))
        self.messages += self.relay.news(0.0)
        time.sleep(2 * FLUSH_S)
        self.messages += self.relay.news(0.0)
        for message in [*self.messages, *([b""] if is_told else [])]:
            write_message(source, message)
        source.seek(0)
        record(source, sink)
        return [json.loads(line) for line in sink.getvalue().splitlines()]

    def states(self):
        database = open_database(self.url)
        found = {row.exchange_id: (row.state, row.error) for row in Store(database).exchanges.page()}
        database.close()
        return found


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def test_it_says_that_it_records_what_it_stored_and_how_it_ended(rig):
    exchange_id = rig.exchange()
    first, *told, last = rig.record()
    assert first == {"ready": True}
    assert [one for line in told for one in line["stored"]] == [exchange_id]
    assert [what for line in told for _, what in line["changes"]].count("finished") == 1
    assert told[-1]["status"]["stored"] == 1
    assert last == {"stop_errors": []}


@pytest.mark.parametrize("tells_summaries", [True, False])
def test_it_tells_how_what_was_analysed_reads_if_it_is_asked_to(rig, tells_summaries):
    exchange_id = rig.exchange()
    _, *told, _ = rig.record(analyse_s=PATIENCE_S, tells_summaries=tells_summaries)
    analysed = [row_id for line in told for row_id, what in line["changes"] if what == "analysed"]
    summaries = [convert(summary, ExchangeSummary) for line in told for summary in line["summaries"]]
    assert analysed == [1]
    database = open_database(rig.url)
    assert summaries == ([Store(database).exchanges.summary(exchange_id)] if tells_summaries else [])
    database.close()


def test_what_cannot_be_summarised_is_told_all_the_same(rig, monkeypatch):
    def fail(_exchanges, _ids):
        raise OperationalError("", None, Exception("locked"))

    monkeypatch.setattr("storage.exchanges.ExchangeReader.summaries", fail)
    rig.exchange()
    _, *told, _ = rig.record(analyse_s=PATIENCE_S, tells_summaries=True)
    assert [1, "analysed"] in [change for line in told for change in line["changes"]]
    assert not any(line["summaries"] for line in told)


@pytest.mark.parametrize(("is_told", "reason"), [(False, INTERRUPTED), (True, GIVEN_UP)])
def test_what_still_runs_at_the_end_is_closed(rig, is_told, reason):
    live = rig.begin()
    rig.record(is_told=is_told)
    assert rig.states() == {live.exchange_id: (ExchangeState.INTERRUPTED, reason)}


def test_what_is_no_message_is_counted_and_the_next_one_taken(rig):
    rig.messages += [b"nonsense", b"\x93\x01"]
    exchange_id = rig.exchange()
    *_, told, _ = rig.record()
    assert told["status"]["capture_errors"] == 2
    assert set(rig.states()) == {exchange_id}


def test_what_cannot_be_read_is_given_up(rig, monkeypatch):
    def fail(_recording):
        raise ValueError("odd")

    monkeypatch.setattr("proxy_core.assembling.ExchangeRecording.finish", fail)
    exchange_id = rig.exchange()
    _, *told, _ = rig.record()
    assert [one for line in told for one in line["given_up"]] == [exchange_id]


def test_what_was_awaited_and_never_told_again_is_closed_at_the_end(rig):
    database = open_database(rig.url)
    started = [factories.exchange_started() for _ in range(2)]
    store(database, *started, owner="dead")
    database.close()
    _, *told, _ = rig.record(awaited=[started[0].exchange_id])
    closed = [row_id for line in told for row_id, what in line["changes"] if what == "finished"]
    assert closed == [2, 1]
    assert {state for state, _ in rig.states().values()} == {ExchangeState.INTERRUPTED}


@pytest.mark.parametrize("url", ["nonsense://", "sqlite://"])
def test_a_database_that_cannot_be_used_is_refused(rig, url):
    rig.url = url
    (told,) = rig.record()
    assert told["refusal"]
