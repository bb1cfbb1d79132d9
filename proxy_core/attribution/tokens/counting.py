"""The types between the ledger and whoever counts tokens.

Nothing here counts: importing it costs nothing and loads no vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The size of one text in the tokens of one family."""

    tokens: int
    is_sampled: bool = False
    """The text was too large or too hostile to be counted whole: a part of it was, and the rest scaled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTexts:
    """What a counting service had to say in the time it was given."""

    counts: Mapping[str, TokenCount] = field(default_factory=dict)
    """Final counts by content hash: worth keeping."""
    quick: Mapping[str, TokenCount] = field(default_factory=dict)
    """First figures for the texts whose count is still under way: not to be kept."""


class TokenCounter(Protocol):
    """Counts one text at a time, where it is called."""

    @property
    def name(self) -> str:
        """What made the figure, for people: `ctok 4.8`, `o200k x1.45`."""
        ...

    def count(self, text: str) -> int:
        """Count the tokens of a text that stands alone, without any message frame."""
        ...


class CountingService(Protocol):
    """Counts many texts, somewhere else."""

    def count(self, family: str, texts: Mapping[str, str], *, patience_s: float) -> CountedTexts:
        """Count texts by content hash; what is not done in time comes as a quick figure and goes on being counted."""
        ...
