"""Where a secret could get in: one request (and its answer) for each place, each with a key of its own."""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from proxy_core.standin.wire import RawHeaders, ReceivedRequest, Reply, RequestHead

API = "https://api.anthropic.com"
PLANT_HEADER = "x-plant"
ASK = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "output_tokens": 2},
}
JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request with a secret in it."""

    url: str = f"{API}/v1/messages"
    method: str = "POST"
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = field(default_factory=lambda: json.dumps(ASK).encode())


@dataclass(frozen=True, kw_only=True)
class Place:
    """Somewhere a secret can stand."""

    name: str
    secret: str
    sent: Sent = Sent()
    reply: Reply | None = None

    @property
    def fragment(self) -> bytes:
        """A part of the secret that stands nowhere else."""
        return self.secret[-14:].encode()


def _ask(**more: Any) -> bytes:
    return json.dumps(ASK | more).encode()


def _said(text: str) -> bytes:
    return json.dumps(ANSWER | {"content": [{"type": "text", "text": text}]}).encode()


def _reply(body: bytes, headers: RawHeaders = (), status: int = 200, **more: Any) -> Reply:
    return Reply(status=status, headers=(*headers, (b"request-id", b"req_1")), parts=[body], **more)


def _events(kind: str, field_name: str, text: str, letters: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    pieces = [text[at : at + letters] for at in range(0, len(text), letters)]
    deltas = [{"type": "content_block_delta", "index": 0, "delta": {"type": kind, field_name: piece}} for piece in pieces]
    return [
        {"type": "message_start", "message": ANSWER | {"content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]


def _lines(events: list[dict[str, Any]]) -> list[bytes]:
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def _streamed(kind: str, field_name: str, text: str, letters: int, block: dict[str, Any], **more: Any) -> Reply:
    parts = _lines(_events(kind, field_name, text, letters, block))
    return Reply(headers=(EVENTS,), parts=parts, has_length=False, **more)


def _frame(event: dict[str, Any]) -> bytes:
    payload = b'{"bytes":"' + base64.b64encode(json.dumps(event).encode()) + b'"}'
    headers = b"\x0b:event-type\x07\x00\x05chunk"
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


def _bedrock(text: str, letters: int) -> Reply:
    block = {"type": "text", "text": ""}
    frames = [_frame(event) for event in _events("text_delta", "text", text, letters, block)]
    return Reply(headers=((b"content-type", b"application/vnd.amazon.eventstream"),), parts=frames, has_length=False)


BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-opus-5-5-v1:0/invoke-with-response-stream"
VERTEX = (
    "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-5-5"
    ":rawPredict"
)
GRANT = "application/x-www-form-urlencoded"
TEXT = {"type": "text", "text": ""}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}
TOOL = {"type": "tool_use", "id": "t1", "name": "run", "input": {}}


def _header(name: str, form: str = "{}") -> Callable[[str], tuple[Sent, Reply | None]]:
    return lambda key: (Sent(headers=[(name, form.format(key))]), None)


def _query(name: str) -> Callable[[str], tuple[Sent, Reply | None]]:
    return lambda key: (Sent(url=f"{API}/v1/messages?{name}={key}"), None)


def _body(make: Callable[[str], bytes], url: str = f"{API}/v1/messages", content_type: str = "application/json") -> Any:
    return lambda key: (Sent(url=url, body=make(key), headers=[("content-type", content_type)]), None)


def _back(make: Callable[[str], Reply], url: str = f"{API}/v1/messages") -> Any:
    return lambda key: (Sent(url=url), make(key))


def _user(text: str) -> bytes:
    return _ask(messages=[{"role": "user", "content": text}])


def _escaped(key: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in key)


KEYS: dict[str, Callable[[str], tuple[Sent, Reply | None]]] = {
    "body/text": _body(lambda key: _user(f"my key is {key}.")),
    "body/JSON escapes": _body(
        lambda key: _ask(messages=[{"role": "user", "content": "X"}]).replace(b"X", _escaped(key).encode())
    ),
    "body/escapes in escapes": _body(lambda key: _user(json.dumps({"k": "X"}).replace("X", _escaped(key)))),
    "body/percent": _body(lambda key: _user(quote(key, safe="").replace("-", "%2D"))),
    "body/base64": _body(lambda key: _user(base64.b64encode(f"a {key} b".encode()).decode())),
    "body/metadata": _body(lambda key: _ask(metadata={"user_id": f"user_{key}"})),
    "body/system": _body(lambda key: _ask(system=f"Use {key}")),
    "body/tool": _body(lambda key: _ask(tools=[{"name": "t", "description": key, "input_schema": {"type": "object"}}])),
    "body/model": _body(lambda key: _ask(model=key)),
    "body/mcp url": _body(lambda key: _ask(mcp_servers=[{"type": "url", "name": "m", "url": f"https://m/{key}"}])),
    "body/member name": _body(lambda key: _ask(**{key: 1})),
    "body/not JSON": _body(lambda key: b"not JSON " + key.encode()),
    "body/multipart": _body(
        lambda key: f'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nkey={key}\r\n--b--'.encode(),
        f"{API}/v1/files",
        "multipart/form-data; boundary=b",
    ),
    "header/x-api-key": _header("x-api-key"),
    "header/bearer": _header("authorization", "Bearer {}"),
    "header/referer": _header("referer", "https://h/?k={}"),
    "header/user-agent": _header("user-agent", "agent {}"),
    "header/unknown": _header("x-something", "a, {}; b"),
    "header/session": _header("x-claude-code-session-id"),
    "header/name": lambda key: (Sent(headers=[(f"x-{key.lower()}", "1"), (key, "1")]), None),
    "url/path": lambda key: (Sent(url=f"{API}/v1/{key}/x"), None),
    "url/query": _query("note"),
    "url/percent": lambda key: (Sent(url=f"{API}/v1/messages?q={key.replace('-', '%2D')}"), None),
    "answer/text": _back(lambda key: _reply(_said(f"it is {key}"), (JSON,))),
    "answer/error": _back(lambda key: _reply(json.dumps({"error": {"type": key, "message": key}}).encode(), (JSON,), 401)),
    "answer/no JSON": _back(lambda key: _reply(f"<html>bad key {key}</html>".encode(), (), 502)),
    "answer/location": _back(lambda key: _reply(b"{}", ((b"location", b"https://h/?x=" + key.encode()),), 302)),
    "answer/set-cookie": _back(lambda key: _reply(b"{}", ((b"set-cookie", b"s=" + key.encode() + b"; path=/"),))),
    "answer/request-id": _back(lambda key: Reply(headers=((b"request-id", key.encode()), JSON), parts=[_said("hi")])),
    "answer/trailer": _back(
        lambda key: _streamed("text_delta", "text", "hi", 1, TEXT, trailers=((b"x-checksum", key.encode()),))
    ),
    "answer/created key": _back(
        lambda key: _reply(json.dumps({"raw_key": key}).encode(), (JSON,)), f"{API}/api/oauth/create_api_key"
    ),
    "stream/whole": _back(lambda key: _streamed("text_delta", "text", f"it is {key}.", 200, TEXT)),
    **{
        f"stream/{kind} by {letters}": _back(
            lambda key, kind=kind, name=name, letters=letters, block=block: _streamed(
                kind, name, f"it is {key}.", letters, block
            )
        )
        for kind, name, block in [("text_delta", "text", TEXT), ("thinking_delta", "thinking", THINKING)]
        for letters in (1, 5, 12, 30)
    },
    "stream/tool input": _back(
        lambda key: _streamed("input_json_delta", "partial_json", json.dumps({"command": f"echo {key}"}), 7, TOOL)
    ),
    "stream/error event": _back(
        lambda key: Reply(
            headers=(EVENTS,), parts=_lines([{"type": "error", "error": {"type": "x", "message": key}}]), has_length=False
        )
    ),
    "bedrock/request": lambda key: (Sent(url=BEDROCK, headers=[("authorization", f"Bearer {key}")]), _bedrock("hi", 1)),
    "bedrock/frame": _back(lambda key: _bedrock(f"it is {key}.", 200), BEDROCK),
    "bedrock/deltas": _back(lambda key: _bedrock(f"it is {key}.", 4), BEDROCK),
    "vertex/body": _body(_user, VERTEX),
}
"""Anthropic's keys."""

