"""Each way to break a cached prefix is found, named right, and priced; none is invented."""

from dataclasses import replace

import pytest

from proxy_core.attribution.cache_breaks import BILLING_LINE, BreakCause, find_cache_break
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
        pointer=f"/{name}" if region is Region.SETTINGS else "/messages/0/content",
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


def test_settings_that_differ_in_every_request_are_not_blamed() -> None:
    old, new = (a_segment(text, "diagnostics", region=Region.SETTINGS) for text in ("1", "2"))
    found = find_cache_break(a_call([SYSTEM, old, USER], written=1000), broken([SYSTEM, new, USER, NEW]), 5)
    assert found is not None
    assert found.cause is BreakCause.UNEXPLAINED


def billing_line(number: int) -> Segment:
    return replace(a_segment(f"line {number}", "x", region=Region.SYSTEM), source=BILLING_LINE)


def test_the_billing_line_is_not_blamed_for_what_another_did() -> None:
    before = a_call([billing_line(1), SYSTEM, MEMORY, USER], written=1000)
    found = find_cache_break(before, broken([billing_line(2), SYSTEM, a_segment("changed", "CLAUDE.md"), USER]), 5)
    assert found is not None
    assert (found.cause, found.source, found.segment_index) == (BreakCause.EDITED, MEMORY.source, 2)


def test_a_gateway_that_caches_nothing_past_the_billing_line_is_told_apart() -> None:
    before = a_call([billing_line(1), SYSTEM, USER], written=1000)
    found = find_cache_break(before, a_call([billing_line(2), SYSTEM, USER, NEW], written=1200), 5)
    assert found is not None
    assert (found.cause, found.source, found.segment_index) == (BreakCause.EDITED, BILLING_LINE, 0)
    reads_some = find_cache_break(before, broken([billing_line(2), SYSTEM, USER, NEW]), 5)
    unchanged = find_cache_break(before, a_call([billing_line(1), SYSTEM, USER, NEW], written=1200), 5)
    without_one = find_cache_break(BEFORE, a_call([SYSTEM, MEMORY, USER, NEW], written=1200), 5)
    assert {f and f.cause for f in (reads_some, unchanged, without_one)} == {BreakCause.UNEXPLAINED}


def a_tool(text: str, name: str, kind: ContentKind = ContentKind.TOOL_DEFINITION) -> Segment:
    found = a_segment(text, name, region=Region.TOOLS)
    return replace(found, part=Part.DEFINITION, content_kind=kind, source=Source(SourceType.TOOL, name))


def test_tools_loaded_on_demand_do_not_break_the_cache() -> None:
    waiting = a_tool('{"name":"P","defer_loading":true}', "P", ContentKind.NOT_RENDERED)
    loaded = a_tool('{"name":"WebFetch","defer_loading": true}', "WebFetch")
    before = a_call([waiting, SYSTEM, USER], written=1000)
    found = find_cache_break(before, broken([loaded, waiting, SYSTEM, a_segment("changed", "turn 1", "5m")]), 5)
    assert found is not None
    assert found.source == Source(SourceType.MEMORY, "turn 1")


@pytest.mark.parametrize(("is_offered", "name"), [(True, None), (False, "WebFetch")])
def test_without_texts_a_tool_offered_by_name_counts_as_loaded_on_demand(is_offered: bool, name: str | None) -> None:
    names = replace(a_segment("WebFetch", "listing"), part=Part.NAMES, source=Source(SourceType.TOOL, "WebFetch"))
    rest = [SYSTEM, names if is_offered else MEMORY, USER]
    found = find_cache_break(a_call(rest, written=1000), broken([replace(a_tool("w", "WebFetch"), text=""), *rest]), 5)
    assert found is not None
    assert (found.source and found.source.source_name) == name
