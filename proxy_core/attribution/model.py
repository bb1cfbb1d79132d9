"""The vocabulary of attribution: sources, segments, and the ledger's lines.

Pure data, no parsing and no counting. What is unknown is `None`, never 0.
"""

from dataclasses import dataclass, field
from enum import StrEnum

ATTRIBUTION_VERSION = 1
"""Raised whenever rules or ledger would give another answer for the same bytes."""


class SourceType(StrEnum):
    """The kinds of source that can put content into a request."""

    USER = "User"
    FRAMEWORK = "Framework"
    MCP_SERVER = "McpServer"
    SKILL = "Skill"
    MEMORY = "Memory"
    COMMAND = "Command"
    AGENT = "Agent"
    HOOK = "Hook"
    OUTPUT_STYLE = "OutputStyle"
    TOOL = "Tool"
    FILE = "File"
    ASSISTANT = "Assistant"
    SUMMARY = "Summary"
    OVERHEAD = "Overhead"
    UNATTRIBUTED = "Unattributed"


class Part(StrEnum):
    """What a segment is to its source."""

    DEFINITION = "definition"
    INSTRUCTIONS = "instructions"
    LISTING = "listing"
    BODY = "body"
    CALL = "call"
    RESULT = "result"
    TEXT = "text"
    THINKING = "thinking"
    PROMPT = "prompt"
    RESOURCE = "resource"
    NAMES = "names"
    CONTEXT = "context"
    IMAGE = "image"
    DOCUMENT = "document"
    SETTINGS = "settings"
    OVERHEAD = "overhead"
    OUTPUT = "output"


class Region(StrEnum):
    """Where in the rendered prompt a segment stands; the API renders them in this order."""

    TOOLS = "tools"
    SYSTEM = "system"
    MESSAGES = "messages"
    SETTINGS = "settings"
    """Request parameters that are rendered or matter, but lie in none of the three (tool_choice, schemas, mcp_servers ...)."""


class ContentKind(StrEnum):
    """How a segment's tokens are to be counted."""

    TEXT = "text"
    TOOL_DEFINITION = "tool_definition"
    JSON = "json"
    IMAGE = "image"
    DOCUMENT = "document"
    THINKING = "thinking"
    OPAQUE = "opaque"
    """Encrypted or referenced content: its size is not visible on the wire."""
    NOT_RENDERED = "not_rendered"
    """On the wire, but not part of the prompt (metadata, citations' cited text, deferred definitions)."""


class Grade(StrEnum):
    """How sure a figure is."""

    EXACT = "exact"
    """Billed, or fixed by two exact positions with nothing else between them."""
    BOUNDED = "bounded"
    """Counted, and calibrated inside an interval whose total is billed."""
    ESTIMATED = "estimated"
    """Counted or guessed only."""
    OPAQUE = "opaque"
    """Content not visible on the wire; the figure is what is left over."""


class Zone(StrEnum):
    """At which rate input tokens are billed."""

    CACHE_READ = "cache_read"
    CACHE_WRITE_1H = "cache_write_1h"
    CACHE_WRITE_5M = "cache_write_5m"
    FRESH = "fresh"
    OUTPUT = "output"


