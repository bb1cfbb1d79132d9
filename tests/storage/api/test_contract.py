"""The contract row by row: paths, parameters, field names, envelope. What stands here may never change."""

from dataclasses import replace

import pytest

from proxy_core.attribution.model import Source, SourceType
from tests import sample
from tests.recorder import Recorder

REQUEST_SUMMARY = {"id", "timestamp", "method", "url", "total_tokens", "correlation_id", "has_feedback"}
REQUEST_DETAIL = REQUEST_SUMMARY | {"headers", "body_json", "attributions", "response", "feedback"}
RESPONSE_SUMMARY = {"id", "correlation_id", "timestamp", "status_code", "latency_ms", "proxy_latency_ms", "response_tokens"}
RESPONSE_DETAIL = RESPONSE_SUMMARY | {"headers", "body_json"}
ATTRIBUTION = {"id", "request_id", "source_type", "source_name", "token_count", "message_index", "message_role"}
SOURCE_METRICS = {
    "source_name",
    "source_type",
    "usage_count",
    "total_tokens",
    "average_tokens",
    "feedback_count",
    "average_rating",
    "last_used",
    "created_at",
}
SUMMARY_METRICS = {
    "total_requests",
    "total_tokens_sent",
    "total_tokens_received",
    "average_latency_ms",
    "average_proxy_latency_ms",
    "feedback_count",
    "average_rating",
    "oldest_capture",
    "newest_capture",
}
FEEDBACK = {
    "id",
    "request_id",
    "response_id",
    "rating",
    "feedback_text",
    "user_id",
    "submitted_at",
    "affected_sources",
}


def get(client, path, **params):
    answer = client.get(f"/api/claude{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer):
    return [one["id"] for one in answer["requests"]]


def is_error(answer, status):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error", "details"}
    assert body["error"]
    return True


def test_requests(client, known):
    answer = get(client, "/requests")
    assert {"requests", "total", "limit", "offset"} <= set(answer)
    assert (answer["total"], answer["limit"], answer["offset"]) == (5, 20, 0)
    assert ids(answer) == [known.running, known.refused, known.failed, known.subagent, known.main]
    newest, oldest = answer["requests"][0], answer["requests"][-1]
    assert set(oldest) >= REQUEST_SUMMARY
    assert oldest["timestamp"] == "2026-01-01T00:00:00.000000Z"
    assert (oldest["total_tokens"], oldest["has_feedback"], oldest["cost_usd"]) == (150, False, 0.00033)
    assert newest["total_tokens"] is None
    assert {share["source_type"]: share["tokens"] for share in oldest["sources"]} == {
        "Framework": 60,
        "McpServer": 50,
        "User": 30,
        "Overhead": 10,
    }


def test_requests_by_time_and_source(client, known):
    hour = {"start_time": "2026-01-01T01:00:00Z", "end_time": "2026-01-01T02:00:00Z"}
    assert ids(get(client, "/requests", **hour)) == [known.subagent]
    assert ids(get(client, "/requests", start_time="2026-01-01T03:30:00+00:00")) == [known.running]
    assert ids(get(client, "/requests", end_time="2026-01-01")) == []
    assert ids(get(client, "/requests", context_source="context7")) == [known.refused, known.main]
    assert ids(get(client, "/requests", context_source="context")) == []


def test_requests_by_our_parameters(client, known):
    assert ids(get(client, "/requests", model="sonnet")) == [known.subagent]
    assert ids(get(client, "/requests", status="529")) == [known.refused]
    assert ids(get(client, "/requests", status="2xx")) == [known.subagent, known.main]
    assert ids(get(client, "/requests", session_id="session-one", order="asc")) == [known.main, known.subagent]
    assert ids(get(client, "/requests", q="error:yes -model:none")) == [known.refused]
    assert ids(get(client, "/requests", q="kind:mcp", model="opus", status="200")) == [known.main]


def test_requests_in_pages(client, known):
    first = get(client, "/requests", limit=2)
    second = get(client, "/requests", limit=2, offset=2)
    assert (first["total"], second["total"], second["offset"]) == (5, 5, 2)
    assert ids(first) + ids(second) == [known.running, known.refused, known.failed, known.subagent]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_requests_by_cursor(client, order):
    whole = ids(get(client, "/requests", order=order))
    seen, cursor = [], {}
    while cursor is not None:
        page = get(client, "/requests", order=order, limit=2, **cursor)
        seen += ids(page)
        assert page["total"] == 5
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert seen == whole


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"offset": -1},
        {"start_time": "yesterday"},
        {"start_time": "1"},
        {"status": "abc"},
        {"order": "sideways"},
        {"q": "nofield:x"},
        {"q": "(("},
        {"q": "x" * 3000},
        {"cursor": "0"},
        {"nosuch": "1"},
        {"context_source": ""},
    ],
)
def test_bad_parameters_are_400(client, params):
    assert is_error(client.get("/api/claude/requests", params=params), 400)


