"""Hand-made conversations with a ledger whose prices are easy to check by hand."""

from dataclasses import dataclass, field

from proxy_core.attribution.model import Attribution, LedgerLine, Part, Region, Segment, Source, SourceType, Zone
from storage.insights.turns import AnalysedTurn
from tests import factories

RATES_NANO = {Zone.CACHE_READ: 500, Zone.CACHE_WRITE_5M: 6_250, Zone.CACHE_WRITE_1H: 10_000, Zone.FRESH: 5_000}
"""Nano-dollars a token, as of a model at $5 per million."""

MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
START_US = 1_760_000_000_000_000


@dataclass(frozen=True)
class Piece:
    """One segment and what it is billed."""

    source: Source
    part: Part
    text: str
    tokens: int
    zone: Zone = Zone.FRESH
    region: Region = Region.MESSAGES
    cache_ttl: str | None = None


def mcp(name: str, part: Part = Part.DEFINITION, tokens: int = 100, text: str | None = None, **more: object) -> Piece:
    content = text if text is not None else f"{name} {part}"
    return Piece(Source(SourceType.MCP_SERVER, name), part, content, tokens, **more)  # type: ignore[arg-type]


def piece(kind: SourceType, name: str | None, part: Part, tokens: int, text: str, **more: object) -> Piece:
    return Piece(Source(kind, name), part, text, tokens, **more)  # type: ignore[arg-type]


@dataclass
class Conversation:
    """Makes turns one after the other, each the successor of the one before."""

    session_id: str | None = "s1"
    model: str = "claude-opus-4-8"
    client_version: str = "2.1.330"
    first_id: int = 1
    is_priced: bool = True
    turns: list[AnalysedTurn] = field(default_factory=list)

    def add(self, *pieces: Piece, minutes: float = 1.0, called: tuple[str, ...] = (), **facts: object) -> AnalysedTurn:
        number = self.first_id + len(self.turns)
        last = self.turns[-1] if self.turns else None
        started_us = START_US if last is None else last.ended_us + round(minutes * MINUTE_US)
        turn = AnalysedTurn(
            id=number,
            exchange_id=f"{number:032x}",
            started_us=started_us,
            ended_us=started_us + 1_000_000,
            previous_id=last.id if last else None,
            attribution=self._attribution(pieces, facts),
            called_tools=frozenset(called),
        )
        self.turns.append(turn)
        return turn

    def _attribution(self, pieces: tuple[Piece, ...], facts: dict[str, object]) -> Attribution:
        lines = tuple(self._line(index, piece) for index, piece in enumerate(pieces))
        known = {"session_id": self.session_id, "model": self.model, "client_version": self.client_version}
        return Attribution(
            version=1,
            facts=factories.call_facts(**(known | facts)),
            segments=tuple(self._segment(piece) for piece in pieces),
            ledger=factories.ledger(
                lines=lines,
                total_input_tokens=sum(piece.tokens for piece in pieces),
                cost_nano_usd=sum(line.cost_nano_usd or 0 for line in lines) if self.is_priced else None,
            ),
        )

    def _line(self, index: int, piece: Piece) -> LedgerLine:
        return factories.ledger_line(
            source=piece.source,
            part=piece.part,
            segment_index=index,
            zone=piece.zone,
            tokens=piece.tokens,
            estimated_tokens=piece.tokens,
            cost_nano_usd=piece.tokens * RATES_NANO[piece.zone] if self.is_priced else None,
        )

    def _segment(self, piece: Piece) -> Segment:
        return factories.segment(
            piece.text, source=piece.source, part=piece.part, region=piece.region, cache_ttl=piece.cache_ttl
        )
