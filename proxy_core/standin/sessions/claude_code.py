"""A session of a coding agent as requests: what it puts into each one, in which order, and with which headers.

The structure follows the client's current versions, in both of its dialects. The texts are the demonstration's own.
"""

import copy
import json
import random
import uuid
from collections.abc import Generator
from typing import Any

from proxy_core.standin.scenario import ToolCall, Turn
from proxy_core.standin.sessions import texts
from proxy_core.standin.sessions.context import Opening, first_message, later_listings, opening_listings
from proxy_core.standin.sessions.exchanges import MESSAGES_PATH, Exchanges, Message, Outgoing, Reply
from proxy_core.standin.sessions.story import Ask, Call, Delegation, Round, Story
from proxy_core.standin.sessions.tools import BUILT_IN, MCP_SERVERS, ToolDefinition

VERSION = "2.1.330"
_HAIKU = "claude-haiku-5-5"


class ClaudeCodeSession:
    """One session; drive it with `exchanges()`."""

    def __init__(self, story: Story, seed: int) -> None:
        self._story = story
        self._chance = random.Random(seed)  # noqa: S311 - ids of a story
        self._session_id = self._uuid()
        self._prompt_id = self._uuid()
        self._key = f"sk-ant-api03-demo{self._chance.getrandbits(160):040x}"
        self._device = f"{self._chance.getrandbits(256):064x}"
        self._messages: list[Message] = []
        self._loaded: list[ToolDefinition] = []
        self._previous: Reply = {}
        self._prompts = 0
        self._is_modern = "-5" in story.model

    def exchanges(self) -> Exchanges:
        """Yield every request of the session; send in what came back."""
        yield self._title_call()
        for index, ask in enumerate(self._story.asks):
            if index == self._story.compacted_after:
                yield from self._compact()
            yield from self._ask(ask)
            if index == 0:
                yield self._count_memory()

    def _ask(self, ask: Ask) -> Exchanges:
        self._prompt_id = self._uuid()
        self._add_prompt(ask.prompt)
        failing = ask.failing_status
        for number, round_ in enumerate(ask.rounds):
            if self._story.is_deferred and not self._loaded and _uses_mcp(round_):
                yield from self._load_tools(failing)
                failing = None
            turn = _turn(round_)
            reply = yield self._main(turn, failing, number)
            failing = None
            yield from self._run_calls(round_, reply)
        reply = yield self._main(Turn(text=ask.answer), failing, len(ask.rounds))
        self._add_reply(reply)

    def _add_prompt(self, prompt: str) -> None:
        self._prompts += 1
        if self._messages:
            self._messages.append({"role": "user", "content": prompt})
            hook = "UserPromptSubmit hook success: The branch is ahead of main by two commits."
            self._add_context([hook])
            return
        opening = Opening(story=self._story, is_modern=self._is_modern)
        self._messages.append(first_message(opening, prompt))
        if self._is_modern:
            self._messages.append({"role": "system", "content": "\n\n".join(opening_listings(opening))})

    def _add_context(self, pieces: list[str]) -> None:
        """Add what the framework injects after a prompt or tool results, in the dialect of the model."""
        if self._is_modern:
            self._messages.append({"role": "system", "content": "\n\n".join(pieces)})
            return
        last = self._messages[-1]
        if isinstance(last["content"], str):
            last["content"] = [{"type": "text", "text": last["content"]}]
        last["content"] = [{"type": "text", "text": texts.reminder(piece)} for piece in pieces] + last["content"]

    def _add_reply(self, reply: Reply) -> None:
        if content := reply.get("content"):
            self._messages.append({"role": "assistant", "content": content})
            self._previous = reply

    def _run_calls(self, round_: Round, reply: Reply) -> Exchanges:
        self._add_reply(reply)
        ids = [block["id"] for block in reply.get("content", ()) if block["type"] == "tool_use"]
        results: list[dict[str, Any]] = []
        injected: list[dict[str, Any]] = []
        for call, tool_use_id in zip(round_.calls, ids, strict=False):
            text = call.result
            if call.delegation is not None:
                text = yield from self._delegate(call.delegation)
            results.append(_tool_result(call, tool_use_id, text))
            if call.name == "Skill":
                skill = texts.SKILLS[call.input["skill"]]
                body = f"Base directory for this skill: /home/dev/.claude/skills/{skill.name}\n\n{skill.body}"
                injected.append({"type": "text", "text": body})
        if results:
            self._messages.append({"role": "user", "content": results + injected})
            if any(call.name == "Bash" for call in round_.calls):
                self._add_tool_hook()

    def _add_tool_hook(self) -> None:
        text = "PostToolUse:Bash hook additional context: Tests ran in the sandbox; the database was rolled back."
        if self._is_modern:
            self._add_context([text])
        else:
            result = self._messages[-1]["content"][-1]
            result["content"] = f"{result['content']}\n\n{texts.reminder(text)}"

    def _load_tools(self, failing: int | None) -> Exchanges:
        wanted = [tool for name in self._story.servers for tool in MCP_SERVERS[name].definitions()]
        names = [tool["name"] for tool in wanted]
        call = ToolCall(name="ToolSearch", input={"query": f"select:{','.join(names)}", "max_results": len(names)})
        reply = yield self._main(Turn(text="I load the tools for that.", tool_calls=(call,)), failing, 0)
        self._add_reply(reply)
        found = [{"type": "tool_reference", "tool_name": name} for name in names]
        for block in reply.get("content", ()):
            if block["type"] == "tool_use":
                result = {"type": "tool_result", "tool_use_id": block["id"], "content": found}
                self._messages.append({"role": "user", "content": [result, {"type": "text", "text": "Tool loaded."}]})
                self._loaded = [{**tool, "defer_loading": True} for tool in wanted]
                self._add_context(later_listings(self._story))

    def _delegate(self, work: Delegation) -> Generator[Outgoing, Reply, str]:
        agent_id = f"a{self._chance.getrandbits(64):016x}"
        opening = Opening(story=self._story, is_modern=self._is_modern)
        messages: list[Message] = [first_message(opening, work.task)]
        tools = [tool for tool in BUILT_IN if tool["name"] in {"Read", "Grep", "Glob"}]
        turns = [*(_turn(round_) for round_ in work.rounds), Turn(text=work.report)]
        for number, turn in enumerate(turns):
            reply = yield self._agent_request(work, agent_id, messages, tools, turn)
            content = reply.get("content") or []
            messages.append({"role": "assistant", "content": content})
            ids = [block["id"] for block in content if block["type"] == "tool_use"]
            if number < len(work.rounds) and ids:
                calls = work.rounds[number].calls
                results = [_tool_result(call, name, call.result) for call, name in zip(calls, ids, strict=False)]
                messages.append({"role": "user", "content": results})
        return f"[Subagent hand-back]\n{work.report}\nagentId: {agent_id}"

    def _agent_request(
        self, work: Delegation, agent_id: str, messages: list[Message], tools: list[ToolDefinition], turn: Turn
    ) -> Outgoing:
        system: list[dict[str, Any]] = [
            {"type": "text", "text": self._billing_line("cc_is_subagent=true")},
            {"type": "text", "text": texts.IDENTITY},
            {"type": "text", "text": texts.REVIEWER_PROMPT, "cache_control": {"type": "ephemeral"}},
        ]
        body = self._body(self._story.model, messages, system, tools, max_tokens=32_000)
        extra = (("x-claude-code-agent-id", agent_id), ("x-claude-code-agent-type", work.agent_type))
        return Outgoing(path=_MESSAGES, headers=self._headers("subagent", extra), body=body, turn=turn)

    def _main(self, turn: Turn, failing: int | None, number: int) -> Outgoing:
        body = self._body(self._story.model, self._messages, self._system(number), self._tools())
        return Outgoing(path=_MESSAGES, headers=self._headers("main"), body=body, turn=turn, failing_status=failing)

    def _compact(self) -> Exchanges:
        messages = [*self._messages, {"role": "user", "content": texts.SUMMARY_REQUEST}]
        text = f"<analysis>The work so far is clear.</analysis>\n<summary>{self._story.summary}</summary>"
        body = self._body(self._story.model, messages, self._system(0), self._tools())
        yield Outgoing(path=_MESSAGES, headers=self._headers("compaction"), body=body, turn=Turn(text=text))
        self._messages = [{"role": "user", "content": texts.CONTINUED.format(summary=self._story.summary)}]
        self._messages.append({"role": "assistant", "content": [{"type": "text", "text": "I go on from there."}]})

    def _title_call(self) -> Outgoing:
        schema = {
            "type": "object",
            "properties": {"title": {"type": "string"}},
            "required": ["title"],
            "additionalProperties": False,
        }
        body = {
            "model": _HAIKU,
            "max_tokens": 512,
            "system": [
                {"type": "text", "text": self._billing_line("")},
                {"type": "text", "text": texts.IDENTITY},
                {"type": "text", "text": "Give the session a title of three to seven words."},
            ],
            "messages": [{"role": "user", "content": f"<session>\n{self._story.asks[0].prompt}\n</session>"}],
            "output_config": {"format": {"type": "json_schema", "schema": schema}},
            "metadata": self._metadata(),
            "stream": True,
        }
        turn = Turn(text=json.dumps({"title": self._story.title}))
        return Outgoing(path=_MESSAGES, headers=self._headers("auxiliary"), body=body, turn=turn)

    def _count_memory(self) -> Outgoing:
        path, content = list(self._story.memory.items())[-1]
        body = {"model": self._story.model, "messages": [{"role": "user", "content": f"{path}\n{content}"}]}
        return Outgoing(path="/v1/messages/count_tokens?beta=true", headers=self._headers("auxiliary"), body=body, turn=None)

    def _body(
        self,
        model: str,
        messages: list[Message],
        system: list[dict[str, Any]],
        tools: list[ToolDefinition],
        max_tokens: int = 64_000,
    ) -> dict[str, Any]:
        return {
            "model": model,
            "messages": _with_cache_mark(messages),
            "system": system,
            "tools": tools,
            "metadata": self._metadata(),
            "max_tokens": max_tokens,
            "thinking": {"type": "adaptive", "display": "omitted"},
            "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            "output_config": {"effort": "medium"},
            "diagnostics": {"previous_message_id": self._previous.get("id")},
            "stream": True,
        }

    def _system(self, number: int) -> list[dict[str, Any]]:
        origin = (
            f"cc_prompt_id={self._prompt_id}; cc_turn_origin=human; cc_prompt_index={self._prompts - 1}; cc_turn_index={number}"
        )
        return [
            {"type": "text", "text": self._billing_line(origin)},
            {"type": "text", "text": texts.IDENTITY},
            {"type": "text", "text": texts.HARNESS, "cache_control": {"type": "ephemeral", "scope": "global"}},
            {"type": "text", "text": texts.MEMORY_SECTION, "cache_control": {"type": "ephemeral"}},
        ]

    def _tools(self) -> list[ToolDefinition]:
        if self._story.is_deferred:
            return [*BUILT_IN, *self._loaded]
        return [*BUILT_IN, *(tool for name in self._story.servers for tool in MCP_SERVERS[name].definitions())]

    def _billing_line(self, extra: str) -> str:
        version = f"{VERSION}.{self._chance.getrandbits(12):03x}"
        return f"x-anthropic-billing-header: cc_version={version}; cc_entrypoint=cli;{f' {extra};' if extra else ''}"

    def _metadata(self) -> dict[str, str]:
        user = {"device_id": self._device, "account_uuid": "", "session_id": self._session_id}
        return {"user_id": json.dumps(user, separators=(",", ":"))}

    def _headers(self, request_class: str, extra: tuple[tuple[str, str], ...] = ()) -> tuple[tuple[str, str], ...]:
        return (
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("User-Agent", f"claude-cli/{VERSION} (external, cli)"),
            ("X-Claude-Code-Session-Id", self._session_id),
            ("X-Stainless-Lang", "js"),
            ("X-Stainless-Retry-Count", "0"),
            ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27"),
            ("anthropic-version", "2023-06-01"),
            ("x-api-key", self._key),
            ("x-app", "cli"),
            *extra,
            ("x-claude-code-prompt-id", self._prompt_id),
            ("x-claude-code-request-class", request_class),
            ("x-client-request-id", self._uuid()),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
        )

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))


_MESSAGES = f"{MESSAGES_PATH}?beta=true"


def _turn(round_: Round) -> Turn:
    calls = tuple(ToolCall(name=call.name, input=call.input) for call in round_.calls)
    return Turn(thinking=round_.thinking, text=round_.text, tool_calls=calls)


def _uses_mcp(round_: Round) -> bool:
    return any(call.name.startswith("mcp__") for call in round_.calls)


def _tool_result(call: Call, tool_use_id: str, text: str) -> dict[str, Any]:
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_use_id, "content": text}
    if call.is_error:
        result["is_error"] = True
    return result


def _with_cache_mark(messages: list[Message]) -> list[Message]:
    """Return a copy whose last block of the last message carries the cache mark."""
    marked = copy.deepcopy(messages)
    last = marked[-1]
    if isinstance(last["content"], str):
        last["content"] = [{"type": "text", "text": last["content"]}]
    last["content"][-1]["cache_control"] = {"type": "ephemeral"}
    return marked
