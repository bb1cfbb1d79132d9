"""What the analysis needs from the outside: counts made before, things learnt before, prices, and someone who counts.

The store implements it over the database; `MemoryContext` keeps everything in memory for one run of a command, and for tests.
Nothing here knows how an analysis is done.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol

from proxy_core.attribution.prices import PriceBook
from proxy_core.attribution.tokens.counting import CountingService, TokenCount


class Topic(StrEnum):
    """What learnt facts are about; the first half of their key."""

    ANCHOR = "anchor"
    """Billed size of a conversation up to a message."""
    SAMPLE = "sample"
    """Sizes of whole requests by the sum of their pieces' hashes: from count_tokens calls and from bills."""
    OVERHEAD = "overhead"
    """Learnt sizes of what the API adds."""
    TOKENIZER = "tokenizer"
    """The running comparison of a model's bills with our counts."""


class AnalysisContext(Protocol):
    """Everything an analysis reads and writes beside the exchange itself. Used from one thread at a time."""

    @property
    def prices(self) -> PriceBook:
        """The price list in force."""
        ...

    @property
    def counting(self) -> CountingService:
        """Who counts texts that were never counted."""
        ...

    def cached_counts(self, family: str, content_hashes: Collection[str]) -> Mapping[str, TokenCount]:
        """Return the counts known for these contents; unknown ones are left out."""
        ...

    def keep_counts(self, family: str, counts: Mapping[str, TokenCount]) -> None:
        """Keep counts by content hash."""
        ...

    def recall(self, topic: Topic, keys: Collection[str]) -> Mapping[str, str]:
        """Return what was remembered under these keys (small JSON texts); unknown ones are left out."""
        ...

    def remember(self, topic: Topic, values: Mapping[str, str]) -> None:
        """Remember small JSON texts by key, replacing what was there."""
        ...


class MemoryContext:
    """An `AnalysisContext` that forgets when the process ends."""

    def __init__(self, *, prices: PriceBook, counting: CountingService) -> None:
        self.prices = prices
        self.counting = counting
        self._counts: dict[tuple[str, str], TokenCount] = {}
        self._learnt: dict[tuple[Topic, str], str] = {}

    def cached_counts(self, family: str, content_hashes: Collection[str]) -> Mapping[str, TokenCount]:
        """Return the counts known for these contents."""
        return {key: self._counts[family, key] for key in content_hashes if (family, key) in self._counts}

    def keep_counts(self, family: str, counts: Mapping[str, TokenCount]) -> None:
        """Keep counts by content hash."""
        self._counts.update({(family, key): count for key, count in counts.items()})

    def recall(self, topic: Topic, keys: Collection[str]) -> Mapping[str, str]:
        """Return what was remembered under these keys."""
        return {key: self._learnt[topic, key] for key in keys if (topic, key) in self._learnt}

    def remember(self, topic: Topic, values: Mapping[str, str]) -> None:
        """Remember small JSON texts by key."""
        self._learnt.update({(topic, key): value for key, value in values.items()})
