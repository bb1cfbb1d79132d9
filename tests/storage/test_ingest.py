import hashlib
import random

import pytest
from sqlalchemy import func, select

from proxy_core.exchange import BodyGrew, ExchangeState, ResponseStarted, Side
from storage import bodies, cutting, models
from storage.heads import read_head
from storage.recovery import recover
from storage.store import Store
from storage.verify import verify_database
from tests import factories
from tests.storage.recorded_traffic import conversation, store

EXCHANGE_ID = factories.exchange_id(1)


def count(database, row):
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(row.__table__)).scalar_one()


def test_an_exchange_comes_back_byte_for_byte(database):
    event = factories.exchange_finished(request_body=factories.body_of(b"\xff{broken"), response_body=factories.body_of(b""))
    store(database, event)
    exchanges = Store(database).exchanges
    assert exchanges.body(event.exchange_id, Side.REQUEST) == b"\xff{broken"
    assert exchanges.body(event.exchange_id, Side.RESPONSE) == b""
    detail = exchanges.detail(event.exchange_id)
    assert detail.request_headers == event.request.headers
    assert detail.response_headers == event.response.headers
    assert detail.timing == event.timing
    assert detail.summary.state is ExchangeState.COMPLETE
    assert detail.request_body.wire_sha256 == event.request_body.wire_sha256
    assert detail.facts is None


def test_a_conversation_is_stored_once_and_rebuilt(database):
    events = conversation(12)
    store(database, *events)
    report = verify_database(database)
    assert report.is_sound
    assert report.proved == 24
    with database.read() as connection:
        raw = connection.execute(select(func.sum(models.PieceRow.raw_bytes))).scalar_one()
    assert raw < 0.3 * sum(event.request_body.wire_bytes for event in events)


def test_redacted_bytes_are_proved_by_a_hash_of_their_own(database):
    body = factories.body_of(b'{"key":"[REDACTED:1]"}', wire_sha256=hashlib.sha256(b"secret").hexdigest(), is_redacted=True)
    store(database, factories.exchange_finished(request_body=body))
    report = verify_database(database)
    assert (report.proved, report.redacted, report.is_sound) == (1, 1, True)


def test_the_heads_of_many_exchanges_are_kept_as_differences(database):
    store(database, *(factories.exchange_finished() for _ in range(40)))
    with database.read() as connection:
        sizes = connection.execute(select(func.length(models.ExchangeHeadRow.packed))).scalars().all()
        assert max(sizes) < 40
        assert read_head(connection, 40).request_headers == factories.captured_request().headers


def test_an_open_exchange_is_there_with_its_bytes_so_far(database):
    started = factories.exchange_started(exchange_id=EXCHANGE_ID)
    answer = ResponseStarted(exchange_id=EXCHANGE_ID, response=factories.captured_response(), timing=factories.timing())
    grown = [BodyGrew(exchange_id=EXCHANGE_ID, side=Side.RESPONSE, data=part) for part in (b"one ", b"two")]
    ingest = store(database, started)
    store(database, answer, *grown, ingest=ingest)
    exchanges = Store(database).exchanges
    summary = exchanges.summary(EXCHANGE_ID)
    assert (summary.state, summary.status_code) == (ExchangeState.OPEN, 200)
    assert exchanges.body(EXCHANGE_ID, Side.RESPONSE) == b"one two"
    assert exchanges.body(EXCHANGE_ID, Side.REQUEST) == started.request_body.data


