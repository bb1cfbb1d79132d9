"""Whatever a client sends is read without an error and without loss."""

import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_core.attribution.elements import MEMO
from proxy_core.attribution.model import RequestClass
from proxy_core.attribution.reading import read_call
from proxy_core.attribution.rebuild import segment_texts
from tests.prompts import CLAUDE_CODE, coverage_errors, read, recorded

AGENTS = [CLAUDE_CODE.format(version) for version in ("1.0.128", "2.0.76", "2.1.330")] + [
    "opencode/1.18",
    "QwenCode/0.3",
    "Cline/1.0",
    "pi/0.1",
    "aider/1",
    None,
]
OPENERS = (
    "<system-reminder>\n",
    "\n</system-reminder>",
    "\n\n",
    "# Environment\n",
    "Contents of /a/CLAUDE.md (why):\n\n",
    "## server\n",
    "# MCP Server Instructions\n\n",
    "The following skills are available for use with the Skill tool:\n\n",
    "- name: words\n",
    "Stop hook success: x",
    "# Output Style: a\n",
    "<command-message>",
    "</command-message>",
    "<command-name>/x</command-name>",
    "Base directory for this skill: /s/k\n",
    "Full contents of resource:",
    "The user sent a new message while you were working:\n",
    "<available-deferred-tools>\nmcp__a__b\n",
    'Called the Read tool with the following input: {"file_path":"/x"}\n',
    "\ud800",
    "Result of calling the Read tool:\n",
    "gitStatus: This is the git status",
    "Recent commits:\n",
    "```\n",
    "--- Context from: Q ---\n",
    '<skill name="k">',
    "</skill>",
    "# Rules\n## Workspace AGENTS.md\n",
    '<mcp_instructions><server name="s">',
    "</server>",
    "I have *added these files to the chat*\n",
    "a.py\n```\nx\n```\n",
    '<user_input mode="act">',
    "Launching skill: k",
    "\u2028",
    "é",
)
WORDS = st.lists(st.sampled_from(OPENERS) | st.text(max_size=12), max_size=6).map("".join)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)
TYPES = [
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "tool_reference",
    "server_tool_use",
    "mcp_tool_use",
    "mcp_tool_result",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "tool_search_tool_result",
    "container_upload",
    "mcp_tool_listing",
    "compaction",
    "fallback",
    "tool_addition",
    "browser_state",
    "image_url",
    "future_block",
]
MEMBERS = [
    "text",
    "source",
    "title",
    "context",
    "thinking",
    "signature",
    "data",
    "id",
    "name",
    "input",
    "tool_use_id",
    "content",
    "citations",
    "tool_name",
    "file_id",
    "server_name",
    "tools",
    "tool",
    "cache_control",
    "image_url",
    "toolUse",
    "toolResult",
    "image",
    "document",
    "reasoningContent",
    "json",
    "cachePoint",
    "extra",
]


def block(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4)
    typed = st.tuples(st.sampled_from(TYPES), members).map(lambda pair: {"type": pair[0], **pair[1]})
    return typed | members


BLOCK = block(ANYTHING | st.lists(block(ANYTHING), max_size=2))
CONTENT = WORDS | st.lists(BLOCK | ANYTHING, max_size=4) | ANYTHING
MESSAGE = ANYTHING | st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "developer", "tool", "stranger"]), "content": CONTENT},
    optional={"tool_calls": ANYTHING, "tool_call_id": WORDS, "cache_control": ANYTHING, "more": ANYTHING},
)
TOOL = ANYTHING | st.fixed_dictionaries(
    {"name": st.sampled_from(["Task", "Skill", "mcp__a__b__c", "x_y_z", "a__b"])},
    optional={
        "description": WORDS,
        "input_schema": ANYTHING,
        "cache_control": ANYTHING,
        "defer_loading": st.booleans(),
        "type": ANYTHING,
    },
)
BODY = st.fixed_dictionaries(
    {"messages": ANYTHING | st.lists(MESSAGE, max_size=4)},
    optional={
        "model": ANYTHING,
        "max_tokens": ANYTHING,
        "tools": ANYTHING | st.lists(TOOL, max_size=3),
        "system": ANYTHING
        | st.lists(ANYTHING | st.fixed_dictionaries({"text": WORDS}, optional={"cache_control": ANYTHING}), max_size=3),
        "output_config": ANYTHING,
        "mcp_servers": ANYTHING,
        "container": ANYTHING,
        "thread": ANYTHING,
        "metadata": ANYTHING,
        "thinking": ANYTHING,
        "unheard_of": ANYTHING,
        "tool_choice": ANYTHING,
    },
)
PATHS = (
    "v1/messages",
    "v1/messages/count_tokens",
    "v1/chat/completions",
    "model/x/invoke",
    "model/x/converse",
    "v1/messages/batches",
    "x",
)
LENIENT = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") if value is not None else b""


