"""An attribution as bytes: column by column, so that the attribution of the next turn differs by the ends of its columns.

Texts are not kept: they are rebuilt from the stored body by pointer and span. Content hashes are kept as the numbers of their
rows in `segment_use`, of the hashes of a conversation's messages only the last. Costs are kept as what is left after sharing
each zone's cost by tokens, which is next to nothing. What is decoded equals what was encoded, but for these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Any

import msgspec

from proxy_core.attribution.model import (
    Attribution,
    CallFacts,
    ContentKind,
    CostBasis,
    Grade,
    ImageFacts,
    Ledger,
    LedgerLine,
    Part,
    Region,
    Segment,
    Source,
    SourceType,
    Usage,
    Zone,
)
from storage.errors import BodyCorruptError


class _Segments(msgspec.Struct, array_like=True):
    source: list[int]
    part: list[int]
    region: list[int]
    kind: list[int]
    role: list[int]
    message_index: list[int | None]
    pointer: list[str]
    start: list[int]
    end: list[int]
    content_bytes: list[int]
    content: list[int]
    """Number of the content's row in `segment_use`, less the number before."""
    uncertain: list[int]
    """Indices."""
    textless: list[int]
    """Indices of segments that have no text though their span is not empty."""
    cache_ttl: dict[int, str]
    image: dict[int, tuple[int | None, int | None]]


class _Lines(msgspec.Struct, array_like=True):
    source: list[int]
    part: list[int]
    segment_index: list[int | None]
    zone: list[int]
    grade: list[int]
    estimated_tokens: list[int]
    tokens: list[int]
    """Less the line's share of its zone's tokens by estimates; less the estimate itself where `zone_tokens` is empty."""
    cost: list[int | None]
    """Less the line's share of its zone's cost by tokens."""
    zone_costs: list[int]
    zone_tokens: list[int] = []
    """Empty: written by the first version."""


class _Ledger(msgspec.Struct, array_like=True):
    lines: _Lines
    usage: Usage
    is_settled: bool
    total_input_tokens: int
    output_tokens: int | None
    cost_nano_usd: int | None
    cost_basis: CostBasis
    tokenizer: str
    notes: list[str]


class _Packed(msgspec.Struct, array_like=True):
    version: int
    names: list[Any]
    """Every name (or `None`) that the columns point to."""
    sources: list[tuple[int, int]]
    """(kind, name) as indices into `names`."""
    segments: _Segments
    facts: CallFacts
    ledger: _Ledger | None
    warnings: list[str]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)


class _Names:
    """Numbers for names and sources, in order of their first use."""

    def __init__(self) -> None:
        self.numbers: dict[str | None, int] = {}
        self.sources: dict[Source, int] = {}

    def of(self, name: str | None) -> int:
        return self.numbers.setdefault(name, len(self.numbers))

    def of_source(self, source: Source) -> int:
        return self.sources.setdefault(source, len(self.sources))

    def source_table(self) -> list[tuple[int, int]]:
        return [(self.of(source.source_type), self.of(source.source_name)) for source in self.sources]


def encode(attribution: Attribution, contents: Sequence[int]) -> bytes:
    """Encode an attribution.

    Args:
        attribution: What to encode; the segments' texts and hashes are left out.
        contents: For each segment, the number that stands for its content hash.
    """
    names = _Names()
    segments = _encode_segments(attribution.segments, contents, names)
    ledger = _encode_ledger(attribution.ledger, names) if attribution.ledger else None
    facts = replace(attribution.facts, chain_hashes=attribution.facts.chain_hashes[-1:])
    sources = names.source_table()
    warnings = list(attribution.warnings)
    return _ENCODER.encode(_Packed(attribution.version, list(names.numbers), sources, segments, facts, ledger, warnings))


