from typing import Any

import pytest

from proxy_core.attribution.context import MemoryContext
from proxy_core.attribution.estimates import Counts, Estimator, content_hash, count_segments, count_text, share_thinking
from proxy_core.attribution.model import ContentKind, Part, Region, Segment, Source, SourceType
from proxy_core.attribution.prices import PriceBook
from proxy_core.attribution.self_check import TokenizerState
from proxy_core.attribution.tokens.counting import CountedTexts, TokenCount
from proxy_core.attribution.tokens.families import O200K, V4_8
from tests.hidden_bills import our_context


class Recording:
    """A counting service that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def count(self, family: str, texts: dict[str, str], *, patience_s: float) -> CountedTexts:
        self.asked += texts.values()
        return CountedTexts(counts={key: TokenCount(len(text)) for key, text in texts.items()})


def segment(text: str = "", *, kind: ContentKind = ContentKind.TEXT, **fields: Any) -> Segment:
    values: dict[str, Any] = {
        "source": Source(SourceType.USER),
        "part": Part.TEXT,
        "region": Region.MESSAGES,
        "pointer": "/m",
        "start": 0,
        "end": len(text),
        "text": text,
        "content_bytes": len(text),
        "content_hash": content_hash(text),
        "content_kind": kind,
    }
    return Segment(**(values | fields))


def estimator(family: str = V4_8, model: str = "claude-opus-4-8", **counts: TokenCount) -> Estimator:
    tokenizer = TokenizerState(model=model, family=family)
    return Estimator(model=model, tokenizer=tokenizer, counts=Counts(final=counts, quick={}))


def test_every_content_is_counted_once_and_payloads_never() -> None:
    counting = Recording()
    context = MemoryContext(prices=PriceBook(), counting=counting)  # type: ignore[arg-type]
    parts = [segment("abc"), segment("abc"), segment("QUJD" * 9, kind=ContentKind.OPAQUE), segment(kind=ContentKind.IMAGE)]

    first = count_segments(parts, V4_8, context, patience_s=1)
    second = count_segments([*parts, segment("new")], V4_8, context, patience_s=1)

    assert counting.asked == ["abc", "new"]
    assert first.final == {content_hash("abc"): TokenCount(3)}
    assert len(second.final) == 2


def test_one_text_is_counted_from_the_cache_too() -> None:
    context = our_context()
    context.keep_counts(V4_8, {content_hash("a b"): TokenCount(99), content_hash("c"): TokenCount(5, is_sampled=True)})

    assert count_text("a b", V4_8, context, patience_s=1) == 99
    assert count_text("x y z", V4_8, context, patience_s=1) == 3
    assert count_text("c", V4_8, context, patience_s=1) is None


def test_a_lone_surrogate_has_a_hash() -> None:
    assert len(content_hash("\ud800")) == 32


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (segment("a" * 50, kind=ContentKind.NOT_RENDERED), 0),
        (segment(kind=ContentKind.TEXT), 0),
        (segment(kind=ContentKind.IMAGE), 1300),
        (segment(kind=ContentKind.THINKING), 400),
        (segment(kind=ContentKind.OPAQUE, part=Part.THINKING), 400),
        (segment(kind=ContentKind.OPAQUE, content_bytes=5000), 1000),
        (segment(kind=ContentKind.OPAQUE, content_bytes=10**9), 200_000),
        (segment(kind=ContentKind.DOCUMENT, content_bytes=100), 3000),
        (segment(kind=ContentKind.OPAQUE, part=Part.DOCUMENT, content_bytes=600_000), 23_000),
        (segment("a" * 40), 11),
    ],
)
def test_what_cannot_be_counted_is_guessed(part: Segment, tokens: int) -> None:
    found = estimator().estimate(part)

    assert found.piece.estimate == tokens
    assert found.is_rough == (tokens > 0)


def test_unsure_kinds_have_more_room() -> None:
    key = content_hash("abc")
    variances = {
        kind: estimator(**{key: TokenCount(100)}).estimate(segment("abc", kind=kind)).piece.variance
        for kind in (ContentKind.TEXT, ContentKind.TOOL_DEFINITION, ContentKind.JSON)
    }

    assert variances[ContentKind.TEXT] < variances[ContentKind.JSON] < variances[ContentKind.TOOL_DEFINITION]
    sampled = estimator(**{key: TokenCount(100, is_sampled=True)})
    assert sampled.estimate(segment("abc")).is_rough
    assert sampled.raw_count(segment("abc")) is None


def test_an_unknown_tokenizer_scales_by_class() -> None:
    words = "plain words and more of them"
    found = estimator(O200K, "claude-zephyr", **{content_hash(words): TokenCount(100)}).estimate(segment(words))

    assert found.piece.estimate == pytest.approx(155, rel=0.05)


def test_thinking_is_shared_by_size() -> None:
    assert [part.piece.estimate for part in share_thinking([1, 3], 40)] == [10, 30]
    assert [part.piece.estimate for part in share_thinking([0], 40)] == [0]
