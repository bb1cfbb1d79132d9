"""What it costs to carry a piece of content from turn to turn."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from proxy_core.attribution.model import Part, Source
from storage.insights.asked import asked_with
from storage.insights.turns import Amount, AnalysedTurn, conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedContent:
    """One piece of content over the life of a conversation."""

    content_hash: str
    source: Source
    part: Part
    entered_id: int
    """Arrival number of the request it first stood in."""
    entered_exchange_id: str
    entered_turn: int
    """0-based position of that request in its conversation."""
    turns_carried: int
    """Requests it was in, the first included."""
    tokens_each: int
    """Tokens in the newest of these."""
    entry: Amount
    """What its first request was billed for it."""
    carried: Amount
    """What the later ones were billed for it."""
    about: str | None = None
    """What a result was asked for with, such as a path; `None`: no result, or not known. Content: for one's own screen."""


@dataclass(slots=True)
class _Carrying:
    entered: AnalysedTurn
    position: int
    part: Part
    turns: int
    tokens_each: int
    entry: Amount
    carried: Amount


def carry_costs(turns: Sequence[AnalysedTurn]) -> list[CarriedContent]:
    """List all content of all conversations with what carrying it cost so far, dearest first."""
    found = [item for chain in conversations(turns) for item in _carry_of_chain(chain)]
    return sorted(found, key=lambda item: (-(item.carried.cost_nano_usd or 0), -item.carried.tokens))


def told_apart(items: Iterable[CarriedContent], turns: Sequence[AnalysedTurn]) -> Iterator[CarriedContent]:
    """Say of results what they were asked for with: for those that are shown, as it is looked for in the whole request."""
    by_id = {turn.id: turn for turn in turns}
    for item in items:
        entered = by_id.get(item.entered_id) if item.part is Part.RESULT else None
        segments = entered.attribution.segments if entered is not None else ()
        place = next((i for i, segment in enumerate(segments) if segment.content_hash == item.content_hash), None)
        yield item if place is None else replace(item, about=asked_with(segments, place))


def _carry_of_chain(chain: Sequence[AnalysedTurn]) -> list[CarriedContent]:
    carrying: dict[tuple[str, Source], _Carrying] = {}
    for position, turn in enumerate(chain):
        for key, part, amount in _amounts(turn):
            known = carrying.get(key)
            if known is None:
                carrying[key] = _Carrying(turn, position, part, 1, amount.tokens, amount, Amount())
            else:
                known.turns += 1
                known.tokens_each = amount.tokens
                known.carried += amount
    return [_finished(key, state) for key, state in carrying.items()]


def _amounts(turn: AnalysedTurn) -> list[tuple[tuple[str, Source], Part, Amount]]:
    """Add up a turn's lines by content; one entry for each (content, source)."""
    amounts: dict[tuple[str, Source], tuple[Part, Amount]] = {}
    for line in turn.input_lines:
        segment = turn.segment_of(line)
        if segment is not None:
            key = (segment.content_hash, segment.source)
            part, amount = amounts.get(key, (segment.part, Amount()))
            amounts[key] = (part, amount + Amount(line.tokens, line.cost_nano_usd))
    return [(key, part, amount) for key, (part, amount) in amounts.items()]


def _finished(key: tuple[str, Source], state: _Carrying) -> CarriedContent:
    content_hash, source = key
    return CarriedContent(
        content_hash=content_hash,
        source=source,
        part=state.part,
        entered_id=state.entered.id,
        entered_exchange_id=state.entered.exchange_id,
        entered_turn=state.position,
        turns_carried=state.turns,
        tokens_each=state.tokens_each,
        entry=state.entry,
        carried=state.carried,
    )
