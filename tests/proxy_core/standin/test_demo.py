"""Scripted sessions: shaped like a coding agent's, the same for the same seed, and played to the end."""

import json
from collections import Counter

import pytest

from proxy_core.standin.billing import Billing
from proxy_core.standin.client import read_stream
from proxy_core.standin.demo import AS_FAST_AS_POSSIBLE, DemoApi, DemoTraffic, play_session
from proxy_core.standin.events import Answer, Pace, content_blocks, event_stream
from proxy_core.standin.scenario import ToolCall, Turn, assistant_turns, echo, has_tool, last_user_text


def played(seed: int) -> list[dict]:
    """Play a session without a network and return its request bodies."""
    exchanges = play_session(seed)
    outgoing, bodies = next(exchanges), []
    while True:
        bodies.append(json.loads(json.dumps(outgoing.body)))
        turn = outgoing.turn or Turn(text="")
        message = {"id": f"msg_{len(bodies):024d}", "content": content_blocks(turn, f"msg_{len(bodies):024d}")}
        try:
            outgoing = exchanges.send(message)
        except StopIteration:
            return bodies


@pytest.fixture
def address():
    def of(api: DemoApi) -> tuple[str, int]:
        host, port = api.proxy_url.removeprefix("http://").split(":")
        return host, int(port)

    return of


@pytest.mark.parametrize("seed", range(12))
def test_a_session_is_the_same_for_the_same_seed(seed):
    assert played(seed) == played(seed)


@pytest.mark.parametrize("seed", range(12))
def test_every_tool_result_answers_a_call_just_before_it(seed):
    for body in played(seed):
        open_calls: set[str] = set()
        for message in body.get("messages", ()):
            blocks = message["content"] if isinstance(message["content"], list) else []
            if message["role"] == "assistant":
                open_calls = {block["id"] for block in blocks if block["type"] == "tool_use"}
            answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
            assert set(answered) <= open_calls


@pytest.mark.parametrize("seed", range(12))
def test_every_request_has_one_moving_cache_mark(seed):
    for body in played(seed):
        if "thinking" in body:
            marked = [
                (number, block)
                for number, message in enumerate(body["messages"])
                for block in (message["content"] if isinstance(message["content"], list) else [])
                if "cache_control" in block
            ]
            assert [number for number, _ in marked] == [len(body["messages"]) - 1]


def test_both_dialects_occur():
    bodies = [body for seed in range(6) for body in played(seed) if "messages" in body]
    with_system_messages = {body["model"] for body in bodies if any(m["role"] == "system" for m in body["messages"])}
    assert with_system_messages
    assert all("-5" in model for model in with_system_messages)
    assert {body["model"] for body in bodies} - with_system_messages >= {"claude-sonnet-4-6", "claude-haiku-5-5"}


def test_traffic_through_a_proxy_is_varied_and_caches_pay_off(address):
    api = DemoApi(AS_FAST_AS_POSSIBLE)
    api.start()
    try:
        traffic = DemoTraffic(api, address(api), api.ca_path, clients=2, sessions=3, pace=AS_FAST_AS_POSSIBLE)
        traffic.start()
        traffic.wait(120)
        traffic.stop()
        requests = api.server.journal.requests
    finally:
        api.stop()
    assert traffic.failure is None
    classes = Counter(request.head.header("x-claude-code-request-class") for request in requests)
    assert set(classes) >= {"main", "subagent", "auxiliary", None}
    assert any(request.head.path.endswith("batches") for request in requests)
    assert any(request.head.path.endswith("count_tokens") for request in requests)
    bodies = [request.body for request in requests]
    assert len(set(bodies)) < len(bodies), "a request was retried byte for byte"
    asked = [body for body in map(json.loads, sorted(bodies, key=len)) if "messages" in body]
    assert len({body["model"] for body in asked}) >= 3
    usages = [bill.usage() for bill in map(Billing().bill, asked)]
    read = sum(usage["cache_read_input_tokens"] for usage in usages)
    assert read > sum(usage["cache_creation_input_tokens"] + usage["input_tokens"] for usage in usages)


def test_a_proxy_that_is_not_there_ends_the_traffic_with_the_reason():
    api = DemoApi(AS_FAST_AS_POSSIBLE)
    api.start()
    try:
        traffic = DemoTraffic(api, ("127.0.0.1", 1), api.ca_path, clients=1, pace=AS_FAST_AS_POSSIBLE)
        traffic.start()
        traffic.wait(60)
    finally:
        api.stop()
    assert isinstance(traffic.failure, ConnectionRefusedError)


def test_endless_traffic_stops_when_told(address):
    api = DemoApi()
    api.start()
    try:
        traffic = DemoTraffic(api, address(api), api.ca_path, clients=1)
        traffic.start()
        traffic.stop()
    finally:
        api.stop()
    assert traffic.failure is None


def test_a_stream_is_put_together_again():
    turn = Turn(thinking="Hm.", text="Hello there", tool_calls=(ToolCall(name="Read", input={"a": [1]}), ToolCall(name="Ls")))
    blocks = content_blocks(turn, "msg_" + "1" * 24)
    answer = Answer(
        message_id="msg_1",
        model="m",
        blocks=blocks,
        stop_reason="tool_use",
        input_usage=Billing().bill({"model": "m", "messages": []}).usage(),
        output_tokens=9,
        thinking_tokens=2,
    )
    data = b"".join(part for part in event_stream(answer, Pace(delta_characters=4)) if isinstance(part, bytes))
    message = read_stream(data)
    assert message["content"] == list(blocks)
    assert message["stop_reason"] == "tool_use"
    assert message["usage"]["output_tokens"] == 9
    assert read_stream(b'event: ping\ndata: {"type":"ping"}\n\n') == {}


def test_what_a_scenario_sees():
    asked = {
        "tools": [{"name": "Read"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": "c"},
        ],
    }
    assert assistant_turns(asked) == 1
    assert has_tool(asked, "Read")
    assert not has_tool(asked, "Write")
    assert last_user_text(asked) == "b"
    assert last_user_text({"messages": [{"role": "user", "content": []}]}) == ""
    assert last_user_text({"messages": []}) == ""
    assert echo({"messages": []}).text == "Nothing was asked."
