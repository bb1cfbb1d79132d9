"""Listings: of skills, agents, tools, servers, rules; each entry is its own source's."""

import re
from collections.abc import Callable

from proxy_core.attribution.cuts import UNATTRIBUTED, Need, Pending, Span
from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.readers.piece import MAX_ENTRIES, Piece, framework, headings, line_end, with_ends
from proxy_core.attribution.readers.wrappers import command_source
from proxy_core.attribution.rules.model import Reader
from proxy_core.attribution.servers import PREFIX, wire_name

_SECTION = re.compile(r"(?:^|\n)###? ([^\n]{1,200})\n")
ENTRY = re.compile(r"^- [*`\"]{0,3}([^\s*`\"]{1,200}?(?: \(MCP\))?)[*`\"]{0,3}(?:: |$)", re.MULTILINE)
"""`- name: description`, or the name alone; a line with more words before the colon goes on from the entry before."""
COMMAND_ENTRY = re.compile(r"^- [*`\"]{0,3}/?([^\s*`\"]{1,200}?)[*`\"]{0,3}(?: [^\n:]{0,200})?(?:: |$)", re.MULTILINE)
"""`- /name [arguments]: description`."""
_LOOSE_ENTRY = re.compile(r"^ {0,4}- [*`\"]{0,3}([^\s*`\"]{1,200}?)[*`\"]{0,3}(?:: |$)", re.MULTILINE)
_NAME_LINE = re.compile(r"[\w.:-]{1,256}")
_XML_SKILL = re.compile(r"<skill>\s{0,20}<name>\s{0,20}([^<\n]{1,200}?)\s{0,20}</name>")
_XML_SERVER = re.compile(r'<server name="([^"\n]{1,200})">')
_XML_FILE = re.compile(r'<project_instructions path="([^"\n]{1,1000})">')
_RULE_HEADING = re.compile(r"^## ([^\n]{1,200})$", re.MULTILINE)
_RULE_NAME = re.compile(
    r"(?:(?:Workspace|Global) )?AGENTS(?:\.md)?|Rules to read when they apply|[^\sA-Z]{1,200}|[^\s]{0,200}[/._-][^\s]{0,200}"
)
_TOOL_LINE = re.compile(r"^- [`\"*]{0,3}([A-Za-z0-9_.-]{1,200})[`\"*]{0,3}(?=:|\s|$)", re.MULTILINE)
_TRAILERS = ("\n\nWhen you launch multiple agents",)
_XML_KINDS: dict[Reader, tuple[re.Pattern[str], str, SourceType, str]] = {
    Reader.XML_SKILLS: (_XML_SKILL, "</skill>", SourceType.SKILL, "skills listing"),
    Reader.XML_SERVERS: (_XML_SERVER, "</server>", SourceType.MCP_SERVER, "MCP instructions"),
    Reader.XML_FILES: (_XML_FILE, "</project_instructions>", SourceType.MEMORY, "memory preamble"),
}


def read_mcp_instructions(piece: Piece) -> list[Span]:
    """Cut `## <server>` sections; whether a heading really names a server is seen later."""
    found = headings(_SECTION, piece.text, piece.start, piece.end)
    header = Span(piece.start, found[0].start() if found else piece.end, framework("MCP instructions"), Part.CONTEXT)
    spans, before = [header], UNATTRIBUTED
    for index, (section, stop) in enumerate(with_ends(found, piece.end)):
        name = wire_name(section[1])
        if "__" in name:
            piece.context.servers.add(name)
        spans.append(Span(section.start(), stop, Pending(Need.SERVER, name, index, before), piece.rule.part))
        before = Source(SourceType.MCP_SERVER, name)
    return spans


def read_listing(piece: Piece) -> list[Span]:
    """Cut a listing line by line, each entry with its further lines."""
    stop = min(
        (at for at in (piece.text.find(trailer, piece.start, piece.end) for trailer in _TRAILERS) if at >= 0), default=piece.end
    )
    kind = piece.rule.source.source_type
    frame = framework(f"{kind.value.lower()}s listing")
    expression = _LOOSE_ENTRY if piece.rule.reader is Reader.LOOSE_LISTING else ENTRY
    spans = listing_spans(piece.text, piece.start, stop, kind, frame, expression)
    return [*spans, Span(stop, piece.end, frame, Part.CONTEXT)]


