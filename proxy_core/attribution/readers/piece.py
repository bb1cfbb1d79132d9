"""What a reader gets: a stretch of text, the rule that recognised it, and what earlier blocks said.

A reader's spans cover its piece without a gap and nothing beyond it.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from re import Match, Pattern
from typing import NamedTuple

from proxy_core.attribution.model import Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.rules.model import PieceRule
from proxy_core.attribution.ruleset import expression_of

MAX_ENTRIES = 2_000
"""Entries told apart in one piece; all further ones belong to the last."""


class Piece(NamedTuple):
    """A recognised stretch of a text."""

    text: str
    """The whole text it stands in."""
    start: int
    end: int
    rule: PieceRule
    context: ElementContext

    def group(self, name: str) -> str:
        """Return a named part of the marker."""
        found = expression_of(self.rule).match(self.text, self.start)
        return found[name] if found else ""

    def marker_end(self) -> int:
        """Return where the marker ends."""
        found = expression_of(self.rule).match(self.text, self.start)
        return found.end() if found else self.start


def framework(name: str) -> Source:
    """Name a section of the framework's."""
    return Source(SourceType.FRAMEWORK, name)


def headings(expression: Pattern[str], text: str, start: int, end: int) -> list[Match[str]]:
    """Find what begins an entry, up to a number no honest client reaches."""
    return list(islice(expression.finditer(text, start, end), MAX_ENTRIES))


def with_ends(found: Sequence[Match[str]], end: int) -> Iterator[tuple[Match[str], int]]:
    """Pair each heading with where its section ends: at the next heading, or at the piece's end."""
    for index, heading in enumerate(found):
        yield heading, found[index + 1].start() if index + 1 < len(found) else end


def line_end(text: str, start: int, end: int) -> int:
    """Return where the line at a position ends."""
    at = text.find("\n", start, end)
    return at if at >= 0 else end
