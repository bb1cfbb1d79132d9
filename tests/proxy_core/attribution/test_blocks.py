"""Content blocks: what is content, of what kind, and whose. A test walks every block type the SDK knows."""

import importlib
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_core.attribution.blocks import _READERS, block_cuts
from proxy_core.attribution.model import ContentKind, ImageFacts, Part, Segment
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.ruleset import ruleset_for
from tests.prompts import assistant, holding, owner, owners, read, result, text, use, user

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LONG = "QUJD" * 400


def segments(*blocks: Any, role: str = "user") -> list[Segment]:
    return list(read({"messages": [{"role": role, "content": list(blocks)}]}).segments)


def test_images() -> None:
    embedded, linked, filed, odd = segments(
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "f"}},
        {"type": "image", "source": 7},
    )
    assert (embedded.image, embedded.text, embedded.content_bytes) == (ImageFacts(width_px=1, height_px=1), "", len(PIXEL))
    assert [segment.content_kind for segment in (embedded, linked, filed, odd)] == [ContentKind.IMAGE] * 4
    assert linked.image == ImageFacts(width_px=None, height_px=None)


def test_side_notes_are_not_rendered() -> None:
    found = segments({"type": "image", "source": 7, "transformations": {"a": 1}}, text("x", citations=[{"cited_text": "y"}]))
    assert [segment.content_kind for segment in found] == [
        ContentKind.IMAGE,
        ContentKind.NOT_RENDERED,
        ContentKind.TEXT,
        ContentKind.NOT_RENDERED,
    ]


def test_documents() -> None:
    found = segments(
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "Plan",
            "context": "why",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "alpha"}},
        {"type": "document", "source": {"type": "content", "content": "beta"}},
        {
            "type": "document",
            "source": {"type": "content", "content": [text("gamma"), {"type": "image", "source": {"data": PIXEL}}]},
        },
        {"type": "document", "source": {"type": "url", "url": "https://x"}},
        {"type": "document", "source": "odd"},
        {"type": "document"},
    )
    named = [(segment.source.source_name, segment.content_kind, segment.text) for segment in found]
    assert named == [
        ("Plan", ContentKind.DOCUMENT, ""),
        ("Plan", ContentKind.TEXT, "Plan"),
        ("Plan", ContentKind.TEXT, "why"),
        (None, ContentKind.TEXT, "alpha"),
        (None, ContentKind.TEXT, "beta"),
        (None, ContentKind.TEXT, "gamma"),
        (None, ContentKind.IMAGE, ""),
        (None, ContentKind.DOCUMENT, '{"type":"url","url":"https://x"}'),
        (None, ContentKind.JSON, "odd"),
    ]
    assert {segment.source.source_type for segment in found} == {"File"}


def test_search_results_uploads_and_browsers() -> None:
    found = segments(
        {
            "type": "search_result",
            "source": "https://x",
            "title": "T",
            "content": [text("alpha")],
            "citations": {"enabled": True},
        },
        {"type": "search_result", "content": "odd"},
        {"type": "container_upload", "file_id": "file_1"},
        {"type": "browser_state", "tabs": [1]},
    )
    assert [f"{segment.source.source_type}/{segment.source.source_name}" for segment in found] == [
        "File/https://x",
        "File/https://x",
        "File/https://x",
        "File/https://x",
        "Unattributed/unknown member",
        "File/file_1",
        "Tool/browser",
    ]


def test_thinking_is_apart_and_its_signature_opaque() -> None:
    found = segments(
        {"type": "thinking", "thinking": "alpha", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eA=="},
        role="assistant",
    )
    assert [(segment.part, segment.content_kind, segment.text) for segment in found] == [
        (Part.THINKING, ContentKind.THINKING, "alpha"),
        (Part.THINKING, ContentKind.OPAQUE, ""),
        (Part.THINKING, ContentKind.OPAQUE, ""),
    ]
    assert found[1].content_bytes == 4


def test_tools_that_the_api_runs() -> None:
    blocks = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "alpha"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "s1",
            "content": [{"type": "web_search_result", "url": "u", "encrypted_content": "x"}],
        },
        {
            "type": "web_fetch_tool_result",
            "tool_use_id": "s2",
            "content": {
                "type": "web_fetch_result",
                "url": "https://x",
                "retrieved_at": "t",
                "content": {"type": "document", "source": {"type": "text", "data": "beta"}},
            },
        },
        {"type": "web_fetch_tool_result", "tool_use_id": "s2", "content": {"url": 7, "content": {"type": "document"}}},
        {
            "type": "tool_search_tool_result",
            "tool_use_id": "s3",
            "content": {"tool_references": [{"tool_name": "mcp__docs__find"}, 7]},
        },
        {"type": "advisor_tool_result", "tool_use_id": "s4"},
        {"type": "mcp_tool_use", "id": "m1", "name": "find", "server_name": "docs", "input": {"q": "gamma"}},
        {"type": "mcp_tool_result", "tool_use_id": "m1", "content": [text("delta")], "is_error": False},
    ]
    tools = [{"name": "mcp__docs__find", "defer_loading": True}]
    parsed = read({"tools": tools, "messages": [{"role": "assistant", "content": blocks}]})
    assert [owner(parsed, words) for words in ("alpha", "beta", "https://x", "gamma", "delta")] == [
        "Tool/web_search",
        "Tool/web_fetch",
        "Tool/web_fetch",
        "McpServer/docs",
        "McpServer/docs",
    ]
    hidden = [segment for segment in parsed.segments if segment.content_kind is ContentKind.OPAQUE]
    assert [(segment.pointer, f"{segment.source.source_name}") for segment in hidden] == [
        ("/messages/0/content/1/content/0/encrypted_content", "web_search")
    ]
    assert parsed.segments[0].content_kind is ContentKind.TOOL_DEFINITION


