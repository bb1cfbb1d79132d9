"""Folding event streams: whatever the bytes are, they come back."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.compression import pack, prepare, unpack
from storage.errors import BodyCorruptError
from storage.folding import fold, unfold
from tests import factories

TEXTS = st.text(max_size=12) | st.sampled_from(['"', '\\"', "\\", '"text":"', "\n\n", "}", '"}'])
DELTAS = st.lists(TEXTS, max_size=12)


def delta(text, index=0, kind="text"):
    return {"type": "content_block_delta", "index": index, "delta": {"type": f"{kind}_delta", kind: text}}


def stream(events, *, spaces=None):
    chance = random.Random(spaces)
    written = (json.dumps(event, separators=(",", ":"))[:-1] + " " * (chance.randrange(9) if spaces else 0) for event in events)
    return b"".join(f"event: {event['type']}\ndata: {data}}}\n\n".encode() for event, data in zip(events, written, strict=True))


WORDS = "the file reads state before the lock and writes it after the check"
ANSWER = [delta(word) for word in WORDS.split()]


@given(st.binary(max_size=400))
def test_any_bytes_come_back(raw):
    folded = fold(raw)
    assert folded is None or unfold(folded) == raw


@given(
    st.lists(
        st.sampled_from([b"data: ", b'{"text":"', b'"text":"a"}', b"\n\n", b"\n", b"\r\n", b"event: a", b'"', b"\\", b"x"])
    )
)
def test_anything_like_a_stream_comes_back(parts):
    raw = b"".join(parts)
    folded = fold(raw)
    assert folded is None or unfold(folded) == raw
    assert unpack(pack(raw)) == raw


@given(
    st.lists(st.tuples(st.sampled_from(["text", "thinking", "partial_json"]), DELTAS), max_size=4),
    st.none() | st.integers(0, 3),
)
def test_any_answer_comes_back(blocks, spaces):
    events = [delta(text, index, kind) for index, (kind, texts) in enumerate(blocks) for text in texts]
    raw = stream([{"type": "message_start"}, *events, {"type": "message_stop"}], spaces=spaces)
    folded = fold(raw)
    assert folded is None or unfold(folded) == raw


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_a_part_of_a_stream_comes_back(start, length):
    raw = stream(ANSWER * 2)[start : start + length]
    folded = fold(raw)
    assert folded is None or unfold(folded) == raw


def test_the_words_of_a_run_are_one_text():
    folded = fold(stream(ANSWER, spaces=1))
    assert b"the" + b"file" + b"reads" + b"state" in folded
    assert folded.count(b"content_block_delta") == 2
    assert len(folded) < len(stream(ANSWER)) // 3


def test_other_apis_are_folded_too():
    chunks = [
        {
            "id": "c1",
            "choices": [{"index": 0, "delta": {"content": f'"{n}" '}, "logprobs": None, "finish_reason": None}],
            "x": "y",
        }
        for n in range(30)
    ]
    raw = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    folded = fold(raw)
    assert unfold(folded) == raw
    assert folded.count(b"logprobs") == 1


def test_short_runs_are_left_alone():
    assert fold(stream(ANSWER[:3])) is None
    assert fold(json.dumps(factories.response_json()).encode()) is None


def test_a_packed_stream_is_smaller_and_comes_back():
    raw = stream(ANSWER * 9, spaces=2)
    assert prepare(raw).is_stream
    assert unpack(pack(raw)) == raw
    assert unpack(pack(raw, b"base"), b"base") == raw
    assert pack(raw)[:1] == b"\x03"


@pytest.mark.parametrize(
    "damaged", [b"\x03", b"\x03\x00\xc1", b"\x03\x00\x91\x05", b"\x03\x00\x91\x95\xc4\x01a\x90\x91\x00\x91\x01\xc4\x01b"]
)
def test_damage_is_an_error_of_ours(damaged):
    with pytest.raises(BodyCorruptError):
        unpack(damaged)


def test_what_would_not_come_back_is_not_folded(monkeypatch):
    raw = stream(ANSWER)
    monkeypatch.setattr("storage.compression.fold", lambda _: b"\x90")
    assert not prepare(raw).is_stream
    assert unpack(pack(raw)) == raw
