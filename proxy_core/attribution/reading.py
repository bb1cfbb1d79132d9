"""The one entrance of the request side: a recorded call in, what it is and every piece of its content out.

Never raises on what a client sent, and never loses content: what cannot be read is one unattributed segment.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from proxy_core.attribution.clients import Client, header_map, identify
from proxy_core.attribution.cuts import UNATTRIBUTED, CutElement, Span, cut_text
from proxy_core.attribution.elements import Cutter
from proxy_core.attribution.linking import Links, billing_fields, chain_hashes, prefix_hash, read_links
from proxy_core.attribution.members import cache_ttl
from proxy_core.attribution.model import CallFacts, Part, Region, RequestClass, Segment, Source
from proxy_core.attribution.parameters import read_parameters
from proxy_core.attribution.placing import Conversation, as_examples, placed, server_names, without_unloaded
from proxy_core.attribution.request_class import CLASS_HEADER, SIDE_CALLS, Glimpse, agent_type_in, classify, glimpse
from proxy_core.attribution.rules.choose import rules_of
from proxy_core.attribution.ruleset import Ruleset, ruleset_for
from proxy_core.attribution.servers import ToolOwners
from proxy_core.attribution.settings import setting_cuts
from proxy_core.dialects import batches
from proxy_core.dialects.base import ParsedCall, PromptParameters, RecordedCall
from proxy_core.dialects.prompts import PromptBody
from proxy_core.dialects.registry import Dialect, dialect_of, prompts_in
from proxy_core.dialects.wire_json import WireJsonError, wire_text

_CUSTOM_AGENT = "custom"
"""What Claude Code calls every sub-agent that a person defined."""
_TITLE_CHARACTERS = 200
_SYSTEM_ROLE = re.compile(rb'"role"\s{0,20}:\s{0,20}"system"')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prompt:
    """One prompt of a request, with what was found out before cutting it."""

    body: PromptBody
    seen: Glimpse
    client: Client
    links: Links
    request_class: RequestClass
    ruleset: Ruleset
    agent_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _CutPrompt:
    tools: tuple[CutElement, ...]
    system: tuple[CutElement, ...]
    messages: tuple[CutElement, ...]


def read_call(recorded: RecordedCall) -> ParsedCall:
    """Read the request of an exchange: what kind of call it is, and every piece of its content with its source.

    Args:
        recorded: The exchange, redacted, content-encodings undone. Its response is not looked at.
    """
    dialect, url = dialect_of(recorded.method, recorded.url)
    headers = header_map(recorded.request_headers)
    try:
        dialect, bodies = prompts_in(dialect, recorded.method, recorded.request_body)
        model = dialect.model_in(url)
        prompts = [_prepare(dialect, headers, body) for body in bodies]
        return _read(dialect, headers, prompts, model) if prompts else _nothing(dialect, headers)
    except (WireJsonError, RecursionError) as error:
        return _unreadable(dialect, headers, recorded.request_body, str(error))


def _prepare(dialect: Dialect, headers: Mapping[str, str], body: PromptBody) -> _Prompt:
    seen = glimpse(body)
    client = identify(headers, seen.system)
    rules = rules_of(client.name)
    links = read_links(headers, body.rest, billing_fields(seen.head))
    kind = classify(dialect.name, headers, links, body, seen, rules)
    stated = links.agent_type if links.agent_type != _CUSTOM_AGENT else None
    return _Prompt(
        body=body,
        seen=seen,
        client=client,
        links=links,
        request_class=kind,
        ruleset=ruleset_for(client.name, client.version_numbers, is_side_call=kind in SIDE_CALLS),
        agent_type=stated or (agent_type_in(seen, rules) if kind is RequestClass.SUBAGENT else None),
    )


def _read(dialect: Dialect, headers: Mapping[str, str], prompts: list[_Prompt], model: str | None) -> ParsedCall:
    segments: list[Segment] = []
    cut: list[_CutPrompt] = []
    for prompt in prompts:
        cut.append(_cut(prompt))
        segments.extend(_automatically_marked(list(_place(prompt, cut[-1])), prompt.body))
    main = next((index for index, prompt in enumerate(prompts) if prompt.body.messages), 0)
    requested = _text(prompts[main].body.rest, "model") or _text(prompts[main].body.rest, "modelId") or model
    facts = _facts(dialect, headers, prompts[main], cut[main], requested)
    is_batch = dialect.name == batches.NAME
    parameters = read_parameters(prompts[main].body.rest, cut[main].tools, requested, is_batch=is_batch)
    return ParsedCall(facts=facts, segments=tuple(segments), parameters=parameters)


def _cut(prompt: _Prompt) -> _CutPrompt:
    body = prompt.body
    cutter = Cutter(prompt.ruleset, can_fold=_can_fold(prompt))
    return _CutPrompt(
        tools=tuple(cutter.tool(element) for element in body.tools),
        system=tuple(cutter.system(element) for element in body.system),
        messages=tuple(cutter.message(element) for element in body.messages),
    )


def _can_fold(prompt: _Prompt) -> bool:
    """Tell whether reminders may end tool results: not where the client has system messages for them."""
    if prompt.ruleset.client.reminder_tag is None:
        return False
    return not any(_SYSTEM_ROLE.search(element.raw) and _is_system(element.value()) for element in prompt.body.messages)


def _is_system(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "system"


def _place(prompt: _Prompt, cut: _CutPrompt) -> Iterator[Segment]:
    conversation = _conversation(prompt, cut)
    loaded = frozenset[str]().union(*(message.loaded for message in cut.messages))
    examples = _example_count(prompt, cut)
    for element, tool in zip(prompt.body.tools, cut.tools, strict=True):
        segments = placed(tool, element.pointer, Region.TOOLS, None, conversation)
        is_waiting = tool.is_deferred and tool.tool_name not in loaded
        yield from without_unloaded(segments) if is_waiting else segments
    for element, block in zip(prompt.body.system, cut.system, strict=True):
        yield from placed(block, element.pointer, Region.SYSTEM, None, conversation)
    for index, (element, message) in enumerate(zip(prompt.body.messages, cut.messages, strict=True)):
        conversation.enter(message)
        segments = placed(message, element.pointer, Region.MESSAGES, index, conversation)
        yield from as_examples(segments) if index < examples else segments
        conversation.leave(message)
    for key, value in prompt.body.rest.items():
        cuts = tuple(setting_cuts(key, value))
        yield from placed(CutElement(cuts), prompt.body.prefix, Region.SETTINGS, None, conversation)


def _automatically_marked(segments: list[Segment], body: PromptBody) -> list[Segment]:
    """Put a cache mark that stands on the whole request where the API puts it: at the end of the conversation."""
    ttl = cache_ttl(dict(body.rest))
    last = next((index for index in range(len(segments) - 1, -1, -1) if segments[index].region is Region.MESSAGES), None)
    if ttl is not None and last is not None and segments[last].cache_ttl is None:
        segments[last] = replace(segments[last], cache_ttl=ttl)
    return segments


def _example_count(prompt: _Prompt, cut: _CutPrompt) -> int:
    """Count the messages that are the client's own examples: all before the one that says they are over."""
    until = prompt.ruleset.client.canned_until
    if until is None:
        return 0
    ends = (
        index for index, message in enumerate(cut.messages) if any(_is_named(piece.source, until) for piece in message.cuts)
    )
    return next(ends, 0)


