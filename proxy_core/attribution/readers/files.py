"""Files and resources: memory, mentioned files, what a client read for the user."""

import re

import msgspec

from proxy_core.attribution.cuts import Need, Pending, Span
from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.readers.piece import MAX_ENTRIES, Piece, framework, headings, line_end, with_ends
from proxy_core.attribution.ruleset import expression_of
from proxy_core.attribution.servers import wire_name

_MEMORY_HEADER = re.compile(r"^Contents of ([^\n]{1,1000}?) \([^()\n]{1,200}\):$", re.MULTILINE)
_MEMORY_FOOTER = re.compile(
    r"\n(?:# (?:currentDate|important-instruction-reminders|userEmail|gitStatus)\n|\s{0,20}IMPORTANT: this context may)"
)
_MEMORY_NAME = re.compile(
    r"(?:^|/)(?:CLAUDE(?:\.local)?|AGENTS|MEMORY|GEMINI|QWEN)\.md$|/\.claude/rules/.|/\.claude/projects/[^/]+/memory/."
)
_MCP_RESOURCE = re.compile(r'<mcp-resource server="([^"\n]{1,200})"')
_REFERENCED = re.compile(r"^Content from @([^\n]{1,1000}):$", re.MULTILINE)
_FENCED = re.compile(r"^([^\n`]{1,1000})\n(`{3,20}|<source>)[^\n]{0,80}\n", re.MULTILINE)


def is_memory_path(path: str) -> bool:
    """Tell whether a path is that of a memory or rules file."""
    return _MEMORY_NAME.search(path) is not None


def file_source(path: str) -> Source:
    """Name a file: as memory where its name says so."""
    return Source(SourceType.MEMORY if is_memory_path(path) else SourceType.FILE, path)


def read_memory_files(piece: Piece) -> list[Span]:
    """Cut memory files, one after the other; what introduces and follows them is the framework's."""
    headers = headings(_MEMORY_HEADER, piece.text, piece.start, piece.end)
    preamble = framework("memory preamble")
    if not headers:
        return [Span(piece.start, piece.end, preamble, Part.CONTEXT)]
    footers = [found.start() for found in _MEMORY_FOOTER.finditer(piece.text, headers[-1].start(), piece.end)]
    last = footers[0] if footers else piece.end
    spans = [Span(piece.start, headers[0].start(), preamble, Part.CONTEXT)]
    for header, stop in with_ends(headers, last):
        spans.append(Span(header.start(), stop, Source(SourceType.MEMORY, header[1]), piece.rule.part))
    return [*spans, Span(last, piece.end, preamble, Part.CONTEXT)]


def read_nested_memory(piece: Piece) -> list[Span]:
    """Name one memory file that was added after a file was read."""
    path = (
        piece.text[piece.start + len("Contents of ") : line_end(piece.text, piece.start, piece.end)].rstrip().removesuffix(":")
    )
    return [Span(piece.start, piece.end, Source(SourceType.MEMORY, path), piece.rule.part)]


def read_path_heading(piece: Piece) -> list[Span]:
    """Name a file by the path in its marker."""
    path = piece.group("path")
    kind = piece.rule.source.source_type
    return [Span(piece.start, piece.end, file_source(path) if kind is SourceType.FILE else Source(kind, path), piece.rule.part)]


def read_file_call(piece: Piece) -> list[Span]:
    """Name the file a client read for the user, and remember it for the result."""
    at = piece.marker_end()
    piece.context.mentioned = _path_in(piece.text[at : line_end(piece.text, at, piece.end)])
    return [Span(piece.start, piece.end, file_source(piece.context.mentioned), piece.rule.part)]


def _path_in(arguments: str) -> str:
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.MsgspecError, RecursionError):
        return arguments[:200]
    if not isinstance(value, dict):
        return arguments[:200]
    path = value.get("file_path") or value.get("path") or value.get("notebook_path") or value.get("command") or arguments[:200]
    return str(path).removeprefix("ls ")


def read_file_result(piece: Piece) -> list[Span]:
    """Give the result to the file that was read last."""
    return [Span(piece.start, piece.end, mentioned_source(piece.context), piece.rule.part)]


def mentioned_source(context: ElementContext) -> Source | Pending:
    """Name the file that was read last for the user, or leave it to be found in an earlier message."""
    return file_source(context.mentioned) if context.mentioned is not None else Pending(Need.MENTION)


def read_resource(piece: Piece) -> list[Span]:
    """Name an MCP resource's server, or leave it to be found in what the user typed."""
    tagged = _MCP_RESOURCE.match(piece.text, piece.start)
    if tagged:
        return [Span(piece.start, piece.end, Source(SourceType.MCP_SERVER, wire_name(tagged[1])), piece.rule.part)]
    source = Pending(Need.RESOURCE, "", piece.context.resources, Source(SourceType.MCP_SERVER))
    piece.context.resources += 1
    piece.context.is_resource_open = (
        not piece.text[piece.start + len("Full contents of resource:") : piece.end].removesuffix("</system-reminder>").strip()
    )
    return [Span(piece.start, piece.end, source, piece.rule.part)]


def read_tagged_files(piece: Piece) -> list[Span]:
    """Cut files in tags, one after the other from the beginning; what follows them is typed."""
    spans: list[Span] = []
    at = piece.start
    while len(spans) < MAX_ENTRIES and (found := expression_of(piece.rule).match(piece.text, at)):
        tag = piece.text[at + 1 : piece.text.find(" ", at)]
        close = piece.text.find(f"</{tag}>", found.end(), piece.end)
        stop = close + len(tag) + 3 if close >= 0 else piece.end
        stop = min(stop + 1, piece.end) if piece.text.startswith("\n", stop) else stop
        spans.append(Span(at, stop, file_source(found["path"]), piece.rule.part))
        at = stop
    piece.context.typed = piece.text[at : min(piece.end, at + 2000)].strip() or piece.context.typed
    return [*spans, Span(at, piece.end, Pending(Need.TYPED), Part.PROMPT)]


def read_referenced_files(piece: Piece) -> list[Span]:
    """Cut files that the user referred to, one after the other."""
    found = headings(_REFERENCED, piece.text, piece.start, piece.end)
    frame = framework("files frame")
    spans = [Span(piece.start, found[0].start() if found else piece.end, frame, Part.CONTEXT)]
    for file, stop in with_ends(found, piece.end):
        spans.append(Span(file.start(), stop, file_source(file[1]), piece.rule.part))
    return spans


def read_added_files(piece: Piece) -> list[Span]:
    """Cut fenced files, each under the line with its path."""
    spans: list[Span] = []
    at = piece.start
    while len(spans) < MAX_ENTRIES and (found := _FENCED.search(piece.text, at, piece.end)):
        closing = "</source>" if found[2] == "<source>" else found[2]
        close = piece.text.find(f"\n{closing}", found.end() - 1, piece.end)
        stop = close + 1 + len(closing) if close >= 0 else piece.end
        spans += [
            Span(at, found.start(), piece.rule.source, piece.rule.part),
            Span(found.start(), stop, file_source(found[1].strip()), Part.BODY),
        ]
        at = stop
    return [*spans, Span(at, piece.end, piece.rule.source, piece.rule.part)]
