"""The store that reading is measured on must add up, and be as uneven as real ones."""

import pytest
from sqlalchemy import func, select

from benchmarks import filling
from benchmarks.day import DAY_US, make_day
from benchmarks.filling import START_US, fill, find_wrong_sums
from storage import full_text, models, ratings, totals
from storage.database import open_database
from storage.store import Store


@pytest.fixture
def database(tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "DAY_COUNT", 60)
    assert fill(tmp_path / "reading.db", 720) == 12
    database = open_database(tmp_path / "reading.db")
    yield database
    database.close()


def test_repeated_days_add_up(database):
    store = Store(database)
    assert store.exchanges.count() == 720
    assert store.sources.summary().total_requests == 720
    assert find_wrong_sums(database, START_US) == []
    assert find_wrong_sums(database, START_US + 5 * DAY_US) == []
    tables = (
        models.SourceDayRow,
        models.SourceMonthRow,
        models.SourceTotalRow,
        models.KindRollupRow,
        models.FacetRow,
        models.SessionMemberRow,
        models.SourceRatingRollupRow,
        models.SourceRow,
    )
    with database.write() as connection:
        kept = [set(connection.execute(select(row.__table__)).all()) for row in tables]
        totals.recompute(connection)
        ratings.recount_ratings(connection)
        again = [set(connection.execute(select(row.__table__)).all()) for row in tables]
    assert _rounded(again) == _rounded(kept)


def _rounded(tables):
    return [{tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in rows} for rows in tables]


def test_a_sum_that_is_wrong_is_found(database):
    rows = models.SourceRollupRow.__table__
    with database.write() as connection:
        connection.execute(rows.update().where(rows.c.bucket_us >= START_US + 11 * DAY_US).values(tokens=rows.c.tokens + 1))
    assert find_wrong_sums(database, START_US) == ["source_rollup"]


def test_copies_can_be_read_whole_and_found(database):
    store = Store(database)
    newest = store.exchanges.detail(720)
    assert newest is not None
    assert newest.summary.started_us - store.exchanges.summary(60).started_us == 11 * DAY_US
    assert newest.request_body.is_kept
    assert newest.segments
    assert len({one.exchange_id for one in store.exchanges.page(720)}) == 720
    assert len(store.sessions.page(limit=1000)) % 12 == 0
    with database.read() as connection:
        assert connection.execute(full_text.match_text("number700")).scalars().all() == [700]
        assert connection.scalar(select(func.count()).select_from(models.SegmentUseRow.__table__)) > 20


def test_the_day_is_uneven():
    day = make_day(400, START_US)
    started = [one.event.timing.client_started_us for one in day]
    assert started == sorted(started)
    assert all(START_US <= at_us < START_US + DAY_US for at_us in started)
    sizes = sorted(len(one.attribution.segments) for one in day)
    assert sizes[0] < 12
    assert sizes[-1] > 40
    models_seen = [one.attribution.facts.model for one in day]
    assert len(set(models_seen)) > 2
