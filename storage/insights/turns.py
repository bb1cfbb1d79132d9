"""The material of all insights: analysed exchanges, in order, joined into conversations.

Pure types and arithmetic; `reading.py` fetches them from the store.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from proxy_core.attribution.model import Attribution, LedgerLine, Segment, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedTurn:
    """One request with its ledger, as insights need it."""

    id: int
    """Order of arrival in the database."""
    exchange_id: str
    started_us: int
    """Microseconds since the epoch, UTC."""
    ended_us: int
    """Last byte delivered, or the start where that is unknown."""
    previous_id: int | None
    """The request before in the same conversation, when it is known."""
    attribution: Attribution
    """Segments may lack their text."""
    called_tools: frozenset[str] = frozenset()
    """Names of the tools that the answer calls."""

    @property
    def session_id(self) -> str | None:
        """The client's session."""
        return self.attribution.facts.session_id

    @property
    def is_textless(self) -> bool:
        """Tell whether no segment has its text, though they had some."""
        segments = self.attribution.segments
        return any(s.end > s.start for s in segments) and not any(s.text for s in segments)

    @property
    def input_lines(self) -> Iterator[LedgerLine]:
        """The ledger's lines but those of the answer; none without a bill."""
        ledger = self.attribution.ledger
        return iter(()) if ledger is None else (line for line in ledger.lines if line.zone is not Zone.OUTPUT)

    def segment_of(self, line: LedgerLine) -> Segment | None:
        """Return the segment that a line bills; `None` for overheads."""
        return None if line.segment_index is None else self.attribution.segments[line.segment_index]


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens and what they cost."""

    tokens: int = 0
    cost_nano_usd: int | None = 0
    """1e-9 dollars; `None`: at least one part has no price."""

    def __add__(self, other: "Amount") -> "Amount":
        """Add; an unknown price stays unknown."""
        if self.cost_nano_usd is None or other.cost_nano_usd is None:
            return Amount(self.tokens + other.tokens, None)
        return Amount(self.tokens + other.tokens, self.cost_nano_usd + other.cost_nano_usd)


def amount_of(lines: Iterable[LedgerLine]) -> Amount:
    """Add up lines of a ledger."""
    total = Amount()
    for line in lines:
        total += Amount(line.tokens, line.cost_nano_usd)
    return total


def conversations(turns: Sequence[AnalysedTurn]) -> list[list[AnalysedTurn]]:
    """Join turns to chains by their previous request, oldest first; a fork starts a chain of its own.

    A turn whose predecessor is not among `turns` begins a chain.
    """
    chain_by_tail: dict[int, list[AnalysedTurn]] = {}
    chains: list[list[AnalysedTurn]] = []
    for turn in sorted(turns, key=lambda turn: turn.id):
        chain = chain_by_tail.pop(turn.previous_id, None) if turn.previous_id is not None else None
        if chain is None:
            chain = []
            chains.append(chain)
        chain.append(turn)
        chain_by_tail[turn.id] = chain
    return chains


def by_session(turns: Iterable[AnalysedTurn]) -> dict[str | None, list[AnalysedTurn]]:
    """Group turns by the client's session; those without one stand under `None`."""
    sessions: dict[str | None, list[AnalysedTurn]] = defaultdict(list)
    for turn in turns:
        sessions[turn.session_id].append(turn)
    return dict(sessions)
