"""Ratings: one per exchange, and sums that equal a recount at every moment."""

import random
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from proxy_core.redact import Redactor
from storage import models, ratings
from storage.database import open_database
from storage.errors import NoSuchExchangeError
from storage.feedback import (
    AlreadyRatedError,
    FeedbackQuery,
    FeedbackStore,
    InvalidFeedbackError,
    NoSuchFeedbackError,
)
from storage.ranges import TimeRange
from storage.store import Store
from tests import factories, sample
from tests.recorder import Recorder


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "assay.db")
    yield opened
    opened.close()


@pytest.fixture
def known(database):
    return sample.fill(database)


@pytest.fixture
def store(database):
    return Store(database)


def sums(database):
    """All aggregates: by source, and by day and source; empty ones left out."""
    source, day = models.SourceRow.__table__.c, models.SourceRatingRollupRow.__table__.c
    with database.read() as connection:
        by_source = connection.execute(select(source.id, source.feedback_count, source.rating_sum)).all()
        by_day = connection.execute(select(day.source_id, day.bucket_us, day.feedback_count, day.rating_sum)).all()
    return (
        {row[0]: (row[1], round(row[2], 9)) for row in by_source if row[1]},
        {row[:2]: (row[2], round(row[3], 9)) for row in by_day if row[2]},
    )


def assert_sums_are_right(database):
    before = sums(database)
    with database.write() as connection:
        ratings.recount_ratings(connection)
    assert before == sums(database)


def test_a_rating_counts_for_every_source_of_the_exchange(database, store, known):
    given = store.feedback.rate(known.main, 0.8, "good", "ann")
    assert (given.rating, given.feedback_text, given.user_id, given.updated_us) == (0.8, "good", "ann", None)
    assert given.affected_sources == ("Framework", "context7", "tool use", "User")
    assert given == store.feedback.get(given.feedback_id) == store.feedback.of_exchange(known.main)
    summary = store.exchanges.summary(known.main)
    assert (summary.rating, summary.has_note) == (0.8, True)
    rated = {one.source_name or one.source_type: one.average_rating for one in store.sources.metrics()}
    assert rated == {"Framework": 0.8, "context7": 0.8, "tool use": 0.8, "User": 0.8, "github": None}
    assert_sums_are_right(database)


def test_changing_and_removing_are_followed(database, store, known):
    given = store.feedback.rate(known.main, 0.3, "good")
    store.feedback.rate(known.refused, 0.1)
    changed = store.feedback.update(given.feedback_id, -0.7)
    assert (changed.rating, changed.feedback_text) == (-0.7, "good")
    assert changed.updated_us is not None
    assert_sums_are_right(database)
    context7 = next(one for one in store.sources.metrics() if one.source_name == "context7")
    assert (context7.feedback_count, round(context7.average_rating, 9)) == (2, -0.3)
    assert store.feedback.update(given.feedback_id, feedback_text=None).feedback_text is None
    assert store.exchanges.summary(known.main).has_note is False
    store.feedback.remove(given.feedback_id)
    assert store.exchanges.summary(known.main).rating is None
    assert_sums_are_right(database)
    assert store.sources.summary().feedback_count == 1


def test_nothing_is_left_over_when_all_are_removed(database, store, known):
    for _ in range(10):
        given = [store.feedback.rate(one, value) for one, value in ((known.main, 0.1), (known.refused, 0.7))]
        for one in given:
            store.feedback.remove(one.feedback_id)
    with database.read() as connection:
        rows = connection.execute(select(models.SourceRow.__table__.c.rating_sum)).scalars().all()
        days = connection.execute(select(models.SourceRatingRollupRow.__table__.c.rating_sum)).scalars().all()
    assert set(rows) == set(days) == {0.0}


@pytest.mark.parametrize("rating", [1.0001, -1.0001, float("nan"), float("inf")])
def test_ratings_out_of_bounds_are_refused(store, known, rating):
    with pytest.raises(InvalidFeedbackError, match="between"):
        store.feedback.rate(known.main, rating)
    given = store.feedback.rate(known.main, 1.0)
    with pytest.raises(InvalidFeedbackError):
        store.feedback.update(given.feedback_id, rating)
    assert store.feedback.get(given.feedback_id).rating == 1.0


def test_long_comments_are_refused(store, known):
    with pytest.raises(InvalidFeedbackError, match="2000"):
        store.feedback.rate(known.main, 0, "x" * 2001)
    assert store.feedback.rate(known.main, 0, "x" * 2000).feedback_text == "x" * 2000


def test_what_is_not_there_is_said(store, known):
    with pytest.raises(NoSuchExchangeError):
        store.feedback.rate("f" * 32, 0)
    for act in (store.feedback.get, store.feedback.remove, store.feedback.update):
        with pytest.raises(NoSuchFeedbackError):
            act(99)
    assert store.feedback.of_exchange("f" * 32) is None
    store.feedback.rate(known.main, 0)
    with pytest.raises(AlreadyRatedError):
        store.feedback.rate(known.main, 0)


