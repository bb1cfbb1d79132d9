"""Pieces of one element of a request before it is known where the element stands and what others say about it.

A cut holds everything that depends on its own text alone, so it can be kept for the next request. Sources that need the
rest of the conversation (which tool was called under this id?) stay pending until the element is placed.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import blake2b
from typing import NamedTuple

from proxy_core.attribution.model import ContentKind, ImageFacts, Part, Segment, Source, SourceType

USER = Source(SourceType.USER)
ASSISTANT = Source(SourceType.ASSISTANT)
UNATTRIBUTED = Source(SourceType.UNATTRIBUTED)

HASH_BYTES = 16


class Need(Enum):
    """What must be known to name a pending source."""

    CALL = auto()
    """The tool called under this id."""
    TOOL = auto()
    """Whose tool this name is."""
    SERVER = auto()
    """Whether there is an MCP server of this name."""
    SKILL_BODY = auto()
    """Which skill was launched, by order of calls."""
    LAUNCHED = auto()
    """The same for a body without a marker."""
    MENTION = auto()
    """Which file the client read last for the user."""
    RESOURCE = auto()
    """Which server the user named with this resource."""
    FOLDED = auto()
    """Whether the tool of this id could have printed the reminder itself."""
    TYPED = auto()
    """Who speaks as the user: a person, or the agent that launched this one."""
    PROMPT = auto()
    """Whose system prompt it is: the client's user's, or a sub-agent's."""


class Pending(NamedTuple):
    """A source to be named later."""

    need: Need
    key: str = ""
    """Id, name, path or address, as the need says."""
    order: int = 0
    """Which of several, from 0."""
    otherwise: Source = UNATTRIBUTED
    """The source when nothing is found; for folded text, the reminder's own."""


class Span(NamedTuple):
    """Part of a string and whose it is."""

    start: int
    end: int
    source: Source | Pending
    part: Part
    is_uncertain: bool = False


class Cut(NamedTuple):
    """One piece of an element, with everything but its place."""

    pointer: str
    """Below the element."""
    start: int
    end: int
    text: str
    content_bytes: int
    content_hash: str
    kind: ContentKind
    source: Source | Pending
    part: Part
    is_uncertain: bool = False
    cache_ttl: str | None = None
    image: ImageFacts | None = None


class Call(NamedTuple):
    """A tool call that later messages refer to."""

    call_id: str
    name: str
    subject: str | None = None
    """Skill, agent type or MCP server named in its input, where the tool takes one."""


@dataclass(slots=True)
class CutElement:
    """An element, cut: kept between requests."""

    cuts: tuple[Cut, ...]
    role: str | None = None
    calls: tuple[Call, ...] = ()
    launched: tuple[str, ...] = ()
    """Ids of calls whose result says that a skill was launched, in order of results."""
    servers: frozenset[str] = frozenset()
    """MCP servers' names as printed in it."""
    mentioned: str | None = None
    """The file it says was read last."""
    typed: str | None = None
    """The last text in it that a person can have typed, cut to its beginning."""
    addresses: tuple[tuple[str, str], ...] = ()
    """`@server:address` pairs the user wrote."""
    tool_name: str | None = None
    """Name of the tool it defines."""
    tool_type: str | None = None
    """Type of the tool it defines; `custom` where it says none."""
    is_deferred: bool = False
    """The tool's definition is not in the prompt until it is loaded."""
    loaded: frozenset[str] = frozenset()
    """Tools whose deferred definitions it loads."""
    normal_hash: bytes = b""
    """Hash of the message without cache marks and settings."""
    weight_bytes: int = 0
    """About what it takes to keep."""
    has_pending: bool = False
    placed: dict[object, tuple[Segment, ...]] = field(default_factory=dict)
    """Finished segments by place and sources found, so that a conversation that grows is not placed anew."""


def content_hash(content: bytes) -> str:
    """Name content by itself: 32 hex digits of BLAKE2b."""
    return blake2b(content, digest_size=HASH_BYTES).hexdigest()


def text_bytes(text: str) -> bytes:
    """Encode text in UTF-8; lone surrogates keep their own three bytes."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def printable(text: str) -> str:
    """Replace lone surrogates, which no screen, file or JSON answer can take, one for one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def cut_text(
    pointer: str, text: str, span: Span, *, kind: ContentKind = ContentKind.TEXT, image: ImageFacts | None = None
) -> Cut:
    """Make a cut of part of a string."""
    piece = text[span.start : span.end]
    content = text_bytes(piece)
    return Cut(
        pointer=pointer,
        start=span.start,
        end=span.end,
        text=piece if len(content) == len(piece) else printable(piece),
        content_bytes=len(content),
        content_hash=content_hash(content),
        kind=kind,
        source=span.source,
        part=span.part,
        is_uncertain=span.is_uncertain,
        image=image,
    )


def cut_opaque(pointer: str, text: str, span: Span, kind: ContentKind, image: ImageFacts | None = None) -> Cut:
    """Make a cut of a payload or signature: its size and hash, not its text."""
    return cut_text(pointer, text, span, kind=kind, image=image)._replace(text="")


def merged(spans: list[Span]) -> list[Span]:
    """Join neighbours of the same source and drop empty ones."""
    joined: list[Span] = []
    for span in spans:
        if span.start >= span.end:
            continue
        if joined and joined[-1][2:] == span[2:]:
            joined[-1] = joined[-1]._replace(end=span.end)
        else:
            joined.append(span)
    return joined