def test_a_bad_filter_is_explained(client):
    details = client.get("/api/claude/requests", params={"q": "statsu:400"}).json()["details"]
    assert "no field `statsu`" in details
    assert "status:" in details


def test_one_request(client, known, store):
    store.feedback.rate(known.main, 0.5, "good")
    answer = get(client, f"/requests/{known.main}")
    assert set(answer) >= REQUEST_DETAIL
    assert answer["headers"]["Content-Type"] == "application/json"
    assert ["Content-Type", "application/json"] in answer["header_lines"]
    assert answer["body_json"]["model"] == "claude-sonnet-4-5"
    assert sum(line["token_count"] for line in answer["attributions"]) == answer["total_tokens"] == 150
    assert set(answer["response"]) == RESPONSE_SUMMARY
    assert answer["response"]["timestamp"] == "2026-01-01T00:00:00.200000Z"
    assert (answer["feedback"]["rating"], answer["has_feedback"]) == (0.5, True)


def test_one_request_without_an_answer(client, known):
    answer = get(client, f"/requests/{known.failed}")
    assert (answer["response"], answer["feedback"], answer["attributions"]) == (None, None, [])
    assert answer["error"] == "connection refused"
    assert get(client, f"/requests/{known.running}")["state"] == "open"


def test_one_response(client, known):
    answer = get(client, f"/responses/{known.main}")
    assert set(answer) >= RESPONSE_DETAIL
    assert (answer["status_code"], answer["latency_ms"], answer["proxy_latency_ms"]) == (200, 900.3, 0.8)
    assert answer["response_tokens"] == 30
    assert answer["correlation_id"] == answer["id"] == known.main
    assert answer["body_json"]["content"][0]["text"] == "A header is missing."


@pytest.mark.parametrize("path", ["/requests/{}", "/responses/{}", "/requests/{}/segments", "/requests/{}/body"])
def test_what_is_not_there_is_404_whatever_shape_its_id_has(client, known, path):
    for wrong in ("f" * 32, "nonexistent", "F" * 32, known.main[:31], known.main.upper() + "g", "%00", "1"):
        assert is_error(client.get("/api/claude" + path.format(wrong)), 404)


def test_no_response_is_404(client, known):
    assert is_error(client.get(f"/api/claude/responses/{known.failed}"), 404)
    assert is_error(client.get(f"/api/claude/responses/{known.running}"), 404)


def test_contexts_of_one_request(client, known):
    answer = get(client, "/contexts", request_id=known.main)
    assert answer["total"] == len(answer["attributions"]) == 5
    assert all(set(line) >= ATTRIBUTION for line in answer["attributions"])
    first = answer["attributions"][0]
    assert (first["source_type"], first["source_name"], first["token_count"]) == ("Framework", None, 60)
    assert (first["cache_zone"], first["basis"], first["cost_usd"]) == ("cache_read", "bounded", 0.00006)
    user = next(line for line in answer["attributions"] if line["source_type"] == "User")
    assert (user["message_index"], user["message_role"]) == (0, "user")
    assert sum(line["token_count"] for line in answer["attributions"]) == 150


def test_contexts_by_source(client, known):
    of_one = get(client, "/contexts", request_id=known.main, source_name="context7")
    assert [line["token_count"] for line in of_one["attributions"]] == [30, 20]
    assert get(client, "/contexts", request_id=known.main, source_type="Skill") == {
        "attributions": [],
        "total": 0,
        "limit": None,
        "offset": None,
    }
    everywhere = get(client, "/contexts", source_name="context7")
    assert [(line["request_id"], line["token_count"]) for line in everywhere["attributions"]] == [
        (known.refused, 20),
        (known.main, 50),
    ]
    mcp = get(client, "/contexts", source_type="McpServer", limit=1, offset=1)
    assert (mcp["total"], mcp["attributions"][0]["source_name"]) == (3, "github")
    assert get(client, "/contexts")["total"] == 6
    assert is_error(client.get("/api/claude/contexts", params={"request_id": "f" * 32}), 404)
    assert is_error(client.get("/api/claude/contexts", params={"source_type": "Nonsense"}), 400)


