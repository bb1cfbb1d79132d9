import json
import random
from dataclasses import astuple

import msgspec
import pytest

from proxy_core.attribution.model import SourceType
from proxy_core.exchange import BodyGrew, Side
from storage import full_text
from storage.errors import AmbiguousIdError, BodyCorruptError, NoSuchExchangeError
from storage.exchanges import ExchangeOrder
from storage.models import ExchangeHeadRow, ExchangeRow, PieceRow
from storage.store import Store
from storage.views import ExchangeSummary
from tests import factories
from tests.storage.recorded_traffic import conversation, store, store_and_analyse

ID = "e" * 32


@pytest.fixture
def exchanges(database):
    """Six turns of one conversation and a small request."""
    store_and_analyse(database, *conversation(6), factories.exchange_finished(exchange_id="f" * 32))
    return Store(database).exchanges


def ids(page):
    return [one.id for one in page]


def test_pages_follow_each_other(exchanges):
    assert ids(exchanges.page(3)) == [7, 6, 5]
    assert ids(exchanges.page(3, before_id=5)) == [4, 3, 2]
    assert ids(exchanges.page(10, after_id=5, order=ExchangeOrder.OLDEST)) == [6, 7]
    assert ids(exchanges.page(2, offset=6)) == [1]
    assert exchanges.newest_id() == 7


def test_a_condition_restricts_pages_and_counts(exchanges):
    where = ExchangeRow.__table__.c.id.between(2, 4)
    assert ids(exchanges.page(where=where)) == [4, 3, 2]
    assert exchanges.count(where) == 3
    assert exchanges.count() == 7


@pytest.mark.parametrize(
    ("order", "first"), [(ExchangeOrder.LARGEST, 6), (ExchangeOrder.SLOWEST, 7), (ExchangeOrder.OLDEST, 1)]
)
def test_lists_can_be_sorted(exchanges, order, first):
    assert ids(exchanges.page(1, order=order)) == [first]


def test_the_costliest_comes_first(exchanges):
    costs = [one.cost_nano_usd for one in exchanges.page(order=ExchangeOrder.COSTLIEST)]
    assert costs == sorted(costs, reverse=True)


def test_a_summary_comes_through_a_pipe_as_it_was(database, exchanges):
    feedback = Store(database).feedback
    feedback.rate("f" * 32, -0.5, "too dear")
    feedback.rate(exchanges.summary(3).exchange_id, 1.0)
    for one in exchanges.summaries(range(1, 8)):
        told = msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(one))), ExchangeSummary)
        assert told == one
        assert [type(value) for value in astuple(told)] == [type(value) for value in astuple(one)]


def test_ids_are_found_by_their_beginning(exchanges):
    assert exchanges.find_id("ffff") == "f" * 32
    assert exchanges.summary("F" * 32).id == 7
    with pytest.raises(AmbiguousIdError):
        exchanges.find_id("0000")
    for wrong in ("e", "", "no hex"):
        with pytest.raises(NoSuchExchangeError):
            exchanges.summary(wrong)
    with pytest.raises(NoSuchExchangeError):
        exchanges.summary(99)
    assert exchanges.detail("e") is None


def test_summaries_keep_the_order_asked_for(exchanges):
    assert ids(exchanges.summaries([3, 99, 1])) == [3, 1]
    assert exchanges.summaries([]) == ()


def test_segments_have_their_texts(exchanges):
    detail = exchanges.detail(6)
    texts = [segment.text for segment in detail.segments]
    assert any("Please fix" in text for text in texts)
    for segment in detail.segments:
        assert len(segment.text.encode()) == segment.content_bytes
    tokens = sum(line.tokens for line in detail.ledger.lines if line.zone != "output")
    assert tokens == detail.summary.input_tokens == sum(amount for _kind, amount in detail.summary.spectrum)
    assert detail.usage.output_tokens == 40
    assert exchanges.attribution(6).segments == detail.segments


def test_the_request_before_is_known(exchanges):
    assert exchanges.previous(6).id == 5
    assert exchanges.previous(1) is None


