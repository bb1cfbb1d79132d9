"""What only SQLite has, past SQLAlchemy: whole words for beginnings, errors, connections that are kept."""

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError, OperationalError

from storage import models, sqlite
from storage.statements import Prepared

MARKS = models.MarkRow.__table__
ADD = Prepared(MARKS.insert(), ("name", "number"))
READ = Prepared(select(MARKS.c.name, MARKS.c.number), ())


def numbered(*texts):
    return list(enumerate(texts, 1))


def found(database, texts, words):
    """Ids that the arm of some words leads to, and those that full-text search finds for their beginnings."""
    with database.write() as connection:
        for number, text in texts:
            sqlite.index_text(connection, number, ("", text, ""))
    with database.read() as connection:
        arm = sqlite.text_arm(connection, words, has_leftovers=False)
        by_arm = sqlite.read_arm(connection, arm, (0, 10_000), 10_000, is_descending=False)
        return arm.values[0], by_arm, list(connection.execute(sqlite.match_text(words)).scalars())


@pytest.mark.parametrize(
    ("words", "query", "ids"),
    [
        ("fix", '("fix" OR "fixed" OR "fixture")', [1, 2, 3]),
        ("FIX", '("fix" OR "fixed" OR "fixture")', [1, 2, 3]),
        ("fix bug", '("fix" OR "fixed" OR "fixture") AND ("bug" OR "bugs")', [1, 3]),
        ("fixtures", '"fixtures"*', []),
        ("ca", '"ca"*', [3, 4]),
        ("äpf", '"äpf"*', [4]),
        ("", '""', []),
        ('" OR (', '("or")', [2]),
    ],
)
def test_the_words_that_begin_so_are_named(database, words, query, ids):
    texts = numbered("fix the bug", "fixed or not", "a fixture, bugs, a café", "Äpfel, cafe, caß")
    assert found(database, texts, words) == (query, ids, ids)


def test_words_that_are_too_many_are_not_named(database):
    texts = numbered(*(f"word{number}" for number in range(40)))
    query, by_arm, by_beginning = found(database, texts, "word")
    assert query == '"word"*'
    assert by_arm == by_beginning == list(range(1, 41))
    query, by_arm, by_beginning = found(database, [], "word3")
    assert query.count(" OR ") == 10
    assert by_arm == by_beginning == [4, *range(31, 41)]


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
