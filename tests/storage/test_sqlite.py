"""What only SQLite has, past SQLAlchemy: errors, connections that are kept."""

import pytest
from sqlalchemy import event, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, OperationalError

from storage import models, sqlite
from storage.statements import Prepared

MARKS = models.MarkRow.__table__
ADD = Prepared(MARKS.insert(), ("name", "number"))
READ = Prepared(select(MARKS.c.name, MARKS.c.number), ())


def test_an_error_is_sqlalchemys_and_holds_no_values(database):
    row = {"name": "what somebody wrote", "number": 1}
    with pytest.raises(IntegrityError, match="UNIQUE") as caught, database.write() as connection:
        ADD.run(connection, [row, row])
    assert "somebody" not in str(caught.value)
    with database.read() as connection, pytest.raises(OperationalError, match="readonly"):
        ADD.run(connection, [row])
    with database.read() as connection:
        assert len(READ.fetch(connection, {})) == 0


def test_whoever_listens_sees_every_statement(database):
    seen = []
    listen = (database.write_engine, "before_cursor_execute", lambda *call: seen.append(call[2].split()[0]))
    event.listen(*listen)
    with database.write() as connection:
        ADD.run(connection, [{"name": "a", "number": 1}, {"name": "b", "number": 2}])
        assert [row.number for row in READ.fetch(connection, {})] == [1, 2]
    event.remove(*listen)
    with database.write() as connection:
        ADD.run(connection, [{"name": "c", "number": 3}])
    assert seen == ["BEGIN", "INSERT", "SELECT"]


def test_connections_are_kept_and_each_reading_sees_what_was_committed(database):
    with database.write() as first, database.read() as before:
        ADD.run(first, [{"name": "a", "number": 1}])
        assert not READ.fetch(before, {})
    with database.write() as second, database.read() as after:
        assert second is first
        assert after is before
        assert [tuple(row) for row in READ.fetch(after, {})] == [("a", 1)]
    with pytest.raises(IntegrityError), database.write() as third:
        ADD.run(third, [{"name": "b", "number": 2}, {"name": "a", "number": 2}])
    with database.write() as fourth:
        assert fourth is not third
        assert len(READ.fetch(fourth, {})) == 1
    assert database.checkpoint()
    database.close_readers()
    assert database.read_engine.pool.checkedout() == 0


@pytest.mark.parametrize(
    ("text", "part", "is_held"),
    [
        ("claude-Sonnet", "SONNET", True),
        ("claude-sonnet", "opus", False),
        ("100%", "0%", True),
        ("100 per cent", "0%", False),
        ("a_b", "A_B", True),
        ("axb", "a_b", False),
        ("a/b", "A/b", True),
        ("", "", True),
        ("x", "", True),
        ("Äpfel", "pfel", True),
    ],
)
def test_a_text_is_held_whatever_its_case_and_no_sign_in_it_means_anything(database, text, part, is_held):
    with database.read() as connection:
        assert connection.execute(select(sqlite.holds(literal(text), part))).scalar() == is_held
        assert connection.execute(select(literal(text).icontains(part, autoescape=True))).scalar() == is_held


def test_other_databases_are_asked_in_their_own_words():
    asked = str(select(MARKS.c.number).where(sqlite.holds(MARKS.c.name, "x")).compile(dialect=postgresql.dialect()))
    assert "ILIKE" in asked
