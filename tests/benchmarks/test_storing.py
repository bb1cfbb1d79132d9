"""Measuring storing: streams look like the API's, and what is measured is stored whole."""

import itertools
import json
import random

import pytest

from benchmarks.storing import answered, conversation, live, separate_requests, store_all, stream, whole
from proxy_core.exchange import BodyGrew, ExchangeFinished, ExchangeStarted, ResponseStarted


def talk(turns):
    return answered(conversation(turns + 1, start_bytes=36_000, turn_bytes=1_000))


def test_an_answer_is_what_the_next_request_repeats():
    pairs = list(talk(3))
    assert len(pairs) == 3
    for (_, answer), (body, _) in itertools.pairwise(pairs):
        assert json.loads(body)["messages"][-2]["content"][0]["text"] == answer


def test_a_stream_says_the_text():
    events = [
        json.loads(line[6:]) for line in stream(random.Random(1), "one two three" * 20).splitlines() if line[:5] == b"data:"
    ]
    deltas = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(deltas) == "one two three" * 20
    assert len(deltas) > 40
    assert events[-1] == {"type": "message_stop"}


def test_live_exchanges_grow_until_they_end():
    ((begun, answered_, *grown, (end,)),) = live(random.Random(1), talk(1))
    assert isinstance(begun[0], ExchangeStarted)
    assert isinstance(answered_[0], ResponseStarted)
    assert isinstance(end, ExchangeFinished)
    assert all(isinstance(event, BodyGrew) for (event,) in grown)
    assert b"".join(event.data for (event,) in grown) == end.response_body.data
    assert {event.exchange_id for (event,) in grown} == {end.exchange_id} == {begun[0].exchange_id}


@pytest.mark.parametrize(("kind", "at_once"), [(whole, 1), (whole, 16), (live, 1)])
def test_everything_is_stored_and_analysed(tmp_path, monkeypatch, kind, at_once):
    monkeypatch.setattr("benchmarks.storing._CHECK_EVERY", 2)
    bodies = ((body, "an answer " * 40) for body in separate_requests(8, 20_000))
    figures = store_all(tmp_path / "a.db", kind(random.Random(1), bodies), at_once)
    assert figures["exchanges"] == 8
    assert figures["bodies_checked"] == 8
    assert figures["wrong_bodies"] == 0
    assert figures["raw_mb"] > 0.1
    assert 0 < figures["stored_mb"] < figures["disk_mb"] < 1
    assert figures["cpu_ms_per_exchange"] > 0