class RequestClass(StrEnum):
    """What kind of call it was."""

    MAIN = "main"
    SUBAGENT = "subagent"
    TITLE = "title"
    QUOTA = "quota"
    WEB_FETCH = "web_fetch"
    WEB_SEARCH = "web_search"
    COMPACTION = "compaction"
    AUXILIARY = "auxiliary"
    COUNT_TOKENS = "count_tokens"
    BATCH = "batch"
    OTHER = "other"
    """Traffic of the same host that carries no prompt (telemetry, models, settings ...)."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Who put a piece of content into the request."""

    source_type: SourceType
    source_name: str | None = None
    """Server, skill, file path, section ...; `None` where the kind says all (User, Assistant text)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """Pixel size of an image, read from its header; both `None` when it is not on the wire (URL, file id)."""

    width_px: int | None
    height_px: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One run of content with one source. All segments of a body, in order, are the whole of its content."""

    source: Source
    part: Part
    region: Region
    pointer: str
    """RFC 6901 JSON pointer of the value it was cut from."""
    start: int
    """First character, 0-based: of the string at `pointer`, or of its JSON text where the value is no string."""
    end: int
    """One past the last character."""
    text: str
    """The content itself. Base64 payloads and signatures are replaced by `ContentKind.OPAQUE` segments whose text is empty."""
    content_bytes: int
    """Size of the content in UTF-8, payloads included."""
    content_hash: str
    """32 hex digits of BLAKE2b over the content: equal content has an equal hash everywhere."""
    content_kind: ContentKind
    role: str | None = None
    """`user`, `assistant` or `system` for messages, else `None`."""
    message_index: int | None = None
    """0-based index into `messages`, else `None`."""
    is_uncertain: bool = False
    """The marker that decided could have been forged, or two readings fit."""
    cache_ttl: str | None = None
    """`5m` or `1h` when a cache breakpoint stands at the end of this segment."""
    image: ImageFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Billed token counts of one response, as the API reported them; `None` where it said nothing."""

    input_tokens: int | None = None
    """Uncached input, after the last breakpoint."""
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    """Output, thinking included."""
    thinking_tokens: int | None = None
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    speed: str | None = None

    @property
    def total_input_tokens(self) -> int | None:
        """All billed input: fresh, read and written; `None` when the API reported none of them."""
        parts = (self.input_tokens, self.cache_read_tokens, self.cache_write_5m_tokens, self.cache_write_1h_tokens)
        known = [part for part in parts if part is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """What one segment (or an overhead without text) is billed as, in one zone.

    A segment that lies across a zone's border has one line for each side.
    """

    source: Source
    part: Part
    segment_index: int | None
    """Index into the attribution's segments; `None` for overheads and output."""
    zone: Zone
    tokens: int
    """Calibrated tokens; over all input lines they sum to the billed input."""
    estimated_tokens: int
    """What the counter said before calibration."""
    grade: Grade
    cost_nano_usd: int | None
    """Share of the exchange's cost in 1e-9 dollars; over all lines they sum to it. `None`: no price known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBasis:
    """Where a cost figure comes from."""

    price_model: str | None
    """The model id the price list matched; `None` when unpriced."""
    library: str
    """Name and version of the price list, or the user's file."""
    modifiers: tuple[str, ...] = ()
    """Such as `batch`, `fast`, `geo us x1.1`, `tier >100k`."""
    steps: tuple[str, ...] = ()
    """The arithmetic, one step a line, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Tokens and cost of one exchange, by segment."""

    lines: tuple[LedgerLine, ...]
    usage: Usage
    """Billed figures; all `None` before the response."""
    is_settled: bool
    """True: the lines sum to a bill. False: estimates only."""
    total_input_tokens: int
    """Billed input tokens, or the estimate when not settled."""
    output_tokens: int | None
    cost_nano_usd: int | None
    """Cost of the whole exchange in 1e-9 dollars; `None`: no price known, or not settled."""
    cost_basis: CostBasis
    tokenizer: str
    """Which counter made the estimates, such as `ctok 4.8` or `o200k x1.45`."""
    notes: tuple[str, ...] = ()
    """Findings of the self-check, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What one exchange was, read from its request and response."""

    dialect: str
    client_name: str | None = None
    """`claude-code`, `opencode`, `anthropic-py` ...; `None` when unknown."""
    client_version: str | None = None
    model: str | None = None
    """As the response says, else as requested."""
    requested_model: str | None = None
    request_class: RequestClass = RequestClass.OTHER
    session_id: str | None = None
    prompt_id: str | None = None
    """One per user turn."""
    agent_id: str | None = None
    parent_agent_id: str | None = None
    agent_type: str | None = None
    chain_hashes: tuple[str, ...] = ()
    """Hash of the conversation up to and with each message; the last stands for the whole request."""
    prefix_hash: str | None = None
    """Hash of tools and system, cache marks left out."""
    previous_request_id: str | None = None
    """The API's request id of the request before, as the client says."""
    thread_message_id: str | None = None
    """Message id a thread goes on from: history that is not on the wire."""
    is_streaming: bool = False
    is_retry: bool = False
    is_distorted: bool = False
    """The capture path changed what the client sends (base URL instead of interception)."""
    api_request_id: str | None = None
    message_id: str | None = None
    stop_reason: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    counted_tokens: int | None = None
    """The answer of a count_tokens call."""
    title: str | None = None
    """First line of what the user asked, for lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Everything known about the meaning of one exchange."""

    version: int
    facts: CallFacts
    segments: tuple[Segment, ...]
    ledger: Ledger | None
    """`None` for traffic without a prompt."""
    warnings: tuple[str, ...] = field(default=())
    """What could not be read, for people."""
