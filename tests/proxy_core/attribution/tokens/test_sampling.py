import random

import pytest

from proxy_core.attribution.tokens.sampling import count_bounded, is_hostile


class Words:
    """A counter that remembers how much it was given."""

    name = "words"

    def __init__(self) -> None:
        self.chars = 0

    def count(self, text: str) -> int:
        self.chars += len(text)
        return len(text.split())


SENTENCES = "the model reads every file before it answers 12 times\n"


def test_a_normal_text_is_counted_whole() -> None:
    text = SENTENCES * 4000
    counted = count_bounded(text, Words(), Words())

    assert (counted.tokens, counted.is_sampled) == (40_000, False)


@pytest.mark.parametrize("repeats", [10_000, 100_000])
def test_a_large_text_is_sampled_within_a_percent(repeats: int) -> None:
    exact, quick = Words(), Words()
    counted = count_bounded(SENTENCES * repeats, exact, quick)

    assert counted.is_sampled
    assert counted.tokens == pytest.approx(repeats * 10, rel=0.01)
    assert exact.chars <= 8 * 8192


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "\n" * 100_000,
        "ab" * 50_000,
        "".join(random.Random(1).choices("ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789+/", k=100_000)),
        SENTENCES * 20 + "-" * 60_000,
    ],
)
def test_hostile_texts_are_sampled(text: str) -> None:
    counter = Words()

    assert is_hostile(text)
    assert count_bounded(text, counter, Words()).is_sampled
    assert counter.chars <= 8 * 8192


@pytest.mark.parametrize("text", ["", "a" * 5000, SENTENCES * 500, "模型回答用户的问题。" * 2000])
def test_ordinary_texts_are_not(text: str) -> None:
    assert not is_hostile(text)
