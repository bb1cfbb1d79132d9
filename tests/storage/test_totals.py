"""Totals kept step by step equal totals summed up from nothing, whatever happened in between."""

import pytest
from sqlalchemy import select

from proxy_core.attribution.analysis import analyse
from proxy_core.exchange import ExchangeState
from storage import models, ratings, totals, upserts
from storage.feedback import FeedbackStore
from storage.retention import RetentionPolicy, prune
from storage.rollups import HOUR_US
from tests import factories
from tests.storage.recorded_traffic import analyst, conversation, other_figures, store, store_and_analyse

TABLES = (
    models.ExchangeRollupRow,
    models.SourceRollupRow,
    models.SourceDayRow,
    models.SourceMonthRow,
    models.SourceTotalRow,
    models.KindRollupRow,
    models.FacetRow,
    models.SessionRow,
    models.SessionMemberRow,
    models.SourceRatingRollupRow,
)


def snapshot(database):
    with database.read() as connection:
        return {
            row.__tablename__: sorted(map(tuple, connection.execute(select(row.__table__)).all()), key=repr) for row in TABLES
        }


def assert_equal_to_recomputation(database):
    kept = snapshot(database)
    with database.write() as connection:
        totals.recompute(connection)
        ratings.recount_ratings(connection)
    assert snapshot(database) == kept
    return kept


@pytest.fixture(params=["one statement", "row by row"])
def any_database(request, database, monkeypatch):
    """The same with and without the statement that only some databases have."""
    if request.param == "row by row":
        monkeypatch.setattr(upserts, "_UPSERTING", frozenset())
    return database


def traffic():
    ids = [factories.exchange_id(number) for number in (501, 502, 503)]
    failed = factories.exchange_finished(
        exchange_id=ids[0], state=ExchangeState.FAILED, response=None, response_body=None, error="reset"
    )
    refused = factories.exchange_finished(
        exchange_id=ids[1],
        response=factories.captured_response(status_code=429),
        response_body=factories.body_of({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}),
    )
    later = factories.exchange_finished(exchange_id=ids[2], timing=factories.timing(factories.START_US + 5 * HOUR_US))
    return [
        *conversation(6),
        *conversation(4, session="8f1d2c3b-0000-4000-8000-000000000002", first=100),
        failed,
        refused,
        later,
    ]


def test_after_storing_and_analysing(any_database):
    store_and_analyse(any_database, *traffic())
    kept = assert_equal_to_recomputation(any_database)
    assert sum(row[3] for row in kept["exchange_rollup"]) == 13
    assert sum(row[4] for row in kept["exchange_rollup"]) == 2
    assert [row[7] for row in kept["session"]] == [6, 4]


def test_after_an_estimate_and_its_settlement(any_database):
    event = conversation(1)[0]
    started = factories.exchange_started(exchange_id=event.exchange_id, request_body=event.request_body)
    ingest = store(any_database, started)
    worker = analyst(any_database)
    assert worker.analyse(1, has_ended=False)
    assert_equal_to_recomputation(any_database)
    store(any_database, event, ingest=ingest)
    assert_equal_to_recomputation(any_database)
    assert worker.analyse(1, has_ended=True)
    kept = assert_equal_to_recomputation(any_database)
    assert len(kept["exchange_rollup"]) == 1


def test_after_another_analysis_with_other_figures(any_database):
    store_and_analyse(any_database, *traffic())
    before = snapshot(any_database)
    other = analyst(any_database, other_figures(analyse))
    for row_id in range(1, 14):
        other.analyse(row_id, has_ended=True)
        assert other.error is None
    after = assert_equal_to_recomputation(any_database)
    costs = [sum(row[11] for row in found["exchange_rollup"]) for found in (before, after)]
    assert costs[1] == 2 * costs[0] > 0
    assert {row[5] for row in after["session"]} == {"another title"}
    back = analyst(any_database)
    for row_id in range(1, 14):
        back.analyse(row_id, has_ended=True)
    assert assert_equal_to_recomputation(any_database)["exchange_rollup"] == before["exchange_rollup"]


def test_ratings_follow_another_analysis(any_database):
    store_and_analyse(any_database, *traffic())
    FeedbackStore(any_database).rate(factories.exchange_id(3), 0.5)
    assert_equal_to_recomputation(any_database)
    analyst(any_database, other_figures(analyse)).analyse(3, has_ended=True)
    assert assert_equal_to_recomputation(any_database)["source_rating_rollup"]


def test_an_exchange_that_ends_twice_counts_once(any_database):
    event = conversation(1)[0]
    store_and_analyse(any_database, event)
    store(any_database, event)
    kept = assert_equal_to_recomputation(any_database)
    assert sum(row[3] for row in kept["exchange_rollup"]) == 1


def test_totals_outlive_the_exchanges(any_database):
    store_and_analyse(any_database, *traffic())
    kept = snapshot(any_database)
    now_us = factories.START_US + 40 * 24 * HOUR_US
    assert prune(any_database, RetentionPolicy(max_age_days=30), now_us=now_us).exchanges == 13
    after = snapshot(any_database)
    facets, before = after.pop("facet"), kept.pop("facet")
    assert after == kept
    assert (sum(row[-1] for row in before), sum(row[-1] for row in facets)) == (13, 0)
    assert_equal_to_recomputation(any_database)


def test_a_failed_analysis_still_counts_the_request(database):
    def broken(_recorded, _context, **_named):
        raise ZeroDivisionError

    store(database, conversation(1)[0])
    worker = analyst(database, broken)
    assert worker.analyse(1, has_ended=True)
    assert isinstance(worker.error, ZeroDivisionError)
    kept = assert_equal_to_recomputation(database)
    assert kept["exchange_rollup"][0][1:4] == ("", "", 1)
