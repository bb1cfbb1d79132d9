"""Tokens of an answer that still streams, reckoned from bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.streaming import USUAL_RATE, StreamRate, measure, rate_of, read_stream_rates
from tests import factories
from tests.recorder import Recorder, attribution

OPUS, SONNET = "claude-opus-4-5", "claude-sonnet-4-5"


def test_a_frame_and_so_much_a_token_are_found_again():
    rates = measure((OPUS, tokens, 900 + 35 * tokens) for tokens in (3, 20, 170, 400, 1_000))
    assert rates[OPUS].frame_bytes == pytest.approx(900)
    assert rates[OPUS].token_bytes == pytest.approx(35)
    assert rates[OPUS].tokens(900 + 35 * 250) == 250
    assert rates[OPUS].tokens(300) == 0


def test_each_model_has_its_own_rate_once_there_are_enough():
    rates = measure([(OPUS, n, 10 * n) for n in range(1, 6)] + [(SONNET, n, 90 * n) for n in range(1, 5)] + [(None, 5, 50)])
    assert set(rates) == {OPUS, None}
    assert rate_of(OPUS, rates).token_bytes == pytest.approx(10)
    assert rate_of(SONNET, rates) is rates[None]
    assert rate_of(SONNET, {}) is USUAL_RATE


@pytest.mark.parametrize(
    "streams",
    [
        [(OPUS, 10, 400)] * 5,
        [(OPUS, tokens, 5_000 - tokens) for tokens in (10, 20, 30, 40, 50)],
        [(OPUS, tokens, max(1, 100 * tokens - 900)) for tokens in (10, 20, 30, 40, 50)],
    ],
    ids=["all alike", "falling", "frame below nought"],
)
def test_where_no_line_makes_sense_it_goes_through_nought(streams):
    rate = measure(streams)[OPUS]
    assert rate.frame_bytes == 0
    assert rate.token_bytes == pytest.approx(sum(size for *_, size in streams) / sum(tokens for _, tokens, _ in streams))


@given(st.lists(st.tuples(st.just(OPUS), st.integers(1, 10**6), st.integers(1, 10**9)), min_size=5, max_size=30))
def test_any_streams_give_a_rate_that_counts(streams):
    rate = measure(streams)[OPUS]
    assert rate.token_bytes > 0
    assert rate.frame_bytes >= 0
    assert 0 <= rate.tokens(1_000) <= rate.tokens(100_000)


def test_only_whole_billed_streams_are_measured(database):
    assert read_stream_rates(database) == {}
    recorder = Recorder(database)
    streamed = attribution(facts=factories.call_facts(is_streaming=True))
    for number in range(6):
        recorder.record(streamed, exchange_id=f"{number:032x}")
    rates = read_stream_rates(database)
    assert set(rates) == {None, streamed.facts.model}
    for number in range(6, 20):
        recorder.record(None if number % 2 else attribution(), exchange_id=f"{number:032x}")
    assert read_stream_rates(database) == rates


def test_few_tokens_of_few_bytes():
    assert StreamRate(1_000, 40).tokens(1_000 + 39 * 40) == 39
