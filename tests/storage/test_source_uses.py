"""Uses of sources, newest first, are what every row says, and are counted without reading them."""

import pytest
from sqlalchemy import func, select

from benchmarks.day import make_day
from benchmarks.filling import START_US, write_day
from proxy_core.attribution.model import SourceType
from storage import source_uses
from storage.database import open_database
from storage.deleting import delete_exchanges
from storage.filters import streams
from storage.models import ExchangeRow, ExchangeSourceRow, SourceRow
from storage.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    database = open_database(tmp_path_factory.mktemp("uses") / "assay.db")
    write_day(database, make_day(90, START_US))
    yield Store(database)
    database.close()


def every_use(store):
    exchange, use, source = ExchangeRow.__table__, ExchangeSourceRow.__table__, SourceRow.__table__
    query = (
        select(exchange.c.exchange_id, source.c.source_type, source.c.source_name, use.c.tokens)
        .join(exchange, exchange.c.id == use.c.exchange_id)
        .join(source, source.c.id == use.c.source_id)
        .order_by(use.c.exchange_id.desc(), use.c.source_id)
    )
    with store.database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize("changes", [{}, {"_MOST_LISTED": 3}, {"_MOST_ARMS": 1}], ids=["listed", "sorted", "too many"])
@pytest.mark.parametrize("wanted", [{}, {"source_type": SourceType.FILE}, {"source_name": "github"}, {"source_name": "?"}])
@pytest.mark.parametrize(("limit", "offset"), [(5, 0), (20, 7), (1000, 0)])
def test_uses_are_listed_newest_first(store, monkeypatch, changes, wanted, limit, offset):
    for name, value in changes.items():
        monkeypatch.setattr(streams if name == "_MOST_ARMS" else source_uses, name, value)
    kind, name = wanted.get("source_type"), wanted.get("source_name")
    expected = [row for row in every_use(store) if kind in {None, row[1]} and name in {None, row[2]}]
    found = store.sources.uses(limit=limit, offset=offset, **wanted)
    assert [(use.exchange_id, use.source_type, use.source_name or "", use.tokens) for use in found] == expected[
        offset : offset + limit
    ]
    assert store.sources.count_uses(**wanted) == len(expected)


def test_what_retention_deleted_is_not_counted(tmp_path):
    database = open_database(tmp_path / "assay.db")
    write_day(database, make_day(20, START_US))
    with database.write() as connection:
        delete_exchanges(connection, [1, 2, 3])
        there = connection.scalar(select(func.count()).select_from(ExchangeSourceRow.__table__))
    assert Store(database).sources.count_uses() == there
    assert Store(database).sources.count_uses(source_type=SourceType.USER) == 17
    database.close()
