"""Event streams: what happened is told once, in order, also to a client that comes back."""

import json
import threading

import httpx
import pytest

from storage.changes import ChangeReader, Position, read_position
from storage.notices import Change
from tests import factories, sample
from tests.recorder import Recorder


def events_of(text):
    """(id, event, data) of each block of a stream."""
    blocks = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            blocks.append((fields.get("id"), fields.get("event"), json.loads(fields["data"]) if "data" in fields else None))
    return blocks


def heard(client, last_event_id=None):
    headers = {} if last_event_id is None else {"last-event-id": last_event_id}
    answer = client.get("/api/claude/events", params={"follow": "false"}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events_of(answer.text)


def told(blocks):
    return [(event, data["id"]) for _, event, data in blocks if data]


def test_from_the_beginning_everything_is_told_in_order(client, known):
    blocks = heard(client, "0")
    assert told(blocks) == [
        *((what, one) for one in (known.main, known.subagent) for what in ("started", "finished", "analysed")),
        ("started", known.failed),
        ("finished", known.failed),
        *((what, known.refused) for what in ("started", "finished", "analysed")),
        ("started", known.running),
    ]
    assert blocks[-1][2]["state"] == "open"
    assert blocks[3][2]["cost_usd"] == 0.00033


def test_a_client_that_comes_back_hears_each_thing_once(client, known, database):
    everything = heard(client, "0")
    for number in range(1, len(everything)):
        rest = heard(client, everything[number][0])
        assert told(rest) == told(everything[number + 1 :])
    last = everything[-1][0]
    assert told(heard(client, last)) == []
    recorder = Recorder(database)
    recorder.store(factories.exchange_finished(exchange_id=known.running))
    assert told(heard(client, last)) == [("finished", known.running)]
    recorder.analyse(known.running, sample.subagent_attribution())
    recorder.analyse(known.failed, sample.subagent_attribution())
    assert told(heard(client, last)) == [
        ("analysed", known.failed),
        ("finished", known.running),
        ("analysed", known.running),
    ]


def test_without_an_id_only_what_comes_is_told(client, known, database):
    first = heard(client)
    assert told(first) == []
    Recorder(database).analyse(known.failed, sample.subagent_attribution())
    assert told(heard(client, first[0][0])) == [("analysed", known.failed)]


@pytest.mark.parametrize("wrong", ["x", "-1", "1-", "1-2", "1-2x", "1" * 30, "1-2s" * 500])
def test_an_id_that_is_none_is_400(client, wrong):
    assert client.get("/api/claude/events", headers={"last-event-id": wrong}).status_code == 400


def test_a_stream_that_follows_is_woken_and_ends_with_the_api(api, client, capture, database):
    blocks, started = [], threading.Event()

    def listen():
        with client.stream("GET", "/api/claude/events") as answer:
            for line in answer.iter_lines():
                blocks.append(line)
                started.set()

    thread = threading.Thread(target=listen)
    thread.start()
    assert started.wait(60)
    exchange = Recorder(database).record(sample.main_attribution())
    capture.callbacks[0]()
    for _ in range(1200):
        if sum(line.startswith("event: ") for line in blocks) == 3:
            break
        threading.Event().wait(0.05)
    assert [line for line in blocks if line.startswith("event: ")] == ["event: started", "event: finished", "event: analysed"]
    assert sum(exchange in line for line in blocks) == 3
    api.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert capture.callbacks == []


def test_too_many_streams_are_refused(client, monkeypatch):
    monkeypatch.setattr("storage.api.routes.events._MAX_STREAMS", 0)
    answer = client.get("/api/claude/events")
    assert (answer.status_code, set(answer.json())) == (503, {"error", "details"})


def test_a_quiet_stream_gives_signs_of_life(client, monkeypatch):
    monkeypatch.setattr("storage.api.routes.events._SIGN_OF_LIFE_EVERY_S", 0.0)
    with client.stream("GET", "/api/claude/events") as answer:
        for line in answer.iter_lines():
            if line == ": alive":
                break


def test_positions_are_written_and_read():
    position = Position(17, {3: Change.STARTED, 5: Change.FINISHED})
    assert str(position) == "17-3s-5f"
    assert read_position("17-3s-5f") == position
    assert read_position("17") == Position(17, {})
    assert read_position("x") is None


def test_a_reader_far_behind_is_served_in_pages(database, monkeypatch):
    monkeypatch.setattr("storage.changes._PAGE", 3)
    recorder = Recorder(database)
    exchanges = [recorder.record(sample.subagent_attribution()) for _ in range(8)]
    reader, position, seen = ChangeReader(database), Position(0, {}), []
    while found := reader.since(position):
        assert len(found) <= 9
        seen += [(change.what, change.row.exchange_id) for change in found]
        position = found[-1].position
    assert seen == [(what, one) for one in exchanges for what in (Change.STARTED, Change.FINISHED, Change.ANALYSED)]


def test_what_is_waited_for_is_bounded_and_what_is_gone_is_forgotten(database, monkeypatch):
    monkeypatch.setattr("storage.changes._MAX_PENDING", 2)
    recorder = Recorder(database)
    for _ in range(4):
        recorder.record()
    reader = ChangeReader(database)
    last = reader.since(Position(0, {}))[-1].position
    assert dict(last.pending) == {3: Change.FINISHED, 4: Change.FINISHED}
    assert reader.since(Position(4, {99: Change.STARTED})) == []
    assert reader.since(Position(10**9, {})) == []


def test_httpx_closes_what_it_opened(api):
    """A client that goes away does not keep its stream open."""
    token = {"authorization": "Bearer token-of-the-tests-0123456789"}
    with (
        httpx.Client(base_url=api.url, headers=token, trust_env=False, timeout=60) as client,
        client.stream("GET", "/api/claude/events"),
    ):
        assert api._context.streams <= 1
    for _ in range(1200):
        if api._context.streams == 0:
            break
        api.notify()
        threading.Event().wait(0.05)
    assert api._context.streams == 0
