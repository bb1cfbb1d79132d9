import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_core.attribution.tokens import counters
from proxy_core.attribution.tokens.counters import CtokCounter, O200kCounter, chunks, counter_for, quick_counter_for
from proxy_core.attribution.tokens.families import O200K, V3, V4_7, V4_8


@given(st.text(max_size=400), st.integers(1, 50))
def test_chunks_are_the_text(text: str, size: int) -> None:
    pieces = list(chunks(text, size))

    assert "".join(pieces) == text
    assert all(len(piece) <= size for piece in pieces)


def test_chunks_end_at_lines_and_spaces() -> None:
    assert list(chunks("one two\nthree four", 10)) == ["one two", "\nthree", " four"]
    assert list(chunks("a" * 25, 10)) == ["a" * 10, "a" * 10, "a" * 5]


def test_o200k_agrees_with_its_published_counts() -> None:
    assert O200kCounter().count("tiktoken is great!") == 6
    assert O200kCounter().count("") == 0
    assert O200kCounter(1.5).count("tiktoken is great!") == 9
    assert (O200kCounter().name, O200kCounter(1.45).name) == ("o200k", "o200k x1.45")


@pytest.mark.parametrize("text", [" " * 1_000_000, "\n" * 200_000, " " * 999_999 + "x", "\ud800abc", "👩‍👩‍👧‍👦" * 100])
def test_o200k_survives_hostile_texts(text: str) -> None:
    assert O200kCounter().count(text) > 0


def test_a_panic_becomes_a_guess_and_an_interrupt_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException): ...

    class Broken:
        def __init__(self, error: BaseException) -> None:
            self.error = error

        def encode_ordinary(self, text: str) -> list[int]:
            raise self.error

    monkeypatch.setattr(counters, "_o200k", lambda: Broken(PanicException()))
    assert O200kCounter().count("x" * 40) == 11
    monkeypatch.setattr(counters, "_o200k", lambda: Broken(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        O200kCounter().count("x")


@pytest.mark.parametrize(
    ("family", "tokens"),
    [(V3, 2), (V4_7, 4), (V4_8, 4)],
)
def test_claude_counts_leave_the_frame_out(family: str, tokens: int) -> None:
    counter = CtokCounter(family)

    assert counter.name == family
    assert counter.count("Hello world") == tokens
    assert counter.count("") == 0
    assert counter.count("\ud800") >= 1


def test_the_documented_example() -> None:
    """Anthropic's count_tokens page: system "You are a scientist", user "Hello, Claude" is 14 tokens."""
    counter = CtokCounter(V3)

    assert counter.count("You are a scientist") + counter.count("Hello, Claude") + 7 == 14


def test_families_get_their_counters() -> None:
    assert counter_for(V4_8).name == V4_8
    assert counter_for(O200K).name == "o200k"
    assert quick_counter_for(V4_8).name == "o200k x1.45"
    assert quick_counter_for(O200K).name == "o200k"


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=60))
def test_no_text_breaks_a_counter(text: str) -> None:
    assert O200kCounter().count(text) >= 0
    assert CtokCounter(V4_8).count(text) >= 0
