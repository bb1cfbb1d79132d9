from typing import Any

import pytest

from proxy_core.attribution.billing import (
    ADVISOR,
    AFTER_COMPACTION,
    FALLBACK,
    SERVER_LOOP,
    billed_samplings,
    billed_usage,
)
from proxy_core.attribution.model import Usage
from proxy_core.dialects.base import ParsedResponse, UsageEntry

SEARCHED = ({"type": "server_tool_use"},)


def response(usage: Usage, **fields: Any) -> ParsedResponse:
    return ParsedResponse(usage=usage, model="claude-opus-4-8", is_complete=True, **fields)


def entry(kind: str, tokens: int | None, *, output: int | None = None, model: str | None = None) -> UsageEntry:
    return UsageEntry(kind=kind, model=model, usage=Usage(input_tokens=tokens, output_tokens=output))


def test_nothing_billed() -> None:
    assert billed_samplings(response(Usage(output_tokens=4))) == ()
    assert billed_usage((), Usage(output_tokens=4)) == Usage(output_tokens=4)


def test_a_plain_answer_is_one_sampling() -> None:
    usage = Usage(input_tokens=10, output_tokens=4)

    (only,) = billed_samplings(response(usage))

    assert (only.kind, only.model, only.usage, only.extra_input, only.is_free) == (
        "message",
        "claude-opus-4-8",
        usage,
        None,
        False,
    )
    assert billed_usage((only,), usage) == usage


def test_a_streams_start_is_what_the_client_sent() -> None:
    usage = Usage(input_tokens=22397, output_tokens=90, cache_read_tokens=0)
    start = Usage(input_tokens=2068, output_tokens=1)

    first, loop = billed_samplings(response(usage, start_usage=start, blocks=SEARCHED))

    assert (first.usage.total_input_tokens, first.usage.output_tokens) == (2068, 90)
    assert (loop.extra_input, loop.usage.total_input_tokens, loop.usage.output_tokens) == (SERVER_LOOP, 20329, None)
    assert billed_usage((first, loop), usage).total_input_tokens == 22397


@pytest.mark.parametrize(
    "start",
    [
        None,
        Usage(),
        Usage(input_tokens=0),
        Usage(input_tokens=50),
        Usage(cache_read_tokens=20),
    ],
)
def test_a_start_that_tells_nothing_new_is_left_out(start: Usage | None) -> None:
    usage = Usage(input_tokens=50, output_tokens=1)

    assert len(billed_samplings(response(usage, start_usage=start, blocks=SEARCHED))) == 1


def test_a_gateways_placeholder_is_no_server_loop() -> None:
    assert len(billed_samplings(response(Usage(input_tokens=5000), start_usage=Usage(input_tokens=1)))) == 1
    searched = Usage(input_tokens=5000, web_search_requests=1)
    assert len(billed_samplings(response(searched, start_usage=Usage(input_tokens=600)))) == 2


def test_the_top_level_leaves_the_advisor_and_compaction_out() -> None:
    usage = Usage(input_tokens=30, output_tokens=9, web_search_requests=2, service_tier="standard", thinking_tokens=3)
    listed = (
        entry("compaction", 500, output=40),
        entry("message", 10, output=4),
        entry("advisor_message", 70, output=6, model="a"),
        entry("message", 20, output=5),
    )

    samplings = billed_samplings(response(usage, iterations=listed))

    assert [sampling.extra_input for sampling in samplings] == [None, AFTER_COMPACTION, ADVISOR, AFTER_COMPACTION]
    assert [sampling.model for sampling in samplings] == ["claude-opus-4-8", "claude-opus-4-8", "a", "claude-opus-4-8"]
    total = billed_usage(samplings, usage)
    assert (total.total_input_tokens, total.output_tokens, total.web_search_requests, total.thinking_tokens) == (600, 55, 2, 3)
    assert total.service_tier == "standard"


def test_server_loops_are_listed_one_by_one() -> None:
    listed = (entry("message", 10), entry("message", 25), entry("new_kind", 5), entry("message", None))

    samplings = billed_samplings(response(Usage(input_tokens=35, output_tokens=3), iterations=listed))

    assert [sampling.extra_input for sampling in samplings] == [None, SERVER_LOOP, SERVER_LOOP]
    assert billed_usage(samplings, Usage(output_tokens=3)).output_tokens == 3


def test_a_list_that_misses_some_gets_the_rest() -> None:
    samplings = billed_samplings(response(Usage(input_tokens=50), iterations=(entry("message", 20),)))

    assert [sampling.usage.total_input_tokens for sampling in samplings] == [20, 30]
    assert samplings[1].extra_input == SERVER_LOOP


def test_the_top_level_of_a_fallback_covers_the_serving_attempt_only() -> None:
    listed = (
        entry("message", 20, output=1, model="claude-fable-5"),
        entry("fallback_message", 21, output=30, model="claude-opus-4-8"),
        entry("message", 4),
    )

    samplings = billed_samplings(response(Usage(input_tokens=21), iterations=listed))

    assert [sampling.extra_input for sampling in samplings] == [None, FALLBACK, FALLBACK]
    assert len(samplings) == 3


def test_a_refusal_before_any_output_is_free() -> None:
    usage = Usage(input_tokens=9, output_tokens=0)

    assert billed_samplings(response(usage, stop_reason="refusal"))[0].is_free
    assert not billed_samplings(response(usage, stop_reason="refusal", blocks=({"type": "text", "text": "no"},)))[0].is_free
    assert not billed_samplings(response(Usage(input_tokens=9, output_tokens=12), stop_reason="refusal"))[0].is_free
    assert not billed_samplings(response(usage, stop_reason="end_turn"))[0].is_free
