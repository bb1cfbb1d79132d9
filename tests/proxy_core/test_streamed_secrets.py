import base64
import json
import struct
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.dialects.amazon_eventstream import read_amazon_events
from proxy_core.dialects.sse import read_events, read_message_stream
from proxy_core.redact import Redactor
from proxy_core.streamed_secrets import LONGEST_SECRET_BYTES, EventStreamRedactor

KEY = "sk-ant-api03-AbC_d-0123456789"
REDACTOR = Redactor(b"a key of the tests")
MARK = f"[REDACTED:{REDACTOR.fingerprint(KEY.encode())}]"
DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def delta(text: str, kind: str = "text_delta", index: int = 0) -> dict[str, object]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, DELTAS[kind]: text}}


def lines(*events: dict[str, object], end: str = "\n") -> bytes:
    return "".join(f"event: {event['type']}{end}data: {json.dumps(event)}{end}{end}" for event in events).encode()


def frame(payload: bytes) -> bytes:
    headers = b"\x0b:event-type\x07\x00\x05chunk"
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


def frames(*events: dict[str, object]) -> bytes:
    return b"".join(frame(b'{"bytes":"' + base64.b64encode(json.dumps(event).encode()) + b'","p":"abc"}') for event in events)


def check_frames(stream: bytes) -> None:
    while stream:
        length, header_bytes, crc = struct.unpack_from(">III", stream)
        assert zlib.crc32(stream[:8]) == crc
        assert zlib.crc32(stream[: length - 4]) == struct.unpack_from(">I", stream, length - 4)[0]
        assert header_bytes < length
        stream = stream[length:]


def redacted(body: bytes, size: int = 1 << 30, *, is_framed: bool = False) -> tuple[bytes, EventStreamRedactor]:
    stream = EventStreamRedactor(REDACTOR, is_framed=is_framed)
    out = b"".join(stream.feed(body[at : at + size]) for at in range(0, len(body), size))
    return out + stream.finish(), stream


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def stream_of(pieces: Sequence[str], kind: str = "text_delta") -> list[dict[str, object]]:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    return [start, *(delta(piece, kind) for piece in pieces), {"type": "content_block_stop", "index": 0}]


@pytest.mark.parametrize("kind", DELTAS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("letters", [1, 2, 4, 9, 20])
@pytest.mark.parametrize("size", [1, 50, 1 << 30])
def test_a_key_cut_into_deltas_is_in_no_reassembly(kind: str, end: str, letters: int, size: int) -> None:
    text = f"it is {KEY}, and so on"
    out, stream = redacted(lines(*stream_of(cut(text, letters), kind), end=end), size)
    pieces = [event["delta"][DELTAS[kind]] for line in read_events(out) if "delta" in (event := json.loads(line.data))]
    assert "".join(pieces) == text.replace(KEY, MARK)
    assert stream.is_redacted


@pytest.mark.parametrize("letters", [1, 3, 10, 100])
@pytest.mark.parametrize("size", [1, 40, 1 << 30])
def test_a_key_inside_amazons_frames(letters: int, size: int) -> None:
    text = f"it is {KEY}, and so on"
    out, stream = redacted(frames(*stream_of(cut(text, letters))), size, is_framed=True)
    check_frames(out)
    (block,) = read_message_stream(read_amazon_events(out)).blocks()
    assert block["text"] == text.replace(KEY, MARK)
    assert stream.is_redacted


def test_frames_without_wrapping_and_frames_that_are_none() -> None:
    converse = b"".join(
        frame(b'{"contentBlockIndex":0,"delta":{"text":"%s"}}' % piece) for piece in (b"sk-an", b"t-abc", b" x")
    )
    out, _ = redacted(converse, is_framed=True)
    check_frames(out)
    assert b"sk-an" not in out
    assert b"t-abc" not in out
    assert redacted(b"\xff" * 40, 7, is_framed=True)[0] == b"\xff" * 40
    assert KEY.encode() not in redacted(b"\xff" * 40 + KEY.encode(), 7, is_framed=True)[0]
    assert redacted(frame(b'{"bytes":"A"}') + b"\0\0", is_framed=True)[0] == frame(b'{"bytes":"A"}') + b"\0\0"


def test_a_token_of_an_mcp_server_written_letter_by_letter() -> None:
    tool_input = json.dumps({"authorization_token": "planted secret", "url": "u"})
    out, _ = redacted(lines(*stream_of(cut(tool_input, 3), "input_json_delta")))
    block = read_message_stream(read_events(out)).blocks()[0]
    assert block["input"]["url"] == "u"
    assert block["input"]["authorization_token"].startswith("[REDACTED:")


def test_blocks_that_are_mixed_and_a_cut_off_end() -> None:
    first, second = KEY[:12], KEY[12:]
    mixed = lines(delta(first, index=1), delta("a", index=0), delta(second, index=1), delta(" b", index=0), delta("!", index=1))
    out, _ = redacted(mixed)
    assert [block["text"] for block in read_message_stream(read_events(out)).blocks()] == ["a b", f"{MARK}!"]
    cut_off, _ = redacted(lines(delta(first)) + b'data: {"index":0,"delta":{"text":"' + second.encode())
    assert second.encode() not in cut_off


def test_events_are_held_back_only_while_they_may_begin_a_key() -> None:
    stream = EventStreamRedactor(REDACTOR)
    padding = lines({"type": "ping", "p": "x" * 200})
    assert b"hello" in stream.feed(lines(delta("hello ")) + padding)
    assert b"sk" not in stream.feed(lines(delta("the sk")) + padding)
    assert b"the sk" in stream.feed(lines(delta("y is blue")) + padding)
    assert b"sk-ant-" not in stream.feed(lines(delta("sk-ant-abc")) + padding)
    assert b"[REDACTED:" in stream.feed(lines({"type": "content_block_stop", "index": 0}) + padding)


def test_a_secret_without_an_end_is_withheld() -> None:
    stream = EventStreamRedactor(REDACTOR)
    out = b"".join(stream.feed(lines(delta("sk-ant-" + "a" * 1000))) for _ in range(LONGEST_SECRET_BYTES // 1000 + 5))
    assert stream.is_withheld
    assert b"aaaa" not in out + stream.feed(lines(delta("more"))) + stream.finish()


def test_an_endless_line_is_passed_on() -> None:
    endless = b'data: {"delta":{"text":"' + b"a" * 2_500_000
    out, stream = redacted(endless, 64 * 1024)
    assert out == endless
    assert not stream.is_redacted


@given(
    st.lists(
        st.sampled_from(["s", "sk", "k-", "ant-", "words", '"', "\\", "authorization", "_token", ":", "é", "\ud83d", "%2d"])
    ),
    st.integers(1, 300),
    st.booleans(),
)
def test_streams_without_a_key_stay_byte_for_byte(pieces: list[str], size: int, is_framed: bool) -> None:
    body = (frames if is_framed else lines)(*stream_of([piece for piece in pieces if piece != "ant-"]))
    if "authorization" not in pieces:
        assert redacted(body, size, is_framed=is_framed)[0] == body


@given(st.binary(max_size=400), st.integers(1, 100), st.booleans())
def test_any_bytes_come_through(body: bytes, size: int, is_framed: bool) -> None:
    assert redacted(body, size, is_framed=is_framed)[0] == body