def test_user_and_framework_have_no_name_in_contexts(client, database):
    recorder = Recorder(database)
    prompt = Source(SourceType.FRAMEWORK, "system prompt")
    made = sample.main_attribution()
    lines = tuple(replace(line, source=prompt) if line.source == sample.FRAMEWORK else line for line in made.ledger.lines)
    segments = (replace(made.segments[0], source=prompt), *made.segments[1:])
    exchange = recorder.record(replace(made, segments=segments, ledger=replace(made.ledger, lines=lines)))
    for asked in ({"request_id": exchange}, {"source_type": "Framework"}, {"source_name": "system prompt"}):
        found = get(client, "/contexts", **asked)["attributions"]
        line = next(line for line in found if line["request_id"] == exchange and line["source_type"] == "Framework")
        assert (line["source_name"], line["source_detail"]) == (None, "system prompt")
    names = {one["source_name"] for one in get(client, "/metrics/sources", source_type="Framework")["metrics"]}
    assert "system prompt" in names
    context7 = get(client, "/contexts", request_id=exchange, source_name="context7")["attributions"]
    assert {(line["source_name"], line["source_detail"]) for line in context7} == {("context7", None)}


def test_metrics_by_source(client, known, store):
    store.feedback.rate(known.subagent, -1.0)
    answer = get(client, "/metrics/sources")
    assert all(set(one) >= SOURCE_METRICS for one in answer["metrics"])
    assert [one["usage_count"] for one in answer["metrics"]] == sorted(
        (one["usage_count"] for one in answer["metrics"]), reverse=True
    )
    by_name = {one["source_name"]: one for one in answer["metrics"] if one["source_name"]}
    context7 = by_name["context7"]
    assert (context7["usage_count"], context7["total_tokens"], context7["average_tokens"]) == (2, 50, 25.0)
    assert context7["total_cost_usd"] == 0.00005
    assert (context7["last_used"], context7["created_at"]) == ("2026-01-01T03:00:00.000000Z", "2026-01-01T00:00:00.000000Z")
    assert (by_name["github"]["feedback_count"], by_name["github"]["average_rating"]) == (1, -1.0)
    assert by_name["context7"]["average_rating"] is None


def test_metrics_by_source_sorted(client, known, store):
    store.feedback.rate(known.main, 0.5)
    store.feedback.rate(known.subagent, -1.0)

    def names(**params):
        return [one["source_name"] or one["source_type"] for one in get(client, "/metrics/sources", **params)["metrics"]]

    assert names(sort_by="total_tokens") == ["Framework", "context7", "github", "User", "tool use"]
    assert names(sort_by="total_tokens", order="asc") == ["tool use", "User", "github", "context7", "Framework"]
    assert names(sort_by="average_rating")[-1] == "github"
    assert names(sort_by="average_rating", order="asc")[0] == "github"
    assert names(sort_by="total_cost_usd", limit=2) == ["Framework", "context7"]
    assert names(source_name="github") == ["github"]
    assert names(source_type="McpServer", sort_by="total_tokens") == ["context7", "github"]
    assert names(session_id="session-two") == ["context7"]
    assert names(start_time="2026-01-01T00:30:00Z", end_time="2026-01-01T01:30:00Z") == ["github"]
    assert is_error(client.get("/api/claude/metrics/sources", params={"sort_by": "luck"}), 400)


def test_metrics_in_all(client, known, store):
    store.feedback.rate(known.main, 0.5)
    answer = get(client, "/metrics/summary")
    assert set(answer) >= SUMMARY_METRICS
    assert (answer["total_requests"], answer["total_tokens_sent"], answer["total_tokens_received"]) == (3, 190, 35)
    assert answer["total_cost_usd"] == 0.000375
    assert (answer["average_latency_ms"], answer["average_proxy_latency_ms"]) == (900.3, 0.8)
    assert (answer["feedback_count"], answer["average_rating"]) == (1, 0.5)
    assert (answer["oldest_capture"], answer["newest_capture"]) == (
        "2026-01-01T00:00:00.000000Z",
        "2026-01-01T04:00:00.000000Z",
    )
    part = get(client, "/metrics/summary", start_time="2026-01-01T00:30:00Z", end_time="2026-01-01T01:30:00Z")
    assert (part["total_requests"], part["total_tokens_sent"], part["feedback_count"]) == (1, 40, 0)
    nothing = get(client, "/metrics/summary", start_time="2030-01-01")
    assert (nothing["total_requests"], nothing["average_latency_ms"], nothing["oldest_capture"]) == (0, None, None)


def give(client, request_id, rating=0.8, **more):
    return client.post("/api/claude/feedback", json={"request_id": request_id, "rating": rating, **more})


