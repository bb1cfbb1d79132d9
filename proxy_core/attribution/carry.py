"""Carrying an answer over: how large the output of one request is as input of the next.

A plain text carries over exactly, which makes it an anchor. An answer with tool calls does so but for a few tokens, which
differ by model and are learnt: its stretches are scaled to the reported output, and that difference is added.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from proxy_core.attribution.anchors import Anchor, History
from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.context import AnalysisContext, Topic
from proxy_core.attribution.layout import CALL_FRAMES, Item, Layout
from proxy_core.attribution.model import Part, SourceType

PRIOR_VARIANCE = 15.0**2
"""Tokens squared: calls carried over within -5..+15 tokens on recorded pairs, 2026-11."""
DRIFT_VARIANCE = 2.0
MEASURED_VARIANCE = 9.0
MAX_CARRY_TOKENS = 80.0
"""More is no carry but a miscount of what came with the answer: 60..77 were seen for parallel calls."""


@dataclass(frozen=True, slots=True)
class Carry:
    """What an answer with tool calls costs as input beyond what it cost as output."""

    tokens: float = 0.0
    variance: float = PRIOR_VARIANCE


class CarryBook:
    """The carry of one model, as bills taught it."""

    def __init__(self, context: AnalysisContext, model: str | None) -> None:
        self._context = context
        self._key = f"{model}|carry"
        stored = context.recall(Topic.OVERHEAD, (self._key,)).get(self._key)
        self.carry = Carry(*json.loads(stored)) if stored else Carry()

    def learn(self, measured: float, variance: float) -> None:
        """Take one measurement: what an answer cost as input, less what it cost as output."""
        prior = self.carry.variance + DRIFT_VARIANCE
        gain = prior / (prior + variance)
        tokens = self.carry.tokens + gain * (measured - self.carry.tokens)
        self.carry = Carry(tokens, prior * (1 - gain))
        self._context.remember(Topic.OVERHEAD, {self._key: json.dumps([round(tokens, 3), round(self.carry.variance, 3)])})


@dataclass(frozen=True, slots=True)
class CarriedAnswer:
    """An answer with tool calls that an earlier bill sized."""

    message_index: int
    output_tokens: int
    start: int
    """Number of items before it."""
    end: int
    """Number of items up to and with its last."""


def carried_answers(layout: Layout, history: History, thinking: frozenset[int]) -> list[CarriedAnswer]:
    """Find the answers with tool calls whose output an earlier bill told."""
    found = []
    for index, past in sorted(history.calls.items()):
        message = index + 1
        if past.output_tokens is None or message not in layout.message_ends:
            continue
        start, end = layout.message_starts[message], layout.message_ends[message]
        if has_call(layout.items[start:end]):
            resent = past.output_tokens - (0 if message in thinking else past.thinking_tokens or 0)
            found.append(CarriedAnswer(message, resent, start, end))
    return found


def has_call(items: tuple[Item, ...]) -> bool:
    """Tell whether stretches of a message hold a tool call."""
    return any(item.source.source_name == CALL_FRAMES and item.source.source_type is SourceType.OVERHEAD for item in items)


def with_carried(layout: Layout, answers: Sequence[CarriedAnswer], carry: Carry) -> Layout:
    """Scale the stretches of carried answers to what they must be."""
    items = list(layout.items)
    for answer in answers:
        inside = range(answer.start, answer.end)
        loose = [index for index in inside if items[index].part is not Part.THINKING and items[index].piece.estimate > 0]
        fixed = sum(items[index].piece.estimate for index in inside if index not in loose)
        whole = sum(items[index].piece.estimate for index in loose)
        wanted = answer.output_tokens + carry.tokens - fixed
        if whole <= 0 or wanted <= 0:
            continue
        for index in loose:
            share = items[index].piece.estimate / whole
            items[index] = replace(items[index], piece=Piece(share * wanted, share * (carry.variance + DRIFT_VARIANCE)))
    return replace(layout, items=tuple(items))


def measure_carry(
    layout: Layout, answers: Sequence[CarriedAnswer], anchors: Sequence[Anchor], text_error: float
) -> tuple[float, float] | None:
    """Measure the carry of the newest answer from the bill that first contained it.

    Args:
        layout: The request.
        answers: Its carried answers.
        anchors: Its anchors; the newest answer must lie between the last two.
        text_error: Relative error of the counts of what came with it.

    Returns:
        (tokens, variance); `None` when the newest bill says nothing about one answer alone.
    """
    if len(anchors) < 2 or not answers:
        return None
    left, right = anchors[-2:]
    newest = answers[-1]
    if newest.start < left.boundary or any(answer.start >= left.boundary for answer in answers[:-1]):
        return None
    others = [*layout.items[left.boundary : newest.start], *layout.items[newest.end : right.boundary]]
    if any(item.is_rough for item in others):
        return None
    beside = sum(item.piece.estimate for item in others)
    measured = right.tokens - left.tokens - beside - newest.output_tokens
    if abs(measured) > MAX_CARRY_TOKENS:
        return None
    return measured, MEASURED_VARIANCE + (text_error * beside) ** 2