@LENIENT
@given(BODY, st.sampled_from(AGENTS), st.sampled_from(PATHS), st.sampled_from(["main", "auxiliary", "subagent", None]))
def test_any_prompt_is_read_without_loss(body: Any, agent: str | None, path: str, kind: str | None) -> None:
    headers = {"x-claude-code-request-class": kind} if kind else {}
    call = recorded(json.dumps(body).encode(), agent=agent, headers=headers, url=f"https://api.anthropic.com/{path}")
    parsed = read_call(call)
    if path not in {"x", "v1/messages/batches"}:
        assert coverage_errors(call.request_body, parsed) == []
    texts = list(segment_texts(call.request_body, [(s.pointer, s.start, s.end) for s in parsed.segments]))
    assert all(s.text in {found, ""} for s, found in zip(parsed.segments, texts, strict=True))


@LENIENT
@given(st.binary(max_size=200) | ANYTHING.map(encoded) | BODY.map(encoded).map(lambda raw: raw[: len(raw) // 2]))
def test_any_bytes_are_read_without_loss(raw: bytes) -> None:
    call = recorded(raw)
    assert coverage_errors(raw, read_call(call)) == []


@LENIENT
@given(st.lists(st.fixed_dictionaries({"custom_id": WORDS, "params": ANYTHING | BODY}) | ANYTHING, max_size=3), ANYTHING)
def test_every_request_of_a_batch_is_read(requests: list[Any], beside: Any) -> None:
    body = {"requests": requests, "beside": beside}
    call = recorded(body, url="https://api.anthropic.com/v1/messages/batches")
    parsed = read_call(call)
    assert coverage_errors(call.request_body, parsed) == []
    assert parsed.facts.request_class is RequestClass.BATCH or not parsed.segments


def test_a_body_that_is_no_json_is_one_unattributed_segment() -> None:
    parsed = read(b"\xff{not json")
    assert [(s.source.source_type, s.pointer, s.text, s.content_bytes) for s in parsed.segments] == [
        ("Unattributed", "", "\ufffd{not json", 12)
    ]
    assert "could not be read" in parsed.warnings[0]


def test_an_empty_body_has_no_segments() -> None:
    assert read(b"").segments == ()


@pytest.mark.parametrize("depth", [50, 900, 100_000])
def test_deep_nesting_is_survived(depth: int) -> None:
    body = b'{"messages":[{"role":"user","content":' + b"[" * depth + b"]" * depth + b"}]}"
    parsed = read_call(recorded(body))
    assert sum(len(s.text) for s in parsed.segments) >= min(depth, 900)


def test_repeated_keys_are_kept() -> None:
    raw = b'{"messages":[{"role":"user","content":"first","content":"last"}],"model":"a","model":"b"}'
    parsed = read(raw)
    assert {s.pointer: s.text for s in parsed.segments} == {
        "/messages/0/content": "last",
        "/messages/0/content#1": "first",
        "/model#1": "a",
    }
    assert parsed.facts.requested_model == "b"


def test_repeated_top_level_messages_are_kept() -> None:
    raw = b'{"messages":[{"role":"user","content":"one"}],"messages":[{"role":"user","content":"two"}]}'
    assert {s.pointer for s in read(raw).segments} == {"/messages/0/content", "/messages#1"}


def test_numbers_no_float_can_hold_are_survived() -> None:
    digits = "9" * 900
    parsed = read(b'{"messages":[],"odd":[NaN,1e999,-0.0,' + digits.encode() + b"]}")
    assert parsed.segments[0].text == f'[NaN,Infinity,-0.0,"{digits}"]'


def test_unusual_spacing_changes_nothing() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    compact = json.dumps(body, separators=(",", ":")).encode()
    for raw in (json.dumps(body).encode(), json.dumps(body, indent=3).encode(), b"\n " + compact + b" "):
        assert read(raw).segments == read(compact).segments


def test_a_huge_hostile_text_is_cut_in_bounded_time() -> None:
    MEMO.clear()
    words = "<system-reminder>\n" * 20_000 + "\n\n" * 50_000 + "# Environment\n\n" * 30_000
    body = {"messages": [{"role": "system", "content": words}, {"role": "user", "content": words}]}
    parsed = read(body, agent=CLAUDE_CODE.format("2.1.330"))
    assert sum(len(s.text) for s in parsed.segments) == 2 * len(words)


HOSTILE = (
    "# MCP Server Instructions\n\n" + "\n## a\n" * 9_000,
    "The following skills are available:\n\n" + "".join(f"- a{number}: b\n" for number in range(9_000)),
    "The following deferred tools are now available:\n" + "mcp__a__b\nCron\n" * 9_000,
    "Codebase and user instructions are shown below.\n\n" + "Contents of /a (b):\n" * 9_000,
    "Today's date is x\n\nHook hook success: y\n\n" * 9_000,
)


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_listing_makes_a_bounded_number_of_segments(words: str) -> None:
    parsed = read({"messages": [{"role": "system", "content": words}]}, agent=CLAUDE_CODE.format("2.1.330"))
    assert 1 < len(parsed.segments) <= 5_002


def test_the_recursion_limit_is_left_alone() -> None:
    before = sys.getrecursionlimit()
    read_call(recorded(b"[" * 100_000))
    assert sys.getrecursionlimit() == before


def test_what_was_read_before_reads_the_same() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}, {"role": "assistant", "content": "ho"}]}
    MEMO.clear()
    cold = read(body)
    assert read(body) == cold
    assert all(one is other for one, other in zip(read(body).segments, read(body).segments, strict=True))
