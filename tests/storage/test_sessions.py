"""Sessions in lists, by pages, and whole."""

import pytest

from storage.database import open_database
from storage.ranges import TimeRange
from storage.store import Store
from tests import factories, sample
from tests.recorder import Recorder
from tests.sample import HOUR_US, START_US


@pytest.fixture
def store(tmp_path):
    database = open_database(tmp_path / "assay.db")
    sample.fill(database)
    yield Store(database)
    database.close()


def test_the_last_active_comes_first_with_its_totals(store):
    newest, older = store.sessions.page()
    assert (newest.session_id, newest.errors, newest.cost_nano_usd, newest.input_tokens) == ("session-two", 1, None, 0)
    assert (older.session_id, older.requests, older.prompts, older.agents) == ("session-one", 2, 1, 1)
    assert (older.input_tokens, older.output_tokens, older.cache_read_tokens, older.cost_nano_usd) == (190, 35, 90, 375_000)
    assert (older.first_us, older.last_us, older.last_context_tokens) == (START_US, START_US + HOUR_US, 150)
    assert older.title == "Why does the build fail?"
    assert set(older.models) == {"claude-opus-4-5", "claude-sonnet-4-5"}


def test_pages_by_offset_and_by_key(store):
    first = store.sessions.page(limit=1)
    assert [one.session_id for one in store.sessions.page(limit=1, offset=1)] == ["session-one"]
    after = store.sessions.page(limit=1, before=(first[0].last_us, first[0].session_id))
    assert [one.session_id for one in after] == ["session-one"]
    assert store.sessions.page(before=(after[0].last_us, after[0].session_id)) == ()


def test_ranges_hold_sessions_that_were_active_in_them(store):
    def ids(since, until):
        wanted = TimeRange(since, until)
        found = [one.session_id for one in store.sessions.page(wanted)]
        assert store.sessions.count(wanted) == len(found)
        return found

    assert ids(None, None) == ["session-two", "session-one"]
    assert ids(START_US + 2 * HOUR_US, None) == ["session-two"]
    assert ids(None, START_US + 2 * HOUR_US) == ["session-one"]
    assert ids(START_US + 1, START_US + HOUR_US) == ["session-one"]


def test_one_session_whole(store):
    detail = store.sessions.detail("session-one")
    assert detail.summary == store.sessions.page()[1]
    main, agent = detail.agents
    assert (main.agent_id, main.requests, main.input_tokens, main.cost_nano_usd) == (None, 1, 150, 330_000)
    assert (agent.agent_id, agent.agent_type, agent.output_tokens) == ("a1", "Explore", 5)
    assert detail.context_growth == ((START_US, 150),)
    assert store.sessions.detail("nosuch") is None


def test_the_growth_is_in_order(store):
    recorder = Recorder(store.database)
    for hours in (9, 7, 8):
        recorder.record(sample.main_attribution(), timing=factories.timing(START_US + hours * HOUR_US))
    growth = store.sessions.detail("session-one").context_growth
    assert [at for at, _ in growth] == sorted(at for at, _ in growth)
    assert len(growth) == 4
