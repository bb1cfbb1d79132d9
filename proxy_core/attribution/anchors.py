"""Anchors: places in a prompt whose distance from its start is known to the token, because a bill said so.

Three kinds: cache breakpoints of this bill; the totals of earlier requests of the same conversation, each with the size of its
answer; and count_tokens answers. An anchor that contradicts another is dropped: better none than a wrong ruler.
"""

import hashlib
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.context import AnalysisContext, Topic
from proxy_core.attribution.layout import Layout
from proxy_core.attribution.model import Region, Usage
from proxy_core.attribution.tokens.rendering import is_rendered
from proxy_core.dialects.base import ParsedCall

PLAUSIBLE_FACTOR = 3.0
"""An interval may be this many standard errors (and half its estimate) away from what was expected of it."""
PLAUSIBLE_SLACK_TOKENS = 60
NEAR_MARK_TOKENS = 24
NEAR_MARK_SHARE = 0.015
"""How near a breakpoint's expected place must be to the cached length to be taken for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """What a bill said about an earlier request that ended with a message of this one."""

    total_tokens: int
    output_tokens: int | None = None
    thinking_tokens: int | None = None
    is_counted: bool = False
    """From a count_tokens answer, not from a bill."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One exact position."""

    boundary: int
    """Number of items before it."""
    tokens: int
    is_sure: bool = False
    """Billed for just this prompt up to here: more than expected is something hidden, no reason to doubt it."""


class History:
    """The earlier requests that a request contains, as remembered."""

    def __init__(self, context: AnalysisContext, call: ParsedCall) -> None:
        self._context = context
        self._chain = call.facts.chain_hashes
        self.settings = _settings_key(call)
        """Names everything but the messages that a total depends on."""
        keys = {self._key(chain_hash): index for index, chain_hash in enumerate(self._chain)}
        found = context.recall(Topic.ANCHOR, keys.keys())
        self.calls: dict[int, PastCall] = {keys[key]: _read(text) for key, text in found.items()}

    @property
    def is_known(self) -> bool:
        """This very request was settled before: it teaches nothing new."""
        past = self.calls.get(len(self._chain) - 1)
        return past is not None and not past.is_counted

    @property
    def counted_total(self) -> int | None:
        """The size of this very request, when it was counted or billed before."""
        past = self.calls.get(len(self._chain) - 1)
        return past.total_tokens if past else None

    def thinking_of(self, message_index: int) -> int | None:
        """Return the reported thinking of the answer that became a message."""
        past = self.calls.get(message_index - 1)
        return past.thinking_tokens if past else None

    def remember(self, past: PastCall) -> None:
        """Keep the bill of this request for those that contain it."""
        if not self._chain:
            return
        values = [past.total_tokens, past.output_tokens, past.thinking_tokens, past.is_counted]
        self._context.remember(Topic.ANCHOR, {self._key(self._chain[-1]): json.dumps(values, separators=(",", ":"))})

    def _key(self, chain_hash: str) -> str:
        return f"{self.settings}:{chain_hash}"


def history_anchors(
    layout: Layout,
    history: History,
    *,
    thinking: Collection[int] = (),
    inexact: Collection[int] = (),
    until_message: int | None = None,
) -> list[Anchor]:
    """Turn earlier requests into anchors: where each ended, and where its answer ended.

    Args:
        layout: The request.
        history: Its earlier requests.
        thinking: Messages that carry thinking; that of the others was not sent again.
        inexact: Answers that do not carry over to the token.
        until_message: Messages from this one on have no anchors (their thinking is billed otherwise now).
    """
    last = max(layout.message_ends, default=-1)
    found: list[Anchor] = []
    for index, past in sorted(history.calls.items()):
        if index not in layout.message_ends or index >= last or (until_message is not None and index >= until_message):
            continue
        found.append(Anchor(layout.message_ends[index], past.total_tokens, is_sure=not past.is_counted))
        answer = index + 1
        if past.output_tokens is not None and answer < last and answer in layout.message_ends and answer not in inexact:
            resent = past.output_tokens - (0 if answer in thinking else past.thinking_tokens or 0)
            found.append(Anchor(layout.message_ends[answer], past.total_tokens + resent))
    return found


