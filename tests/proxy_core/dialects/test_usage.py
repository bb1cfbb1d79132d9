from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.model import Usage
from proxy_core.dialects.usage import add_usages, merge_delta, read_iterations, read_usage, usage_notes

COUNTS = st.integers(min_value=0, max_value=10**6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELD_NAMES = st.sampled_from(
    [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "cache_creation",
        "output_tokens",
        "iterations",
        "output_tokens_details",
        "server_tool_use",
        "service_tier",
        "speed",
    ]
)


def test_every_field_is_read() -> None:
    usage = read_usage(
        {
            "input_tokens": 1,
            "cache_creation_input_tokens": 50,
            "cache_read_input_tokens": 3,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 4},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
            "service_tier": "batch",
            "inference_geo": "us",
            "speed": "fast",
        }
    )

    assert usage == Usage(
        input_tokens=1,
        cache_read_tokens=3,
        cache_write_5m_tokens=20,
        cache_write_1h_tokens=30,
        output_tokens=7,
        thinking_tokens=4,
        web_search_requests=2,
        web_fetch_requests=1,
        service_tier="batch",
        inference_geo="us",
        speed="fast",
    )
    assert usage.total_input_tokens == 54


def test_old_traffic_without_a_split_wrote_for_five_minutes() -> None:
    assert read_usage({"cache_creation_input_tokens": 9}).cache_write_5m_tokens == 9
    assert read_usage({"cache_creation_input_tokens": 9}).cache_write_1h_tokens is None


def test_a_split_that_misses_tokens_gets_them_at_five_minutes() -> None:
    usage = read_usage({"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 4}})

    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (5, 4)


@pytest.mark.parametrize("value", [None, True, -1, 1.5, "7", 10**13, [], {}])
def test_what_is_no_count_is_unknown(value: object) -> None:
    assert read_usage({"input_tokens": value}).input_tokens is None


def test_what_is_no_usage_says_nothing() -> None:
    assert read_usage("x") == Usage()
    assert merge_delta(Usage(input_tokens=4), None) == Usage(input_tokens=4)
    assert read_iterations({"iterations": {}}) == ()


def test_a_delta_overwrites_but_keeps_the_split_of_the_start() -> None:
    start = read_usage(
        {
            "input_tokens": 5,
            "cache_creation": {"ephemeral_1h_input_tokens": 30, "ephemeral_5m_input_tokens": 0},
            "output_tokens": 1,
        }
    )
    merged = merge_delta(start, {"output_tokens": 20, "cache_creation_input_tokens": 40, "input_tokens": None})

    assert merged.input_tokens == 5
    assert merged.output_tokens == 20
    assert (merged.cache_write_1h_tokens, merged.cache_write_5m_tokens) == (40, 0)


def test_a_delta_with_a_mixed_start_grows_the_five_minute_part() -> None:
    start = Usage(cache_write_5m_tokens=10, cache_write_1h_tokens=30)

    merged = merge_delta(start, {"cache_creation_input_tokens": 45})

    assert (merged.cache_write_5m_tokens, merged.cache_write_1h_tokens) == (15, 30)
    assert merge_delta(Usage(), {"cache_creation_input_tokens": 45}).cache_write_5m_tokens == 45


def test_a_delta_with_its_own_split_is_believed() -> None:
    merged = merge_delta(
        Usage(cache_write_5m_tokens=10), {"cache_creation": {"ephemeral_1h_input_tokens": 7, "ephemeral_5m_input_tokens": 0}}
    )

    assert (merged.cache_write_5m_tokens, merged.cache_write_1h_tokens) == (0, 7)


def test_iterations_are_listed_with_their_models() -> None:
    entries = read_iterations(
        {
            "iterations": [
                {"type": "message", "input_tokens": 4},
                5,
                {"type": "advisor_message", "model": "m", "input_tokens": 2},
            ]
        }
    )

    assert [(entry.kind, entry.model, entry.usage.input_tokens) for entry in entries] == [
        ("message", None, 4),
        ("advisor_message", "m", 2),
    ]


def test_notes_name_new_fields_and_credits() -> None:
    notes = usage_notes({"input_tokens": 1, "quantum_tokens": 2, "fallback_credit": {"status": "redeemed"}})

    assert notes == ("unknown usage field 'quantum_tokens'", "a fallback credit was redeemed: the cost shown is before it")
    assert usage_notes(None) == ()


@given(st.lists(st.tuples(COUNTS | st.none(), COUNTS | st.none()), max_size=5))
def test_sums_are_sums_and_unknown_stays_unknown(pairs: list[tuple[int | None, int | None]]) -> None:
    total = add_usages(Usage(input_tokens=first, output_tokens=second) for first, second in pairs)

    firsts = [first for first, _ in pairs if first is not None]
    assert total.input_tokens == (sum(firsts) if firsts else None)


@given(st.dictionaries(FIELD_NAMES, JSON), st.dictionaries(FIELD_NAMES, JSON))
def test_nothing_raises_and_counts_are_counts(start: dict[str, object], delta: dict[str, object]) -> None:
    merged = merge_delta(read_usage(start), delta)

    read_iterations(start)
    for field in fields(Usage):
        value = getattr(merged, field.name)
        assert value is None or isinstance(value, str) or value >= 0
