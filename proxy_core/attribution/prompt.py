"""One prompt, estimated and laid out, and fitted to the anchors that a bill and the history give it.

No money, no lines: those come after.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from proxy_core.attribution.anchors import (
    Anchor,
    History,
    cache_anchors,
    consistent_anchors,
    expected_positions,
    history_anchors,
    read_anchor,
)
from proxy_core.attribution.carry import CarriedAnswer, Carry, carried_answers, with_carried
from proxy_core.attribution.context import AnalysisContext
from proxy_core.attribution.estimates import Estimator, count_segments
from proxy_core.attribution.layout import Layout, lay_out, without_cleared
from proxy_core.attribution.model import Usage
from proxy_core.attribution.overheads import OverheadBook
from proxy_core.attribution.self_check import TokenizerState
from proxy_core.attribution.settlement import SettledItem, settle
from proxy_core.attribution.thinking import stripped_until, thinking_estimates, thinking_messages
from proxy_core.dialects.base import ParsedCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request, estimated."""

    layout: Layout
    estimator: Estimator
    is_provisional: bool
    """Some texts have quick figures only."""
    thinking: frozenset[int]
    """Messages that carry thinking."""
    carried: tuple[CarriedAnswer, ...]
    """Answers with tool calls, sized by the bill that made them."""
    first_stripped: int | None
    """First message whose thinking is dropped from the prompt; `None`: none is."""


def read_prompt(
    call: ParsedCall,
    model: str | None,
    tokenizer: TokenizerState,
    history: History,
    book: OverheadBook,
    carry: Carry,
    context: AnalysisContext,
    *,
    patience_s: float,
) -> Prompt:
    """Estimate a request and lay it out."""
    segments = call.segments
    counts = count_segments(segments, tokenizer.family, context, patience_s=patience_s)
    estimator = Estimator(model=model, tokenizer=tokenizer, counts=counts)
    stripped = stripped_until(model, segments)
    thinking = thinking_messages(segments)
    known = thinking_estimates(segments, history.thinking_of, stripped)
    layout = lay_out(
        segments,
        tokenizer.family,
        book.overheads(),
        lambda index, segment: known.get(index) or estimator.estimate(segment),
    )
    answers = [] if any(message < stripped for message in thinking) else carried_answers(layout, history, frozenset(thinking))
    return Prompt(
        layout=with_carried(layout, answers, carry),
        estimator=estimator,
        is_provisional=bool(counts.quick),
        thinking=frozenset(thinking),
        carried=tuple(answers),
        first_stripped=next((message for message in thinking if message < stripped), None),
    )


def settle_prompt(
    prompt: Prompt, history: History, usage: Usage | None, tokenizer: TokenizerState, *, cleared_tokens: int = 0
) -> tuple[Layout, list[Anchor], list[SettledItem]]:
    """Fit a prompt to its bill, or without one to what the history knows.

    Args:
        prompt: The request.
        history: Earlier requests of the conversation.
        usage: Input of the sampling that read it; `None` when nothing is billed.
        tokenizer: How far its counts can be trusted.
        cleared_tokens: What context editing took out.
    """
    layout = without_cleared(prompt.layout, cleared_tokens) if cleared_tokens else prompt.layout
    past = [] if cleared_tokens else _past_anchors(layout, prompt, history)
    total = history.counted_total if usage is None else usage.total_input_tokens
    end = None if total is None else Anchor(len(layout.items), total, is_sure=True)
    wanted = (cache_anchors(layout, usage) if usage else []) + past
    error, hidden_limit = tokenizer.error, tokenizer.hidden_limit_tokens
    anchors = consistent_anchors(layout, wanted, end, error)
    settled = settle(layout, anchors, error, hidden_limit=hidden_limit)
    found = _read_anchor(layout, usage, settled)
    if found is not None and all(anchor.tokens != found.tokens for anchor in anchors):
        anchors = consistent_anchors(layout, [*wanted, found], end, error)
        settled = settle(layout, anchors, error, hidden_limit=hidden_limit)
    return layout, anchors, settled


def _past_anchors(layout: Layout, prompt: Prompt, history: History) -> list[Anchor]:
    inexact = {answer.message_index for answer in prompt.carried}
    return history_anchors(layout, history, thinking=prompt.thinking, inexact=inexact, until_message=prompt.first_stripped)


def _read_anchor(layout: Layout, usage: Usage | None, settled: Sequence[SettledItem]) -> Anchor | None:
    if usage is None or not usage.cache_read_tokens or not layout.marks:
        return None
    return read_anchor(layout, usage, _boundary_positions(layout, settled))


def _boundary_positions(layout: Layout, settled: Sequence[SettledItem]) -> list[float]:
    """Sum the settled sizes up to each boundary of the layout; stretches found while settling count where they lie."""
    own = iter(layout.items)
    sizes: list[float] = []
    waiting = 0.0
    expected = next(own, None)
    for item in settled:
        waiting += item.tokens
        if item.item is expected:
            sizes.append(waiting)
            waiting = 0.0
            expected = next(own, None)
    return expected_positions(sizes)
