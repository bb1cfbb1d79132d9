"""Attributions and segments as the API names them: what a request is made of, and what each piece comes to."""

from pydantic import Field

from proxy_core.attribution.model import LedgerLine, Segment, SourceType, Zone
from storage.api.schemas.common import Answer, ExchangeId, Usd, replace_halves, to_usd
from storage.views import ExchangeDetail, SourceUse


class ContextAttribution(Answer):
    """A piece of a request and the source it came from."""

    id: str
    request_id: ExchangeId
    source_type: str = Field(examples=["McpServer"])
    source_name: str | None = Field(examples=["context7"])
    """`null` for User and Framework, and where the kind says all."""
    source_detail: str | None
    """What of the User or the Framework it is (`system prompt`): its name in `/metrics/sources`; `null` for all other kinds."""
    token_count: int
    """Over all of a request's attributions these sum to its `total_tokens`."""
    message_index: int | None
    """0-based; `null` outside the messages."""
    message_role: str | None
    part: str | None
    """What it is to its source: `definition`, `result`, `text` ..."""
    cost_usd: Usd | None
    cache_zone: str | None
    """`cache_read`, `cache_write_1h`, `cache_write_5m` or `fresh`."""
    basis: str | None
    """How sure the figure is: `exact`, `bounded`, `estimated` or `opaque`."""
    content_hash: str | None
    """Equal content has an equal hash everywhere; `null` for overheads without text."""


class ContextList(Answer):
    """Attributions, in wire order."""

    attributions: list[ContextAttribution]
    total: int
    limit: int | None = None
    """Only without `request_id`, where it is paged."""
    offset: int | None = None


class SegmentLine(Answer):
    """One segment of the ledger, in wire order."""

    index: int
    source_type: str
    source_name: str | None
    part: str
    region: str
    """`tools`, `system`, `messages` or `settings`."""
    pointer: str
    """RFC 6901 JSON pointer into the request."""
    start: int
    end: int
    text: str
    content_bytes: int
    content_hash: str
    content_kind: str
    role: str | None
    message_index: int | None
    cache_ttl: str | None
    """`5m` or `1h` when a cache breakpoint stands at its end."""
    is_uncertain: bool
    tokens: int | None
    """`null` before the analysis counted it."""
    cost_usd: Usd | None
    zones: dict[str, int]
    """Tokens by cache zone."""
    grade: str | None


class OverheadLine(Answer):
    """Tokens that are billed but have no text on the wire, and the output."""

    source_type: str
    source_name: str | None
    part: str
    zone: str
    tokens: int
    cost_usd: Usd | None
    grade: str


class SegmentList(Answer):
    """The ledger of one request."""

    request_id: ExchangeId
    is_settled: bool
    """`true`: the lines sum to a bill; `false`: estimates only."""
    total_input_tokens: int | None
    output_tokens: int | None
    cost_usd: Usd | None
    tokenizer: str | None
    segments: list[SegmentLine]
    overheads: list[OverheadLine]


def present_attributions(view: ExchangeDetail) -> list[ContextAttribution]:
    """Present the input side of the ledger: over all lines the tokens sum to the request's."""
    lines = () if view.ledger is None else view.ledger.lines
    return [_present_line(view, index, line) for index, line in enumerate(lines) if line.zone is not Zone.OUTPUT]


def _present_line(view: ExchangeDetail, index: int, line: LedgerLine) -> ContextAttribution:
    segment = None if line.segment_index is None else view.segments[line.segment_index]
    return ContextAttribution(
        id=f"{view.summary.exchange_id}-{index}",
        request_id=view.summary.exchange_id,
        source_type=line.source.source_type,
        **_names(line.source.source_type, line.source.source_name),
        token_count=line.tokens,
        message_index=segment.message_index if segment else None,
        message_role=segment.role if segment else None,
        part=line.part,
        cost_usd=to_usd(line.cost_nano_usd),
        cache_zone=line.zone,
        basis=line.grade,
        content_hash=segment.content_hash if segment else None,
    )


def _names(kind: str, name: str | None) -> dict[str, str | None]:
    """The earlier contract names no part of these two kinds; what is more goes beside it."""
    is_detail = kind in {SourceType.USER, SourceType.FRAMEWORK}
    return {"source_name": None if is_detail else name, "source_detail": name if is_detail else None}


def present_use(use: SourceUse) -> ContextAttribution:
    """Present one source in one request, summed up."""
    return ContextAttribution(
        id=f"{use.exchange_id}-{use.source_type}-{use.source_name or ''}",
        request_id=use.exchange_id,
        source_type=use.source_type,
        **_names(use.source_type, use.source_name),
        token_count=use.tokens,
        message_index=None,
        message_role=None,
        part=None,
        cost_usd=to_usd(use.cost_nano_usd),
        cache_zone=None,
        basis=None,
        content_hash=None,
    )


def present_segments(view: ExchangeDetail) -> SegmentList:
    """Present the ledger in wire order."""
    ledger = view.ledger
    lines: dict[int | None, list[LedgerLine]] = {}
    for line in ledger.lines if ledger else ():
        lines.setdefault(line.segment_index, []).append(line)
    return SegmentList(
        request_id=view.summary.exchange_id,
        is_settled=ledger is not None and ledger.is_settled,
        total_input_tokens=ledger.total_input_tokens if ledger else None,
        output_tokens=ledger.output_tokens if ledger else None,
        cost_usd=to_usd(ledger.cost_nano_usd) if ledger else None,
        tokenizer=ledger.tokenizer if ledger else None,
        segments=[_present_segment(index, segment, lines.get(index, [])) for index, segment in enumerate(view.segments)],
        overheads=[_present_overhead(line) for line in lines.get(None, [])],
    )


def _present_segment(index: int, segment: Segment, lines: list[LedgerLine]) -> SegmentLine:
    costs = [line.cost_nano_usd for line in lines if line.cost_nano_usd is not None]
    zones: dict[str, int] = {}
    for line in lines:
        zones[line.zone.value] = zones.get(line.zone.value, 0) + line.tokens
    same = {name: getattr(segment, name) for name in _SEGMENT_NAMES}
    same["text"] = replace_halves(segment.text)
    same["pointer"] = replace_halves(segment.pointer)
    return SegmentLine(
        index=index,
        source_type=segment.source.source_type,
        source_name=segment.source.source_name,
        tokens=sum(line.tokens for line in lines) if lines else None,
        cost_usd=to_usd(sum(costs)) if costs else None,
        zones=zones,
        grade=lines[0].grade if lines else None,
        **same,
    )


_SEGMENT_NAMES = tuple(
    name
    for name in SegmentLine.model_fields
    if name not in {"index", "source_type", "source_name", "tokens", "cost_usd", "zones", "grade"}
)


def _present_overhead(line: LedgerLine) -> OverheadLine:
    return OverheadLine(
        source_type=line.source.source_type,
        source_name=line.source.source_name,
        part=line.part,
        zone=line.zone,
        tokens=line.tokens,
        cost_usd=to_usd(line.cost_nano_usd),
        grade=line.grade,
    )
