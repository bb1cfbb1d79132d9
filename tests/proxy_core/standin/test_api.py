"""What the stand-in answers to each kind of request."""

import json

import pytest

from proxy_core.standin.api import MODELS, ApiSettings
from proxy_core.standin.faults import Fault, FaultKind
from proxy_core.standin.scenario import ToolCall, Turn, scripted

ASK = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Good morning"}]}
LOOK = Turn(
    thinking="Two files.",
    text="I look.",
    tool_calls=(ToolCall(name="Read", input={"file_path": "/a"}), ToolCall(name="Read", input={"file_path": "/b"})),
)


@pytest.fixture
def client(serve, client_for):
    return client_for(serve(ApiSettings(scenario=scripted([LOOK, Turn(text="Done.")]))))


def test_a_turn_with_tools_stops_for_them(client):
    message = client.post("/v1/messages", json=ASK).json()
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert message["stop_reason"] == "tool_use"
    assert len({block["id"] for block in message["content"][2:]}) == 2
    usage = message["usage"]
    assert usage["output_tokens"] > usage["output_tokens_details"]["thinking_tokens"] > 0


def test_the_script_goes_on_with_the_conversation(client):
    first = client.post("/v1/messages", json=ASK).json()
    results = [{"type": "tool_result", "tool_use_id": block["id"], "content": "ok"} for block in first["content"][2:]]
    messages = [*ASK["messages"], {"role": "assistant", "content": first["content"]}, {"role": "user", "content": results}]
    second = client.post("/v1/messages", json={**ASK, "messages": messages}).json()
    assert second["content"] == [{"type": "text", "text": "Done."}]
    assert second["stop_reason"] == "end_turn"
    assert second["id"] != first["id"]


def test_a_stream_carries_the_same_message(client):
    reply = client.post("/v1/messages", json={**ASK, "stream": True})
    events = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")]
    assert events[0]["message"]["usage"]["output_tokens"] == 1
    pieces = [event["delta"] for event in events if event["type"] == "content_block_delta" and event["index"] == 2]
    assert json.loads("".join(piece["partial_json"] for piece in pieces)) == {"file_path": "/a"}
    final = next(event for event in events if event["type"] == "message_delta")
    assert final["delta"]["stop_reason"] == "tool_use"
    assert "cache_creation" not in final["usage"]


def test_a_schema_is_filled(client):
    properties = {
        "title": {"type": "string"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "tags": {"type": "array"},
        "count": {"type": "integer"},
        "is_new": {"type": "boolean"},
    }
    shape = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": properties}}}
    text = client.post("/v1/messages", json={**ASK, "output_config": shape}).json()["content"][0]["text"]
    assert json.loads(text) == {"title": "A short title", "kind": "a", "tags": [], "count": 0, "is_new": False}


def test_tokens_are_counted_without_caching(client):
    counted = client.post("/v1/messages/count_tokens", json={"model": ASK["model"], "messages": ASK["messages"]}).json()
    billed = client.post("/v1/messages", json=ASK).json()["usage"]["input_tokens"]
    assert counted == {"input_tokens": billed}


def test_models_are_listed_and_looked_up(client):
    listed = client.get("/v1/models").json()
    assert [model["id"] for model in listed["data"]] == list(MODELS)
    assert client.get(f"/v1/models/{MODELS[2]}").json()["id"] == MODELS[2]
    assert client.get("/v1/models/gpt").status_code == 404


def test_a_batch_runs_through(client):
    requests = [{"custom_id": f"r{number}", "params": ASK} for number in range(3)]
    made = client.post("/v1/messages/batches", json={"requests": requests}).json()
    assert made["processing_status"] == "in_progress"
    path = f"/v1/messages/batches/{made['id']}"
    assert client.get(path).json()["request_counts"]["succeeded"] == 3
    lines = [json.loads(line) for line in client.get(f"{path}/results").text.splitlines()]
    assert [line["custom_id"] for line in lines] == ["r0", "r1", "r2"]
    assert lines[0]["result"]["message"]["usage"]["input_tokens"] > 0
    assert client.get("/v1/messages/batches").json()["first_id"] == made["id"]
    assert client.delete(path).json()["type"] == "message_batch_deleted"
    assert client.get(path).status_code == 404
    assert client.get("/v1/messages/batches").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "must be an object"),
        (b"{}", "model: Field required"),
        (b'{"model":"m","messages":[]}', "max_tokens: Field required"),
        (b'{"model":"m","messages":"x","max_tokens":1}', "valid list"),
        (b'{"model":"m","messages":["x"],"max_tokens":1}', "valid list"),
    ],
)
def test_nonsense_is_refused_with_the_reason(client, body, message):
    reply = client.post("/v1/messages", content=body)
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]


def test_no_key_no_answer(client):
    client.headers.pop("x-api-key")
    assert client.get("/v1/models").status_code == 401
    assert client.get("/v1/models", headers={"authorization": "Bearer k"}).status_code == 200


def test_other_paths_of_the_host(client):
    assert client.post("/api/event_logging/v2/batch", json={}).json() == {}
    assert client.get("/api/claude_code/settings").status_code == 404
    assert client.get("/elsewhere").status_code == 404


def test_planned_faults_come_in_order_and_once(serve, client_for):
    server = serve()
    server.responder.faults.add(Fault(FaultKind.STATUS, 529), None, Fault(FaultKind.STATUS, 429))
    client = client_for(server)
    answers = [client.post("/v1/messages", json=ASK) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [529, 200, 429, 200]
    assert answers[2].headers["retry-after"] == "0"