def test_where_else_a_content_occurs(exchanges):
    everywhere = next(segment for segment in exchanges.detail(6).segments if "Please fix" in segment.text)
    assert (use := exchanges.segment_use(everywhere.content_hash)) is not None
    assert (use.first_id, use.uses) == (1, 6)
    assert exchanges.segment_use("00" * 16) is None
    assert exchanges.segment_use("short") is None


def test_text_is_found_where_it_was_new(database, exchanges):
    def found(words, columns=()):
        return ids(exchanges.page(where=ExchangeRow.__table__.c.id.in_(full_text.match_text(words, columns))))

    assert found("answer 3") == [4]
    assert found("plea fi", ["user_text"]) == [1]
    assert found('" OR (') == []
    assert found("") == []


def test_bodies_come_whole_in_parts_and_decoded(database):
    import gzip

    packed = gzip.compress(b'{"content":[]}')
    headers = (("content-encoding", "gzip"), ("content-type", "application/json"))
    event = factories.exchange_finished(response=factories.captured_response(headers), response_body=factories.body_of(packed))
    store(database, event)
    exchanges = Store(database).exchanges
    assert exchanges.body(1, Side.RESPONSE) == packed
    assert b"".join(exchanges.iterate_body(1, Side.RESPONSE)) == packed
    assert exchanges.decoded_body(1, Side.RESPONSE) == b'{"content":[]}'
    recorded = exchanges.recorded(1)
    assert recorded.response_body == b'{"content":[]}'
    assert recorded.request_body == event.request_body.data


@pytest.fixture
def long_body(database):
    """The request of exchange 1, of many pieces."""
    texts = (random.Random(number).randbytes(100).hex() for number in range(200))
    body = json.dumps({"messages": [{"role": "user", "content": text} for text in texts]}).encode()
    store(database, factories.exchange_finished(request_body=factories.body_of(body)))
    return body


def test_who_takes_a_body_slowly_keeps_no_transaction_open(database, long_body):
    parts = Store(database).exchanges.iterate_body(1, Side.REQUEST)
    first = next(parts)
    store(database, factories.exchange_finished(exchange_id="d" * 32))
    assert database.checkpoint()
    rest = list(parts)
    assert len(rest) > 3
    assert first + b"".join(rest) == long_body


def test_a_body_deleted_while_it_is_taken_is_no_shorter_body(database, long_body):
    parts = Store(database).exchanges.iterate_body(1, Side.REQUEST)
    assert len(next(parts)) < len(long_body)
    with database.write() as connection:
        connection.execute(PieceRow.__table__.delete())
    with pytest.raises(BodyCorruptError):
        list(parts)


@pytest.mark.parametrize("count", [0, 1, 16, 40])
def test_a_body_that_still_grows_comes_as_far_as_it_is(database, count):
    parts = [BodyGrew(exchange_id=ID, side=Side.RESPONSE, data=b"%d " % number) for number in range(count)]
    ingest = store(database, factories.exchange_started(exchange_id=ID))
    for part in parts:
        store(database, part, ingest=ingest)
    exchanges = Store(database).exchanges
    assert b"".join(exchanges.iterate_body(1, Side.RESPONSE)) == b"".join(part.data for part in parts)
    assert (exchanges.body(1, Side.RESPONSE) or b"") == b"".join(part.data for part in parts)


def test_damage_is_said_and_the_rest_still_shown(database, exchanges):
    heads = ExchangeHeadRow.__table__
    with database.write() as connection:
        connection.execute(heads.update().values(packed=b"\x07"))
    detail = exchanges.detail(3)
    assert detail.request_headers == ()
    assert any("stored run of bytes" in note for note in detail.notes)
    assert detail.segments


def test_kinds_in_the_spectrum_are_sorted_by_size(exchanges):
    spectrum = exchanges.summary(6).spectrum
    assert SourceType.USER in {kind for kind, _ in spectrum}
    assert [amount for _, amount in spectrum] == sorted((amount for _, amount in spectrum), reverse=True)
