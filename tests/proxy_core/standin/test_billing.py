"""Prompt caching by the API's rules, and counting that is plausible."""

import pytest

from proxy_core.standin.billing import Billing, NearExactCounter, count_roughly, generation, minimum_tokens

LONG = "word " * 3000


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def ask(*texts: str, marks: dict[int, str | None] | None = None, model: str = "claude-opus-5-5", **more):
    blocks = [{"type": "text", "text": text} for text in texts]
    for index, ttl in (marks or {}).items():
        blocks[index]["cache_control"] = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    return {"model": model, "messages": [{"role": "user", "content": blocks}], **more}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def billing(clock):
    return Billing(count_roughly, clock)


def test_without_marks_everything_is_input(billing):
    for _ in range(2):
        bill = billing.bill(ask(LONG))
        assert bill.input_tokens == bill.total_tokens
        assert bill.cache_read_tokens == 0


def test_a_marked_prefix_is_written_then_read(billing):
    first = billing.bill(ask(LONG, "one", marks={0: None}))
    second = billing.bill(ask(LONG, "two", marks={0: None}))
    assert first.cache_write_5m_tokens > 3000
    assert (second.cache_read_tokens, second.cache_write_5m_tokens) == (first.cache_write_5m_tokens, 0)
    assert second.total_tokens == first.total_tokens


def test_a_growing_conversation_reads_what_it_wrote(billing):
    first = billing.bill(ask(LONG, "a", marks={1: None}))
    second = billing.bill(ask(LONG, "a", "b", LONG, marks={3: None}))
    assert second.cache_read_tokens == first.total_tokens
    assert second.input_tokens == 0


def test_a_prefix_further_back_than_twenty_blocks_is_not_found(billing):
    billing.bill(ask(LONG, marks={0: None}))
    near = billing.bill(ask(LONG, *["x"] * 19, marks={19: None}))
    assert near.cache_read_tokens > 0
    far = billing.bill(ask(LONG, *["y"] * 21, marks={21: None}))
    assert far.cache_read_tokens == 0


def test_a_changed_prefix_misses(billing):
    billing.bill(ask(LONG, "same", marks={1: None}))
    assert billing.bill(ask("x" + LONG, "same", marks={1: None})).cache_read_tokens == 0


def test_another_model_has_its_own_cache(billing):
    billing.bill(ask(LONG, marks={0: None}))
    assert billing.bill(ask(LONG, marks={0: None}, model="claude-sonnet-5-5")).cache_read_tokens == 0


def test_caches_expire_and_reading_prolongs_them(billing, clock):
    asked = ask(LONG, marks={0: None})
    billing.bill(asked)
    clock.now = 290
    assert billing.bill(asked).cache_read_tokens > 0
    clock.now = 580
    assert billing.bill(asked).cache_read_tokens > 0
    clock.now = 900
    assert billing.bill(asked).cache_read_tokens == 0


def test_an_hour_is_an_hour(billing, clock):
    asked = ask(LONG, marks={0: "1h"})
    assert billing.bill(asked).cache_write_1h_tokens > 3000
    clock.now = 3500
    assert billing.bill(asked).cache_read_tokens > 3000


def test_both_lifetimes_in_one_prompt(billing):
    bill = billing.bill(ask(LONG, LONG, "rest", marks={0: "1h", 1: None}))
    assert bill.cache_write_1h_tokens > 3000
    assert bill.cache_write_5m_tokens >= 3000
    assert bill.input_tokens < 10
    usage = bill.usage()
    assert usage["cache_creation_input_tokens"] == sum(usage["cache_creation"].values())


def test_a_short_prefix_is_not_cached(billing):
    for _ in range(2):
        bill = billing.bill(ask("short", "rest", marks={0: None}))
        assert bill.input_tokens == bill.total_tokens
    assert minimum_tokens("claude-haiku-5-5") > minimum_tokens("claude-opus-5-5")


def test_automatic_caching_marks_the_last_block(billing):
    asked = ask(LONG, "a", cache_control={"type": "ephemeral"})
    assert billing.bill(asked).cache_write_5m_tokens > 0
    assert billing.bill(asked).input_tokens == 0


def test_tools_come_before_system_before_messages(billing):
    tool = {"name": "t", "description": LONG, "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}
    billing.bill(ask("a", tools=[tool], system="s"))
    assert billing.bill(ask("b", tools=[tool], system=[{"type": "text", "text": "other"}])).cache_read_tokens > 3000


def test_a_deferred_tool_counts_where_it_is_loaded(billing):
    tool = {"name": "t", "description": LONG, "input_schema": {"type": "object"}, "defer_loading": True}
    unloaded = billing.count_prompt(ask("a", tools=[tool]))
    loading = {"type": "tool_result", "tool_use_id": "x", "content": [{"type": "tool_reference", "tool_name": "t"}]}
    loaded = billing.count_prompt({"model": "m", "tools": [tool], "messages": [{"role": "user", "content": [loading]}]})
    assert unloaded < 100
    assert loaded > 3000


def test_every_kind_of_block_is_counted(billing):
    empty = billing.count_prompt({"model": "m", "messages": [{"role": "user", "content": []}]})
    assert empty == 0
    blocks = [
        {"type": "tool_use", "id": "x", "name": "Read", "input": {"path": "a b c"}},
        {"type": "tool_result", "tool_use_id": "x", "content": "some text here"},
        {"type": "tool_result", "tool_use_id": "x", "content": [{"type": "text", "text": "more text"}]},
        {"type": "thinking", "thinking": "well then", "signature": "x" * 500},
        {"type": "image", "source": {"type": "base64", "data": "x" * 5000}},
    ]
    for block in blocks:
        assert billing.count_prompt({"model": "m", "messages": [{"role": "user", "content": [block]}]}) > 6


def test_a_billing_line_costs_nothing_and_breaks_no_cache(billing):
    def asked(line: str):
        system = [{"type": "text", "text": f"x-anthropic-billing-header: cch={line};"}, {"type": "text", "text": LONG}]
        return ask("a", marks={0: None}, system=system)

    first = billing.bill(asked("one"))
    second = billing.bill(asked("another one"))
    assert second.cache_read_tokens == first.total_tokens


def test_forced_tool_choice_costs_more(billing):
    tool = {"name": "t", "description": "d", "input_schema": {"type": "object"}}
    for model in ("claude-opus-5-5", "claude-sonnet-4-6"):
        free = billing.count_prompt(ask("a", tools=[tool], model=model))
        assert billing.count_prompt(ask("a", tools=[tool], model=model, tool_choice={"type": "any"})) > free


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("claude-opus-4-6", "3.0"),
        ("claude-3-5-sonnet-20241022", "3.0"),
        ("claude-haiku-4-5-20251001", "3.0"),
        ("claude-opus-4-7", "4.7"),
        ("claude-opus-4-8", "4.8"),
        ("claude-opus-5-5", "4.8"),
        ("claude-fable-5", "4.8"),
        ("something-else", "4.8"),
    ],
)
def test_tokenizer_generations(model, version):
    assert generation(model)[0] == version


def test_the_near_exact_counter():
    count = NearExactCounter()
    assert count("Hello, Claude", "claude-opus-5-5") == count("Hello, Claude", "claude-opus-5-5") == 7
    assert count("", "claude-opus-5-5") == 0
    assert count("word " * 10_000, "claude-opus-4-6") > 9000