def _is_named(source: object, name: str) -> bool:
    return isinstance(source, Source) and source.source_name == name


def _conversation(prompt: _Prompt, cut: _CutPrompt) -> Conversation:
    rules = prompt.ruleset.client
    elements = (*cut.tools, *cut.system, *cut.messages)
    printed = frozenset[str]().union(*(element.servers for element in elements))
    names = tuple(tool.tool_name for tool in cut.tools if tool.tool_name)
    bare = ToolOwners(rules, frozenset(), names)
    known = frozenset(server_names(printed | frozenset(name for name in names if name.startswith("mcp__")), bare))
    return Conversation(
        owners=ToolOwners(rules, known, names),
        is_subagent=prompt.request_class is RequestClass.SUBAGENT,
        agent_type=prompt.agent_type,
    )


def _facts(dialect: Dialect, headers: Mapping[str, str], prompt: _Prompt, cut: _CutPrompt, model: str | None) -> CallFacts:
    links = prompt.links
    return CallFacts(
        dialect=dialect.name,
        client_name=prompt.client.name,
        client_version=prompt.client.version,
        model=model,
        requested_model=model,
        request_class=prompt.request_class,
        session_id=links.session_id,
        prompt_id=links.prompt_id,
        agent_id=links.agent_id,
        parent_agent_id=links.parent_agent_id,
        agent_type=prompt.agent_type or links.agent_type,
        chain_hashes=chain_hashes(cut.messages),
        prefix_hash=prefix_hash(cut.tools, cut.system),
        previous_request_id=links.previous_request_id,
        thread_message_id=links.thread_message_id,
        is_streaming=prompt.body.rest.get("stream") is True,
        is_retry=headers.get("x-stainless-retry-count", "0") not in {"", "0"},
        is_distorted=_is_distorted(headers, prompt),
        title=_title(cut),
    )


def _is_distorted(headers: Mapping[str, str], prompt: _Prompt) -> bool:
    """Tell whether the client was given another base URL: it then leaves out headers, and sends every tool's definition."""
    since, version = prompt.ruleset.client.states_class_since, prompt.client.version_numbers
    if since is None or version is None or version < since or CLASS_HEADER in headers:
        return False
    return prompt.request_class not in {RequestClass.COUNT_TOKENS, RequestClass.OTHER}


def _title(cut: _CutPrompt) -> str | None:
    for message in reversed(cut.messages):
        lines = (line.strip() for line in (message.typed or "").splitlines())
        first = next((line for line in lines if line), None)
        if first is not None:
            return first if len(first) <= _TITLE_CHARACTERS else f"{first[: _TITLE_CHARACTERS - 1]}…"
    return None


def _text(holder: Mapping[str, Any], key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) else None


def _nothing(dialect: Dialect, headers: Mapping[str, str]) -> ParsedCall:
    client = identify(headers, ())
    links = read_links(headers, {}, {})
    facts = CallFacts(dialect=dialect.name, client_name=client.name, client_version=client.version, session_id=links.session_id)
    return ParsedCall(facts=facts, segments=(), parameters=PromptParameters(model=None, tool_choice=None))


def _unreadable(dialect: Dialect, headers: Mapping[str, str], body: bytes, why: str) -> ParsedCall:
    empty = _nothing(dialect, headers)
    text = wire_text(body)
    if not text:
        return empty
    cut = cut_text("", text, Span(0, len(text), UNATTRIBUTED, Part.TEXT))
    conversation = Conversation(ToolOwners(rules_of(None), frozenset()))
    segments = placed(CutElement((cut,)), "", Region.MESSAGES, None, conversation)
    warning = f"The request body could not be read as JSON: {why}"
    return ParsedCall(facts=empty.facts, segments=segments, parameters=empty.parameters, warnings=(warning,))
