"""Each way to break a cached prefix is found, named right, and priced; none is invented."""

from dataclasses import replace

import pytest

from proxy_core.attribution.cache_breaks import BreakCause, find_cache_break
from proxy_core.attribution.model import (
    Attribution,
    CallFacts,
    ContentKind,
    CostBasis,
    Grade,
    Ledger,
    LedgerLine,
    Part,
    Region,
    RequestClass,
    Segment,
    Source,
    SourceType,
    Usage,
    Zone,
)

READ_NANO, WRITE_NANO, FRESH_NANO = 500, 6250, 5000
"""Nano-dollars per token of an invented price list."""


def a_segment(text: str, name: str, ttl: str | None = None, region: Region = Region.MESSAGES) -> Segment:
    return Segment(
        source=Source(SourceType.MEMORY, name),
        part=Part.BODY,
        region=region,
        pointer="/messages/0/content",
        start=0,
        end=len(text),
        text=text,
        content_bytes=len(text),
        content_hash=text.rjust(32, "0"),
        content_kind=ContentKind.TEXT,
        cache_ttl=ttl,
    )


def a_call(
    segments: list[Segment], *, read: int = 0, written: int = 0, fresh: int = 0, model: str = "m", priced: bool = True
) -> Attribution:
    zones = ((Zone.CACHE_READ, read, READ_NANO), (Zone.CACHE_WRITE_5M, written, WRITE_NANO), (Zone.FRESH, fresh, FRESH_NANO))
    lines = tuple(
        LedgerLine(
            source=Source(SourceType.USER),
            part=Part.TEXT,
            segment_index=0,
            zone=zone,
            tokens=tokens,
            estimated_tokens=tokens,
            grade=Grade.EXACT,
            cost_nano_usd=tokens * rate if priced else None,
        )
        for zone, tokens, rate in zones
        if tokens
    )
    ledger = Ledger(
        lines=lines,
        usage=Usage(),
        is_settled=True,
        total_input_tokens=read + written + fresh,
        output_tokens=1,
        cost_nano_usd=None,
        cost_basis=CostBasis(price_model=None, library="test"),
        tokenizer="test",
    )
    facts = CallFacts(dialect="anthropic_messages", model=model, request_class=RequestClass.MAIN)
    return Attribution(version=1, facts=facts, segments=tuple(segments), ledger=ledger)


SYSTEM = a_segment("system", "prompt", "5m", Region.SYSTEM)
MEMORY = a_segment("memory", "CLAUDE.md")
USER = a_segment("user", "turn 1", "5m")
NEW = a_segment("more", "turn 2", "5m")
BEFORE = a_call([SYSTEM, MEMORY, USER], written=1000)


def broken(segments: list[Segment], **after: object) -> Attribution:
    return a_call(segments, read=100, written=1100, **after)  # type: ignore[arg-type]


def test_a_warm_request_has_no_break() -> None:
    assert find_cache_break(BEFORE, a_call([SYSTEM, MEMORY, USER, NEW], read=1000, written=200), 5) is None


def test_an_edited_memory_file_is_named_and_priced() -> None:
    found = find_cache_break(BEFORE, broken([SYSTEM, a_segment("changed", "CLAUDE.md"), USER, NEW]), 5)
    assert found is not None
    assert (found.cause, found.source, found.segment_index) == (BreakCause.EDITED, MEMORY.source, 1)
    assert (found.expected_tokens, found.read_tokens, found.rewritten_tokens) == (1000, 100, 900)
    assert found.extra_cost_nano_usd == 900 * (WRITE_NANO - READ_NANO)


def test_an_added_segment_is_named() -> None:
    found = find_cache_break(BEFORE, broken([SYSTEM, a_segment("hook", "h"), MEMORY, USER, NEW]), 5)
    assert found is not None
    assert (found.cause, found.source) == (BreakCause.ADDED, Source(SourceType.MEMORY, "h"))


def test_a_removed_segment_is_named_although_it_is_no_longer_there() -> None:
    found = find_cache_break(BEFORE, broken([SYSTEM, USER, NEW]), 5)
    assert found is not None
    assert (found.cause, found.source, found.segment_index) == (BreakCause.REMOVED, MEMORY.source, None)


def test_a_new_order_is_named() -> None:
    found = find_cache_break(BEFORE, broken([MEMORY, SYSTEM, USER, NEW]), 5)
    assert found is not None
    assert found.cause is BreakCause.REORDERED


@pytest.mark.parametrize(("gap_seconds", "cause"), [(301, BreakCause.TTL_EXPIRED), (5, BreakCause.UNEXPLAINED)])
def test_an_unchanged_prefix_ran_out_or_is_left_unexplained(gap_seconds: float, cause: BreakCause) -> None:
    found = find_cache_break(BEFORE, broken([SYSTEM, MEMORY, USER, NEW]), gap_seconds)
    assert found is not None
    assert (found.cause, found.source, found.change) == (cause, None, None)


def test_one_hour_entries_live_for_an_hour() -> None:
    hourly = [replace(s, cache_ttl="1h" if s.cache_ttl else None) for s in (SYSTEM, MEMORY, USER)]
    found = find_cache_break(a_call(hourly, written=1000), broken([*hourly, NEW]), 3000)
    assert found is not None
    assert found.cause is BreakCause.UNEXPLAINED


def test_another_model_has_a_cache_of_its_own() -> None:
    found = find_cache_break(BEFORE, broken([SYSTEM, MEMORY, USER, NEW], model="other"), 5)
    assert found is not None
    assert found.cause is BreakCause.MODEL_CHANGED


def test_changed_settings_are_named() -> None:
    thinking = a_segment('{"type":"adaptive"}', "thinking", region=Region.SETTINGS)
    found = find_cache_break(BEFORE, broken([SYSTEM, thinking, MEMORY, USER, NEW]), 5)
    assert found is not None
    assert found.cause is BreakCause.SETTINGS_CHANGED


def test_indices_count_all_segments_with_settings_in_between() -> None:
    setting = a_segment("{}", "tool_choice", region=Region.SETTINGS)
    before = a_call([SYSTEM, setting, MEMORY, USER], written=1000)
    found = find_cache_break(before, broken([SYSTEM, setting, a_segment("changed", "CLAUDE.md"), USER]), 5)
    assert found is not None
    assert found.segment_index == 2


def test_a_shorter_request_only_loses_what_it_still_carries() -> None:
    found = find_cache_break(BEFORE, a_call([SYSTEM, a_segment("short", "s")], fresh=300), 5)
    assert found is not None
    assert found.rewritten_tokens == 300
    assert found.extra_cost_nano_usd == 300 * FRESH_NANO


def test_without_a_price_the_tokens_are_told_and_no_dollars() -> None:
    found = find_cache_break(BEFORE, broken([SYSTEM, MEMORY, USER], priced=False), 5)
    assert found is not None
    assert found.extra_cost_nano_usd is None


def test_nothing_is_said_of_estimates() -> None:
    assert BEFORE.ledger is not None
    unsettled = replace(BEFORE, ledger=replace(BEFORE.ledger, is_settled=False))
    assert find_cache_break(unsettled, broken([SYSTEM]), 5) is None
    assert find_cache_break(BEFORE, replace(BEFORE, ledger=None), 5) is None