def test_tools_that_come_and_go() -> None:
    blocks = [
        {
            "type": "tool_addition",
            "tool": {"type": "tool_definition", "definition": {"name": "mcp__docs__find", "description": "alpha"}},
        },
        {"type": "tool_removal", "tool": {"type": "mcp_toolset_reference", "server_name": "weather"}},
        {"type": "tool_removal", "tool": 7},
        {"type": "mcp_tool_listing", "mcp_server_name": "docs", "tools": [{"name": "find", "description": "beta"}]},
        {"type": "compaction", "content": "gamma", "encrypted_content": "eA==", "tool_changes": []},
        {"type": "fallback", "from": {"model": "delta"}, "to": {"model": "x"}},
    ]
    parsed = read({"messages": [{"role": "system", "content": blocks}]})
    assert [owner(parsed, words) for words in ("alpha", "weather", "beta", "gamma", "delta")] == [
        "McpServer/docs",
        "McpServer/weather",
        "McpServer/docs",
        "Summary/None",
        "Framework/fallback",
    ]


def test_what_nobody_knows_is_shown() -> None:
    found = segments(
        {"type": "hologram", "x": "alpha"}, {"x": "beta"}, 7, "gamma", None, text("delta", more="epsilon"), {"type": ["odd"]}
    )
    assert [f"{segment.source.source_type}/{segment.source.source_name}" for segment in found] == [
        "Unattributed/unknown:hologram",
        "Unattributed/unknown block",
        "Unattributed/None",
        "User/None",
        "Unattributed/None",
        "User/None",
        "Unattributed/unknown member",
        "Unattributed/unknown block",
    ]


def test_payloads_are_never_copied() -> None:
    found = segments({"type": "hologram", "data": LONG, "list": [LONG, "words"], "none": None, "words": "alpha " * 300})
    assert [(segment.pointer.rpartition("/")[2], segment.content_kind, bool(segment.text)) for segment in found] == [
        ("type", ContentKind.JSON, True),
        ("data", ContentKind.OPAQUE, False),
        ("0", ContentKind.OPAQUE, False),
        ("1", ContentKind.JSON, True),
        ("none", ContentKind.JSON, True),
        ("words", ContentKind.JSON, True),
    ]


def test_a_short_member_named_signature_is_text() -> None:
    found = segments(use("sign", signature="alpha"), role="assistant")
    assert found[1].text == '{"signature":"alpha"}'


def test_wrong_types_lose_nothing() -> None:
    odd = {"odd": ["alpha" * 100]}
    segments(
        {"type": "text", "text": odd},
        {"type": "tool_result", "tool_use_id": odd, "content": odd, "is_error": odd},
        {"type": "thinking"},
        {"type": "text", "text": "x", "cache_control": odd},
        {"type": "tool_use", "id": "x" * 400, "name": 7, "input": "beta"},
        {"type": "tool_use", "name": "Skill", "input": {"skill": " "}},
        {"type": "image", "source": {"data": "x", "media_type": odd}},
    )


@pytest.mark.parametrize(
    ("mark", "ttl"), [({"type": "ephemeral"}, "5m"), ({"type": "ephemeral", "ttl": "1h"}, "1h"), (7, None)]
)
def test_cache_marks_stand_at_the_end_of_their_block(mark: Any, ttl: str | None) -> None:
    parsed = read(
        {
            "tools": [{"name": "a", "cache_control": mark}],
            "system": [
                {"type": "text", "text": "s", "cache_control": mark},
                {"type": "text", "text": "", "cache_control": mark},
            ],
            "messages": [
                user(
                    text("q", cache_control=mark),
                    {"type": "tool_result", "tool_use_id": "t", "content": "", "cache_control": mark},
                )
            ],
        }
    )
    assert [segment.cache_ttl for segment in parsed.segments if segment.content_bytes or segment.cache_ttl][:2] == [ttl, ttl]
    assert sum(segment.cache_ttl == ttl for segment in parsed.segments) >= 3


