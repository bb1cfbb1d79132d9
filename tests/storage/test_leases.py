"""Leases tell a writer that runs from one that is gone."""

import os

from storage.leases import DEAD_AFTER_US, RENEW_US, Lease, drop_leases, find_dead_owners

NOW_US = 1_800_000_000_000_000


def dead(database, now_us=NOW_US, is_running=lambda _pid: True):
    with database.read() as connection:
        return find_dead_owners(connection, now_us, is_running)


def renew(database, lease, now_us=NOW_US, **options):
    with database.write() as connection:
        lease.renew(connection, now_us, **options)


def test_a_running_writer_is_alive_until_it_falls_silent(database):
    lease = Lease()
    renew(database, lease)
    assert dead(database) == []
    assert dead(database, NOW_US + DEAD_AFTER_US + 1) == [lease.owner]


def test_a_writer_whose_process_is_gone_is_dead_at_once(database):
    lease = Lease()
    renew(database, lease)
    asked = []
    assert dead(database, is_running=lambda pid: asked.append(pid) is not None) == [lease.owner]
    assert asked == [os.getpid()]


def test_it_is_renewed_when_due(database):
    lease = Lease()
    assert lease.is_due(NOW_US)
    renew(database, lease)
    assert not lease.is_due(NOW_US + RENEW_US - 1)
    assert lease.is_due(NOW_US + RENEW_US)
    renew(database, lease, NOW_US + RENEW_US)
    assert dead(database, NOW_US + RENEW_US + DEAD_AFTER_US) == []


def test_a_clock_that_is_set_back_ends_nobodys_lease(database):
    back_us = NOW_US - 3600 * 1_000_000
    lease, gone = Lease(), Lease()
    renew(database, lease)
    assert lease.is_due(back_us), "others must see soon that it lives"
    assert dead(database, back_us) == []
    renew(database, lease, back_us)
    assert not lease.is_due(back_us + 1)
    assert dead(database, back_us + DEAD_AFTER_US) == []
    assert dead(database, back_us + DEAD_AFTER_US + 1) == [lease.owner]
    renew(database, gone)
    assert gone.owner in dead(database, back_us, is_running=lambda _pid: False)


def test_two_writers_and_one_leaves(database):
    first, second = Lease(), Lease()
    renew(database, first)
    renew(database, second)
    with database.write() as connection:
        first.release(connection)
    late_us = NOW_US + DEAD_AFTER_US + 1
    assert dead(database, late_us) == [second.owner]
    with database.write() as connection:
        drop_leases(connection, [second.owner])
    assert dead(database, late_us) == []
