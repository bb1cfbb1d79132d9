"""The outline of a long list."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_core.exchange import ExchangeState
from storage.batches import Progress
from storage.database import Database, open_database
from storage.filters.clauses import compile_filter
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.ingest import Ingest
from storage.outline import count_ids, read_ids, read_outline
from tests import factories


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "outline.db")
    ingest = Ingest("test")
    states = [ExchangeState.COMPLETE, ExchangeState.FAILED, ExchangeState.COMPLETE]
    for number, state in enumerate(states, start=1):
        progress = Progress(factories.exchange_id(number))
        progress.add(factories.exchange_finished(exchange_id=factories.exchange_id(number), state=state))
        with database.write() as connection:
            ingest.store(connection, [progress])
        ingest.settle([progress])
    yield database
    database.close()


def test_ids_come_in_order_of_arrival(database: Database) -> None:
    assert read_ids(database) == [1, 2, 3]
    assert read_ids(database, after_id=2) == [3]


def test_only_what_passes_is_listed_and_counted(database: Database) -> None:
    wanted = parse("state:failed")
    assert isinstance(wanted, Filter)
    where = compile_filter(wanted)
    assert read_ids(database, where) == [2]
    assert [entry.id for entry in read_outline(database, where)] == [2]
    assert count_ids(database, where, upto_id=1) == 0
    assert count_ids(database, where, upto_id=3) == 1
    assert count_ids(database, None, upto_id=2) == 2


def test_entries_tell_errors_and_leave_the_unknown_unknown(database: Database) -> None:
    entries = read_outline(database, after_id=1)
    assert [(entry.id, entry.is_error) for entry in entries] == [(2, 1), (3, 0)]
    assert entries[0].input_tokens is None
