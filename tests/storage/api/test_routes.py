"""What is ours beside the contract: segments, bodies, sessions, time series, capture, Prometheus."""

import gzip
import json

import pytest

from storage.api.server import ApiThread
from storage.api.settings import ApiSettings
from tests import factories, sample
from tests.recorder import Recorder


def get(client, path, **params):
    answer = client.get(f"/api/claude{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_segments_are_the_ledger_in_wire_order(client, known):
    answer = get(client, f"/requests/{known.main}/segments")
    assert (answer["is_settled"], answer["total_input_tokens"], answer["cost_usd"]) == (True, 150, 0.00033)
    context7 = answer["segments"][1]
    assert (context7["tokens"], context7["zones"]) == (50, {"cache_read": 30, "cache_write_5m": 20})
    counted = [line["tokens"] for line in answer["segments"]]
    unwritten = [line["tokens"] for line in answer["overheads"] if line["zone"] != "output"]
    assert sum(counted) + sum(unwritten) == 150
    assert get(client, f"/requests/{known.failed}/segments")["segments"] == []


def test_bodies_are_the_bytes_of_the_wire(client, known, database):
    body = get_body(client, known.main, side="response")
    assert json.loads(body.content)["id"] == "msg_0001"
    assert body.headers["content-type"] == "application/octet-stream"
    assert "attachment" in body.headers["content-disposition"]
    packed = gzip.compress(b'{"a": 1}', mtime=0)
    exchange = Recorder(database).record(
        None,
        request=factories.captured_request(headers=(("Content-Encoding", "gzip"),)),
        request_body=factories.body_of(packed),
    )
    assert get_body(client, exchange).content == packed
    assert get_body(client, exchange, decoded="true").content == b'{"a": 1}'
    assert get(client, f"/requests/{exchange}")["body_json"] == {"a": 1}
    assert client.get(f"/api/claude/requests/{known.failed}/body", params={"side": "response"}).status_code == 404


def get_body(client, exchange, **params):
    answer = client.get(f"/api/claude/requests/{exchange}/body", params=params)
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", None),
        (b"no json", None),
        (b'{"a": NaN}', None),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b"[" * 100_000 + b"]" * 100_000, None),
        (b'{"a": 1e400}', None),
        (b"\xff\xfe", None),
    ],
)
def test_bodies_that_are_odd_json_are_answered(client, known, database, body, shown):
    exchange = Recorder(database).record(None, request_body=factories.body_of(body))
    assert get(client, f"/requests/{exchange}")["body_json"] == shown


def test_half_characters_in_segments_are_replaced(client, known, database):
    content = b'{"messages":[{"role":"user","content":"a\\ud800b"}]}'
    exchange = Recorder(database).record(None, request_body=factories.body_of(content))
    segment = factories.segment("a\ud800b", pointer="/messages/0/content")
    changed = sample.main_attribution()
    changed = type(changed)(version=1, facts=changed.facts, segments=(segment,), ledger=factories.ledger())
    Recorder(database).analyse(exchange, changed)
    assert get(client, f"/requests/{exchange}/segments")["segments"][0]["text"] == "a\ufffdb"


def test_sessions(client, known):
    answer = get(client, "/sessions")
    assert (answer["total"], [one["id"] for one in answer["sessions"]]) == (2, ["session-two", "session-one"])
    one = answer["sessions"][1]
    assert (one["requests"], one["input_tokens"], one["cost_usd"]) == (2, 190, 0.000375)
    assert set(one["models"]) == {"claude-opus-4-5", "claude-sonnet-4-5"}
    assert get(client, "/sessions", limit=1, offset=1)["sessions"][0]["id"] == "session-one"
    assert get(client, "/sessions", start_time="2026-01-01T02:00:00Z")["total"] == 1
    assert get(client, "/sessions", end_time="2026-01-01T02:00:00Z")["total"] == 1


def test_one_session(client, known):
    answer = get(client, "/sessions/session-one")
    assert [(agent["agent_id"], agent["agent_type"], agent["requests"]) for agent in answer["agent_tree"]] == [
        (None, None, 1),
        ("a1", "Explore", 1),
    ]
    assert [point["input_tokens"] for point in answer["context_growth"]] == [150]
    assert client.get("/api/claude/sessions/nosuch").status_code == 404


