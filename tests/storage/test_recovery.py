import os
import socket

import pytest

from proxy_core.exchange import BodyGrew, ExchangeState, ResponseStarted, Side
from storage import leases
from storage.leases import DEAD_AFTER_US, Lease, drop_leases, find_dead_owners
from storage.recovery import recover
from storage.store import Store
from storage.verify import verify_database
from tests import factories
from tests.storage.recorded_traffic import analyst, conversation, store

NOW_US = factories.START_US
EXCHANGE_ID = factories.exchange_id(1)


def run_recovery(database, now_us=NOW_US):
    with database.write() as connection:
        return recover(connection, now_us)


def test_the_bytes_so_far_become_the_body(database):
    headers = (("content-encoding", "gzip"),)
    answer = ResponseStarted(exchange_id=EXCHANGE_ID, response=factories.captured_response(headers), timing=factories.timing())
    parts = [BodyGrew(exchange_id=EXCHANGE_ID, side=Side.RESPONSE, data=part, is_decoded=True) for part in (b"half ", b"of it")]
    store(database, factories.exchange_started(exchange_id=EXCHANGE_ID), answer, *parts)
    assert run_recovery(database) == [1]
    assert run_recovery(database) == []
    exchanges = Store(database).exchanges
    detail = exchanges.detail(1)
    assert detail.summary.state is ExchangeState.INTERRUPTED
    assert "killed" in detail.summary.error
    assert detail.response_body.is_truncated
    assert detail.response_body.is_decoded
    assert exchanges.decoded_body(1, Side.RESPONSE) == b"half of it"
    assert verify_database(database).is_sound


def test_a_request_that_was_still_coming_is_kept_too(database):
    grown = BodyGrew(exchange_id=EXCHANGE_ID, side=Side.REQUEST, data=b'{"messages": [')
    store(database, factories.exchange_started(exchange_id=EXCHANGE_ID, request_body=None), grown)
    other = factories.exchange_started(exchange_id=factories.exchange_id(2), request_body=None)
    store(database, other)
    assert run_recovery(database) == [1, 2]
    exchanges = Store(database).exchanges
    assert exchanges.body(1, Side.REQUEST) == b'{"messages": ['
    assert exchanges.summary(1).request_bytes == 14
    assert exchanges.body(2, Side.REQUEST) == b""
    assert analyst(database).analyse(1, has_ended=True)


def test_the_end_may_still_come_from_a_process_taken_for_dead(database):
    event = conversation(1)[0]
    ingest = store(database, factories.exchange_started(exchange_id=event.exchange_id, request_body=event.request_body))
    run_recovery(database)
    store(database, event, ingest=ingest)
    assert Store(database).exchanges.summary(1).state is ExchangeState.COMPLETE
    assert verify_database(database).proved == 2


def test_many_are_closed_in_turns(database):
    store(database, *(factories.exchange_started() for _ in range(60)))
    assert len(run_recovery(database)) == 50
    assert len(run_recovery(database)) == 10


@pytest.mark.parametrize(
    ("host", "age_us", "is_running", "is_dead"),
    [
        (socket.gethostname(), 0, True, False),
        (socket.gethostname(), 0, False, True),
        ("elsewhere", 0, False, False),
        ("elsewhere", DEAD_AFTER_US + 1, True, True),
    ],
)
def test_who_is_dead(database, monkeypatch, host, age_us, is_running, is_dead):
    monkeypatch.setattr(leases.socket, "gethostname", lambda: host)
    lease = Lease()
    with database.write() as connection:
        lease.renew(connection, NOW_US - age_us)
    monkeypatch.undo()
    with database.write() as connection:
        dead = find_dead_owners(connection, NOW_US, lambda _pid: is_running)
        assert dead == ([lease.owner] if is_dead else [])
        drop_leases(connection, dead)
        assert find_dead_owners(connection, NOW_US, lambda _pid: is_running) == []


def test_our_own_process_is_running_and_the_first_one_too(database):
    assert leases._is_running(os.getpid())
    assert leases._is_running(1)
    assert not leases._is_running(2**22 + 1)


def test_a_lease_is_renewed_now_and_then_and_given_up(database):
    lease = Lease()
    with database.write() as connection:
        lease.renew(connection, NOW_US)
        assert not lease.is_due(NOW_US + 1)
        assert lease.is_due(NOW_US + leases.RENEW_US)
        lease.renew(connection, NOW_US + leases.RENEW_US)
        assert find_dead_owners(connection, NOW_US + DEAD_AFTER_US + 1, lambda _pid: True) == []
        lease.release(connection)
        lease.forget()
        assert lease.is_due(NOW_US)
