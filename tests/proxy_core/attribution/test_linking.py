"""What ties a request to others: ids in headers, metadata and the billing line; hashes of what conversations share."""

import json
from typing import Any

import pytest

from proxy_core.attribution.linking import billing_fields
from proxy_core.attribution.model import RequestClass
from tests.prompts import assistant, claude_code, older_claude_code, read, result, text, use, user

BILLING = "x-anthropic-billing-header: cc_version=2.1.330.2af; cc_prev_req=req_1; cc_prompt_id=p1; odd;"


def test_the_billing_line() -> None:
    assert billing_fields(BILLING) == {"cc_version": "2.1.330.2af", "cc_prev_req": "req_1", "cc_prompt_id": "p1"}
    assert billing_fields("You are") == {}


def test_ids_of_claude_code() -> None:
    body = {
        "system": [text(BILLING)],
        "messages": [user("hi")],
        "thread": {"type": "continue", "previous_message_id": "msg_1"},
        "stream": True,
    }
    facts = claude_code(
        body, x_claude_code_session_id="s1", x_claude_code_parent_agent_id="a0", x_claude_code_agent_id="a1"
    ).facts
    assert (facts.session_id, facts.prompt_id, facts.agent_id, facts.parent_agent_id) == ("s1", "p1", "a1", "a0")
    assert (facts.previous_request_id, facts.thread_message_id, facts.is_streaming) == ("req_1", "msg_1", True)
    assert claude_code(body, x_claude_code_prompt_id="p2").facts.prompt_id == "p2"


@pytest.mark.parametrize(
    ("user_id", "session"),
    [
        (json.dumps({"device_id": "d", "session_id": "s1"}), "s1"),
        (f"user_{'a' * 64}_account__session_0482c656-ca76-4780-9589-04303a7bed1c", "0482c656-ca76-4780-9589-04303a7bed1c"),
        ("customer 7", None),
        ("{broken", None),
        ("{}", None),
        (7, None),
    ],
)
def test_the_session_in_the_metadata(user_id: Any, session: str | None) -> None:
    assert read({"messages": [], "metadata": {"user_id": user_id}}).facts.session_id == session


def test_a_conversation_goes_on_from_what_it_was() -> None:
    first = {
        "messages": [{"role": "user", "content": "q"}],
        "tools": [{"name": "a", "cache_control": {"type": "ephemeral"}}],
        "system": "s",
    }
    marked = [
        {"role": "user", "content": [text("q", cache_control={"type": "ephemeral"})], "output_config": {"effort": "low"}},
        assistant(use("a")),
        user({**result([text("x")]), "cache_control": {"type": "ephemeral"}}),
    ]
    later = [{"role": "user", "content": "q"}, assistant(use("a")), user(result("x")), assistant("done")]
    one = read(first).facts
    two = read({"messages": marked, "tools": [{"name": "a"}], "system": "s"}).facts
    three = read({"messages": later, "tools": [{"name": "a"}], "system": "s"}).facts
    assert one.chain_hashes == two.chain_hashes[:1]
    assert two.chain_hashes == three.chain_hashes[:3]
    assert one.prefix_hash == two.prefix_hash
    other = read({"messages": [user("q2"), *later[1:]], "tools": [{"name": "b"}], "system": "s"}).facts
    assert not set(other.chain_hashes) & set(three.chain_hashes)
    assert other.prefix_hash != one.prefix_hash


def test_retries() -> None:
    assert read({"messages": []}, headers={"X-Stainless-Retry-Count": "1"}).facts.is_retry
    assert not read({"messages": []}, headers={"X-Stainless-Retry-Count": "0"}).facts.is_retry


def test_a_base_url_distorts_what_claude_code_sends() -> None:
    body = {"messages": [user("hi")], "tools": [{"name": "Read", "input_schema": {}}]}
    assert older_claude_code(body, "2.1.330").facts.is_distorted
    assert not claude_code(body).facts.is_distorted
    assert not older_claude_code(body, "2.1.197").facts.is_distorted
    assert not read(body, agent="claude-cli").facts.is_distorted
    assert not read(body, agent="opencode/1").facts.is_distorted


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "properties": {"title": {"type": "string"}}}, RequestClass.TITLE),
        ({"properties": {"x": 1}}, RequestClass.AUXILIARY),
    ],
)
def test_a_title_is_known_by_what_it_must_look_like(schema: Any, expected: RequestClass) -> None:
    body = {"messages": [user("x")], "output_config": {"format": {"type": "json_schema", "schema": schema}}}
    assert claude_code(body, x_claude_code_request_class="auxiliary").facts.request_class is expected


def test_a_conversation_whose_prompt_begins_like_a_titles_is_none() -> None:
    tools = [{"name": "Read", "input_schema": {}}]
    body = {"system": [text("Generate a concise report.")], "tools": tools, "messages": [user("x")]}
    assert older_claude_code(body, "2.0.76").facts.request_class is RequestClass.MAIN
    assert older_claude_code({**body, "tools": []}, "2.0.76").facts.request_class is RequestClass.TITLE


def test_a_compaction_by_an_older_version() -> None:
    words = "Your task is to create a detailed summary of the conversation so far."
    parsed = older_claude_code(
        {"tools": [{"name": "Read", "input_schema": {}}], "messages": [user("x"), assistant("y"), user(words)]}, "2.0.76"
    )
    assert parsed.facts.request_class is RequestClass.COMPACTION


def test_a_main_call_without_tools_is_known_by_its_prompt() -> None:
    parsed = older_claude_code({"system": [text("You are an interactive agent")], "messages": [user("x")]}, "2.0.76")
    assert parsed.facts.request_class is RequestClass.MAIN


def test_the_title_is_the_first_line_of_what_was_asked_last() -> None:
    parsed = read({"messages": [user("first"), assistant("x"), user("\n  second line\nmore"), assistant("y"), user(" ")]})
    assert parsed.facts.title == "second line"
    assert read({"messages": []}).facts.title is None
    assert read({"messages": [user("x" * 200)]}).facts.title == "x" * 200
    assert read({"messages": [user("x" * 500)]}).facts.title == "x" * 199 + "…", "cut, and said to be"


def test_models_and_parameters() -> None:
    body = {
        "model": "m",
        "messages": [],
        "tool_choice": "auto",
        "thinking": {"type": "enabled"},
        "context_management": {},
        "service_tier": "auto",
        "speed": "fast",
        "inference_geo": "us",
        "output_format": {},
        "thread": {"previous_message_id": "x"},
    }
    parsed = read(body)
    parameters = parsed.parameters
    assert (parsed.facts.model, parameters.model, parameters.tool_choice, parameters.thinking) == ("m", "m", "auto", "enabled")
    assert (parameters.has_context_management, parameters.has_output_schema, parameters.has_thread) == (True, True, True)
    assert (parameters.service_tier, parameters.speed, parameters.inference_geo) == ("auto", "fast", "us")