def points(client, **params):
    answer = get(client, "/metrics/timeseries", **params)
    return {(point["timestamp"][11:16], point["key"]): point["tokens"] for point in answer["points"]}


HOURS = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T05:00:00Z"}


@pytest.mark.parametrize("bucket", ["hour", "minute"])
def test_timeseries(client, known, bucket):
    assert points(client, bucket=bucket, group_by="kind", **HOURS) == {
        ("00:00", "Framework"): 60,
        ("00:00", "McpServer"): 50,
        ("00:00", "User"): 30,
        ("00:00", "Overhead"): 10,
        ("01:00", "McpServer"): 40,
        ("03:00", "McpServer"): 0,
    }
    assert points(client, bucket=bucket, group_by="model", **HOURS) == {
        ("00:00", "claude-opus-4-5"): 180,
        ("01:00", "claude-sonnet-4-5"): 45,
        ("03:00", "claude-opus-4-5"): 0,
    }
    zones = points(client, bucket=bucket, group_by="zone", **HOURS)
    assert (zones["00:00", "cache_read"], zones["00:00", "output"], zones["01:00", "fresh"]) == (90, 30, 40)
    assert (
        points(client, bucket=bucket, group_by="name", top=1, **HOURS)
        == {
            ("00:00", "context7"): 50,
            ("00:00", "other"): 100,
            ("01:00", "other"): 40,
            ("03:00", "context7"): 0,
        }
        or points(client, bucket=bucket, group_by="name", top=1, **HOURS)[("00:00", "Framework")] == 60
    )


def test_timeseries_by_day(client, known):
    assert points(client, bucket="day", group_by="kind", **HOURS)["00:00", "McpServer"] == 90
    assert points(client, bucket="day", group_by="kind", start_time="2027-01-01") == {}


def test_capture_is_paused_and_resumed(client, capture):
    assert get(client, "/capture")["captured"] == 5
    answer = client.post("/api/claude/capture", json={"action": "pause"})
    assert (answer.status_code, answer.json()["is_paused"], capture.is_paused) == (200, True, True)
    assert client.post("/api/claude/capture", json={"action": "resume"}).json()["is_paused"] is False
    assert client.post("/api/claude/capture", json={"action": "explode"}).status_code == 400


def test_alone_there_is_no_capture(store):
    import httpx

    api = ApiThread(store, ApiSettings(token=None, port=0))
    api.start()
    answer = httpx.post(f"{api.url}/api/claude/capture", json={"action": "pause"}, trust_env=False, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (409, "No capture runs here")
    assert "assay_capture" not in httpx.get(f"{api.url}/metrics", trust_env=False, timeout=60).text
    api.stop()


def test_prometheus(client, known):
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values["assay_input_tokens_total"] == "190"
    assert values['assay_source_tokens_total{source_type="McpServer"}'] == "90"
    assert (values["assay_capture_dropped_total"], values["assay_capture_paused"]) == ("1", "0")
    assert float(values["assay_cost_usd_total"]) == 0.000375
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {name.partition("{")[0] for name in values} == named


@pytest.mark.parametrize(
    "query",
    [
        "q=cost:%3E9000000000000",
        "q=%ff%fe",
        "q=text:%00",
        "model=%00",
        "start_time=9999-12-31T23:59:59Z",
        "start_time=0001-01-01T00:00:00Z",
        "cursor=999999999999999999",
        "offset=1000000000",
    ],
)
def test_odd_parameters_are_answered(client, query):
    assert client.get(f"/api/claude/requests?{query}").status_code == 200


@pytest.mark.parametrize(
    "content",
    [b'{"request_id":"ID","rating":0,"feedback_text":"\\ud800"}', b"[" * 30_000, b'{"rating":' + b"9" * 5000 + b"}"],
)
def test_odd_bodies_are_errors_of_the_caller(client, known, content):
    body = content.replace(b"ID", known.main.encode())
    answer = client.post("/api/claude/feedback", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, set(answer.json())) == (400, {"error", "details"})
