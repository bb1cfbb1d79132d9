"""What a rule about a client's wire format can say. Pure data: no rule here, no reading either."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag, auto

from proxy_core.attribution.model import Part, RequestClass, Source, SourceType

type Version = tuple[int, ...]

ANY_VERSION: Version = (0,)
NO_END: Version = (9999,)


class Place(Flag):
    """Where a marker is believed. Anywhere else the same words are what somebody printed."""

    SYSTEM_MESSAGE = auto()
    """At a blank line (or the start) of a message with role `system`."""
    REMINDER = auto()
    """At the start of a text block that is one whole reminder."""
    FOLDED = auto()
    """At the start of a reminder that ends a tool result."""
    PROMPT = auto()
    """At the start of a line of the system prompt."""
    BLOCK = auto()
    """At the start of a text block of a user message."""


class Reader(Enum):
    """How a recognised piece is cut further."""

    PLAIN = auto()
    """All of it belongs to the rule's source."""
    MEMORY_FILES = auto()
    """`Contents of <path> (<why>):`, one after the other."""
    NESTED_MEMORY = auto()
    """`Contents of <path>:`, one file."""
    MCP_INSTRUCTIONS = auto()
    """`## <server>`, one after the other."""
    LISTING = auto()
    """`- name: description` lines; the rule's source type, named by line."""
    LOOSE_LISTING = auto()
    """The same, with indented lines."""
    NAMES = auto()
    """One tool name a line."""
    SERVER_NAMES = auto()
    """One MCP server's name a line."""
    HOOK = auto()
    """`<Event>[:matcher] hook <outcome>: text`."""
    TAGGED_HOOK = auto()
    """`<session-start-hook>text</session-start-hook>`."""
    OUTPUT_STYLE = auto()
    """`# Output Style: <name>`."""
    ACTIVE_STYLE = auto()
    """`<name> output style is active.`"""
    FILE_CALL = auto()
    """`Called the Read tool with the following input: {...}`, perhaps with its result."""
    FILE_RESULT = auto()
    """`Result of calling the Read tool:`."""
    RESOURCE = auto()
    """`Full contents of resource:`."""
    TASK_NOTICE = auto()
    """A finished background task, by the id of the call that started it."""
    COMMAND = auto()
    """`<command-message>` with name and arguments; a body follows in the next block."""
    LOCAL_COMMAND = auto()
    """`<command-name>` of a command that the client ran by itself."""
    LOCAL_OUTPUT = auto()
    """What such a command printed."""
    SKILL_BODY = auto()
    """`Base directory for this skill: <path>`."""
    GIT_STATUS = auto()
    """Ends with the list of recent commits."""
    USER_AFTER = auto()
    """What follows the marker's line is the user's."""
    BETWEEN = auto()
    """Framework text around one piece of somebody else's; `Frame` says which."""
    XML_SKILLS = auto()
    """`<skill><name>..</name>...</skill>`, one after the other."""
    XML_SERVERS = auto()
    """`<server name="..">...</server>`, one after the other."""
    XML_FILES = auto()
    """`<project_instructions path="..">...</project_instructions>`, one after the other."""
    TAGGED_FILES = auto()
    """`<file name="..">...</file>`, one after the other; what follows is the user's."""
    TAGGED_SKILL = auto()
    """`<skill name="..">...</skill>`; what follows is the user's."""
    RULE_SECTIONS = auto()
    """`## <rule or file>`, one after the other."""
    TOOL_LINES = auto()
    """`- name: description` lines, each its tool's; anything else is the framework's."""
    REFERENCED_FILES = auto()
    """`Content from @<path>:`, one after the other."""
    PATH_HEADING = auto()
    """A line that names a file; its text follows."""
    ADDED_FILES = auto()
    """`path`, a fence, the file, a fence; one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where somebody else's text stands inside a framework piece."""

    before: str
    """The text right before it."""
    after: str
    """The text right after it; it ends at the piece's end when this is not found."""
    source: Source
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRule:
    """One marker."""

    opener: str
    """The words a piece begins with; a regular expression when `is_pattern`."""
    places: Place
    source: Source
    part: Part = Part.CONTEXT
    reader: Reader = Reader.PLAIN
    is_pattern: bool = False
    frames: tuple[Frame, ...] = ()
    is_foreign: bool = False
    """The piece carries text of others, so that only known markers end it."""
    is_before_servers: bool = False
    """In a system message it always comes before MCP instructions; after them it is what a server wrote."""
    since: Version = ANY_VERSION
    until: Version = NO_END
    """First version that no longer has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRule:
    """A listing inside a tool's description."""

    tools: tuple[str, ...]
    """Names of the tools that carry it."""
    opener: str
    """The line before the first entry."""
    source_type: SourceType
    reader: Reader = Reader.LISTING


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpeech:
    """What the client's own tools are called."""

    skill: frozenset[str] = frozenset()
    """Tools that load a skill."""
    agent: frozenset[str] = frozenset()
    """Tools that start a sub-agent."""
    resource: frozenset[str] = frozenset()
    """Tools that read a resource of an MCP server."""
    command: frozenset[str] = frozenset()
    """Tools that run a slash command."""
    numbered: frozenset[str] = frozenset()
    """Tools that put a line number before every line, so that nothing they print can look like a reminder."""
    skill_readers: frozenset[str] = frozenset()
    """Tools that load a skill when they read a file named `SKILL.md`."""
    file: frozenset[str] = frozenset()
    """Tools that touch files: only after them a memory file is added."""
    builtin: frozenset[str] = frozenset()
    """All names the client itself brings; empty when not needed to tell them from MCP tools."""


class McpNaming(Enum):
    """How a client makes a tool name of a server's and a tool's."""

    PREFIXED = auto()
    """`mcp__server__tool`."""
    DOUBLE = auto()
    """`server__tool` (and `mcp__server__tool`)."""
    SINGLE = auto()
    """`server_tool`, told from built-in ones by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRules:
    """Everything known about one client's wire format."""

    client: str
    pieces: tuple[PieceRule, ...] = ()
    side_pieces: tuple[PieceRule, ...] = ()
    """Markers believed only in calls that the client makes by itself."""
    listings: tuple[ListingRule, ...] = ()
    speech: ToolSpeech = field(default_factory=ToolSpeech)
    naming: McpNaming = McpNaming.PREFIXED
    has_sections: bool = False
    """Its system prompt has headings worth naming sections by."""
    prompt_openers: tuple[str, ...] = ()
    """How its own system prompts begin; another beginning is the person's who set it up."""
    agent_markers: tuple[str, ...] = ()
    """Words in the system prompt that only sub-agents have."""
    agent_openers: Mapping[str, str] = field(default_factory=dict)
    """How the prompts of its built-in sub-agents begin, and those agents' types."""
    title_markers: tuple[str, ...] = ()
    """How the system prompt of a call for a title begins."""
    side_questions: Mapping[str, RequestClass] = field(default_factory=dict)
    """How the only message of a call begins that the client makes by itself, and what kind of call that is."""
    compaction_markers: tuple[str, ...] = ()
    """How the last message or the system prompt of a call for a summary begins."""
    states_class_since: Version | None = None
    """First version whose requests name their kind in a header; without it the base URL is not the API's own host."""
    canned_until: str | None = None
    """Messages up to the one with this text are examples of the client's own."""
    canned_answers: frozenset[str] = frozenset()
    """Assistant messages that the client itself put there."""
    tails: tuple[tuple[str, Source], ...] = ()
    """Markers after which the rest of a typed text is the client's."""
    reminder_tag: str | None = None
    """The tag that wraps framework text in user messages."""
