"""What goes into a reading of an exchange and what comes out of it: the types between bytes and attribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proxy_core.attribution.model import CallFacts, Segment, Usage
from proxy_core.exchange import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """One stored exchange as the analysis wants it: redacted, content-encodings undone."""

    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status_code: int | None = None
    """`None`: no response (yet)."""
    response_headers: Headers = ()
    response_body: bytes | None = None
    """Decoded; for a stream the whole event stream, possibly cut off at the end."""
    started_us: int | None = None
    """When the client started it, microseconds since the epoch (UTC): prices have dates. `None`: priced as of today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptParameters:
    """What of a request changes how it is rendered or billed, beside its content."""

    model: str | None
    tool_choice: str | None = None
    """`auto`, `any`, `tool`, `none`, or `None` when absent."""
    tool_types: tuple[str, ...] = ()
    """Type of every tool in order; `custom` where there is none."""
    thinking: str | None = None
    """`enabled`, `adaptive`, `disabled`, `between_tools`, or `None` when absent."""
    effort: str | None = None
    has_output_schema: bool = False
    has_context_management: bool = False
    has_thread: bool = False
    """History is held by the API and is not on the wire."""
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    is_batch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCall:
    """A request, read: what it is and every piece of its content."""

    facts: CallFacts
    """Request side only; the response's part is filled in by the analysis."""
    segments: tuple[Segment, ...]
    parameters: PromptParameters
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEntry:
    """Usage of one server-side iteration (or of the whole, when the API lists none)."""

    kind: str
    """`message`, `compaction`, `advisor_message`, `fallback_message`."""
    model: str | None
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedResponse:
    """A response, read and reassembled from its stream where it was one."""

    blocks: tuple[Mapping[str, Any], ...] = ()
    """Content blocks as the API would have sent them unstreamed; text, thinking, tool calls joined."""
    usage: Usage
    """Billed totals of the response: start merged with the last delta."""
    start_usage: Usage | None = None
    """Usage of message_start alone: the exact size of what the client sent; `None` for unstreamed answers."""
    iterations: tuple[UsageEntry, ...] = ()
    model: str | None = None
    message_id: str | None = None
    request_id: str | None = None
    stop_reason: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    counted_tokens: int | None = None
    cleared_input_tokens: int | None = None
    """Sent, but not billed: context editing took them out."""
    is_streaming: bool = False
    is_complete: bool = False
    """The stream reached its end (or the JSON was whole)."""
    warnings: tuple[str, ...] = ()
