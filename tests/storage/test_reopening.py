"""An exchange that goes on in another process is open again, and outlives the death of that one too."""

from proxy_core.exchange import BodyGrew, ExchangeState, ResponseStarted, Side
from storage.batches import batches
from storage.ingest import Ingest
from storage.leases import Lease
from storage.notices import Change, ExchangeChanged
from storage.recovery import recover
from storage.reopening import adopt
from storage.store import Store
from storage.verify import verify_database
from tests import factories
from tests.storage.recorded_traffic import analyst, conversation, store
from tests.storage.test_totals import assert_equal_to_recomputation

EXCHANGE_ID = factories.exchange_id(1)


def grown(data, side=Side.RESPONSE):
    return BodyGrew(exchange_id=EXCHANGE_ID, side=side, data=data)


def begun(*parts, **changes):
    answer = ResponseStarted(exchange_id=EXCHANGE_ID, response=factories.captured_response(), timing=factories.timing())
    return factories.exchange_started(exchange_id=EXCHANGE_ID, **changes), answer, *map(grown, parts)


def close_what_is_left(database):
    with database.write() as connection:
        return recover(connection, factories.START_US)


def test_what_was_closed_as_interrupted_is_open_while_it_goes_on(database):
    store(database, *begun(b"half "))
    assert close_what_is_left(database) == [1]
    store(database, *begun(b"half ", b"an "), owner="second")
    exchanges = Store(database).exchanges
    summary = exchanges.summary(1)
    assert (summary.state, summary.error, summary.status_code) == (ExchangeState.OPEN, None, 200)
    assert exchanges.body(1, Side.RESPONSE) == b"half an "
    assert close_what_is_left(database) == [1], "the second process died as well"
    assert exchanges.summary(1).state is ExchangeState.INTERRUPTED
    assert exchanges.body(1, Side.RESPONSE) == b"half an "
    assert exchanges.body(1, Side.REQUEST) == begun()[0].request_body.data
    assert verify_database(database).is_sound


def test_totals_follow_what_is_open_again(database):
    event = conversation(1)[0]
    started = factories.exchange_started(exchange_id=event.exchange_id, request_body=event.request_body)
    store(database, started)
    close_what_is_left(database)
    assert analyst(database).analyse(1, has_ended=True)
    assert_equal_to_recomputation(database)
    ingest = store(database, started, owner="second")
    assert_equal_to_recomputation(database)
    assert analyst(database).analyse(1, has_ended=False)
    assert_equal_to_recomputation(database)
    store(database, event, ingest=ingest)
    assert analyst(database).analyse(1, has_ended=True)
    assert_equal_to_recomputation(database)
    assert verify_database(database).proved == 2


def test_a_request_that_still_comes_is_told_anew_as_well(database):
    store(database, *begun(request_body=None), grown(b"one ", Side.REQUEST))
    close_what_is_left(database)
    store(database, *begun(request_body=None), grown(b"one two", Side.REQUEST), owner="second")
    assert Store(database).exchanges.body(1, Side.REQUEST) == b"one two"
    close_what_is_left(database)
    assert Store(database).exchanges.body(1, Side.REQUEST) == b"one two"


def test_what_is_told_again_does_not_stand_there_twice(database):
    store(database, *begun(b"half "))
    ingest = store(database, *begun(b"half "), owner="second")
    assert Store(database).exchanges.body(1, Side.RESPONSE) == b"half "
    store(database, grown(b"an answer"), ingest=ingest)
    assert Store(database).exchanges.body(1, Side.RESPONSE) == b"half an answer"
    finished = factories.exchange_finished(exchange_id=EXCHANGE_ID)
    store(database, finished, ingest=ingest)
    assert Store(database).exchanges.body(1, Side.RESPONSE) == finished.response_body.data
    assert verify_database(database).is_sound


def test_whoever_listens_hears_that_it_runs_again(database):
    store(database, *begun())
    close_what_is_left(database)
    (batch,) = batches(begun())
    with database.write() as connection:
        assert Ingest("second").store(connection, batch) == [ExchangeChanged(1, Change.STARTED)]


def test_what_is_awaited_stays_open_and_the_rest_is_closed(database):
    others = [factories.exchange_started() for _ in range(3)]
    store(database, *begun(), *others, owner="dead")
    finished = factories.exchange_finished()
    store(database, finished)
    lease = Lease()
    with database.write() as connection:
        lease.renew(connection, factories.START_US)
        adopt(connection, lease.owner, [EXCHANGE_ID, finished.exchange_id, "unknown"])
    assert close_what_is_left(database) == [2, 3, 4]
    exchanges = Store(database).exchanges
    assert exchanges.summary(1).state is ExchangeState.OPEN
    assert exchanges.summary(5).state is ExchangeState.COMPLETE
    with database.write() as connection:
        lease.release(connection)
    assert close_what_is_left(database) == [1], "and is closed when the one that took it over dies"
