"""Whole conversations with a planted flaw: real request bodies, billed by the stand-in's caches, read by the real analysis."""

import json
from dataclasses import dataclass, field
from typing import Any

from proxy_core.attribution.analysis import analyse
from proxy_core.attribution.context import MemoryContext
from proxy_core.attribution.prices import PriceBook
from proxy_core.attribution.tokens.service import InlineCounting
from proxy_core.dialects.base import RecordedCall
from proxy_core.standin.billing import Billing, count_roughly
from storage.database import Database
from storage.insights.turns import AnalysedTurn
from tests import factories
from tests.recorder import Recorder

START_US = 1_780_000_000_000_000
MODEL = "claude-opus-4-8"
HEADERS = (
    ("User-Agent", "claude-cli/2.1.330 (external, cli)"),
    ("X-Claude-Code-Session-Id", "planted"),
    ("x-claude-code-request-class", "main"),
)
BILLING = "x-anthropic-billing-header: cc_version=2.1.330.abc; cc_entrypoint=cli;"
IDENTITY = "You are Claude Code, Anthropic's official CLI for Claude."
HARNESS = "# Harness\n" + "Use the tools to help the user with software work, and say what you did. " * 40


def tool(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "description": description, "input_schema": {"type": "object", "properties": {}}}


def reminder(text: str) -> dict[str, Any]:
    return {"type": "text", "text": f"<system-reminder>\n{text}\n</system-reminder>"}


def memory(files: dict[str, str]) -> dict[str, Any]:
    parts = [f"Contents of {path} (project instructions, checked into the codebase):\n\n{text}" for path, text in files.items()]
    return reminder("Codebase and user instructions are shown below. They must be followed.\n\n" + "\n\n".join(parts))


def listing(opening: str, entries: dict[str, str]) -> dict[str, Any]:
    lines = "\n".join(f"- {name}: {description}" for name, description in entries.items())
    return reminder(f"{opening}\n\n{lines}")


@dataclass
class PlantedSession:
    """A session whose every ingredient a test can change between two turns."""

    tools: list[dict[str, Any]] = field(
        default_factory=lambda: [tool("Read", "Reads a file. " * 60), tool("Bash", "Runs. " * 80)]
    )
    files: dict[str, str] = field(default_factory=lambda: {"/work/app/CLAUDE.md": "Write tests first. " * 50})
    skills: dict[str, str] = field(default_factory=dict)
    model: str = MODEL
    settings: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    turns: list[AnalysedTurn] = field(default_factory=list)
    bodies: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    now_s: float = 0.0
    base_number: int = 0

    def __post_init__(self) -> None:
        self.billing = Billing(clock=lambda: self.now_s)
        counting = InlineCounting(lambda _family, text: count_roughly(text, MODEL))
        self.context = MemoryContext(prices=PriceBook(), counting=counting)

    def ask(self, text: str, *, answer: str = "Done.", calls: tuple[str, ...] = (), after_s: float = 5.0) -> AnalysedTurn:
        """Send one more user text and take the answer."""
        return self._send([{"type": "text", "text": text}], answer, calls, after_s)

    def give(self, results: dict[str, str], *, answer: str = "I see.", after_s: float = 5.0) -> AnalysedTurn:
        """Send the results of the calls made last, by tool name."""
        called = [block for block in self.messages[-1]["content"] if block["type"] == "tool_use"]
        blocks = [{"type": "tool_result", "tool_use_id": c["id"], "content": results[c["name"]]} for c in called]
        return self._send(blocks, answer, (), after_s)

    def _send(self, blocks: list[dict[str, Any]], answer: str, calls: tuple[str, ...], after_s: float) -> AnalysedTurn:
        self.now_s += after_s
        self.messages.append({"role": "user", "content": blocks})
        body = self._body()
        bill = self.billing.bill(body)
        said = [{"type": "text", "text": answer}]
        said += [
            {"type": "tool_use", "id": f"toolu_{len(self.turns)}_{i}", "name": n, "input": {}} for i, n in enumerate(calls)
        ]
        usage = bill.usage() | {"output_tokens": count_roughly(answer, self.model)}
        self.messages.append({"role": "assistant", "content": said})
        response = {"id": f"msg_{len(self.turns)}", "type": "message", "role": "assistant", "model": self.model}
        response |= {"content": said, "stop_reason": "tool_use" if calls else "end_turn", "usage": usage}
        return self._turn(body, response, calls)

    def _body(self) -> dict[str, Any]:
        context = [memory(self.files)]
        if self.skills:
            context.append(listing("The following skills are available for use with the Skill tool:", self.skills))
        first = {**self.messages[0], "content": [*context, *self.messages[0]["content"]]}
        messages = json.loads(json.dumps([first, *self.messages[1:]]))
        messages[-1]["content"][-1]["cache_control"] = {"type": "ephemeral"}
        system = [{"type": "text", "text": text} for text in (BILLING, IDENTITY, HARNESS)]
        system[-1]["cache_control"] = {"type": "ephemeral"}  # type: ignore[assignment]
        return {
            "model": self.model,
            "max_tokens": 1000,
            "system": system,
            "tools": self.tools,
            "messages": messages,
        } | self.settings

    def _turn(self, body: dict[str, Any], response: dict[str, Any], calls: tuple[str, ...]) -> AnalysedTurn:
        number = self.base_number + len(self.turns) + 1
        recorded = RecordedCall(
            method="POST",
            url="https://api.anthropic.com/v1/messages?beta=true",
            request_headers=HEADERS,
            request_body=json.dumps(body).encode(),
            status_code=200,
            response_headers=(("content-type", "application/json"),),
            response_body=json.dumps(response).encode(),
        )
        self.bodies.append((body, response))
        attribution = analyse(recorded, self.context)
        assert attribution.ledger is not None
        assert attribution.ledger.is_settled
        at_us = START_US + round(self.now_s * 1e6)
        turn = AnalysedTurn(
            id=number,
            exchange_id=factories.exchange_id(number),
            started_us=at_us,
            ended_us=at_us,
            previous_id=number - 1 if self.turns else None,
            attribution=attribution,
            called_tools=frozenset(calls),
        )
        self.turns.append(turn)
        return turn


def record(session: PlantedSession, database: Database) -> None:
    """Store a session as if it had been captured and analysed."""
    recorder = Recorder(database)
    for turn, (body, response) in zip(session.turns, session.bodies, strict=True):
        recorder.record(
            turn.attribution,
            exchange_id=turn.exchange_id,
            request=factories.captured_request((*HEADERS, ("content-type", "application/json"))),
            request_body=factories.body_of(body),
            response_body=factories.body_of(response),
            timing=factories.timing(turn.started_us),
        )
