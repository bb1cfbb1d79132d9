"""Saved filters over the API: kept, read, used in `q`, removed; what cannot be is said in the envelope."""

import pytest

PREFIX = "/api/claude/filters"


def put(client, name, text):
    return client.put(f"{PREFIX}/{name}", json={"text": text})


def is_error(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "details"}
    return True


def test_they_are_kept_listed_read_and_removed(client, known):
    assert client.get(PREFIX).json() == {"filters": [], "total": 0, "limit": 100, "offset": 0}
    assert put(client, "Slow", "latency:>1s").json() == {"name": "slow", "text": "latency:>1s"}
    assert put(client, "costly", " cost:>0.05 ").json() == {"name": "costly", "text": "cost:>0.05"}
    assert [one["name"] for one in client.get(PREFIX).json()["filters"]] == ["costly", "slow"]
    page = client.get(PREFIX, params={"limit": 1, "offset": 1}).json()
    assert (page["filters"], page["total"]) == ([{"name": "slow", "text": "latency:>1s"}], 2)
    assert client.get(f"{PREFIX}/SLOW").json()["text"] == "latency:>1s"
    assert put(client, "slow", "latency:>2s").status_code == 200
    assert client.get(f"{PREFIX}/slow").json()["text"] == "latency:>2s"
    assert client.delete(f"{PREFIX}/slow").status_code == 204
    assert is_error(client.get(f"{PREFIX}/slow"), 404)
    assert is_error(client.delete(f"{PREFIX}/slow"), 404)


def test_q_takes_them(client, known):
    put(client, "first", "session:session-one")
    put(client, "sub", "@first class:subagent")
    found = client.get("/api/claude/requests", params={"q": "@sub"}).json()
    assert [one["id"] for one in found["requests"]] == [known.subagent]
    assert client.get("/api/claude/requests", params={"q": "-@sub @first"}).json()["total"] == 1
    put(client, "first", "session:session-two")
    assert client.get("/api/claude/requests", params={"q": "@first"}).json()["requests"][0]["id"] == known.refused
    assert client.get("/api/claude/insights", params={"q": "@first"}).status_code == 200
    assert is_error(client.get("/api/claude/requests", params={"q": "@nosuch"}), 400)


def test_one_that_others_use_stays(client):
    put(client, "base", "model:opus")
    put(client, "more", "@base cost:>1")
    answer = client.delete(f"{PREFIX}/base")
    assert is_error(answer, 409)
    assert "@more" in answer.json()["details"]


@pytest.mark.parametrize("text", ["", " ", '""', "nofield:x", "((", "@itself", "@nosuch", "x" * 2001, 5, None])
def test_what_is_no_filter_is_400(client, text):
    assert is_error(put(client, "itself", text), 400)
    assert client.get(PREFIX).json()["total"] == 0


@pytest.mark.parametrize("name", ["a b", "a%2fb", ".hidden", "x" * 41, "%00", "@a"])
def test_what_is_no_name_is_400_or_404(client, name):
    assert put(client, name, "model:opus").status_code in {400, 404}
    assert set(put(client, name, "model:opus").json()) == {"error", "details"}


@pytest.mark.parametrize("body", [{}, {"text": "a", "more": 1}, [], "a"])
def test_another_body_is_400(client, body):
    assert is_error(client.put(f"{PREFIX}/a", json=body), 400)