def test_lists_are_filtered_newest_first(database, known):
    clock = iter(range(1_000_000, 9_000_000, 1_000_000))
    feedback = FeedbackStore(database, now_us=lambda: next(clock))
    for exchange, rating, user in ((known.main, 0.9, "ann"), (known.subagent, -0.5, "bob"), (known.failed, 0.0, "ann")):
        feedback.rate(exchange, rating, user_id=user)

    def found(**wanted):
        query = FeedbackQuery(**wanted)
        page = feedback.page(query)
        assert feedback.count(query) == len(page)
        return [one.rating for one in page]

    assert found() == [0.0, -0.5, 0.9]
    assert found(min_rating=0) == [0.0, 0.9]
    assert found(max_rating=0) == [0.0, -0.5]
    assert found(user_id="ann") == [0.0, 0.9]
    assert found(submitted=TimeRange(2_000_000, 3_000_000)) == [-0.5]
    assert [one.rating for one in feedback.page(FeedbackQuery(), limit=1, offset=1)] == [-0.5]


def test_an_analysis_that_comes_after_the_rating_is_counted(database, store, known):
    store.feedback.rate(known.failed, 0.4)
    assert sums(database) == ({}, {})
    recorder = Recorder(database)
    recorder.analyse(known.failed, sample.main_attribution())
    assert_sums_are_right(database)
    assert sum(count for count, _ in sums(database)[0].values()) == 4
    recorder.analyse(known.failed, sample.subagent_attribution())
    assert_sums_are_right(database)
    assert sum(count for count, _ in sums(database)[0].values()) == 1


def test_fifty_writers_at_once_leave_the_right_sums(database):
    recorder = Recorder(database)
    made = [sample.main_attribution, sample.subagent_attribution]
    exchanges = [
        recorder.record(made[number % 2](), timing=factories.timing(factories.START_US + number * 10 * sample.HOUR_US))
        for number in range(8)
    ]
    refusals, errors, barrier = [], [], threading.Barrier(50)

    def write(number):
        chosen = random.Random(number)
        feedback = FeedbackStore(database)
        barrier.wait()
        for _ in range(6):
            try:
                _act(feedback, chosen, exchanges)
            except (AlreadyRatedError, NoSuchFeedbackError) as error:
                refusals.append(error)
            except Exception as error:  # noqa: BLE001 - a thread's root: the test asserts that there is none
                errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert refusals
    assert_sums_are_right(database)
    assert FeedbackStore(database).count(FeedbackQuery()) <= len(exchanges)


def _act(feedback, chosen, exchanges):
    exchange = chosen.choice(exchanges)
    given = feedback.of_exchange(exchange)
    rating = round(chosen.uniform(-1, 1), 2)
    if given is None or chosen.random() < 0.3:
        feedback.rate(exchange, rating)
    elif chosen.random() < 0.5:
        feedback.update(given.feedback_id, rating)
    else:
        feedback.remove(given.feedback_id)


STEPS = st.lists(st.tuples(st.sampled_from(["rate", "update", "remove"]), st.integers(0, 3), st.floats(-1, 1)), max_size=15)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_order_of_changes_leaves_the_right_sums(database, steps):
    store = Store(database)
    known = [one.exchange_id for one in store.exchanges.page()] or list(_ids(sample.fill(database)))
    for action, number, rating in steps:
        exchange = known[number]
        given = store.feedback.of_exchange(exchange)
        if action == "rate" and given is None:
            store.feedback.rate(exchange, rating)
        elif action == "update" and given is not None:
            store.feedback.update(given.feedback_id, rating)
        elif action == "remove" and given is not None:
            store.feedback.remove(given.feedback_id)
    assert_sums_are_right(database)


def _ids(known):
    return (known.main, known.subagent, known.failed, known.refused, known.running)


def everything_on_disk(database):
    database.checkpoint()
    return b"".join(path.read_bytes() for path in database.path.parent.glob(f"{database.path.name}*"))


def test_a_key_in_a_comment_never_reaches_the_disk(database, known):
    redactor, key = Redactor(b"k" * 32), "sk-ant-api03-PLANTED-in-a-comment"
    feedback = Store(database, redactor).feedback
    mark = f"[REDACTED:{redactor.fingerprint(key.encode())}]"
    given = feedback.rate(known.main, 0.5, f"it printed {key}!", user_id=f"ann {key}")
    assert (given.feedback_text, given.user_id) == (f"it printed {mark}!", f"ann {mark}")
    assert feedback.update(given.feedback_id, feedback_text=f"Authorization: Bearer {key}").feedback_text == (
        f"Authorization: Bearer {mark}"
    )
    assert feedback.update(given.feedback_id, 0.1).feedback_text == f"Authorization: Bearer {mark}"
    assert b"PLANTED" not in everything_on_disk(database)


def test_without_a_redactor_given_secrets_are_replaced_all_the_same(database, known):
    given = FeedbackStore(database).rate(known.main, 0.5, "sk-ant-api03-PLANTED")
    assert given.feedback_text.startswith("[REDACTED:")
    assert b"PLANTED" not in everything_on_disk(database)


def test_a_comment_stays_within_its_limit_when_marks_are_longer(database, known):
    feedback = FeedbackStore(database)
    given = feedback.rate(known.main, 0.5, ("sk-ant-a " * 300)[:2000])
    assert len(given.feedback_text) == 2000
    assert "sk-ant" not in given.feedback_text
    assert feedback.update(given.feedback_id, feedback_text=given.feedback_text).feedback_text == given.feedback_text