def test_feedback_given(client, known):
    answer = give(client, known.main, feedback_text="found it")
    assert answer.status_code == 201
    given = answer.json()
    assert set(given) >= FEEDBACK
    assert (given["rating"], given["feedback_text"], given["user_id"]) == (0.8, "found it", "local-user")
    assert given["request_id"] == given["response_id"] == known.main
    assert given["affected_sources"] == ["Framework", "context7", "tool use", "User"]
    assert isinstance(given["id"], str)
    assert is_error(give(client, known.main), 409)
    assert is_error(give(client, "f" * 32), 404)
    assert is_error(give(client, "nonexistent"), 404)
    assert give(client, known.failed, user_id="ann").json()["response_id"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rating": 0.5},
        {"request_id": 5, "rating": 0.5},
        {"request_id": "x" * 201, "rating": 0.5},
        {"rating": 1.01},
        {"rating": -1.01},
        {"rating": "0.5"},
        {"rating": True},
        {"rating": None},
        {"rating": 0.5, "feedback_text": "x" * 2001},
        {"rating": 0.5, "user_id": ""},
        {"rating": 0.5, "nosuch": 1},
    ],
)
def test_bad_feedback_is_400(client, known, body):
    complete = {"request_id": known.main, **body} if body and "request_id" not in body and len(body) > 0 else body
    if body == {"rating": 0.5}:
        complete = body
    assert is_error(client.post("/api/claude/feedback", json=complete), 400)


@pytest.mark.parametrize("content", [b"{", b"", b"[]", b"\xff", b'{"rating": NaN}'])
def test_a_body_that_is_no_json_object_is_400(client, content):
    answer = client.post("/api/claude/feedback", content=content, headers={"content-type": "application/json"})
    assert is_error(answer, 400)


def test_feedback_listed(client, known):
    give(client, known.main, 0.8, user_id="ann")
    give(client, known.subagent, -0.4)
    answer = get(client, "/feedback")
    assert (answer["total"], answer["limit"], answer["offset"]) == (2, 20, 0)
    assert [one["rating"] for one in answer["feedback"]] == [-0.4, 0.8]
    detail = answer["feedback"][1]
    assert FEEDBACK | {"request", "response"} <= set(detail)
    assert detail["request"]["id"] == detail["response"]["id"] == known.main
    assert [one["rating"] for one in get(client, "/feedback", min_rating=0)["feedback"]] == [0.8]
    assert [one["rating"] for one in get(client, "/feedback", max_rating=0)["feedback"]] == [-0.4]
    assert [one["user_id"] for one in get(client, "/feedback", user_id="ann")["feedback"]] == ["ann"]
    assert get(client, "/feedback", start_time="2100-01-01")["total"] == 0
    assert get(client, "/feedback", limit=1, offset=1)["feedback"][0]["rating"] == 0.8
    assert is_error(client.get("/api/claude/feedback", params={"min_rating": 2}), 400)
    assert is_error(client.get("/api/claude/feedback", params={"min_rating": "nan"}), 400)


def test_feedback_read_changed_and_removed(client, known):
    given = give(client, known.main, 0.8, feedback_text="found it").json()
    path = f"/api/claude/feedback/{given['id']}"
    assert client.get(path).json()["request"]["id"] == known.main
    changed = client.put(path, json={"rating": -0.2}).json()
    assert (changed["rating"], changed["feedback_text"]) == (-0.2, "found it")
    assert changed["updated_at"] is not None
    assert client.put(path, json={"feedback_text": None}).json()["feedback_text"] is None
    sources = get(client, "/metrics/sources", source_name="context7")["metrics"]
    assert sources[0]["average_rating"] == -0.2
    assert is_error(client.put(path, json={}), 400)
    assert is_error(client.put(path, json={"rating": 2}), 400)
    gone = client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert get(client, "/metrics/sources", source_name="context7")["metrics"][0]["average_rating"] is None
    assert get(client, f"/requests/{known.main}")["feedback"] is None
    for method in ("GET", "DELETE"):
        assert is_error(client.request(method, path), 404)
    assert is_error(client.put(path, json={"rating": 0}), 404)
    for wrong in ("abc", "0", "1" * 30, "-1", "1.0", "%00"):
        assert is_error(client.get(f"/api/claude/feedback/{wrong}"), 404)
    assert is_error(client.get("/api/claude/feedback/by-request/nonexistent"), 404)


def test_feedback_by_request(client, known):
    path = f"/api/claude/feedback/by-request/{known.main}"
    assert is_error(client.get(path), 404)
    give(client, known.main)
    assert client.get(path).json()["request"]["id"] == known.main
