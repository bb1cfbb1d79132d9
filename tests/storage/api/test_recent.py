"""Held answers: never older than a commit, while many commits come 50 ms at most, and only what is small and good."""

import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import pytest

from storage.api import recent
from storage.api.recent import RecentAnswers
from storage.feedback import FeedbackStore
from tests import sample
from tests.recorder import Recorder
from tests.storage.api.conftest import TOKEN

PREFIX = "/api/claude"


@dataclass
class Freshness:
    number: int | None = 1
    told: int = 0

    def version(self):
        return self.number


@dataclass
class Routes:
    """Answers with how often it was asked."""

    asked: int = 0
    status: int = 200
    content_type: bytes = b"application/json"
    parts: tuple = (b"%d",)
    on_asked: list = field(default_factory=list)

    async def __call__(self, scope, receive, send):
        self.asked += 1
        for change in self.on_asked:
            change()
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"content-type", self.content_type)]})
        for number, part in enumerate(self.parts, 1):
            body = part % self.asked if b"%" in part else part
            await send({"type": "http.response.body", "body": body, "more_body": number < len(self.parts)})


@pytest.fixture
def clock(monkeypatch):
    times = [1000.0]
    monkeypatch.setattr(recent, "time", SimpleNamespace(monotonic=lambda: times[0]))
    return times


@pytest.fixture
def freshness():
    return Freshness()


@pytest.fixture
def routes():
    return Routes()


@pytest.fixture
def ask(clock, freshness, routes):
    answers = RecentAnswers(routes, freshness, PREFIX)

    async def asking(path=f"{PREFIX}/metrics/summary", query=b"", method="GET"):
        messages = []

        async def send(message):
            messages.append(message)

        await answers({"type": "http", "method": method, "path": path, "query_string": query}, None, send)
        return b"".join(message.get("body", b"") for message in messages)

    return asking


async def test_the_same_question_is_answered_once(ask, clock):
    assert [await ask(), await ask(), await ask(query=b"x=1"), await ask()] == [b"1", b"1", b"2", b"1"]
    clock[0] += 0.6
    assert await ask() == b"3"


async def test_a_commit_ends_it(ask, freshness):
    await ask()
    freshness.number = 2
    assert await ask() == b"2"


async def test_what_is_committed_while_an_answer_is_made_ends_it_too(ask, freshness, routes):
    routes.on_asked.append(lambda: setattr(freshness, "number", freshness.number + 1))
    assert [await ask(), await ask()] == [b"1", b"2"]


async def test_where_commits_cannot_be_told_nothing_is_held(ask, freshness):
    freshness.number = None
    assert [await ask(), await ask()] == [b"1", b"2"]


@pytest.mark.parametrize("path", [f"{PREFIX}/capture", f"{PREFIX}/events", "/healthz", "/metrics", "/openapi.json"])
async def test_what_is_not_answered_from_rows_is_not_held(ask, path):
    assert [await ask(path), await ask(path)] == [b"1", b"2"]


async def make_busy(ask, freshness, clock):
    """Commits as often as a capture makes them, seen by other questions."""
    for _ in range(recent._BUSY_COMMITS):
        freshness.number += 1
        clock[0] += 0.02
        await ask(f"{PREFIX}/contexts")


async def test_while_commits_come_quickly_lists_and_sums_hold_a_moment(ask, clock, freshness):
    await make_busy(ask, freshness, clock)
    first = await ask()
    freshness.number += 1
    clock[0] += 0.04
    assert await ask() == first
    clock[0] += 0.02
    assert await ask() != first
    one = f"{PREFIX}/requests/{'0' * 32}"
    first = await ask(one)
    freshness.number += 1
    assert await ask(one) != first


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_whoever_changed_something_reads_it(ask, clock, freshness, method):
    await make_busy(ask, freshness, clock)
    first = await ask()
    freshness.number += 1
    await ask(f"{PREFIX}/feedback", method=method)
    assert await ask() != first