def test_the_head_of_a_response_is_there_as_soon_as_it_came(database):
    started = factories.exchange_started(exchange_id=EXCHANGE_ID)
    headers = (("request-id", "req_1"), ("content-type", "text/event-stream"))
    answer = ResponseStarted(exchange_id=EXCHANGE_ID, response=factories.captured_response(headers), timing=factories.timing())
    ingest = store(database, started)
    store(database, BodyGrew(exchange_id=EXCHANGE_ID, side=Side.RESPONSE, data=b"one"), ingest=ingest)
    assert Store(database).exchanges.detail(1).response_headers == ()
    store(database, answer, ingest=ingest)
    store(database, BodyGrew(exchange_id=EXCHANGE_ID, side=Side.RESPONSE, data=b"two"), ingest=ingest)
    detail = Store(database).exchanges.detail(1)
    assert detail.response_headers == answer.response.headers
    assert detail.request_headers == started.request.headers
    ingest.forget()
    store(database, answer, ingest=ingest)
    assert Store(database).exchanges.detail(1).response_headers == answer.response.headers
    with database.write() as connection:
        recover(connection, factories.START_US)
    assert Store(database).exchanges.detail(1).response_headers == answer.response.headers, "also when the process is killed"


def test_the_end_replaces_what_was_there_of_an_open_exchange(database):
    started = factories.exchange_started(exchange_id=EXCHANGE_ID)
    ingest = store(database, started, BodyGrew(exchange_id=EXCHANGE_ID, side=Side.RESPONSE, data=b"half"))
    finished = factories.exchange_finished(exchange_id=EXCHANGE_ID, request_body=started.request_body)
    store(database, finished, ingest=ingest)
    exchanges = Store(database).exchanges
    assert exchanges.count() == 1
    assert exchanges.body(EXCHANGE_ID, Side.RESPONSE) == finished.response_body.data
    assert exchanges.summary(EXCHANGE_ID).state is ExchangeState.COMPLETE
    assert count(database, models.JournalRow) == 0
    assert count(database, models.BodyRow) == 2


def test_another_writer_can_end_what_one_began(database):
    store(database, factories.exchange_started(exchange_id=EXCHANGE_ID), owner="first")
    store(database, factories.exchange_finished(exchange_id=EXCHANGE_ID), owner="second")
    assert Store(database).exchanges.count() == 1


def test_events_of_an_exchange_that_never_began_are_left_out(database):
    store(database, BodyGrew(exchange_id=EXCHANGE_ID, side=Side.RESPONSE, data=b"late"))
    assert Store(database).exchanges.count() == 0
    assert count(database, models.JournalRow) == 0


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("limit_bytes", [10_000, 10**6])
def test_a_body_too_large_to_hold_comes_from_the_journal(database, monkeypatch, at_once, limit_bytes):
    monkeypatch.setattr(bodies, "_WHOLE_BYTES", limit_bytes)
    monkeypatch.setattr(bodies, "CHUNK_BYTES", 1_000)
    monkeypatch.setattr(cutting, "CHUNK_BYTES", 1_000)
    whole = random.Random(1).randbytes(123_456)
    body = factories.body_of(None, data=None, wire_bytes=len(whole), wire_sha256=hashlib.sha256(whole).hexdigest())
    parts = [
        BodyGrew(exchange_id=EXCHANGE_ID, side=Side.REQUEST, data=whole[start : start + 7_777])
        for start in range(0, len(whole), 7_777)
    ]
    events = [
        factories.exchange_started(exchange_id=EXCHANGE_ID, request_body=None),
        *parts,
        factories.exchange_finished(exchange_id=EXCHANGE_ID, request_body=body),
    ]
    if at_once:
        store(database, *events)
    else:
        ingest = None
        for event in events:
            ingest = store(database, event, ingest=ingest)
    assert Store(database).exchanges.body(EXCHANGE_ID, Side.REQUEST) == whole
    assert b"".join(Store(database).exchanges.iterate_body(EXCHANGE_ID, Side.REQUEST)) == whole
    assert verify_database(database).is_sound
    assert count(database, models.JournalRow) == 0


def test_a_failed_exchange_keeps_its_error(database):
    store(
        database,
        factories.exchange_finished(
            exchange_id=EXCHANGE_ID, state=ExchangeState.FAILED, response=None, response_body=None, error="connection refused"
        ),
    )
    detail = Store(database).exchanges.detail(EXCHANGE_ID)
    assert (detail.summary.error, detail.response_body, detail.response_http_version) == ("connection refused", None, None)
