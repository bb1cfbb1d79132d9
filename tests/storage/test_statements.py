"""Statements put together once: they do what SQLAlchemy's do, on SQLite by hand and on any other database as usual."""

import pytest
from sqlalchemy import bindparam, select

from storage import models, statements
from storage.statements import Adding, Lookup, Prepared
from storage.store import Store
from storage.upserts import update_columns
from storage.verify import verify_database
from tests.storage.recorded_traffic import conversation, store_and_analyse

PIECES = models.PieceRow.__table__
COLUMNS = ("hash", "raw_bytes", "sweep", "ground_id", "start", "packed")


@pytest.fixture(params=["pysqlite", "another"])
def driver(request, monkeypatch):
    """Lets SQLite's own driver be the one that statements are compiled for, or not."""
    monkeypatch.setattr(statements, "_DRIVER", request.param)


def piece(number):
    return {"hash": b"%d" % number, "raw_bytes": number, "sweep": 0, "ground_id": None, "start": None, "packed": b"\0"}


def rows_of(connection):
    return [(row.hash, row.raw_bytes) for row in connection.execute(select(PIECES).order_by(PIECES.c.id))]


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 100, 300])
def test_rows_are_added_and_their_ids_told(database, count):
    with database.write() as connection:
        ids = Adding(PIECES, "hash", COLUMNS).run(connection, [piece(number) for number in range(count)])
        assert len(ids) == count
        found = {row.hash: row.id for row in connection.execute(select(PIECES))}
    assert ids == found


@pytest.mark.usefixtures("driver")
def test_rows_are_found_by_many_values(database):
    with database.write() as connection:
        Adding(PIECES, "hash", COLUMNS).run(connection, [piece(number) for number in range(40)])
        lookup = Lookup(select(PIECES.c.raw_bytes), PIECES.c.hash)
        for count in (0, 1, 2, 3, 9, 40):
            assert sorted(row[0] for row in lookup.fetch(connection, [b"%d" % n for n in range(count)])) == list(range(count))
        asked = [b"7", *(b"unknown %d" % n for n in range(600)), b"8", b"7"]
        assert sorted(row[0] for row in lookup.fetch(connection, asked)) == [7, 8]


@pytest.mark.usefixtures("driver")
def test_a_statement_runs_for_each_row(database):
    insert = Prepared(PIECES.insert(), COLUMNS)
    change = Prepared(update_columns(PIECES, ("raw_bytes",)), ("row_id", "raw_bytes"))
    delete = Prepared(PIECES.delete().where(PIECES.c.id == bindparam("row_id")), ("row_id",))
    read = Prepared(select(PIECES.c.raw_bytes).where(PIECES.c.hash == bindparam("hash")), ("hash",))
    with database.write() as connection:
        insert.run(connection, [piece(1)])
        insert.run(connection, [piece(2), piece(3) | {"unknown": 1}])
        insert.run(connection, [])
        change.run(connection, [{"raw_bytes": 20, "row_id": 2}])
        delete.run(connection, [{"row_id": 3}])
        assert rows_of(connection) == [(b"1", 1), (b"2", 20)]
        assert [tuple(row) for row in read.fetch(connection, {"hash": b"2"})] == [(20,)]
        assert not read.fetch(connection, {"hash": b"9"})
        assert [tuple(row) for row in read.fetch_bare(connection, {"hash": b"1"})] == [(1,)]


def test_a_statement_without_parameters_runs(database):
    with database.write() as connection:
        assert len(Prepared(select(PIECES.c.id), ()).fetch(connection, {})) == 0


def test_what_another_database_would_run_stores_the_same(database, monkeypatch):
    monkeypatch.setattr(statements, "_DRIVER", "another")
    events = conversation(4)
    store_and_analyse(database, *events)
    exchanges = Store(database).exchanges
    assert [exchanges.body(event.exchange_id, "request") for event in events] == [event.request_body.data for event in events]
    assert verify_database(database).is_sound
