"""Cutting a body like the one before it: always the same bytes, and for a conversation the same parts."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import recutting
from storage.cutting import CHUNK_BYTES
from storage.recutting import Cutter, join_parts

WORD = st.sampled_from(
    ["the file ", "reads state ", '"messages": [', "null", ', {"role": "user"}', "äöü ", "]}", '"cache_control"']
)
TEXT = st.lists(WORD, max_size=30).map("".join)


def block(text, *, marked=False):
    return {"type": "text", "text": text} | ({"cache_control": {"type": "ephemeral"}} if marked else {})


def request(messages, *, system=("be careful " * 30,), tools=3, order=("messages", "system", "tools"), indent=None, **fields):
    """A body whose last message is marked, as clients mark it."""
    shown = [
        {"role": "assistant" if turn % 2 else "user", "content": [block(text, marked=turn == len(messages) - 1)]}
        for turn, text in enumerate(messages)
    ]
    parts = {
        "messages": shown,
        "system": [block(text, marked=number > 0) for number, text in enumerate(system)],
        "tools": [{"name": f"tool_{n}", "description": f"{n} does this " * 20} for n in range(tools)],
    }
    body = {"model": "claude", **{name: parts[name] for name in order}, **fields}
    return json.dumps(body, indent=indent).encode()


def prose(seed, words=80):
    chance = random.Random(seed)
    return " ".join(f"word{chance.randrange(10**6)}" for _ in range(words))


def pieces(parts):
    return [part.key for part in parts if part.key]


def whole(body):
    return pieces(Cutter().cut(body))


@pytest.fixture
def counted(monkeypatch):
    """Counts the bodies that were cut without a look at an earlier one."""
    calls = []
    cut_whole = recutting._cut_whole

    def cut(body):
        calls.append(len(body))
        return cut_whole(body)

    monkeypatch.setattr(recutting, "_cut_whole", cut)
    return calls


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "order", [("messages", "system", "tools"), ("system", "tools", "messages"), ("tools", "messages", "system")]
)
def test_a_turn_is_cut_like_the_one_before(order, indent, counted):
    cutter, history = Cutter(), [prose(n) for n in range(30)]
    for turn in range(12):
        history += [prose(100 + turn), prose(200 + turn)]
        body = request(history, order=order, indent=indent, metadata={"user_id": f"turn {turn}"})
        parts = cutter.cut(body)
        assert join_parts(parts) == body
        counted.clear() if turn == 0 else None
        assert not counted
        assert pieces(parts) == whole(body)
        counted.clear()


def test_what_changes_in_the_middle_is_cut_anew(counted):
    cutter, history = Cutter(), [prose(n) for n in range(40)]
    for turn in range(8):
        history[turn * 4 + 3] = prose(300 + turn)
        body = request(history, system=(f"billing {turn}", prose(1, 400), prose(2, 300)))
        parts = cutter.cut(body)
        assert join_parts(parts) == body
        assert turn == 0 or not counted
        assert pieces(parts) == whole(body)
        counted.clear()


def test_a_shorter_history_is_cut_like_the_longer_one():
    cutter, history = Cutter(), [prose(n) for n in range(40)]
    for length in (40, 20, 30, 5, 40):
        body = request(history[:length])
        parts = cutter.cut(body)
        assert join_parts(parts) == body
        assert pieces(parts) == whole(body)


def test_conversations_that_alternate_are_kept_apart(counted):
    cutter = Cutter()
    histories = {seed: [prose(seed * 1000 + n) for n in range(30)] for seed in range(5)}
    for turn in range(4):
        for seed, history in histories.items():
            history.append(prose(seed * 1000 + 500 + turn))
            body = request(history)
            assert join_parts(cutter.cut(body)) == body
        assert turn == 0 or not counted
        counted.clear()


def test_few_bodies_are_remembered(monkeypatch):
    monkeypatch.setattr(recutting, "_REMEMBERED_BYTES", 200_000)
    cutter = Cutter()
    for seed in range(30):
        cutter.cut(request([prose(seed * 100 + n) for n in range(40)]))
        assert sum(len(cut.body) for cut in cutter._cuts) <= 200_000
    assert len(cutter._cuts) > 1


def test_too_long_bodies_are_not_remembered(monkeypatch):
    monkeypatch.setattr(recutting, "_LONGEST_BYTES", 20_000)
    cutter = Cutter()
    body = request([prose(n) for n in range(40)])
    assert join_parts(cutter.cut(body)) == body
    assert not cutter._cuts


def test_a_long_element_is_never_taken_for_several():
    cutter = Cutter()
    image = "x" * (CHUNK_BYTES + 5000)
    for turn in range(3):
        body = request([prose(1), image, prose(2), *(prose(turn * 10 + n) for n in range(turn))])
        parts = cutter.cut(body)
        assert join_parts(parts) == body
        assert pieces(parts) == whole(body)
        other = body.replace(image[-3000:].encode(), b"y" * 3000)
        assert join_parts(cutter.cut(other)) == other


@given(st.lists(TEXT, min_size=6, max_size=14), st.data())
def test_any_change_of_a_body_comes_back(messages, data):
    cutter = Cutter()
    body = request([prose(n) for n in range(10)] + messages, metadata={"user_id": "a"})
    cutter.cut(body)
    for _ in range(3):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 3000)))
        put = data.draw(st.sampled_from([b"", b",", b"]", b"null", b"}", b'"', b'{"role": "user"}, ', body[:500], body[-700:]]))
        body = body[:start] + put + body[end:]
        assert join_parts(cutter.cut(body)) == body


@given(st.lists(st.tuples(st.integers(0, 29), TEXT), max_size=6), st.lists(TEXT, max_size=4), st.integers(0, 2))
def test_any_edit_of_a_conversation_gives_the_parts_of_a_whole_cut(edits, added, tools):
    cutter, history = Cutter(), [prose(n) for n in range(30)]
    cutter.cut(request(history))
    for place, text in edits:
        history[place] = text
    body = request(history + added, tools=3 + tools)
    parts = cutter.cut(body)
    assert join_parts(parts) == body
    assert pieces(parts) == whole(body)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_common_beginning_is_counted(one, other):
    expected = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    assert recutting._common(one, 0, other, 0) == expected


@given(st.integers(0, 40_000), st.integers(0, 40_000))
def test_the_common_beginning_of_long_bodies_is_counted(position, length):
    body = bytes(range(256)) * 160
    other = body[:position] + b"\xff\x00" + body[position:]
    expected = position + (2 if body[position : position + 2] == b"\xff\x00" else body[position : position + 1] == b"\xff")
    if body[position : position + 1] != b"\xff":
        assert recutting._common(body[:length], 0, other, 0) == min(length, expected)