def cache_anchors(layout: Layout, usage: Usage) -> list[Anchor]:
    """Turn a bill's cache figures into anchors: the last breakpoint, and the last one-hour one before five-minute ones."""
    read = usage.cache_read_tokens or 0
    written_1h, written_5m = usage.cache_write_1h_tokens or 0, usage.cache_write_5m_tokens or 0
    cached = read + written_1h + written_5m
    if not layout.marks or cached == 0:
        return []
    found = [Anchor(layout.marks[-1][0], cached)]
    hourly = [boundary for boundary, ttl in layout.marks if ttl == "1h"]
    if written_1h and written_5m and hourly and hourly[-1] < layout.marks[-1][0]:
        found.insert(0, Anchor(hourly[-1], read + written_1h))
    return found


def read_anchor(layout: Layout, usage: Usage, expected: Sequence[float]) -> Anchor | None:
    """Find the breakpoint up to which the prompt was read from the cache.

    Args:
        layout: The request.
        usage: Its bill.
        expected: Tokens before each boundary, as calibrated so far.
    """
    read = usage.cache_read_tokens or 0
    if not read:
        return None
    near = max(NEAR_MARK_TOKENS, NEAR_MARK_SHARE * read)
    places = [boundary for boundary, _ in layout.marks if abs(expected[boundary] - read) <= near]
    if not places:
        return None
    return Anchor(min(places, key=lambda boundary: abs(expected[boundary] - read)), read)


def consistent_anchors(layout: Layout, wanted: Sequence[Anchor], end: Anchor | None, tokenizer_error: float) -> list[Anchor]:
    """Keep the anchors that fit each other and the estimates, the first ones first.

    Args:
        layout: The request.
        wanted: Anchors, the most trusted first.
        end: The total; `None` when nothing is billed yet.
        tokenizer_error: Relative error that all texts share.

    Returns:
        Anchors in order of position, `end` last.
    """
    scale = _Scale([item.piece for item in layout.items], tokenizer_error)
    kept = [Anchor(0, 0)] + ([end] if end else [])
    for anchor in wanted:
        after = next((index for index, other in enumerate(kept) if other.boundary >= anchor.boundary), len(kept))
        if after < len(kept) and kept[after].boundary == anchor.boundary:
            continue
        neighbours = [(kept[after - 1], anchor)] + ([(anchor, kept[after])] if after < len(kept) else [])
        if all(scale.is_plausible(left, right) for left, right in neighbours):
            kept.insert(after, anchor)
    return kept[1:]


class _Scale:
    """Running sums over the pieces of a prompt, so that any interval is judged at once."""

    def __init__(self, pieces: Sequence[Piece], tokenizer_error: float) -> None:
        self._error = tokenizer_error
        self._expected = list(accumulate((piece.estimate for piece in pieces), initial=0.0))
        self._text = list(accumulate((piece.estimate if piece.is_text else 0.0 for piece in pieces), initial=0.0))
        self._variance = list(accumulate((piece.variance for piece in pieces), initial=0.0))

    def is_plausible(self, left: Anchor, right: Anchor) -> bool:
        """Tell whether what lies between two anchors can be as wide as they are apart."""
        width = right.tokens - left.tokens
        running = (self._expected, self._text, self._variance)
        expected, text, variance = (sums[right.boundary] - sums[left.boundary] for sums in running)
        if width < 0 or (expected <= 0 and variance <= 0):
            return width == 0
        spread = math.sqrt(max(0.0, variance) + (self._error * text) ** 2)
        slack = PLAUSIBLE_FACTOR * spread + 0.5 * expected + PLAUSIBLE_SLACK_TOKENS
        return expected - width <= slack and (right.is_sure or width - expected <= slack)


def _settings_key(call: ParsedCall) -> str:
    """Name everything but the messages that a total depends on; the order of tools changes none."""
    parameters = replace(
        call.parameters,
        tool_types=tuple(sorted(call.parameters.tool_types)),
        service_tier=None,
        speed=None,
        inference_geo=None,
        is_batch=False,
    )
    prefix = sorted(
        segment.content_hash for segment in call.segments if segment.region is not Region.MESSAGES and is_rendered(segment)
    )
    text = f"{parameters!r}|{prefix}"
    return hashlib.blake2b(text.encode("utf-8", errors="surrogatepass"), digest_size=8).hexdigest()


def _read(text: str) -> PastCall:
    total, output, thinking, is_counted = json.loads(text)
    return PastCall(total_tokens=total, output_tokens=output, thinking_tokens=thinking, is_counted=is_counted)


def expected_positions(values: Sequence[float] | Sequence[int]) -> list[float]:
    """Sum values up: tokens before each boundary."""
    positions = [0.0]
    for value in values:
        positions.append(positions[-1] + value)
    return positions
