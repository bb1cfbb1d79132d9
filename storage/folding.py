"""Folds event streams: what all events of a run have in common once, their texts as one text, the rest as columns.

A model's answer comes as hundreds of events that differ by a word or two. Joined, those words are the text that the next
request says again, so a compressor that knows that request has next to nothing left to keep. Nothing here understands the
JSON: whatever the bytes are, `unfold(fold(stream)) == stream`, and what does not look like a stream is not folded.

Encoded as MessagePack, `[item ...]`, where an item is bytes (as they are) or a run of events
`[head, tails, number of each event's tail, length of each event's text, all texts]`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from storage.errors import BodyCorruptError

_END = b"\n\n"
_HEAD = re.compile(
    rb'(?:event: [\w.-]+\r?\n)?data: ?\{[^\n]*"(?:text|thinking|partial_json|signature|delta|content|arguments)": ?"'
)
"""An event up to the text in it, which is what differs."""
_QUOTE = b'"'
_TEXT = re.compile(rb'(?:[^"\\]|\\.)*', re.DOTALL)
"""What stands inside a JSON string."""
_LONGEST_HEAD_BYTES = 512
_FEWEST_EVENTS = 4
"""A shorter run is kept as it is."""
_LOOKED_AT_BYTES = 16 * 1024
"""What has no two events in so many bytes is no stream worth folding."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


def fold(raw: bytes) -> bytes | None:
    """Fold a stream, or a part of one; `None`: it is none, or too short."""
    if raw.find(b"data:", 0, _LOOKED_AT_BYTES) < 0 or raw.find(_END, 0, _LOOKED_AT_BYTES) < 0:
        return None
    whole, _, last = raw.rpartition(_END)
    items: list[Any] = []
    rest = bytearray()
    for head, events in _runs(whole.split(_END)):
        if head is None or len(events) < _FEWEST_EVENTS:
            rest += _joined(head or b"", events)
            continue
        items += (bytes(rest), _columns(head, events))
        rest.clear()
    if not items:
        return None
    items.append(bytes(rest) + last)
    return _encode(items)


def unfold(folded: bytes) -> bytes:
    """Undo `fold`.

    Raises:
        BodyCorruptError: These are not bytes that `fold` made.
    """
    try:
        return b"".join([item if isinstance(item, bytes) else _events(*item) for item in _decode(folded)])
    except (msgspec.DecodeError, TypeError, ValueError, IndexError) as error:
        raise BodyCorruptError(f"a folded stream cannot be read: {error}") from error


def _runs(events: Sequence[bytes]) -> Iterator[tuple[bytes | None, list[bytes]]]:
    """Group neighbours that begin alike: (what they begin with, what follows it in each); `None`: as they are."""
    head: bytes | None = None
    run: list[bytes] = []
    for event in events:
        if head is not None and event.startswith(head):
            run.append(event[len(head) :])
            continue
        found = _HEAD.match(event, 0, _LONGEST_HEAD_BYTES)
        if found is None and head is None:
            run.append(event)
            continue
        yield head, run
        head = found[0] if found else None
        run = [event[found.end() if found else 0 :]]
    yield head, run


def _columns(head: bytes, events: Sequence[bytes]) -> list[Any]:
    """Take a run apart: text and tail of each event."""
    split = _split_by_last if events[0].count(_QUOTE) == 1 else _split_by_text
    texts, ends = split(events)
    tails = list(dict.fromkeys(ends))
    numbers = {tail: number for number, tail in enumerate(tails)}
    return [head, tails, [numbers[end] for end in ends], [len(text) for text in texts], b"".join(texts)]


def _split_by_last(events: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Split each at its last quote: right where nothing but brackets follows, whatever the text holds."""
    parts = [event.rpartition(_QUOTE) for event in events]
    return [part[0] for part in parts], [part[1] + part[2] for part in parts]


def _split_by_text(events: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Split each where the JSON string ends."""
    texts = [_TEXT.match(event)[0] for event in events]  # type: ignore[index] # matches the empty string too
    return texts, [event[len(text) :] for event, text in zip(events, texts, strict=True)]


def _joined(head: bytes, events: Sequence[bytes]) -> bytes:
    return b"".join(head + event + _END for event in events)


def _events(head: bytes, tails: Sequence[bytes], numbers: Sequence[int], lengths: Sequence[int], texts: bytes) -> bytes:
    ends = list(accumulate(lengths))
    closed = [tail + _END for tail in tails]
    columns = zip([0, *ends], ends, numbers, strict=False)
    return b"".join([head + texts[start:end] + closed[number] for start, end, number in columns])
