"""The ledger: for every source of a request, how many tokens it was billed as, at which rate, and what that cost.

Puts estimates, layout, anchors, settlement, zones and cost in order; each of them lives in a file of its own. Whatever the
estimates say, the input lines of a settled ledger sum to the bill.
"""

from dataclasses import dataclass, replace

from proxy_core.attribution.anchors import History, PastCall
from proxy_core.attribution.billing import BilledSampling, billed_samplings, billed_usage
from proxy_core.attribution.carry import CarryBook, measure_carry
from proxy_core.attribution.context import AnalysisContext
from proxy_core.attribution.cost import Cost, PricingFacts, free, price_items, unknown_yet
from proxy_core.attribution.estimates import count_text
from proxy_core.attribution.learning import Lesson, learn_from_answer, learn_from_difference, learn_overheads, remember_total
from proxy_core.attribution.lines import (
    DraftLine,
    cost_items,
    loop_lines,
    output_lines,
    priced_lines,
    prompt_lines,
    search_line,
)
from proxy_core.attribution.model import Ledger, Usage
from proxy_core.attribution.output import share_output, visible_output
from proxy_core.attribution.overheads import OverheadBook
from proxy_core.attribution.prompt import Prompt, read_prompt, settle_prompt
from proxy_core.attribution.samples import remember_sample
from proxy_core.attribution.self_check import TokenizerState, load_tokenizer, save_tokenizer
from proxy_core.attribution.settlement import as_estimate
from proxy_core.attribution.tokens.families import is_verified
from proxy_core.dialects.base import ParsedCall, ParsedResponse, RecordedCall

FIRST_FIGURE_PATIENCE_S = 0.3
"""How long an estimate may wait for exact counts."""
SETTLING_PATIENCE_S = 60.0
"""How long a settled ledger waits for them: longer than a 0.7 MB prompt takes."""
MIN_TEXT_ERROR = 0.01
LEARNT_TEXT_ERROR = 0.15
"""Relative error of counts when they are subtracted from a bill: of trusted ones, and of ones by learnt ratios."""
PROVISIONAL_NOTE = "some texts are still being counted: figures inside the bill may move"
CUT_OFF_NOTE = "the answer was cut off: its output is counted from what arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One exchange and everything that its ledger is made from."""

    call: ParsedCall
    response: ParsedResponse | None
    context: AnalysisContext
    model: str | None
    samplings: tuple[BilledSampling, ...]
    history: History
    book: OverheadBook
    carry: CarryBook
    tokenizer: TokenizerState
    prompt: Prompt
    patience_s: float
    started_us: int | None
    status_code: int | None


def build_ledger(
    recorded: RecordedCall,
    call: ParsedCall,
    response: ParsedResponse | None,
    context: AnalysisContext,
    *,
    patience_s: float | None = None,
) -> Ledger:
    """Build the ledger of an exchange: settled when its response was billed, an estimate otherwise."""
    case = _open_case(recorded, call, response, context, patience_s)
    if case.samplings and response is not None:
        return _settled(case, response)
    return _estimated(case)


def _open_case(
    recorded: RecordedCall, call: ParsedCall, response: ParsedResponse | None, context: AnalysisContext, wanted_s: float | None
) -> _Case:
    model = (response.model if response else None) or call.parameters.model
    samplings = billed_samplings(response) if response else ()
    is_final = bool(samplings) or (response is not None and response.counted_tokens is not None)
    usual_s = SETTLING_PATIENCE_S if is_final else FIRST_FIGURE_PATIENCE_S
    patience_s = usual_s if wanted_s is None else wanted_s
    history = History(context, call)
    book = OverheadBook(context, call.parameters, model)
    tokenizer = load_tokenizer(context, model)
    if response and samplings and not history.is_known:
        tokenizer = learn_from_answer(tokenizer, response, samplings, context, patience_s)
    carry = CarryBook(context, model)
    prompt = read_prompt(call, model, tokenizer, history, book, carry.carry, context, patience_s=patience_s)
    return _Case(
        call=call,
        response=response,
        context=context,
        model=model,
        samplings=samplings,
        history=history,
        book=book,
        carry=carry,
        tokenizer=tokenizer,
        prompt=prompt,
        patience_s=patience_s,
        started_us=recorded.started_us,
        status_code=recorded.status_code,
    )


