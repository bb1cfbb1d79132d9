"""The Claude API, as far as clients use it: messages, token counts, batches, models, and errors in the API's own words."""

import asyncio
import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy_core.standin.batches import BatchShelf
from proxy_core.standin.billing import Billing
from proxy_core.standin.encodings import chosen_encoding, encode_reply
from proxy_core.standin.events import Answer, Pace, content_blocks, event_stream
from proxy_core.standin.faults import FAULT_HEADER, Fault, FaultKind, FaultPlan, error_reply, parse_fault, spoil
from proxy_core.standin.scenario import Scenario, Turn, echo
from proxy_core.standin.wire import RawHeaders, ReceivedRequest, Reply, RequestHead

MODELS = (
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "claude-fable-5-2",
    "claude-opus-4-8",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
)
_JSON: RawHeaders = ((b"content-type", b"application/json"),)
_STREAM: RawHeaders = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How the stand-in behaves."""

    scenario: Scenario = echo
    pace: Pace = field(default_factory=Pace)
    content_encoding: str | None = None
    """`gzip`, `br`, `zstd`, `deflate`, or `auto` for the best that the client accepts."""
    max_body_bytes: int = 32_000_000
    """Longer requests are refused with 413."""
    needs_key: bool = True
    """Refuse requests without a key with 401."""
    trailers: RawHeaders = ()
    """Sent after streams."""


class RejectedError(Exception):
    """The request is answered with an error."""

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(message or str(status))
        self.status = status
        self.message = message


class MessagesApi:
    """Answers requests as the API would."""

    def __init__(self, settings: ApiSettings | None = None, billing: Billing | None = None) -> None:
        self.settings = settings or ApiSettings()
        self.billing = billing or Billing()
        self.faults = FaultPlan()
        self._batches = BatchShelf()
        self._numbers = itertools.count(1)

    def refuse(self, head: RequestHead) -> Reply | None:
        """Answer 413 before a body that says it is too long."""
        length = head.header("content-length")
        if length is None or not length.isdigit() or int(length) <= self.settings.max_body_bytes:
            return None
        request_id = self._request_id(head)
        refusal = error_reply(413, _standard_headers(request_id), request_id)
        return Reply(status=413, headers=refusal.headers, parts=refusal.parts, is_closing=True)

    async def respond(self, request: ReceivedRequest) -> Reply:
        """Answer a request, with the fault that was asked for."""
        request_id = self._request_id(request.head)
        headers = _standard_headers(request_id)
        try:
            fault = self._fault(request.head)
            if fault is not None and fault.kind is FaultKind.STATUS:
                raise RejectedError(int(fault.amount))  # noqa: TRY301 - every refusal leaves by the same door
            reply = await self._route(request, headers)
        except RejectedError as rejected:
            return error_reply(rejected.status, headers, request_id, rejected.message)
        if fault is not None:
            reply = spoil(reply, fault)
        return encode_reply(reply, chosen_encoding(self.settings.content_encoding, request.head))

    def _fault(self, head: RequestHead) -> Fault | None:
        if (text := head.header(FAULT_HEADER)) is not None:
            try:
                return parse_fault(text)
            except ValueError as unknown:
                raise RejectedError(400, f"{FAULT_HEADER}: {unknown}") from unknown
        return self.faults.take() if head.path == "/v1/messages" else None

    async def _route(self, request: ReceivedRequest, headers: RawHeaders) -> Reply:
        head = request.head
        if head.path.startswith("/v1/") and self.settings.needs_key and not _has_key(head):
            raise RejectedError(401, "x-api-key header is required")
        match head.method, head.path:
            case "POST", "/v1/messages":
                return await self._messages(request, headers)
            case "POST", "/v1/messages/count_tokens":
                return await self._count_tokens(request, headers)
            case "GET", path if path.startswith("/v1/models"):
                return _json_reply(_models(path), headers)
            case method, path if path.startswith("/v1/messages/batches"):
                return self._batch(method, path, request, headers)
            case "POST", path if path.startswith("/api/event_logging/"):
                return _json_reply({}, headers)
        raise RejectedError(404)

    async def _messages(self, request: ReceivedRequest, headers: RawHeaders) -> Reply:
        asked = _checked(request)
        answer = await asyncio.to_thread(self._answer, asked, next(self._numbers))
        if asked.get("stream"):
            parts = event_stream(answer, self.settings.pace)
            return Reply(headers=headers + _STREAM, parts=parts, has_length=False, trailers=self.settings.trailers)
        return _json_reply(answer.message(), headers)

    async def _count_tokens(self, request: ReceivedRequest, headers: RawHeaders) -> Reply:
        tokens = await asyncio.to_thread(self.billing.count_prompt, _checked(request, needs_limit=False))
        return _json_reply({"input_tokens": tokens}, headers)

    def _batch(self, method: str, path: str, request: ReceivedRequest, headers: RawHeaders) -> Reply:
        def answer(params: Mapping[str, Any]) -> dict[str, Any]:
            return self._answer(params, next(self._numbers)).message()

        result = self._batches.handle(method, path, _json(request) if method == "POST" else {}, answer)
        if result is None:
            raise RejectedError(404)
        if isinstance(result, bytes):
            return Reply(headers=(*headers, (b"content-type", b"application/x-jsonl")), parts=(result,))
        return _json_reply(result, headers)

    def _answer(self, asked: Mapping[str, Any], number: int) -> Answer:
        turn: Turn = self.settings.scenario(asked)
        model = str(asked["model"])
        message_id = f"msg_{_digest(f'message {number}')}"
        count: Callable[[str], int] = lambda text: self.billing.count_output(text, model)  # noqa: E731 - two words short
        thinking_tokens = count(turn.thinking) if turn.thinking else 0
        calls = sum(count(call.name) + count(json.dumps(dict(call.input))) + 12 for call in turn.tool_calls)
        return Answer(
            message_id=message_id,
            model=model,
            blocks=content_blocks(turn, message_id),
            stop_reason=turn.final_stop_reason,
            input_usage=self.billing.bill(asked).usage(),
            output_tokens=max(1, thinking_tokens + count(turn.text or "") + calls),
            thinking_tokens=thinking_tokens,
        )

    def _request_id(self, head: RequestHead) -> str:
        return f"req_{_digest(f'request {next(self._numbers)} {head.target}')}"


def _standard_headers(request_id: str) -> RawHeaders:
    return (
        (b"request-id", request_id.encode()),
        (b"anthropic-organization-id", b"00000000-0000-4000-8000-000000000000"),
        (b"anthropic-ratelimit-requests-limit", b"4000"),
        (b"anthropic-ratelimit-requests-remaining", b"3999"),
        (b"anthropic-ratelimit-input-tokens-limit", b"2000000"),
        (b"anthropic-ratelimit-input-tokens-remaining", b"1990000"),
        (b"server", b"cloudflare"),
        (b"cf-cache-status", b"DYNAMIC"),
    )


def _digest(text: str) -> str:
    return "01" + hashlib.blake2b(text.encode(), digest_size=11).hexdigest()


def _has_key(head: RequestHead) -> bool:
    return bool(head.header("x-api-key") or head.header("authorization"))


def _json(request: ReceivedRequest) -> Any:
    if request.body is None:
        raise RejectedError(413)
    try:
        return json.loads(request.body)
    except ValueError as broken:
        raise RejectedError(400, f"The request body is not valid JSON: {broken}") from broken


def _checked(request: ReceivedRequest, *, needs_limit: bool = True) -> Mapping[str, Any]:
    asked = _json(request)
    if not isinstance(asked, dict):
        raise RejectedError(400, "The request body must be an object")
    needed = ("model", "messages", "max_tokens") if needs_limit else ("model", "messages")
    for name in needed:
        if name not in asked:
            raise RejectedError(400, f"{name}: Field required")
    if not isinstance(asked["messages"], list) or not all(isinstance(message, dict) for message in asked["messages"]):
        raise RejectedError(400, "messages: Input should be a valid list")
    return asked


def _models(path: str) -> dict[str, Any]:
    listed = [
        {"type": "model", "id": name, "display_name": name.replace("-", " ").title(), "created_at": "2026-09-01T00:00:00Z"}
        for name in MODELS
    ]
    wanted = path.removeprefix("/v1/models").strip("/")
    if not wanted:
        return {"data": listed, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
    found = next((model for model in listed if model["id"] == wanted), None)
    if found is None:
        raise RejectedError(404, f"model: {wanted}")
    return found


def _json_reply(content: object, headers: RawHeaders) -> Reply:
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(headers=headers + _JSON, parts=(body,))