def test_a_mark_on_the_whole_request_stands_at_the_end_of_the_conversation() -> None:
    body: dict[str, Any] = {"cache_control": {"type": "ephemeral"}, "messages": [user("a"), user("b")], "metadata": {"x": 1}}
    marks = {segment.text: segment.cache_ttl for segment in read(body).segments}
    assert (marks["a"], marks["b"]) == (None, "5m")
    body["messages"][1]["content"][0]["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
    assert {segment.text: segment.cache_ttl for segment in read(body).segments}["b"] == "1h"


def test_results_by_id_whatever_their_order() -> None:
    messages = [assistant(use("a", "t1"), use("b", "t2")), user(result("alpha", "t2"), result([text("beta")], "t1"))]
    parsed = read({"messages": messages})
    assert (owner(parsed, "alpha"), owner(parsed, "beta")) == ("Tool/b", "Tool/a")
    assert holding(parsed, "alpha").message_index == 1


def test_an_image_in_a_result_is_the_tools() -> None:
    messages = [
        assistant(use("shot")),
        user(result([{"type": "image", "source": {"data": PIXEL}}, {"type": "document", "title": "T", "source": 1}])),
    ]
    assert owners(read({"messages": messages}))[2:] == ["Tool/shot"] * 3


def test_content_of_any_type_is_shown() -> None:
    parsed = read(
        {"messages": [{"role": "user", "content": 7}, {"role": "user", "content": {"type": "text", "text": "alpha"}}]}
    )
    assert owners(parsed) == ["Unattributed/None", "User/None"]


def test_typeless_blocks_without_content() -> None:
    assert segments({"text": None}, {"image": {"format": "png"}}, {"reasoningContent": {}}) == []


@pytest.mark.parametrize("agent", ["claude-cli/2.1.330", None])
def test_a_huge_tool_name_is_nobodys_server(agent: str | None) -> None:
    name = "mcp__" + "a__" * 200
    assert owners(read({"tools": [{"name": name}], "messages": []}, agent=agent)) == [f"Tool/{name}"]


def test_calls_without_a_subject_are_the_tools_own() -> None:
    messages = [
        user("q"),
        assistant(use("Skill", "t1"), use("SlashCommand", "t2", command="/hi there"), use("Agent", "t3"), use("mcp__", "t4")),
    ]
    assert owners(read({"messages": messages}, agent="claude-cli/1.0.128"))[1::2] == [
        "Tool/Skill",
        "Command/hi",
        "Agent/None",
        "McpServer/",
    ]


SIMPLE = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUE = st.recursive(
    SIMPLE, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=4
)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_every_known_block_survives_any_members(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(_READERS)))
    names = [
        "text",
        "source",
        "content",
        "title",
        "input",
        "name",
        "id",
        "tool",
        "tools",
        "image_url",
        "thinking",
        "data",
        "tool_name",
        "from",
    ]
    nested = st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "document", "base64"])}, optional={"text": VALUE, "content": VALUE, "data": VALUE}
    )
    block = {
        "type": kind,
        **data.draw(st.dictionaries(st.sampled_from(names), VALUE | nested | st.lists(nested, max_size=2), max_size=4)),
    }
    read({"messages": [{"role": data.draw(st.sampled_from(["user", "assistant"])), "content": [block]}]})


def discriminators(member: Any) -> list[str]:
    if get_args(member):
        return [kind for inner in get_args(member) for kind in discriminators(inner)]
    if hasattr(member, "model_fields"):
        return list(get_args(member.model_fields["type"].annotation))
    return list(get_args(get_type_hints(member)["type"])) if isinstance(member, type) else []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("anthropic.types.beta.beta_content_block_param", "BetaContentBlockParam"),
        ("anthropic.types.content_block_param", "ContentBlockParam"),
    ],
)
def test_every_block_type_of_the_sdk_is_known(module: str, name: str) -> None:
    pytest.importorskip("anthropic")
    members = get_args(getattr(importlib.import_module(module), name))
    kinds = {kind for member in members for kind in discriminators(member)}
    context = ElementContext(ruleset_for(None, None, is_side_call=False), role="user")
    sources = {kind: [str(cut.source) for cut in block_cuts({"type": kind, "text": "x"}, "", context)] for kind in kinds}
    assert len(kinds) > 12
    assert [kind for kind, found in sources.items() if any("unknown:" in source for source in found)] == []
