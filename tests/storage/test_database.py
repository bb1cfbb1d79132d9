import os
import sqlite3
import stat
import subprocess
import sys

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from storage import migrations, models, sqlite
from storage.database import default_database_url, open_database
from storage.errors import DatabaseTooNewError, DatabaseUnusableError, MigrationError
from storage.migrations import MIGRATIONS, Migration, migrate, read_version
from storage.ranges import DAY_US
from storage.store import Store
from tests import factories
from tests.storage.recorded_traffic import store


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_it(tmp_path):
    path = tmp_path / "new" / "assay.db"
    database = open_database(f"sqlite:///{path}")
    store(database, factories.exchange_finished())
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert mode(path.with_name("assay.db-wal")) == 0o600
    database.close()


def test_an_existing_file_is_closed_to_others_and_its_directory_left(tmp_path):
    path = tmp_path / "assay.db"
    path.touch(0o644)
    tmp_path.chmod(0o755)
    open_database(path).close()
    assert mode(path) == 0o600
    assert mode(tmp_path) == 0o755


def test_opening_it_once_more_keeps_the_locks_of_the_first_from_other_processes(tmp_path):
    path = tmp_path / "assay.db"
    first = open_database(path)
    store(first, factories.exchange_finished())
    open_database(path).close()
    other = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM mark').fetchall(); c.close()"
    )
    subprocess.run([sys.executable, "-c", other, str(path)], check=True, timeout=60)
    assert path.with_name("assay.db-wal").exists(), "the last to leave takes the log along; it was not the last"
    assert Store(first).exchanges.count() == 1
    first.close()


def test_a_directory_and_a_file_that_may_not_be_written_are_refused(tmp_path, monkeypatch):
    with pytest.raises(DatabaseUnusableError, match=r"cannot open the database .*: Is a directory"):
        open_database(tmp_path)
    (tmp_path / "assay.db").touch(0o400)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(DatabaseUnusableError, match=r"cannot open the database .*: Permission denied"):
        open_database(tmp_path / "assay.db")


def test_it_is_there_after_reopening(tmp_path):
    database = open_database(tmp_path / "assay.db")
    store(database, factories.exchange_finished())
    assert database.checkpoint()
    assert database.path == tmp_path / "assay.db"
    assert database.name.endswith("assay.db")
    database.close()
    again = open_database(str(tmp_path / "assay.db"))
    assert Store(again).exchanges.count() == 1
    again.close()


def test_a_reader_cannot_write(database):
    with database.read() as connection, pytest.raises(OperationalError):
        connection.execute(models.MarkRow.__table__.insert(), {"name": "x", "number": 1})


def test_a_reader_that_ends_while_the_database_is_closed_leaves_no_connection(tmp_path):
    class ClosedBeforeIt(list):
        def append(self, connection):
            database.close()
            super().append(connection)

    database = open_database(tmp_path / "assay.db")
    kept = database._readers = ClosedBeforeIt()
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
    assert kept == []
    assert connection.closed


@pytest.mark.parametrize("lend", ["read", "write"])
def test_an_error_does_not_tell_what_people_wrote(database, lend):
    with pytest.raises(OperationalError) as raised, getattr(database, lend)() as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE title = :title"), {"title": "canary"})
    assert "canary" not in str(raised.value)


def test_a_failed_transaction_leaves_nothing(database):
    def fail_half_way():
        with database.write() as connection:
            connection.execute(models.MarkRow.__table__.insert(), {"name": "x", "number": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with database.read() as connection:
        assert connection.execute(select(models.MarkRow.__table__)).all() == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("nonsense://host/x", "no driver for nonsense databases is installed .*: name a file"),
        ("postgresql+nothing://user:secret@host/x", "no driver"),
        ("://", "not a database URL"),
        ("postgresql://user:secret@host:port/x", "not a database URL: postgresql://"),
    ],
)
def test_a_url_that_cannot_work_is_refused(url, says):
    with pytest.raises(DatabaseUnusableError, match=says) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_a_broken_file_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "assay.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(DatabaseUnusableError, match="move the file away"):
        open_database(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_another_programs_database_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    with pytest.raises(DatabaseUnusableError, match="another program's"):
        open_database(path)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]
    other.close()


