"""What the store hands out: frozen views, never rows. Screens, the API and the exports draw from these alone."""

from dataclasses import dataclass
from enum import StrEnum

from proxy_core.attribution.model import (
    CallFacts,
    CostBasis,
    Ledger,
    RequestClass,
    Segment,
    SourceType,
    Usage,
)
from proxy_core.exchange import CaptureMode, ExchangeState, Headers, Timing

type Spectrum = tuple[tuple[SourceType, int], ...]
"""Input tokens by kind of source, largest kind first; overhead included."""


class TimeBucket(StrEnum):
    """Width of a time series' buckets."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class SeriesGroup(StrEnum):
    """What the series of a chart are told apart by."""

    KIND = "kind"
    NAME = "name"
    MODEL = "model"
    ZONE = "zone"
    """Cache read, cache write, fresh, output."""


class SourceOrder(StrEnum):
    """What sources are sorted by."""

    USAGE_COUNT = "usage_count"
    AVERAGE_RATING = "average_rating"
    TOTAL_TOKENS = "total_tokens"
    AVERAGE_TOKENS = "average_tokens"
    TOTAL_COST_USD = "total_cost_usd"
    LAST_USED = "last_used"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSummary:
    """One row of a request list."""

    id: int
    """Order of arrival in this database, ascending from 1; the paging key."""
    exchange_id: str
    """32 hex digits; the id that the API and exports show."""
    started_us: int
    """Microseconds since the epoch, UTC."""
    state: ExchangeState
    mode: CaptureMode
    method: str
    url: str
    host: str
    path: str
    client_name: str | None
    client_version: str | None
    model: str | None
    status_code: int | None
    error: str | None
    """Connection error or the API's error, in one line."""
    request_class: RequestClass
    session_id: str | None
    prompt_id: str | None
    agent_id: str | None
    agent_type: str | None
    parent_agent_id: str | None
    previous_id: int | None
    """The request before in the same conversation."""
    title: str | None
    input_tokens: int | None
    """All input tokens: read, written and fresh; `None` before analysis."""
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    fresh_tokens: int | None
    is_estimate: bool
    """The token figures are not (yet) billed figures."""
    cost_nano_usd: int | None
    """Cost in 1e-9 dollars; `None`: not priced."""
    latency_ms: float | None
    first_byte_ms: float | None
    proxy_ms: float | None
    request_bytes: int
    response_bytes: int | None
    is_streaming: bool
    is_distorted: bool
    spectrum: Spectrum
    rating: float | None
    has_note: bool
    attribution_version: int | None
    """`None`: not analysed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFacts:
    """What is known of a stored body without reading it."""

    wire_bytes: int
    wire_sha256: str
    content_encoding: str | None
    is_redacted: bool
    is_decoded: bool
    is_truncated: bool
    is_kept: bool
    """False: retention or a setting dropped the bytes; the facts remain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeDetail:
    """Everything of one exchange but its bodies and segments."""

    summary: ExchangeSummary
    timing: Timing
    request_http_version: str
    request_headers: Headers
    request_trailers: Headers
    response_http_version: str | None
    response_reason: str | None
    response_headers: Headers
    response_trailers: Headers
    request_body: BodyFacts
    response_body: BodyFacts | None
    facts: CallFacts | None
    """`None`: not analysed yet."""
    usage: Usage | None
    cost_basis: CostBasis | None
    ledger: Ledger | None
    segments: tuple[Segment, ...]
    """In wire order, with their text; empty before analysis."""
    notes: tuple[str, ...]
    """Warnings of the analysis, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMetrics:
    """One source over a time range."""

    source_id: int
    source_type: SourceType
    source_name: str | None
    usage_count: int
    """Exchanges it was in."""
    total_tokens: int
    average_tokens: float
    total_cost_nano_usd: int | None
    """`None`: none of its exchanges was priced."""
    feedback_count: int
    average_rating: float | None
    last_used_us: int
    created_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUse:
    """One source in one exchange."""

    exchange_id: str
    source_type: SourceType
    source_name: str | None
    tokens: int
    cost_nano_usd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryMetrics:
    """Everything over a time range."""

    total_requests: int
    total_input_tokens: int
    total_output_tokens: int
    total_cost_nano_usd: int | None
    unpriced_requests: int
    """Analysed model calls without a known price."""
    average_latency_ms: float | None
    average_proxy_ms: float | None
    feedback_count: int
    average_rating: float | None
    oldest_us: int | None
    newest_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """One bucket of one series."""

    bucket_us: int
    """Start of the bucket, microseconds since the epoch, UTC."""
    key: str
    """Kind, source name, model or cache zone, as grouped by."""
    tokens: int
    cost_nano_usd: int | None
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentNode:
    """One agent of a session: the main one (`agent_id` is `None`) or a sub-agent."""

    agent_id: str | None
    agent_type: str | None
    parent_agent_id: str | None
    requests: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int | None
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """One client session."""

    session_id: str
    client_name: str | None
    client_version: str | None
    models: tuple[str, ...]
    title: str | None
    """First line of the first user prompt."""
    first_us: int
    last_us: int
    requests: int
    prompts: int
    agents: int
    errors: int
    compactions: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cost_nano_usd: int | None
    last_context_tokens: int | None
    """Input tokens of the main agent's newest request: how full the window is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetail:
    """One session with its agents and the growth of its context."""

    summary: SessionSummary
    agents: tuple[AgentNode, ...]
    context_growth: tuple[tuple[int, int], ...]
    """(started_us, input tokens) of each main request, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A person's rating of one exchange."""

    feedback_id: int
    exchange_id: str
    rating: float
    """-1.0 to 1.0."""
    feedback_text: str | None
    user_id: str
    submitted_us: int
    updated_us: int | None
    affected_sources: tuple[str, ...]
    """Names (or kinds, where there is no name) of the sources that were in the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureCounters:
    """What happened since start, for status lines and metrics."""

    captured: int = 0
    stored: int = 0
    analysed: int = 0
    in_flight: int = 0
    queued: int = 0
    dropped: int = 0
    """Exchanges that could not be recorded (full queue, full disk); their traffic went on."""
    capture_errors: int = 0
    writer_errors: int = 0
    analysis_errors: int = 0
    is_paused: bool = False
    last_error: str | None = None