def _settled(case: _Case, response: ParsedResponse) -> Ledger:
    """Settle the bill, then learn from it."""
    samplings, cut_off = _with_output(case, response)
    cleared = response.cleared_input_tokens or 0
    first = samplings[0].usage
    layout, anchors, settled = settle_prompt(case.prompt, case.history, first, case.tokenizer, cleared_tokens=cleared)
    drafts = [
        *prompt_lines(settled, first),
        *loop_lines(samplings),
        *output_lines(share_output(samplings, response.usage), is_estimate=cut_off),
        *search_line(response.usage.web_search_requests or 0),
    ]
    usage = billed_usage(case.samplings, response.usage)
    cost = price_items(cost_items(drafts), samplings, _pricing(case, response.usage), case.context.prices)
    lesson = Lesson(
        call=case.call,
        response=response,
        samplings=samplings,
        layout=layout,
        anchors=anchors,
        settled=settled,
        estimator=case.prompt.estimator,
        carried=case.prompt.carried,
    )
    tokenizer = case.tokenizer if case.history.is_known else _learn(case, lesson)
    notes = _notes(tokenizer, case.prompt) + ((CUT_OFF_NOTE,) if cut_off else ())
    return _ledger(case, drafts, cost, usage=usage, is_settled=True, notes=notes)


def _estimated(case: _Case) -> Ledger:
    """Say what can be said without a bill: before the response, after an error, and for count_tokens calls."""
    counted = case.response.counted_tokens if case.response else None
    usage = None if counted is None else Usage(input_tokens=counted)
    _, _, settled = settle_prompt(case.prompt, case.history, usage, case.tokenizer)
    drafts = prompt_lines([as_estimate(item) for item in settled], usage)
    if counted is not None:
        if not case.history.is_known:
            case.history.remember(PastCall(total_tokens=counted, is_counted=True))
        remember_sample(case.context, case.call, case.tokenizer.family, case.prompt.estimator, counted)
    return _ledger(
        case, drafts, _cost_without_bill(case, len(drafts)), usage=Usage(), notes=_notes(case.tokenizer, case.prompt)
    )


def _cost_without_bill(case: _Case, line_count: int) -> Cost:
    if case.response is None:
        return unknown_yet(line_count)
    if case.response.counted_tokens is not None:
        return free(line_count, "counting tokens is free")
    if case.status_code is not None and case.status_code >= 400:
        return free(line_count, f"failed with HTTP {case.status_code}: not charged")
    if case.response.error_type is not None:
        return free(line_count, f"failed with {case.response.error_type} before any usage: not charged")
    return unknown_yet(line_count)


def _with_output(case: _Case, response: ParsedResponse) -> tuple[tuple[BilledSampling, ...], bool]:
    """Put in an output figure where a cut-off answer never got its own."""
    if response.usage.output_tokens is not None or any(s.usage.output_tokens is not None for s in case.samplings[1:]):
        return case.samplings, False
    text = visible_output(response.blocks)
    tokens = count_text(text, case.tokenizer.family, case.context, patience_s=case.patience_s) if text else 0
    first = case.samplings[0]
    usage = replace(first.usage, output_tokens=tokens if tokens is not None else len(text) // 4)
    return (replace(first, usage=usage), *case.samplings[1:]), True


def _learn(case: _Case, lesson: Lesson) -> TokenizerState:
    """Teach everybody; quick figures teach no more than the total."""
    tokenizer = learn_from_difference(case.tokenizer, lesson, case.carry.carry)
    save_tokenizer(case.context, tokenizer)
    remember_total(case.history, lesson)
    if case.prompt.is_provisional:
        return tokenizer
    if tokenizer.is_tested or (is_verified(tokenizer.model) and not tokenizer.is_scaled):
        learn_overheads(case.book, lesson, case.history.settings, is_sure=tokenizer.is_tested)
    text_error = LEARNT_TEXT_ERROR if tokenizer.is_scaled else MIN_TEXT_ERROR
    measured = measure_carry(lesson.layout, case.prompt.carried, lesson.anchors, text_error)
    if measured is not None:
        case.carry.learn(*measured)
    return tokenizer


def _pricing(case: _Case, usage: Usage) -> PricingFacts:
    return PricingFacts(
        dialect=case.call.facts.dialect, parameters=case.call.parameters, usage=usage, started_us=case.started_us
    )


def _notes(tokenizer: TokenizerState, prompt: Prompt) -> tuple[str, ...]:
    provisional = PROVISIONAL_NOTE if prompt.is_provisional else None
    return tuple(note for note in (tokenizer.note, provisional) if note)


def _ledger(
    case: _Case, drafts: list[DraftLine], cost: Cost, *, usage: Usage, is_settled: bool = False, notes: tuple[str, ...]
) -> Ledger:
    lines = priced_lines(drafts, cost)
    tokenizer = case.tokenizer
    return Ledger(
        lines=lines,
        usage=usage,
        is_settled=is_settled,
        total_input_tokens=usage.total_input_tokens if usage.total_input_tokens is not None else sum(d.tokens for d in drafts),
        output_tokens=usage.output_tokens,
        cost_nano_usd=cost.nano_usd,
        cost_basis=cost.basis,
        tokenizer=f"{tokenizer.family}, learnt ratios" if tokenizer.is_scaled else tokenizer.family,
        notes=notes,
    )