def test_a_directory_instead_of_a_file_is_refused(tmp_path):
    with pytest.raises(DatabaseUnusableError, match="cannot open"):
        open_database(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DatabaseUnusableError, match="cannot open"):
        open_database(tmp_path / "deep" / "assay.db")


def test_a_locked_database_is_named_as_such(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 10)
    path = tmp_path / "assay.db"
    open_database(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnusableError, match="another program holds it"):
        open_database(path)
    other.close()


def test_the_default_is_in_the_users_data_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_database_url().endswith("assay/assay.db")


def test_a_newer_database_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "assay.db"
    database = open_database(path)
    with database.write() as connection:
        connection.execute(models.SchemaVersionRow.__table__.insert(), {"version": 999, "name": "future", "applied_us": 1})
    database.close()
    with pytest.raises(DatabaseTooNewError, match="999"):
        open_database(path)


def test_steps_are_applied_once_in_order(database):
    applied = []
    steps = (
        *MIGRATIONS,
        Migration(len(MIGRATIONS) + 1, "two", lambda _connection: applied.append("two")),
        Migration(len(MIGRATIONS) + 2, "three", lambda _connection: applied.append("three")),
    )
    for _ in range(2):
        with database.write() as connection:
            assert migrate(connection, steps) == len(steps)
    assert applied == ["two", "three"]


def test_a_failing_step_is_rolled_back(database):
    def half_done(connection):
        connection.execute(text("CREATE TABLE half (x)"))
        connection.execute(text("SELECT * FROM nowhere"))

    steps = (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "half", half_done))
    with pytest.raises(MigrationError, match="nothing was changed"), database.write() as connection:
        migrate(connection, steps)
    with database.read() as connection:
        assert read_version(connection) == len(MIGRATIONS)
        assert not inspect(connection).has_table("half")


def test_versions_have_no_gaps():
    assert [step.version for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_every_table_is_there_with_the_full_text_index(database):
    with database.read() as connection:
        names = set(inspect(connection).get_table_names())
    assert set(SQLModel.metadata.tables) | {"text_index"} <= names


def test_tables_of_the_same_name_elsewhere_are_not_touched(database, monkeypatch):
    monkeypatch.setattr(sqlite, "is_foreign", lambda _connection, **_more: False)
    monkeypatch.setattr(migrations, "read_version", lambda _connection: None)
    with pytest.raises(DatabaseUnusableError, match="already has tables"), database.write() as connection:
        migrate(connection)


def test_the_engine_finds_damage_in_its_own_file(database):
    with database.read() as connection:
        assert sqlite.find_damage(connection) == []
        assert sqlite.file_bytes(connection) > 0


def test_a_database_of_the_first_version_goes_on(tmp_path):
    from storage.verify import verify_database
    from tests.storage.recorded_traffic import conversation, store

    path = tmp_path / "assay.db"
    database = open_database(path)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE piece DROP COLUMN ground_id"))
        connection.execute(text("CREATE INDEX ix_learned_overhead_learned_us ON learned_overhead (learned_us)"))
        connection.execute(text("DELETE FROM schema_version WHERE version > 1"))
    database.close()
    database = open_database(path)
    store(database, *conversation(2))
    assert verify_database(database).proved == 4
    database.close()


def test_a_database_of_the_second_version_gets_facets_and_wider_sums(tmp_path):
    from tests.storage.recorded_traffic import conversation, store_and_analyse

    path = tmp_path / "assay.db"
    database = open_database(path)
    store_and_analyse(database, *conversation(4))
    made = (models.FacetRow, models.KindRollupRow, models.SourceMonthRow, models.ExchangeSourceRow)
    expected = _rows(database, made)
    with database.write() as connection:
        figures = [f"ix_exchange_{name}_facet" for name in ("started", "latency", "cost", "tokens")]
        for name in ("ix_exchange_facet_id", *figures, "ix_exchange_rated", "ix_session_member_value"):
            connection.execute(text(f"DROP INDEX {name}"))
        connection.execute(text("ALTER TABLE exchange DROP COLUMN facet_id"))
        for name in ("facet", "kind_rollup", "source_month"):
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("ALTER TABLE exchange_source RENAME TO newer"))
        connection.execute(
            text(
                "CREATE TABLE exchange_source (source_id INTEGER NOT NULL, exchange_id INTEGER NOT NULL, "
                "tokens INTEGER NOT NULL, content_bytes BIGINT NOT NULL, cost_nano_usd BIGINT, segments INTEGER NOT NULL, "
                "PRIMARY KEY (source_id, exchange_id)) WITHOUT ROWID"
            )
        )
        columns = "source_id, exchange_id, tokens, content_bytes, cost_nano_usd, segments"
        connection.execute(text(f"INSERT INTO exchange_source ({columns}) SELECT {columns} FROM newer"))
        connection.execute(text("DROP TABLE newer"))
        connection.execute(text("CREATE INDEX ix_exchange_source_exchange ON exchange_source (exchange_id, source_id)"))
        connection.execute(text("DELETE FROM schema_version WHERE version > 2"))
    database.close()
    database = open_database(path)
    assert _rows(database, made) == expected
    assert all(rows for rows in expected.values())
    with database.read() as connection:
        assert inspect(connection).get_pk_constraint("exchange_source")["constrained_columns"] == ["exchange_id", "source_id"]
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'")).scalars().all()
    assert {"ix_exchange_tokens_facet", "ix_exchange_facet_id", "ix_session_member_value"} <= set(names)
    database.close()