def decode(raw: bytes, hashes: Mapping[int, str], texts: Mapping[str, str] | None = None) -> Attribution:
    """Decode an attribution; the segments' texts are empty, but for known ones.

    Args:
        raw: What `encode` made.
        hashes: Content hash by number (see `contents_of`); an unknown one stays empty.
        texts: Text by content hash.

    Raises:
        BodyCorruptError: These are not bytes that `encode` made.
    """
    try:
        packed = _DECODER.decode(raw)
        sources = [Source(SourceType(packed.names[kind]), packed.names[name]) for kind, name in packed.sources]
        return Attribution(
            version=packed.version,
            facts=packed.facts,
            segments=_decode_segments(packed.segments, packed.names, sources, hashes, texts or {}),
            ledger=_decode_ledger(packed.ledger, packed.names, sources) if packed.ledger else None,
            warnings=tuple(packed.warnings),
        )
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError, IndexError) as error:
        raise BodyCorruptError(f"an attribution cannot be read: {error}") from error


def textless_indices(raw: bytes) -> frozenset[int]:
    """Read which segments have no text to be rebuilt."""
    return frozenset(_DECODER.decode(raw).segments.textless)


def contents_of(raw: bytes) -> list[int]:
    """Read the numbers that stand for the segments' content hashes.

    Raises:
        BodyCorruptError: These are not bytes that `encode` made.
    """
    try:
        return list(accumulate(_DECODER.decode(raw).segments.content))
    except msgspec.DecodeError as error:
        raise BodyCorruptError(f"an attribution cannot be read: {error}") from error


def facts_of(raw: bytes) -> CallFacts:
    """Read the call's facts alone.

    Raises:
        BodyCorruptError: These are not bytes that `encode` made.
    """
    try:
        return _DECODER.decode(raw).facts
    except (msgspec.DecodeError, ValueError) as error:
        raise BodyCorruptError(f"an attribution cannot be read: {error}") from error


def _encode_segments(segments: Sequence[Segment], contents: Sequence[int], names: _Names) -> _Segments:
    return _Segments(
        source=[names.of_source(segment.source) for segment in segments],
        part=[names.of(segment.part) for segment in segments],
        region=[names.of(segment.region) for segment in segments],
        kind=[names.of(segment.content_kind) for segment in segments],
        role=[names.of(segment.role) for segment in segments],
        message_index=[segment.message_index for segment in segments],
        pointer=[segment.pointer for segment in segments],
        start=[segment.start for segment in segments],
        end=[segment.end for segment in segments],
        content_bytes=[segment.content_bytes for segment in segments],
        content=[number - before for before, number in pairwise((0, *contents))],
        uncertain=[index for index, segment in enumerate(segments) if segment.is_uncertain],
        textless=[index for index, segment in enumerate(segments) if not segment.text and segment.end > segment.start],
        cache_ttl={index: segment.cache_ttl for index, segment in enumerate(segments) if segment.cache_ttl},
        image={
            index: (segment.image.width_px, segment.image.height_px) for index, segment in enumerate(segments) if segment.image
        },
    )


def _decode_segments(
    packed: _Segments, names: list[Any], sources: list[Source], hashes: Mapping[int, str], texts: Mapping[str, str]
) -> tuple[Segment, ...]:
    keys = [hashes.get(number, "") for number in accumulate(packed.content)]
    uncertain = frozenset(packed.uncertain)
    parts, regions = _members(Part, packed.part, names), _members(Region, packed.region, names)
    kinds = _members(ContentKind, packed.kind, names)
    return tuple(
        Segment(
            source=sources[packed.source[index]],
            part=parts[packed.part[index]],
            region=regions[packed.region[index]],
            pointer=pointer,
            start=packed.start[index],
            end=packed.end[index],
            text=texts.get(keys[index], ""),
            content_bytes=packed.content_bytes[index],
            content_hash=keys[index],
            content_kind=kinds[packed.kind[index]],
            role=names[packed.role[index]],
            message_index=packed.message_index[index],
            is_uncertain=index in uncertain,
            cache_ttl=packed.cache_ttl.get(index),
            image=ImageFacts(width_px=packed.image[index][0], height_px=packed.image[index][1])
            if index in packed.image
            else None,
        )
        for index, pointer in enumerate(packed.pointer)
    )


def _encode_ledger(ledger: Ledger, names: _Names) -> _Ledger:
    return _Ledger(
        lines=_encode_lines(ledger.lines, names),
        usage=ledger.usage,
        is_settled=ledger.is_settled,
        total_input_tokens=ledger.total_input_tokens,
        output_tokens=ledger.output_tokens,
        cost_nano_usd=ledger.cost_nano_usd,
        cost_basis=ledger.cost_basis,
        tokenizer=ledger.tokenizer,
        notes=list(ledger.notes),
    )