async def test_whoever_was_told_of_a_change_reads_it(ask, clock, freshness):
    await make_busy(ask, freshness, clock)
    first = await ask()
    freshness.number += 1
    freshness.told += 1
    assert await ask() != first


async def test_few_commits_are_waited_for_by_nobody(ask, clock, freshness):
    await make_busy(ask, freshness, clock)
    clock[0] += 2
    first = await ask()
    freshness.number += 1
    assert await ask() != first


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 404},
        {"content_type": b"application/octet-stream"},
        {"parts": (b"%d", b"!")},
        {"parts": (b"%d", b"!", b"!")},
        {"parts": (b"%d" + b"x" * recent._LARGEST_BYTES,)},
    ],
)
async def test_only_what_is_good_whole_and_small_is_held(ask, routes, changes):
    for name, value in changes.items():
        setattr(routes, name, value)
    assert (await ask())[:1] == b"1"
    assert (await ask())[:1] == b"2"


async def test_few_are_held(ask):
    for number in range(recent._ROOM + 1):
        await ask(query=b"%d" % number)
    assert await ask(query=b"0") == b"%d" % (recent._ROOM + 2)
    assert await ask(query=b"%d" % recent._ROOM) == b"%d" % (recent._ROOM + 1)


async def test_what_is_no_request_passes(routes, freshness):
    answers = RecentAnswers(routes, freshness, PREFIX)

    async def send(_message):
        pass

    await answers({"type": "lifespan"}, None, send)
    assert routes.asked == 1


def test_what_another_connection_commits_is_read_at_once(client, database, known):
    """Beside the API: as the writer, the screen and the command line do."""
    summary = f"{PREFIX}/metrics/summary"
    assert client.get(summary).json()["total_requests"] == 3
    Recorder(database).record(sample.subagent_attribution())
    assert client.get(summary).json()["total_requests"] == 4
    beside = FeedbackStore(database)
    given = beside.rate(known.main, 0.0)
    for number in range(1, 30):
        rating = number / 100
        beside.update(given.feedback_id, rating)
        assert client.get(f"{PREFIX}/requests/{known.main}").json()["rating"] == rating
    time.sleep(recent._HOLDS_WHILE_BUSY_S)
    assert client.get(f"{PREFIX}/requests", params={"q": "rating:0.29"}).json()["total"] == 1


def test_an_answer_from_memory_is_guarded_and_marked_as_any(api, client, known):
    asked = [client.get(f"{PREFIX}/requests", params={"limit": 2}) for _ in range(3)]
    assert len({answer.content for answer in asked}) == 1
    assert all(answer.headers["cache-control"] == "no-store" for answer in asked)
    wrong = {"authorization": "Bearer wrong"}
    assert httpx.get(f"{api.url}{PREFIX}/requests?limit=2", headers=wrong, trust_env=False, timeout=60).status_code == 401
    own = {"authorization": f"Bearer {TOKEN}", "host": "evil.example"}
    assert httpx.get(f"{api.url}{PREFIX}/requests?limit=2", headers=own, trust_env=False, timeout=60).status_code == 403


def test_a_rating_given_here_is_in_the_next_answer(client, known):
    def rated():
        found = client.get(f"{PREFIX}/requests", params={"q": "rating:>=-1"}).json()
        return client.get(f"{PREFIX}/metrics/summary").json()["feedback_count"], found["total"]

    before = rated()
    given = client.post(f"{PREFIX}/feedback", json={"request_id": known.main, "rating": 1.0}).json()
    assert rated() == (before[0] + 1, before[1] + 1)
    client.delete(f"{PREFIX}/feedback/{given['id']}")
    assert rated() == before


def test_the_connection_that_listens_for_commits_is_given_back(api, client, database):
    client.get(f"{PREFIX}/metrics/summary")
    assert api._context._commits is not None
    api.stop()
    assert api._context._commits is None
    database.close_readers()
    assert database.read_engine.pool.checkedout() == 0