def test_a_database_of_the_third_version_gets_indices_with_facets(tmp_path):
    path = tmp_path / "assay.db"
    database = open_database(path)
    expected = _indices(database)
    before = {"started_us": "started_us", "cost_nano_usd": "cost_nano_usd", "tokens": "(input_tokens + output_tokens)"}
    with database.write() as connection:
        for name in ("started", "latency", "cost", "tokens"):
            connection.execute(text(f"DROP INDEX ix_exchange_{name}_facet"))
        for name, column in before.items():
            connection.execute(text(f"CREATE INDEX ix_exchange_{name} ON exchange ({column})"))
        connection.execute(text("DELETE FROM schema_version WHERE version > 3"))
    database.close()
    database = open_database(path)
    assert _indices(database) == expected
    assert not any(f"ix_exchange_{name}" in expected for name in before)
    database.close()


def test_a_database_of_the_fourth_version_gets_sums_of_all_time(tmp_path):
    from tests.storage.recorded_traffic import conversation, store_and_analyse

    path = tmp_path / "assay.db"
    database = open_database(path)
    store_and_analyse(database, *conversation(4))
    expected, sources = _rows(database, [models.SourceTotalRow]), Store(database).sources.metrics()
    with database.write() as connection:
        connection.execute(text("DROP TABLE source_total"))
        connection.execute(text("DELETE FROM schema_version WHERE version > 4"))
    database.close()
    database = open_database(path)
    assert _rows(database, [models.SourceTotalRow]) == expected
    assert expected["source_total"]
    assert Store(database).sources.metrics() == sources
    database.close()


def test_sums_of_all_time_hold_what_retention_has_deleted(tmp_path):
    from storage.retention import RetentionPolicy, prune
    from tests.storage.recorded_traffic import conversation, store_and_analyse

    path = tmp_path / "assay.db"
    database = open_database(path)
    store_and_analyse(database, *conversation(4))
    expected = _rows(database, [models.SourceTotalRow])
    assert prune(database, RetentionPolicy(max_age_days=30), now_us=factories.START_US + 40 * DAY_US).exchanges == 4
    with database.write() as connection:
        connection.execute(text("DROP TABLE source_total"))
        connection.execute(text("DELETE FROM schema_version WHERE version > 4"))
    database.close()
    database = open_database(path)
    assert _rows(database, [models.SourceTotalRow]) == expected
    database.close()


def _indices(database):
    with database.read() as connection:
        found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        return {row.name: " ".join(row.sql.split()) for row in found}


def _rows(database, tables):
    with database.read() as connection:
        return {row.__tablename__: sorted(map(tuple, connection.execute(select(row.__table__)))) for row in tables}
