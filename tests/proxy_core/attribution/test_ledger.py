"""The ledger's promises: input lines sum to the bill, costs to the cost, and nobody pays for what somebody else put there."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_core.attribution.content_classes import ContentClass
from proxy_core.attribution.context import MemoryContext
from proxy_core.attribution.estimates import content_hash
from proxy_core.attribution.ledger import CUT_OFF_NOTE, PROVISIONAL_NOTE, build_ledger
from proxy_core.attribution.model import (
    CallFacts,
    ContentKind,
    Grade,
    ImageFacts,
    Ledger,
    LedgerLine,
    Part,
    Region,
    Segment,
    Source,
    SourceType,
    Usage,
    Zone,
)
from proxy_core.attribution.prices import PriceBook
from proxy_core.attribution.tokens.counting import CountedTexts, TokenCount
from proxy_core.dialects.base import ParsedCall, ParsedResponse, PromptParameters, UsageEntry
from tests.hidden_bills import RECORDED, Conversation, HiddenBilling, our_context, our_count

USER = Source(SourceType.USER)
BEFORE_ANSWER = replace(RECORDED, status_code=None)


def segment(text: str, **fields: Any) -> Segment:
    values: dict[str, Any] = {
        "source": USER,
        "part": Part.TEXT,
        "region": Region.MESSAGES,
        "pointer": "/messages/0/content",
        "start": 0,
        "end": len(text),
        "text": text,
        "content_bytes": len(text),
        "content_hash": content_hash(text + str(fields.get("content_kind"))),
        "content_kind": ContentKind.TEXT,
        "role": "user",
        "message_index": 0,
    }
    return Segment(**(values | fields))


def call(*segments: Segment, chain: Sequence[str] = ("h0",), **parameters: Any) -> ParsedCall:
    fields: dict[str, Any] = {"model": "claude-opus-4-8"} | parameters
    return ParsedCall(
        facts=CallFacts(dialect="anthropic", model=fields["model"], chain_hashes=tuple(chain)),
        segments=segments,
        parameters=PromptParameters(**fields),
    )


def answer(text: str | None = None, *, usage: Usage, **fields: Any) -> ParsedResponse:
    values: dict[str, Any] = {"model": "claude-opus-4-8", "is_complete": True, "stop_reason": "end_turn"} | fields
    blocks = fields.get("blocks", ({"type": "text", "text": text},) if text else ())
    return ParsedResponse(**(values | {"usage": usage, "blocks": blocks}))


def inputs(ledger: Ledger) -> list[LedgerLine]:
    return [line for line in ledger.lines if line.zone is not Zone.OUTPUT]


def by_source(lines: Sequence[LedgerLine]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for line in lines:
        found[line.source.source_name or line.source.source_type.value] += line.tokens
    return dict(found)


def check_sums(ledger: Ledger) -> None:
    assert sum(line.tokens for line in inputs(ledger)) == ledger.total_input_tokens == ledger.usage.total_input_tokens
    assert sum(line.tokens for line in ledger.lines if line.zone is Zone.OUTPUT) == (ledger.usage.output_tokens or 0)
    assert all(line.tokens >= 0 for line in ledger.lines)
    if ledger.cost_nano_usd is not None:
        assert sum(line.cost_nano_usd or 0 for line in ledger.lines) == ledger.cost_nano_usd


def worst_errors(
    model: str, ratios: dict[ContentClass, float], noise: float, seed: int, *, turns: int, tools: int, call_share: float
) -> list[float]:
    """Let a conversation be billed in secret; return the worst error of any source, by turn, as a share of the request."""
    rng = random.Random(seed)
    billing = HiddenBilling(
        ratios=ratios,
        noise=noise,
        tool_prompt=rng.randrange(150, 900),
        frame=rng.randrange(4, 12),
        next_frame=rng.randrange(2, 5),
        seed=seed,
        call_frame=rng.randrange(10, 60),
        call_share=call_share,
    )
    conversation = Conversation(billing, model, tools, rng)
    context = our_context()
    errors = []
    for _ in range(turns):
        parsed, response, true_tokens = conversation.ask()
        ledger = build_ledger(RECORDED, parsed, response, context)
        check_sums(ledger)
        total = ledger.total_input_tokens
        truth: dict[str, int] = defaultdict(int)
        for part, tokens in zip(parsed.segments, true_tokens, strict=True):
            truth[part.source.source_name or part.source.source_type.value] += tokens
        found: dict[str, int] = defaultdict(int)
        for line in inputs(ledger):
            name = (
                "hidden"
                if line.source.source_type is SourceType.OVERHEAD
                else line.source.source_name or line.source.source_type.value
            )
            found[name] += line.tokens
        truth["hidden"] = total - sum(true_tokens)
        errors.append(max(abs(truth[name] - found[name]) for name in truth) / total)
    return errors


@pytest.mark.parametrize("tools", [0, 12])
@pytest.mark.parametrize("seed", range(6))
def test_a_known_tokenizer_is_within_two_percent(seed: int, tools: int) -> None:
    same = dict.fromkeys(ContentClass, 1.0)

    assert max(worst_errors("claude-opus-4-8", same, 0.003, seed, turns=8, tools=tools, call_share=tools / 24)) <= 0.02


@pytest.mark.parametrize("model", ["claude-opus-9-1", "claude-zephyr"])
@pytest.mark.parametrize("seed", range(8))
def test_an_unknown_tokenizer_is_within_ten_percent_after_ten_turns(seed: int, model: str) -> None:
    rng = random.Random(seed * 7)
    ratios = {name: rng.uniform(0.7, 1.9) for name in ContentClass}

    assert max(worst_errors(model, ratios, 0.05, seed, turns=12, tools=12, call_share=0.6)[10:]) <= 0.10


def test_a_changed_tokenizer_is_noted() -> None:
    billing = HiddenBilling(ratios=dict.fromkeys(ContentClass, 1.3), noise=0.0, tool_prompt=290, frame=6, next_frame=2, seed=1)
    conversation = Conversation(billing, "claude-opus-4-8", 3, random.Random(1))
    context = our_context()
    for _ in range(12):
        parsed, response, _ = conversation.ask()
        ledger = build_ledger(RECORDED, parsed, response, context)

    assert "does not fit claude-opus-4-8" in ledger.notes[0]
    assert ledger.tokenizer == "ctok 4.8, learnt ratios"


def test_the_reply_everybody_can_check_by_hand() -> None:
    usage = Usage(input_tokens=12, output_tokens=321, cache_write_5m_tokens=800, cache_read_tokens=9000)
    first = segment("cached " * 4500, cache_ttl="5m")
    ledger = build_ledger(RECORDED, call(first, segment("fresh words")), answer(usage=usage), our_context())

    check_sums(ledger)
    assert ledger.cost_nano_usd == 17_585_000
    assert ledger.is_settled
    assert ledger.output_tokens == 321


def test_zones_are_cut_by_position() -> None:
    parts = [
        segment(f"word{number} " * 100, message_index=number, pointer=f"/messages/{number}/content") for number in range(4)
    ]
    parts[1] = replace(parts[1], cache_ttl="1h")
    parts[2] = replace(parts[2], cache_ttl="5m")
    usage = Usage(
        cache_read_tokens=100, cache_write_1h_tokens=310, cache_write_5m_tokens=205, input_tokens=206, output_tokens=1
    )

    ledger = build_ledger(RECORDED, call(*parts, chain=("a", "b", "c", "d")), answer(usage=usage), our_context())

    check_sums(ledger)
    zones = [(line.segment_index, line.zone) for line in inputs(ledger) if line.segment_index is not None]
    assert zones == [
        (0, Zone.CACHE_READ),
        (0, Zone.CACHE_WRITE_1H),
        (1, Zone.CACHE_WRITE_1H),
        (2, Zone.CACHE_WRITE_5M),
        (3, Zone.FRESH),
    ]


def test_before_the_answer_there_is_an_estimate() -> None:
    ledger = build_ledger(BEFORE_ANSWER, call(segment("one two three")), None, our_context())

    assert not ledger.is_settled
    assert ledger.usage == Usage()
    assert ledger.total_input_tokens == sum(line.tokens for line in ledger.lines) == our_count("one two three") + 6
    assert {line.grade for line in ledger.lines} == {Grade.ESTIMATED}
    assert ledger.cost_nano_usd is None
    assert ledger.output_tokens is None


def test_history_makes_the_next_estimate_nearly_exact() -> None:
    context = our_context()
    first = call(segment("hello there"), chain=("h0",))
    build_ledger(RECORDED, first, answer("fine", usage=Usage(input_tokens=500, output_tokens=40)), context)

    parts = [
        segment("hello there"),
        segment("fine", source=Source(SourceType.ASSISTANT), role="assistant", message_index=1, pointer="/messages/1/content"),
        segment("and now", message_index=2, pointer="/messages/2/content"),
    ]
    ledger = build_ledger(BEFORE_ANSWER, call(*parts, chain=("h0", "h1", "h2")), None, context)

    assert 540 <= ledger.total_input_tokens <= 550


def test_an_exact_repetition_is_known_before_its_answer() -> None:
    context = our_context()
    parsed = call(segment("hello there"))
    build_ledger(RECORDED, parsed, answer("fine", usage=Usage(input_tokens=77, output_tokens=4)), context)

    assert build_ledger(BEFORE_ANSWER, parsed, None, context).total_input_tokens == 77


def test_running_again_changes_nothing_and_teaches_nothing() -> None:
    context = our_context()
    parsed = call(segment("hello there " * 30))
    response = answer("fine words " * 30, usage=Usage(input_tokens=77, output_tokens=64))

    first = build_ledger(RECORDED, parsed, response, context)
    learnt = dict(context._learnt)

    assert build_ledger(RECORDED, parsed, response, context) == first
    assert context._learnt == learnt


def test_hidden_content_is_an_overhead_of_its_own() -> None:
    parsed = call(segment("word " * 200), segment("more " * 100, source=Source(SourceType.FILE, "a.txt")))
    ledger = build_ledger(RECORDED, parsed, answer(usage=Usage(input_tokens=306 + 2000, output_tokens=1)), our_context())

    found = by_source(inputs(ledger))
    assert found["not visible"] >= 1990
    assert abs(found["a.txt"] - 100) <= 2
    assert next(line.grade for line in ledger.lines if line.source.source_name == "not visible") is Grade.OPAQUE


def test_a_bill_with_nothing_visible_is_all_hidden() -> None:
    parsed = call(segment("x", content_kind=ContentKind.NOT_RENDERED))
    ledger = build_ledger(RECORDED, parsed, answer(usage=Usage(input_tokens=5000, output_tokens=1)), our_context())

    check_sums(ledger)
    assert by_source(inputs(ledger))["not visible"] > 4900


def test_what_is_not_rendered_costs_nothing_but_is_listed() -> None:
    line = "x-anthropic-billing-header: cc_version=2.1.330.abc;"
    parts = (segment(line, region=Region.SYSTEM, role=None, message_index=None), segment("hello"))
    ledger = build_ledger(RECORDED, call(*parts), answer(usage=Usage(input_tokens=8, output_tokens=1)), our_context())

    found = next(entry for entry in ledger.lines if entry.segment_index == 0)
    assert (found.tokens, found.cost_nano_usd) == (0, 0)


def test_a_thread_has_unseen_history() -> None:
    parsed = call(segment("go on"), has_thread=True)
    context = our_context()
    ledger = build_ledger(RECORDED, parsed, answer(usage=Usage(input_tokens=40_000, output_tokens=1)), context)

    assert by_source(inputs(ledger))["history held by the API"] > 39_900
    assert not any("anchor" in key[0] for key in context._learnt)


def test_connectors_tools_are_sized_by_difference() -> None:
    parsed = call(segment("go on " * 50), tool_types=("mcp_toolset",))
    ledger = build_ledger(RECORDED, parsed, answer(usage=Usage(input_tokens=9000, output_tokens=1)), our_context())

    assert by_source(inputs(ledger))["tools of MCP connectors"] > 8000


def test_cleared_results_leave_the_prompt() -> None:
    parts = [
        segment("old " * 500, part=Part.RESULT, source=Source(SourceType.TOOL, "Bash"), pointer="/messages/0/content/0"),
        segment(
            "new " * 300,
            part=Part.RESULT,
            source=Source(SourceType.TOOL, "Read"),
            message_index=1,
            pointer="/messages/1/content/0",
        ),
        segment("question " * 100, message_index=1, pointer="/messages/1/content/1"),
    ]
    response = answer(usage=Usage(input_tokens=515, output_tokens=1), cleared_input_tokens=500)
    ledger = build_ledger(RECORDED, call(*parts, chain=("a", "b")), response, our_context())

    check_sums(ledger)
    found = by_source(inputs(ledger))
    assert found["Bash"] < 10
    assert abs(found["Read"] - 300) < 15


def test_a_server_loop_is_no_source_of_the_client() -> None:
    parsed = call(segment("search for it " * 20), tool_types=("web_search_20250305",))
    usage = Usage(input_tokens=22_397, output_tokens=900, web_search_requests=3)
    ledger = build_ledger(RECORDED, parsed, answer(usage=usage, start_usage=Usage(input_tokens=2068)), our_context())

    check_sums(ledger)
    found = by_source(inputs(ledger))
    assert found["server tool loop"] == 20_329
    search = next(
        line for line in ledger.lines if line.source == Source(SourceType.TOOL, "web_search") and line.part is Part.RESULT
    )
    assert (search.tokens, search.cost_nano_usd) == (0, 30_000_000)
    assert any(name.startswith("hidden definition of web_search") for name in found)


def test_every_iteration_is_billed_at_its_own_model() -> None:
    entries = (
        UsageEntry(kind="compaction", model=None, usage=Usage(input_tokens=900, output_tokens=50)),
        UsageEntry(kind="message", model=None, usage=Usage(input_tokens=100, output_tokens=10)),
        UsageEntry(kind="advisor_message", model="claude-fable-5", usage=Usage(input_tokens=70, output_tokens=7)),
    )
    response = answer(usage=Usage(input_tokens=100, output_tokens=10), iterations=entries)
    context = our_context()
    ledger = build_ledger(RECORDED, call(segment("word " * 800)), response, context)

    check_sums(ledger)
    assert ledger.total_input_tokens == 1070
    assert ledger.output_tokens == 67
    assert ledger.cost_nano_usd == 1000 * 5000 + 60 * 25_000 + 70 * 10_000 + 7 * 50_000
    outputs = {line.source: line.tokens for line in ledger.lines if line.zone is Zone.OUTPUT}
    assert outputs == {
        Source(SourceType.SUMMARY, "compaction"): 50,
        Source(SourceType.ASSISTANT): 10,
        Source(SourceType.ASSISTANT, "advisor"): 7,
    }
    assert not any("anchor" in key[0] for key in context._learnt)


def test_thinking_stands_apart() -> None:
    response = answer("done", usage=Usage(input_tokens=20, output_tokens=300, thinking_tokens=250))
    ledger = build_ledger(RECORDED, call(segment("think")), response, our_context())

    assert [(line.part, line.tokens) for line in ledger.lines if line.zone is Zone.OUTPUT] == [
        (Part.THINKING, 250),
        (Part.OUTPUT, 50),
    ]


def thinking_turn(*, keeps: bool = True) -> tuple[ParsedCall, ParsedCall]:
    model = "claude-opus-4-8" if keeps else "claude-opus-4-1"
    question = segment("hello there")
    assistant = {"source": Source(SourceType.ASSISTANT), "role": "assistant", "message_index": 1}
    parts = [
        question,
        segment(
            "a summary",
            part=Part.THINKING,
            content_kind=ContentKind.THINKING,
            pointer="/messages/1/content/0/thinking",
            **assistant,
        ),
        segment(
            "",
            part=Part.THINKING,
            content_kind=ContentKind.OPAQUE,
            content_bytes=4000,
            pointer="/messages/1/content/0/signature",
            **assistant,
        ),
        segment("the answer", pointer="/messages/1/content/1", **assistant),
        segment("go on " * 40, message_index=2, pointer="/messages/2/content"),
    ]
    return call(question, model=model), call(*parts, chain=("h0", "h1", "h2"), model=model)


def test_earlier_thinking_costs_what_was_reported() -> None:
    context = our_context()
    first, second = thinking_turn()
    thought = Usage(input_tokens=10, output_tokens=304, thinking_tokens=300)
    build_ledger(RECORDED, first, answer("the answer", usage=thought), context)

    ledger = build_ledger(RECORDED, second, answer(usage=Usage(input_tokens=398, output_tokens=1)), context)

    check_sums(ledger)
    tokens = {line.segment_index: line.tokens for line in inputs(ledger)}
    assert abs(tokens[1] - 300) <= 2
    assert tokens[2] == 0


def test_earlier_thinking_that_the_model_drops_costs_nothing() -> None:
    context = our_context()
    first, second = thinking_turn(keeps=False)
    thought = Usage(input_tokens=11, output_tokens=304, thinking_tokens=300)
    build_ledger(RECORDED, first, answer("the answer", usage=thought, model="claude-opus-4-1"), context)

    response = answer(usage=Usage(input_tokens=99, output_tokens=1), model="claude-opus-4-1")
    ledger = build_ledger(RECORDED, second, response, context)

    tokens = {line.segment_index: line.tokens for line in inputs(ledger)}
    assert tokens[1] == tokens[2] == 0
    assert abs(tokens[4] - 80) <= 3


def test_images_go_by_their_formula() -> None:
    parts = (
        segment(
            "",
            content_kind=ContentKind.IMAGE,
            part=Part.IMAGE,
            image=ImageFacts(width_px=1000, height_px=1000),
            pointer="/messages/0/content/0",
        ),
        segment("what is this", pointer="/messages/0/content/1"),
    )
    ledger = build_ledger(
        RECORDED, call(*parts), answer(usage=Usage(input_tokens=1296 + 3 + 3 + 6, output_tokens=1)), our_context()
    )

    tokens = {line.segment_index: line.tokens for line in inputs(ledger)}
    assert abs(tokens[0] - 1296) <= 1


def test_an_image_of_unknown_size_is_what_is_left() -> None:
    parts = (
        segment(
            "",
            content_kind=ContentKind.IMAGE,
            part=Part.IMAGE,
            pointer="/messages/0/content/0",
            image=ImageFacts(width_px=None, height_px=None),
        ),
        segment("what is this", pointer="/messages/0/content/1"),
    )
    ledger = build_ledger(RECORDED, call(*parts), answer(usage=Usage(input_tokens=712, output_tokens=1)), our_context())

    first = next(line for line in ledger.lines if line.segment_index == 0)
    assert abs(first.tokens - 700) <= 5
    assert first.grade is Grade.OPAQUE


def test_an_unknown_model_has_tokens_without_dollars() -> None:
    response = answer(usage=Usage(input_tokens=10, output_tokens=5), model="claude-opus-4-8-turbo")
    ledger = build_ledger(RECORDED, call(segment("hi")), response, our_context())

    check_sums(ledger)
    assert ledger.cost_nano_usd is None
    assert all(line.cost_nano_usd is None for line in ledger.lines)


def test_counting_is_free_and_never_a_bill() -> None:
    parsed = call(segment("count me " * 10))
    context = our_context()
    ledger = build_ledger(RECORDED, parsed, answer(usage=Usage(), counted_tokens=31), context)

    assert not ledger.is_settled
    assert ledger.cost_nano_usd == 0
    assert ledger.total_input_tokens == sum(line.tokens for line in ledger.lines) == 31
    assert build_ledger(BEFORE_ANSWER, parsed, None, context).total_input_tokens == 31
    text = parsed.segments[0].content_hash
    assert context.cached_counts("ctok 4.8", [text])[text].tokens == 25


def test_counting_after_the_bill_does_not_replace_it() -> None:
    parsed = call(segment("count me " * 10))
    context = our_context()
    build_ledger(RECORDED, parsed, answer(usage=Usage(input_tokens=30, output_tokens=1)), context)
    build_ledger(RECORDED, parsed, answer(usage=Usage(), counted_tokens=31), context)

    assert build_ledger(BEFORE_ANSWER, parsed, None, context).total_input_tokens == 30


@pytest.mark.parametrize(
    ("status", "fields", "cost", "step"),
    [
        (529, {"error_type": "overloaded_error"}, 0, "failed with HTTP 529: not charged"),
        (200, {"error_type": "overloaded_error"}, 0, "failed with overloaded_error before any usage: not charged"),
        (200, {}, None, "not billed yet"),
    ],
)
def test_an_answer_without_a_bill(status: int, fields: dict[str, Any], cost: int | None, step: str) -> None:
    recorded = replace(RECORDED, status_code=status)
    ledger = build_ledger(recorded, call(segment("hi")), answer(usage=Usage(), **fields), our_context())

    assert not ledger.is_settled
    assert (ledger.cost_nano_usd, ledger.cost_basis.steps) == (cost, (step,))


@pytest.mark.parametrize(("text", "tokens"), [("some words came", 3), (None, 0)])
def test_a_cut_off_answer_is_counted_from_what_arrived(text: str | None, tokens: int) -> None:
    response = answer(text, usage=Usage(input_tokens=10), is_complete=False)
    ledger = build_ledger(RECORDED, call(segment("hi")), response, our_context())

    assert ledger.is_settled
    assert ledger.notes[-1] == CUT_OFF_NOTE
    assert ledger.output_tokens is None
    outputs = [(line.tokens, line.grade) for line in ledger.lines if line.zone is Zone.OUTPUT]
    assert outputs == ([(tokens, Grade.ESTIMATED)] if tokens else [])
    assert ledger.cost_nano_usd == 10 * 5000 + tokens * 25_000


class Slow:
    """A counting service that never finishes."""

    def count(self, family: str, texts: dict[str, str], *, patience_s: float) -> CountedTexts:
        return CountedTexts(quick={key: TokenCount(our_count(text), is_sampled=True) for key, text in texts.items()})


def test_quick_figures_are_marked() -> None:
    context = MemoryContext(prices=PriceBook(), counting=Slow())  # type: ignore[arg-type]
    response = answer("some words came", usage=Usage(input_tokens=10), is_complete=False)
    parsed = call(segment("hi there"), segment("you"), tool_types=("custom",))
    ledger = build_ledger(RECORDED, parsed, response, context)

    assert PROVISIONAL_NOTE in ledger.notes
    assert not any(key[0] == "overhead" for key in context._learnt), "quick figures teach nothing"
    assert {line.grade for line in ledger.lines if line.segment_index is not None} == {Grade.ESTIMATED}


SEGMENTS = st.builds(
    segment,
    st.text(max_size=30),
    content_kind=st.sampled_from(list(ContentKind)),
    part=st.sampled_from(list(Part)),
    region=st.sampled_from(list(Region)),
    message_index=st.integers(0, 4) | st.none(),
    role=st.sampled_from(["user", "assistant", "system", None]),
    pointer=st.sampled_from(["/messages/0/content/0", "/messages/1/content/0/text", "", "/tools/0"]),
    cache_ttl=st.sampled_from([None, None, "5m", "1h"]),
    content_bytes=st.integers(0, 10**8),
    image=st.none()
    | st.builds(ImageFacts, width_px=st.none() | st.integers(0, 9000), height_px=st.none() | st.integers(0, 9000)),
)
COUNT = st.none() | st.integers(0, 10**6)
USAGES = st.builds(
    Usage,
    input_tokens=COUNT,
    cache_read_tokens=COUNT,
    cache_write_5m_tokens=COUNT,
    cache_write_1h_tokens=COUNT,
    output_tokens=COUNT,
    thinking_tokens=COUNT,
    web_search_requests=st.none() | st.integers(0, 5),
    service_tier=st.sampled_from([None, "standard", "batch", "priority"]),
    inference_geo=st.sampled_from([None, "us", "global"]),
    speed=st.sampled_from([None, "standard", "fast"]),
)
RESPONSES = st.builds(
    answer,
    st.none() | st.text(max_size=40),
    usage=USAGES,
    start_usage=st.none() | USAGES,
    iterations=st.lists(
        st.builds(
            UsageEntry,
            kind=st.sampled_from(["message", "compaction", "advisor_message", "fallback_message", "new"]),
            model=st.sampled_from([None, "claude-fable-5", "unheard-of"]),
            usage=USAGES,
        ),
        max_size=3,
    ).map(tuple),
    model=st.sampled_from(["claude-opus-4-8", "claude-haiku-5-5", "claude-3-haiku-20240307", "claude-opus-4-7", "gpt-4", None]),
    stop_reason=st.sampled_from(["end_turn", "refusal"]),
    cleared_input_tokens=COUNT,
    is_complete=st.booleans(),
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.lists(SEGMENTS, max_size=8), RESPONSES), min_size=1, max_size=4),
    st.sampled_from([(), ("custom",), ("custom", "bash_20250124", "mcp_toolset")]),
    st.booleans(),
)
def test_whatever_comes_the_sums_are_right(
    exchanges: list[tuple[list[Segment], ParsedResponse]], tool_types: tuple[str, ...], has_thread: bool
) -> None:
    context = our_context()
    grown: list[Segment] = []
    for number, (parts, response) in enumerate(exchanges):
        grown = [*grown, *parts]
        chain = [f"h{index}" for index in range(number * 2 + 1)]
        parsed = call(
            *grown, chain=chain, tool_types=tool_types, has_thread=has_thread, thinking="enabled", has_output_schema=True
        )
        build_ledger(BEFORE_ANSWER, parsed, None, context)

        ledger = build_ledger(RECORDED, parsed, response, context)

        if not ledger.is_settled:
            continue
        assert sum(line.tokens for line in inputs(ledger)) == ledger.total_input_tokens == ledger.usage.total_input_tokens
        assert all(line.tokens >= 0 for line in ledger.lines)
        assert {line.segment_index for line in ledger.lines if line.segment_index is not None} == set(range(len(grown)))
        if ledger.cost_nano_usd is not None:
            assert sum(line.cost_nano_usd or 0 for line in ledger.lines) == ledger.cost_nano_usd