def _decode_ledger(packed: _Ledger, names: list[Any], sources: list[Source]) -> Ledger:
    return Ledger(
        lines=_decode_lines(packed.lines, names, sources),
        usage=packed.usage,
        is_settled=packed.is_settled,
        total_input_tokens=packed.total_input_tokens,
        output_tokens=packed.output_tokens,
        cost_nano_usd=packed.cost_nano_usd,
        cost_basis=packed.cost_basis,
        tokenizer=packed.tokenizer,
        notes=tuple(packed.notes),
    )


def _encode_lines(lines: Sequence[LedgerLine], names: _Names) -> _Lines:
    zones = list(Zone)
    numbers = {zone: number for number, zone in enumerate(zones)}
    tokens = [0] * len(zones)
    estimates = [0] * len(zones)
    costs = [0] * len(zones)
    for line in lines:
        tokens[numbers[line.zone]] += line.tokens
        estimates[numbers[line.zone]] += line.estimated_tokens
        costs[numbers[line.zone]] += line.cost_nano_usd or 0
    return _Lines(
        source=[names.of_source(line.source) for line in lines],
        part=[names.of(line.part) for line in lines],
        segment_index=[line.segment_index for line in lines],
        zone=[names.of(line.zone) for line in lines],
        grade=[names.of(line.grade) for line in lines],
        estimated_tokens=[line.estimated_tokens for line in lines],
        tokens=[
            line.tokens - _share(line.estimated_tokens, tokens[numbers[line.zone]], estimates[numbers[line.zone]])
            for line in lines
        ],
        cost=[
            None
            if line.cost_nano_usd is None
            else line.cost_nano_usd - _share(line.tokens, costs[numbers[line.zone]], tokens[numbers[line.zone]])
            for line in lines
        ],
        zone_costs=costs,
        zone_tokens=tokens,
    )


def _decode_lines(packed: _Lines, names: list[Any], sources: list[Source]) -> tuple[LedgerLine, ...]:
    parts, grades = _members(Part, packed.part, names), _members(Grade, packed.grade, names)
    zone_of = _members(Zone, packed.zone, names)
    zones = [zone_of[number] for number in packed.zone]
    amounts = _decode_amounts(packed, zones)
    totals = dict.fromkeys(Zone, 0)
    for zone, tokens in zip(zones, amounts, strict=True):
        totals[zone] += tokens
    costs = dict(zip(Zone, packed.zone_costs, strict=True))
    return tuple(
        LedgerLine(
            source=sources[packed.source[index]],
            part=parts[packed.part[index]],
            segment_index=packed.segment_index[index],
            zone=zone,
            tokens=amounts[index],
            estimated_tokens=packed.estimated_tokens[index],
            grade=grades[packed.grade[index]],
            cost_nano_usd=None if left is None else left + _share(amounts[index], costs[zone], totals[zone]),
        )
        for index, (zone, left) in enumerate(zip(zones, packed.cost, strict=True))
    )


def _members[Member: StrEnum](kind: type[Member], column: Sequence[int], names: list[Any]) -> dict[int, Member]:
    """Look every value of a column up once: a long request has hundreds of segments and a handful of values."""
    return {number: kind(names[number]) for number in set(column)}


def _decode_amounts(packed: _Lines, zones: Sequence[Zone]) -> list[int]:
    pairs = list(zip(packed.tokens, packed.estimated_tokens, strict=True))
    if not packed.zone_tokens:
        return [left + estimate for left, estimate in pairs]
    wholes = dict(zip(Zone, packed.zone_tokens, strict=True))
    estimates = dict.fromkeys(Zone, 0)
    for zone, (_, estimate) in zip(zones, pairs, strict=True):
        estimates[zone] += estimate
    return [left + _share(estimate, wholes[zone], estimates[zone]) for zone, (left, estimate) in zip(zones, pairs, strict=True)]


def _share(tokens: int, cost: int, total_tokens: int) -> int:
    return tokens * cost // total_tokens if total_tokens else 0
