"""A session of a small program over the Python SDK: no framework, tools of its own, some answers not streamed, a batch."""

import random
import uuid
from typing import Any

from proxy_core.standin.scenario import ToolCall, Turn
from proxy_core.standin.sessions.exchanges import MESSAGES_PATH, Exchanges, Message, Outgoing

_MODELS = ("claude-sonnet-4-6", "claude-haiku-5-5", "claude-opus-4-8")
_SYSTEM = (
    "You sort the mail of a small publisher. Each letter gets one of the labels order, return, manuscript, complaint or other, "
    "and a sentence that says why. Look a customer up before you label a complaint. Write to nobody."
)
_TOOL = {
    "name": "find_customer",
    "description": "Find a customer by name or number. Returns the last five orders with dates and amounts.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
}
_LETTERS = (
    ("The atlas arrived with a torn cover and page 80 is missing. I have waited three weeks.", "complaint", True),
    ("Please send two more copies of the field guide to the school, invoice as before.", "order", False),
    ("Enclosed are the first three chapters of a novel about a lighthouse keeper.", "manuscript", False),
    ("I return the calendar unopened; it was ordered twice by mistake.", "return", True),
    ("Who draws the maps in your hiking series? They are a delight.", "other", False),
)


class SdkSession:
    """One run of the program; drive it with `exchanges()`."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a plot
        self._model = _MODELS[seed % len(_MODELS)]
        self._key = f"sk-ant-api03-demo{self._chance.getrandbits(160):040x}"
        self._user_id = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def exchanges(self) -> Exchanges:
        """Yield every request of the run."""
        yield self._count()
        for letter, label, needs_lookup in self._chance.sample(_LETTERS, 3):
            yield from self._sort(letter, label, needs_lookup=needs_lookup)
        yield self._batch()

    def _sort(self, letter: str, label: str, *, needs_lookup: bool) -> Exchanges:
        messages: list[Message] = [{"role": "user", "content": letter}]
        if needs_lookup:
            call = ToolCall(name="find_customer", input={"query": f"customer {self._chance.randint(100, 999)}"})
            reply = yield self._ask(messages, Turn(text="I look the customer up.", tool_calls=(call,)))
            found = [block["id"] for block in reply.get("content", ()) if block["type"] == "tool_use"]
            if found:
                orders = "\n".join(f"2026-{month:02d}-11 order {month * 731} 1 item" for month in range(5, 10))
                result = {"type": "tool_result", "tool_use_id": found[0], "content": orders}
                messages += [{"role": "assistant", "content": reply["content"]}, {"role": "user", "content": [result]}]
        yield self._ask(messages, Turn(text=f"{label}: the letter says so in its first sentence."), streams=False)

    def _ask(self, messages: list[Message], turn: Turn, *, streams: bool = True) -> Outgoing:
        body: dict[str, Any] = {
            "max_tokens": 1024,
            "messages": list(messages),
            "model": self._model,
            "system": _SYSTEM,
            "tools": [_TOOL],
            "metadata": {"user_id": self._user_id},
        }
        if streams:
            body["stream"] = True
        return Outgoing(path=MESSAGES_PATH, headers=self._headers(), body=body, turn=turn)

    def _count(self) -> Outgoing:
        body = {"model": self._model, "system": _SYSTEM, "tools": [_TOOL], "messages": [{"role": "user", "content": "x"}]}
        return Outgoing(path=f"{MESSAGES_PATH}/count_tokens", headers=self._headers(), body=body, turn=None)

    def _batch(self) -> Outgoing:
        requests = [
            {
                "custom_id": f"letter-{number}",
                "params": {
                    "model": self._model,
                    "max_tokens": 64,
                    "system": _SYSTEM,
                    "messages": [{"role": "user", "content": letter}],
                },
            }
            for number, (letter, _, _) in enumerate(_LETTERS)
        ]
        return Outgoing(path=f"{MESSAGES_PATH}/batches", headers=self._headers(), body={"requests": requests}, turn=None)

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("Accept", "application/json"),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("Content-Type", "application/json"),
            ("User-Agent", "Anthropic/Python 2.12.0"),
            ("X-Stainless-Lang", "python"),
            ("X-Stainless-Retry-Count", "0"),
            ("anthropic-version", "2023-06-01"),
            ("Authorization", f"Bearer {self._key}"),
        )
