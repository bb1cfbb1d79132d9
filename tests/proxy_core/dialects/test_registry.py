"""Which wire API a request speaks, and where its prompts are."""

from typing import Any

import pytest

from proxy_core.attribution.model import ContentKind, RequestClass
from proxy_core.dialects.registry import dialect_of
from tests.prompts import holding, owner, owners, read, text, user

VERTEX = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/{}"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/{}"


@pytest.mark.parametrize(
    ("method", "url", "name"),
    [
        ("POST", "https://api.anthropic.com/v1/messages?beta=true", "anthropic-messages"),
        ("post", "https://gateway.test/anthropic/v1/messages/", "anthropic-messages"),
        ("GET", "https://api.anthropic.com/v1/messages", "raw"),
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens?beta=true", "count-tokens"),
        ("POST", VERTEX.format("count-tokens:rawPredict"), "count-tokens"),
        ("POST", "https://api.anthropic.com/v1/messages/batches", "batches"),
        ("GET", "https://api.anthropic.com/v1/messages/batches", "raw"),
        ("POST", BEDROCK.format("claude/invoke"), "bedrock"),
        ("POST", BEDROCK.format("claude/invoke-with-response-stream"), "bedrock"),
        ("POST", BEDROCK.format("claude/converse-stream"), "bedrock-converse"),
        ("POST", VERTEX.format("claude-x@20250101:streamRawPredict"), "vertex"),
        ("POST", "https://api.anthropic.com/v1/chat/completions", "chat-completions"),
        ("GET", "https://api.anthropic.com/v1/models", "raw"),
        ("POST", "https://[broken/v1/messages", "raw"),
    ],
)
def test_dialects(method: str, url: str, name: str) -> None:
    assert dialect_of(method, url)[0].name == name


@pytest.mark.parametrize(
    ("url", "model"),
    [
        (BEDROCK.format("us.anthropic.claude-x-v1%3A0/invoke"), "us.anthropic.claude-x-v1:0"),
        (BEDROCK.format("arn%3Aaws%3Abedrock%3Ax%3A1%3Ainference-profile%2Fclaude-x/invoke"), "claude-x"),
        (VERTEX.format("claude-x@20250101:rawPredict"), "claude-x@20250101"),
        (VERTEX.format("count-tokens:rawPredict"), None),
        ("https://api.anthropic.com/v1/messages/count_tokens", None),
    ],
)
def test_models_in_urls(url: str, model: str | None) -> None:
    assert read({"messages": [user("hi")]}, url=url).facts.requested_model == model


def test_counting_is_no_conversation() -> None:
    parsed = read(
        {"model": "m", "messages": [{"role": "user", "content": "foo"}]},
        url="https://api.anthropic.com/v1/messages/count_tokens",
    )
    assert (parsed.facts.request_class, owners(parsed)) == (RequestClass.COUNT_TOKENS, ["User/None"])


def test_every_request_of_a_batch() -> None:
    body: dict[str, Any] = {
        "requests": [
            {"custom_id": "a", "params": {"model": "m1", "system": "alpha", "messages": [user("beta")]}},
            {"custom_id": {"odd": "gamma"}, "params": {"model": "m2", "messages": [user("delta")]}, "more": "epsilon"},
            "zeta",
        ],
        "later": "eta2",
    }
    parsed = read(body, url="https://api.anthropic.com/v1/messages/batches")
    assert (parsed.facts.request_class, parsed.facts.requested_model, parsed.parameters.is_batch) == (
        RequestClass.BATCH,
        "m1",
        True,
    )
    assert holding(parsed, "alpha").pointer == "/requests/0/params/system"
    assert [owner(parsed, words) for words in ("beta", "delta", "gamma", "zeta")] == [
        "User/None",
        "User/None",
        "Framework/request settings",
        "Unattributed/unknown setting",
    ]


@pytest.mark.parametrize("body", [b"[1]", b'{"requests":7}', b"{}"])
def test_batches_of_other_shapes(body: bytes) -> None:
    parsed = read(body, url="https://api.anthropic.com/v1/messages/batches")
    assert parsed.facts.request_class in {RequestClass.BATCH, RequestClass.OTHER}


def test_converse() -> None:
    body = {
        "system": [{"text": "alpha"}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [{"text": "beta"}, {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "gamma", "signature": "c2ln"}}},
                    {"reasoningContent": {"redactedContent": "eA=="}},
                    {"toolUse": {"toolUseId": "t1", "name": "mcp__docs__find", "input": {"q": "delta"}}},
                    {"cachePoint": {"type": "default"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "t1",
                            "content": [{"text": "epsilon"}, {"json": {"zeta": 1}}],
                            "status": "success",
                        }
                    },
                    {"document": {"name": "plan", "format": "pdf", "source": {"bytes": "JVBERi0="}}},
                    {"document": {"name": "plan", "source": {"s3Location": {"uri": "s3://x"}}}},
                    {"text": {"odd": "theta"}},
                    {"toolResult": {"toolUseId": "t1", "content": "iota"}},
                    {"image": "kappa"},
                ],
            },
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "mcp__docs__find", "description": "eta2"}}], "toolChoice": {"auto": {}}},
        "inferenceConfig": {"maxTokens": 5},
    }
    parsed = read(body, url=BEDROCK.format("claude-x/converse"))
    words = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta2")
    assert [owner(parsed, part) for part in words] == [
        "Framework/system prompt",
        "User/None",
        "Assistant/thinking",
        "McpServer/docs",
        "McpServer/docs",
        "McpServer/docs",
        "McpServer/docs",
    ]
    kinds = [segment.content_kind for segment in parsed.segments]
    assert (kinds.count(ContentKind.IMAGE), kinds.count(ContentKind.DOCUMENT), kinds.count(ContentKind.OPAQUE)) == (1, 2, 2)
    assert parsed.facts.requested_model == "claude-x"


@pytest.mark.parametrize(
    "body", [{"messages": [user("hi")]}, {"messages": [], "toolConfig": {"tools": [{"toolSpec": 1}]}}, {"toolConfig": 1}]
)
def test_converse_without_the_usual(body: Any) -> None:
    assert read(body, url=BEDROCK.format("claude-x/converse")).facts.dialect == "bedrock-converse"


def test_converse_that_is_no_object() -> None:
    assert owners(read(b"[1]", url=BEDROCK.format("claude-x/converse"))) == ["Unattributed/None"]


def test_chat_completions() -> None:
    body = {
        "model": "claude-x",
        "messages": [
            {"role": "developer", "content": "alpha"},
            {
                "role": "user",
                "content": [
                    text("beta"),
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
                    {"type": "image_url", "image_url": "https://x/y.png"},
                    {"type": "image_url", "image_url": 7},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "t1", "type": "function", "function": {"name": "find", "arguments": '{"q":"gamma"}'}},
                    {"odd": "delta"},
                ],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "epsilon"},
            {"role": "tool", "content": "zeta"},
        ],
        "tools": [{"type": "function", "function": {"name": "find", "description": "eta2"}}],
    }
    parsed = read(body, url="https://api.anthropic.com/v1/chat/completions")
    words = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta2")
    assert [owner(parsed, part) for part in words] == [
        "Framework/system message",
        "User/None",
        "Tool/find",
        "Unattributed/None",
        "Tool/find",
        "Unattributed/None",
        "Tool/find",
    ]
    assert [segment.role for segment in parsed.segments][1:3] == ["system", "user"]