OTHERS: dict[str, Callable[[str], tuple[Sent, Reply | None]]] = {
    "mcp token": _body(
        lambda key: _ask(mcp_servers=[{"type": "url", "name": "m", "url": "https://m", "authorization_token": key}])
    ),
    "mcp token in text": _body(lambda key: _user(json.dumps({"authorization_token": key}))),
    "basic": _header("authorization", "Basic {}"),
    "proxy-authorization": _header("proxy-authorization", "Basic {}"),
    "cookie": _header("cookie", "sessionKey={}; a=b"),
    "api-key": _header("api-key"),
    "gateway's": _header("x-litellm-api-key"),
    "aws signature": _header(
        "authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20261101/us-east-1/bedrock/aws4_request, Signature={}"
    ),
    "aws session": _header("x-amz-security-token"),
    "google": _header("x-goog-api-key"),
    "google bearer": lambda key: (Sent(url=VERTEX, headers=[("authorization", f"Bearer ya29.{key}")]), None),
    "google elsewhere": _header("x-note", "ya29.{}"),
    "upgrade": lambda key: (
        Sent(
            method="GET",
            body=b"",
            headers=[("upgrade", "websocket"), ("connection", "upgrade"), ("authorization", f"Bearer {key}")],
        ),
        None,
    ),
    **{
        f"query/{name}": _query(name)
        for name in (
            "key",
            "access_token",
            "code",
            "X-Amz-Signature",
            "X-Amz-Security-Token",
            "X-Amz-Credential",
            "sig",
            "api-key",
        )
    },
    "location's code": _back(
        lambda key: _reply(b"", ((b"location", b"https://h/cb?code=" + key.encode()),), 302), f"{API}/oauth/a"
    ),
    **{
        f"oauth/{name} {kind}": _body(
            lambda key, name=name, form=form: (
                urlencode({"x": 1, name: key}).encode() if form else json.dumps({name: key}).encode()
            ),
            f"{API}/v1/oauth/token",
            GRANT if form else "application/json",
        )
        for name in ("code", "refresh_token", "client_secret", "code_verifier", "password")
        for kind, form in (("form", True), ("JSON", False))
    },
    **{
        f"oauth/answered {name}": _back(
            lambda key, name=name: _reply(json.dumps({"expires_in": 1, name: key}).encode(), (JSON,)), f"{API}/v1/oauth/token"
        )
        for name in ("access_token", "refresh_token", "id_token")
    },
}
"""Everybody else's."""


def make_places() -> dict[str, Place]:
    """Make all places, each with a secret that stands nowhere else."""
    places = {}
    for number, (name, make) in enumerate([*KEYS.items(), *OTHERS.items()]):
        is_key = name in KEYS
        tail = base64.b32encode(zlib.crc32(name.encode()).to_bytes(4) * 3).decode().rstrip("=")
        secret = f"{'sk-ant-api03-' if is_key else 'PLANTED-'}{number:03d}_Zq{tail}"
        sent, reply = make(secret)
        places[name] = Place(name=name, secret=secret, sent=sent, reply=reply)
    return places


class PlantedApi:
    """Answers as each place wants it."""

    def __init__(self, places: dict[str, Place]) -> None:
        self._places = list(places.values())

    def refuse(self, head: RequestHead) -> Reply | None:
        """Let every body come."""
        return None

    async def respond(self, request: ReceivedRequest) -> Reply:
        """Answer by the number in the request's head."""
        place = self._places[int(request.head.header(PLANT_HEADER) or 0)]
        return place.reply or _reply(_said("hi"), (JSON,))
