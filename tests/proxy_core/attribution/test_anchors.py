from typing import Any

from proxy_core.attribution.anchors import (
    Anchor,
    History,
    PastCall,
    cache_anchors,
    consistent_anchors,
    expected_positions,
    history_anchors,
    read_anchor,
)
from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.layout import Item, Layout
from proxy_core.attribution.model import CallFacts, Part, Source, SourceType, Usage
from proxy_core.dialects.base import ParsedCall, PromptParameters
from tests.hidden_bills import our_context


def layout(*sizes: float, marks: tuple[tuple[int, str], ...] = (), ends: dict[int, int] | None = None) -> Layout:
    items = tuple(
        Item(Source(SourceType.USER), Part.TEXT, index, Piece(size, 1.0 if size else 0.0, is_text=True))
        for index, size in enumerate(sizes)
    )
    return Layout(items=items, message_ends=ends or {}, marks=marks, message_starts={})


def call(*chain: str, **parameters: Any) -> ParsedCall:
    return ParsedCall(
        facts=CallFacts(dialect="anthropic", chain_hashes=chain),
        segments=(),
        parameters=PromptParameters(model="m", **parameters),
    )


def test_history_is_found_by_its_chain_and_settings() -> None:
    context = our_context()
    History(context, call("a", "b")).remember(PastCall(total_tokens=70, output_tokens=9, thinking_tokens=4))
    History(context, call()).remember(PastCall(total_tokens=1))

    later = History(context, call("a", "b", "c", "d"))

    assert later.calls == {1: PastCall(total_tokens=70, output_tokens=9, thinking_tokens=4)}
    assert (later.thinking_of(2), later.thinking_of(1), later.counted_total, later.is_known) == (4, None, None, False)
    assert History(context, call("a", "b")).is_known
    assert History(context, call("a", "b", tool_choice="any")).calls == {}
    assert History(context, call("a", "b", service_tier="auto")).is_known


def test_a_counted_request_is_not_a_billed_one() -> None:
    context = our_context()
    History(context, call("a")).remember(PastCall(total_tokens=70, is_counted=True))

    counted = History(context, call("a"))
    assert (counted.is_known, counted.counted_total) == (False, 70)


def test_history_gives_ends_of_requests_and_of_answers() -> None:
    context = our_context()
    History(context, call("a")).remember(PastCall(total_tokens=70, output_tokens=9, thinking_tokens=4))
    history = History(context, call("a", "b", "c"))
    prompt = layout(70, 9, 10, ends={0: 1, 1: 2, 2: 3})

    assert history_anchors(prompt, history, thinking={1}) == [Anchor(1, 70, is_sure=True), Anchor(2, 79)]
    assert history_anchors(prompt, history) == [Anchor(1, 70, is_sure=True), Anchor(2, 75)]
    assert history_anchors(prompt, history, inexact={1}) == [Anchor(1, 70, is_sure=True)]
    assert history_anchors(prompt, history, until_message=0) == []
    assert history_anchors(layout(70, ends={5: 1}), history) == []


def test_the_last_breakpoint_is_where_the_cache_ends() -> None:
    prompt = layout(10, 20, 30, marks=((1, "1h"), (2, "5m")))

    assert cache_anchors(prompt, Usage(input_tokens=60)) == []
    assert cache_anchors(prompt, Usage(cache_read_tokens=30)) == [Anchor(2, 30)]
    mixed = Usage(cache_read_tokens=2, cache_write_1h_tokens=8, cache_write_5m_tokens=20)
    assert cache_anchors(prompt, mixed) == [Anchor(1, 10), Anchor(2, 30)]
    assert cache_anchors(layout(10), mixed) == []
    assert cache_anchors(layout(10, marks=((1, "1h"),)), mixed) == [Anchor(1, 30)]


def test_what_was_read_ends_at_the_nearest_breakpoint() -> None:
    prompt = layout(1000, 2000, 30, marks=((1, "5m"), (2, "5m")))
    expected = expected_positions([1010, 2000, 30])

    assert read_anchor(prompt, Usage(cache_read_tokens=1003), expected) == Anchor(1, 1003)
    assert read_anchor(prompt, Usage(cache_read_tokens=2000), expected) is None
    assert read_anchor(prompt, Usage(), expected) is None


def test_an_anchor_that_cannot_be_is_dropped() -> None:
    prompt = layout(100, 200, 0, 300)
    end = Anchor(4, 600)

    def kept(*wanted: Anchor) -> list[Anchor]:
        return consistent_anchors(prompt, wanted, end, 0.01)

    assert kept(Anchor(1, 100), Anchor(2, 300)) == [Anchor(1, 100), Anchor(2, 300), end]
    assert kept(Anchor(1, 100), Anchor(1, 90)) == [Anchor(1, 100), end]
    assert kept(Anchor(1, 700)) == [end]
    assert kept(Anchor(1, 420)) == [end]
    assert kept(Anchor(2, 300), Anchor(3, 310)) == [Anchor(2, 300), end]
    assert kept(Anchor(1, 560, is_sure=True)) == [end], "what follows would be too small"
    assert consistent_anchors(prompt, [Anchor(1, 420, is_sure=True)], None, 0.01) == [Anchor(1, 420, is_sure=True)]
    assert consistent_anchors(prompt, [Anchor(1, 420)], None, 0.01) == []
