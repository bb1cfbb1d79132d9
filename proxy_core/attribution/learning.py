"""Learning: what a settled bill teaches the next one. Once for each exchange, however often it is analysed.

Three pupils: the self-check (does the tokenizer fit), the overhead book (what the API adds), and the history (how long this
conversation is up to here).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy_core.attribution.anchors import Anchor, History, PastCall
from proxy_core.attribution.billing import BilledSampling
from proxy_core.attribution.carry import CarriedAnswer, Carry
from proxy_core.attribution.content_classes import ContentClass, class_of
from proxy_core.attribution.context import AnalysisContext
from proxy_core.attribution.estimates import Estimator, count_text
from proxy_core.attribution.layout import Layout
from proxy_core.attribution.model import ContentKind, Segment, SourceType
from proxy_core.attribution.output import sole_text
from proxy_core.attribution.overhead_priors import NEXT_FRAME
from proxy_core.attribution.overheads import OverheadBook
from proxy_core.attribution.self_check import TokenizerState
from proxy_core.attribution.settlement import SettledItem
from proxy_core.attribution.tokens.rendering import is_rendered
from proxy_core.dialects.base import ParsedCall, ParsedResponse

MIN_ANSWER_TOKENS = 15
MIN_TEXT_TOKENS = 25
MIN_RESULT_TOKENS = 200
"""Smaller samples say more about frames than about the tokenizer; results have frames that are known less well."""
PLAUSIBLE_RATIO = (0.2, 5.0)
TEXT_KINDS = frozenset({ContentKind.TEXT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A settled exchange."""

    call: ParsedCall
    response: ParsedResponse
    samplings: tuple[BilledSampling, ...]
    layout: Layout
    anchors: Sequence[Anchor]
    settled: Sequence[SettledItem]
    estimator: Estimator
    carried: Sequence[CarriedAnswer]
    """Answers with tool calls, sized by the bill that made them."""


def learn_from_answer(
    state: TokenizerState,
    response: ParsedResponse,
    samplings: Sequence[BilledSampling],
    context: AnalysisContext,
    patience_s: float,
) -> TokenizerState:
    """Compare the billed size of a plain text answer with its count."""
    text = sole_text(response.blocks)
    billed = response.usage.output_tokens
    if text is None or billed is None or not response.is_complete or response.usage.thinking_tokens or len(samplings) != 1:
        return state
    counted = count_text(text, state.family, context, patience_s=patience_s)
    if counted is None or counted < MIN_ANSWER_TOKENS:
        return state
    return _with_plausible(state, {class_of(text): float(counted)}, billed - NEXT_FRAME[state.family])


def learn_from_difference(state: TokenizerState, lesson: Lesson, carry: Carry) -> TokenizerState:
    """Compare what a bill grew by with the count of the text that was new."""
    if len(lesson.anchors) < 2:
        return state
    left, right = lesson.anchors[-2:]
    answers = [answer for answer in lesson.carried if answer.start >= left.boundary]
    answered = {index for answer in answers for index in range(answer.start, answer.end)}
    beside = sum(answer.output_tokens + carry.tokens for answer in answers)
    counted: dict[ContentClass, float] = {}
    for index in range(left.boundary, right.boundary):
        item = lesson.layout.items[index]
        if index in answered:
            continue
        if item.segment_index is None:
            beside += item.piece.estimate
            continue
        segment = lesson.call.segments[item.segment_index]
        tokens = _text_tokens(segment, lesson.estimator)
        if tokens is None or segment.role != "user":
            return state
        name = class_of(segment.text)
        counted[name] = counted.get(name, 0.0) + tokens
    if sum(counted.values()) < (MIN_RESULT_TOKENS if answers else MIN_TEXT_TOKENS):
        return state
    return _with_plausible(state, counted, round(right.tokens - left.tokens - beside))


def learn_overheads(book: OverheadBook, lesson: Lesson, settings: str, *, is_sure: bool) -> None:
    """Tell the overhead book what the bill made of its overheads."""
    billed = {
        settled.item.source.source_name or "": (settled.tokens, max(1.0, settled.variance))
        for settled in lesson.settled
        if settled.item.source.source_type is SourceType.OVERHEAD and settled.item.segment_index is None
    }
    book.learn(billed, settings, is_sure=is_sure)


def remember_total(history: History, lesson: Lesson) -> None:
    """Keep the size of this conversation up to here, unless something was not on the wire or not in the bill."""
    if lesson.call.parameters.has_thread or lesson.response.cleared_input_tokens or not lesson.samplings:
        return
    first = lesson.samplings[0]
    total = first.usage.total_input_tokens
    if first.kind != "message" or total is None:
        return
    is_single = len(lesson.samplings) == 1 and lesson.response.is_complete
    history.remember(
        PastCall(
            total_tokens=total,
            output_tokens=lesson.response.usage.output_tokens if is_single else None,
            thinking_tokens=lesson.response.usage.thinking_tokens if is_single else None,
        )
    )


def _text_tokens(segment: Segment, estimator: Estimator) -> int | None:
    """Return the exact count of a plain text; 0 for what is not rendered; `None` for anything else."""
    if not is_rendered(segment):
        return 0
    return estimator.raw_count(segment) if segment.content_kind in TEXT_KINDS else None


def _with_plausible(state: TokenizerState, counted: Mapping[ContentClass, float], billed: int) -> TokenizerState:
    ratio = billed / (sum(counted.values()) or 1)
    return state.with_sample(counted, billed) if PLAUSIBLE_RATIO[0] < ratio < PLAUSIBLE_RATIO[1] else state
