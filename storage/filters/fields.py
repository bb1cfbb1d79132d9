"""The fields of the filter language, as data: names, what they mean, and how their values are written.

The parser, the compiler, the completion and `docs/filters.md` all follow this table (a test compares the document).
"""

from dataclasses import dataclass
from enum import StrEnum

from proxy_core.attribution.model import RequestClass, SourceType
from proxy_core.exchange import CaptureMode, ExchangeState


class Kind(StrEnum):
    """How the value of a field is written."""

    TEXT = "text"
    """A part of the value, or all of it after `=`."""
    PREFIX = "id"
    """The beginning of an id, or all of it after `=`."""
    COUNT = "count"
    """A whole number, with `k`, `M`, `G`."""
    USD = "dollars"
    PERCENT = "percent"
    RATING = "rating"
    DURATION = "duration"
    """Milliseconds unless a unit is given: `us`, `ms`, `s`, `m`, `h`, `d`."""
    BYTES = "bytes"
    """With `kB`, `MB`, `GB`."""
    STATUS = "status"
    """An HTTP status, or a class of them: `4xx`."""
    CHOICE = "choice"
    FLAG = "yes or no"
    TIME = "time"


NUMERIC = frozenset({Kind.COUNT, Kind.USD, Kind.PERCENT, Kind.RATING, Kind.DURATION, Kind.BYTES, Kind.STATUS})
"""Kinds whose values are compared with `<`, `<=`, `=`, `>=`, `>` or given as a range `low..high`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field."""

    name: str
    kind: Kind
    meaning: str
    """One line, for help and completion."""
    example: str
    """A whole term, such as `cost:>0.05`."""
    aliases: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    """(word as typed, value in the database), for `Kind.CHOICE`."""
    is_always_known: bool = False
    """True: there is no such thing as an unknown value, so `none` is not accepted."""


KIND_WORDS: tuple[tuple[str, str], ...] = (
    ("user", SourceType.USER),
    ("framework", SourceType.FRAMEWORK),
    ("mcp", SourceType.MCP_SERVER),
    ("skill", SourceType.SKILL),
    ("memory", SourceType.MEMORY),
    ("command", SourceType.COMMAND),
    ("agent", SourceType.AGENT),
    ("hook", SourceType.HOOK),
    ("style", SourceType.OUTPUT_STYLE),
    ("tool", SourceType.TOOL),
    ("file", SourceType.FILE),
    ("assistant", SourceType.ASSISTANT),
    ("summary", SourceType.SUMMARY),
    ("overhead", SourceType.OVERHEAD),
    ("unattributed", SourceType.UNATTRIBUTED),
)
"""Short words for the kinds of source; the database's own spelling (`McpServer`) is accepted too."""


def _words(values: type[StrEnum]) -> tuple[tuple[str, str], ...]:
    return tuple((member.value, member.value) for member in values)


FIELDS: tuple[Field, ...] = (
    Field(
        name="text",
        kind=Kind.TEXT,
        meaning="words of the prompt or the answer, or part of a source's name, the model, the path, an error",
        example='text:"stack trace"',
        is_always_known=True,
    ),
    Field(
        name="source",
        kind=Kind.TEXT,
        meaning="name of a source that is in the request",
        example="source:context7",
        is_always_known=True,
    ),
    Field(
        name="kind",
        kind=Kind.CHOICE,
        meaning="kind of a source that is in the request",
        example="kind:mcp,skill",
        choices=KIND_WORDS,
        is_always_known=True,
    ),
    Field(name="model", kind=Kind.TEXT, meaning="model that answered", example="model:opus"),
    Field(name="status", kind=Kind.STATUS, meaning="HTTP status of the response", example="status:>=400"),
    Field(
        name="error",
        kind=Kind.FLAG,
        meaning="failed, interrupted, or answered with a status of 400 or more",
        example="error:yes",
        is_always_known=True,
    ),
    Field(
        name="state",
        kind=Kind.CHOICE,
        meaning="how far the exchange came",
        example="state:interrupted",
        choices=_words(ExchangeState),
        is_always_known=True,
    ),
    Field(
        name="class",
        kind=Kind.CHOICE,
        meaning="what kind of call it is",
        example="class:subagent",
        choices=_words(RequestClass),
    ),
    Field(name="tokens", kind=Kind.COUNT, meaning="input and output tokens together", example="tokens:>50k"),
    Field(name="input", kind=Kind.COUNT, meaning="input tokens: read, written and fresh", example="input:10k..20k"),
    Field(name="output", kind=Kind.COUNT, meaning="output tokens", example="output:>4k"),
    Field(name="cached", kind=Kind.PERCENT, meaning="share of the input that was read from the cache", example="cached:<50%"),
    Field(name="cost", kind=Kind.USD, meaning="cost in dollars", example="cost:>0.05"),
    Field(
        name="latency",
        kind=Kind.DURATION,
        meaning="from the client's start to the last byte delivered",
        example="latency:>2s",
    ),
    Field(
        name="ttfb",
        kind=Kind.DURATION,
        meaning="from the client's start to the first byte of the response",
        example="ttfb:>800ms",
        aliases=("first_byte",),
    ),
    Field(name="proxy", kind=Kind.DURATION, meaning="Assay's own share of the latency", example="proxy:>5ms"),
    Field(
        name="size",
        kind=Kind.BYTES,
        meaning="size of the request's body on the wire",
        example="size:>1MB",
        is_always_known=True,
    ),
    Field(name="rating", kind=Kind.RATING, meaning="rating given to it, -1 to 1", example="rating:<0"),
    Field(name="note", kind=Kind.TEXT, meaning="words in the comment of its rating", example="note:slow"),
    Field(name="client", kind=Kind.TEXT, meaning="program that sent it, or its version", example="client:claude-code"),
    Field(name="session", kind=Kind.PREFIX, meaning="id of its session", example="session:ab12"),
    Field(name="prompt", kind=Kind.PREFIX, meaning="id of the user's turn it belongs to", example="prompt:7f3e"),
    Field(name="agent", kind=Kind.TEXT, meaning="type or id of the sub-agent that sent it", example="agent:Explore"),
    Field(
        name="id",
        kind=Kind.PREFIX,
        meaning="id of the exchange, as in exports and the API",
        example="id:0192f0c1",
        is_always_known=True,
    ),
    Field(name="host", kind=Kind.TEXT, meaning="host of the URL", example="host:bedrock", is_always_known=True),
    Field(name="path", kind=Kind.TEXT, meaning="path of the URL", example="path:count_tokens", is_always_known=True),
    Field(name="method", kind=Kind.TEXT, meaning="HTTP method", example="method:post", is_always_known=True),
    Field(
        name="mode",
        kind=Kind.CHOICE,
        meaning="how it reached Assay",
        example="mode:imported",
        choices=_words(CaptureMode),
        is_always_known=True,
    ),
    Field(
        name="stream",
        kind=Kind.FLAG,
        meaning="the response was asked for as an event stream",
        example="stream:no",
        is_always_known=True,
    ),
    Field(
        name="estimate",
        kind=Kind.FLAG,
        meaning="its token figures are estimates, not billed figures",
        example="estimate:yes",
        is_always_known=True,
    ),
    Field(name="since", kind=Kind.TIME, meaning="started at this time or later", example="since:1h", is_always_known=True),
    Field(name="until", kind=Kind.TIME, meaning="started before this time", example="until:2026-11-01", is_always_known=True),
)

FIELD_BY_NAME: dict[str, Field] = {name: field for field in FIELDS for name in (field.name, *field.aliases)}
