"""Insights over the API: the same objects as on the command line, and plain errors for what cannot be meant."""

import pytest


def test_insights_of_everything(client):
    answer = client.get("/api/claude/insights")
    assert answer.status_code == 200
    found = answer.json()
    assert found["requests"] > 0
    assert found["input"]["tokens"] > 0
    assert {"findings", "cache_breaks", "carried", "sizes", "worths", "waste"} <= set(found)


def test_a_session_without_traffic_says_nothing(client):
    found = client.get("/api/claude/insights", params={"session_id": "nobody"}).json()
    assert (found["requests"], found["findings"]) == (0, [])


def test_a_filter_narrows_what_is_looked_at(client):
    everything = client.get("/api/claude/insights").json()["requests"]
    some = client.get("/api/claude/insights", params={"q": "class:subagent"}).json()["requests"]
    assert 0 < some < everything


def test_leaving_everything_out_saves_all_input(client):
    found = client.get("/api/claude/insights/what-if", params={"without": "*"}).json()
    assert found["tokens_saved"] == found["before"]["tokens"] > 0


@pytest.mark.parametrize(
    "params",
    [{}, {"without": "*", "defer": "*"}, {"without": "nonsense:x"}, {"without": "*", "q": "cost:>"}],
)
def test_what_cannot_be_meant_is_a_plain_error(client, params):
    answer = client.get("/api/claude/insights/what-if", params=params)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "details"}