def listing_spans(text: str, start: int, end: int, kind: SourceType, frame: Source, expression: re.Pattern[str]) -> list[Span]:
    """Cut `- name: description` entries, each with its further lines; what stands before the first is the frame's."""
    entries = headings(expression, text, start, end)
    first = entries[0].start() if entries else end
    spans = [Span(start, first, frame, Part.CONTEXT)]
    for entry, stop in with_ends(entries, end):
        spans.append(Span(entry.start(), stop, _entry_source(kind, entry[1]), Part.LISTING))
    return spans


def _entry_source(kind: SourceType, name: str) -> Source:
    """Name an entry; a prompt of an MCP server among skills is the server's."""
    is_prompt = kind is SourceType.SKILL and (name.startswith(PREFIX) or name.endswith(" (MCP)"))
    return command_source(name) if is_prompt else Source(kind, name)


def read_names(piece: Piece) -> list[Span]:
    """Cut tool names, one a line, each its tool's."""

    def owner(line: str) -> Source | Pending:
        if line.startswith(PREFIX):
            piece.context.servers.add(line)
        return Pending(Need.TOOL, line)

    return _lines(piece.text, piece.start, piece.end, framework("deferred tools"), owner)


def read_server_names(piece: Piece) -> list[Span]:
    """Cut names of MCP servers, one a line."""

    def owner(line: str) -> Source:
        piece.context.servers.add(wire_name(line))
        return Source(SourceType.MCP_SERVER, wire_name(line))

    return _lines(piece.text, piece.start, piece.end, framework("deferred tools"), owner)


def _lines(text: str, start: int, end: int, frame: Source, owner: Callable[[str], Source | Pending]) -> list[Span]:
    spans: list[Span] = []
    at = start
    while at < end and len(spans) < MAX_ENTRIES:
        stop = min(line_end(text, at, end) + 1, end)
        line = text[at:stop].strip() if stop - at <= 300 else ""
        is_name = at > start and _NAME_LINE.fullmatch(line) is not None
        spans.append(Span(at, stop, owner(line), Part.NAMES) if is_name else Span(at, stop, frame, Part.CONTEXT))
        at = stop
    return [*spans, Span(at, end, frame, Part.CONTEXT)]


def read_xml_entries(piece: Piece) -> list[Span]:
    """Cut entries in tags; what stands between them is the framework's."""
    expression, closing, kind, frame_name = _XML_KINDS[piece.rule.reader]
    frame = framework(frame_name)
    spans, at = [], piece.start
    for found in headings(expression, piece.text, piece.start, piece.end):
        close = piece.text.find(closing, found.end(), piece.end)
        if close < 0:
            break
        if found.start() < at:
            continue
        name = wire_name(found[1]) if kind is SourceType.MCP_SERVER else found[1]
        if kind is SourceType.MCP_SERVER:
            piece.context.servers.add(name)
        stop = close + len(closing)
        spans += [Span(at, found.start(), frame, Part.CONTEXT), Span(found.start(), stop, Source(kind, name), piece.rule.part)]
        at = stop
    return [*spans, Span(at, piece.end, frame, Part.CONTEXT)]


def read_rule_sections(piece: Piece) -> list[Span]:
    """Cut `## <rule>` sections; a heading that looks like prose belongs to the file it stands in."""
    found = headings(_RULE_HEADING, piece.text, piece.start, piece.end)
    first = found[0].start() if found else piece.end
    named = [section for index, section in enumerate(found) if index == 0 or _RULE_NAME.fullmatch(section[1])]
    spans = [Span(piece.start, first, framework("memory preamble"), Part.CONTEXT)]
    for section, stop in with_ends(named, piece.end):
        spans.append(Span(section.start(), stop, Source(SourceType.MEMORY, section[1]), piece.rule.part))
    return spans


def read_tool_lines(piece: Piece) -> list[Span]:
    """Cut lines that describe a tool each."""
    frame, spans, at = framework("deferred tools"), list[Span](), piece.start
    for found in headings(_TOOL_LINE, piece.text, piece.start, piece.end):
        stop = min(line_end(piece.text, found.start(), piece.end) + 1, piece.end)
        spans += [
            Span(at, found.start(), frame, Part.CONTEXT),
            Span(found.start(), stop, Pending(Need.TOOL, found[1]), piece.rule.part),
        ]
        if found[1].startswith(PREFIX):
            piece.context.servers.add(found[1])
        at = stop
    return [*spans, Span(at, piece.end, frame, Part.CONTEXT)]
