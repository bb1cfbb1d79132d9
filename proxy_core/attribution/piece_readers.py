"""How a recognised piece of text is cut further, one function per `Reader`.

A reader gets a text, the limits of the piece in it and the rule that recognised it; its spans cover the piece without a gap.
"""

import re
from collections.abc import Callable

import msgspec

from proxy_core.attribution.cuts import UNATTRIBUTED, USER, Need, Pending, Span
from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.rules.model import Frame, PieceRule, Reader
from proxy_core.attribution.ruleset import expression_of
from proxy_core.attribution.servers import PREFIX, wire_name

type PieceReader = Callable[[str, int, int, PieceRule, ElementContext], list[Span]]

_MEMORY_HEADER = re.compile(r"^Contents of ([^\n]{1,1000}?) \([^()\n]{1,200}\):$", re.MULTILINE)
_MEMORY_FOOTER = re.compile(r"\n(?:# (?:currentDate|important-instruction-reminders|userEmail|gitStatus)\n|\s{0,20}IMPORTANT: this context may)")
_MEMORY_NAME = re.compile(r"(?:^|/)(?:CLAUDE(?:\.local)?|AGENTS|MEMORY|GEMINI|QWEN)\.md$|/\.claude/rules/.|/\.claude/projects/[^/]+/memory/.")
_SECTION = re.compile(r"(?:^|\n)###? ([^\n]{1,200})\n")
_ENTRY = re.compile(r"^- [*`\"]{0,3}/?([^\s*`\"]{1,200}?)[*`\"]{0,3}(?: [^\n:]{0,200})?(?:: |$)", re.MULTILINE)
_STRICT_ENTRY = re.compile(r"^- [*`\"]{0,3}([^\s*`\"]{1,200}?)[*`\"]{0,3}(?:: |$)", re.MULTILINE)
_NAME_LINE = re.compile(r"[\w.:-]{1,256}")
_XML_SKILL = re.compile(r"<skill>\s{0,20}<name>\s{0,20}([^<\n]{1,200}?)\s{0,20}</name>")
_XML_SERVER = re.compile(r'<server name="([^"\n]{1,200})">')
_XML_FILE = re.compile(r'<project_instructions path="([^"\n]{1,1000})">')
_RULE_HEADING = re.compile(r"^## ([^\n]{1,200})$", re.MULTILINE)
_RULE_NAME = re.compile(r"(?:(?:Workspace|Global) )?AGENTS(?:\.md)?|Rules to read when they apply|[^\sA-Z]{1,200}|[^\s]{0,200}[/._-][^\s]{0,200}")
_TOOL_LINE = re.compile(r"^- [`\"*]{0,3}([A-Za-z0-9_.-]{1,200})[`\"*]{0,3}(?=:|\s|$)", re.MULTILINE)
_REFERENCED = re.compile(r"^Content from @([^\n]{1,1000}):$", re.MULTILINE)
_TOOL_USE_ID = re.compile(r"<tool-use-id>([^<\s]{1,200})</tool-use-id>")
_COMMAND = re.compile(r"<command-(message|name|args)>")
_MCP_RESOURCE = re.compile(r'<mcp-resource server="([^"\n]{1,200})"')
_TRAILERS = ("\n\nWhen you launch multiple agents",)
_MID_TURN_TRAILERS = ("\n\nIMPORTANT: After completing", "\n\nPlease address this message")
_COMMITS = "Recent commits:\n"


def read_piece(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    """Cut a piece as its rule says; the spans cover it without a gap."""
    return _READERS[rule.reader](text, start, end, rule, context)


def is_memory_path(path: str) -> bool:
    """Tell whether a path is that of a memory or rules file."""
    return _MEMORY_NAME.search(path) is not None


def file_source(path: str) -> Source:
    """Name a file: as memory where its name says so."""
    return Source(SourceType.MEMORY if is_memory_path(path) else SourceType.FILE, path)


def _framework(name: str) -> Source:
    return Source(SourceType.FRAMEWORK, name)


def _plain(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    return [Span(start, end, rule.source, rule.part)]


def _memory_files(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    headers = [(found.start(), found[1]) for found in _MEMORY_HEADER.finditer(text, start, end)]
    preamble = _framework("memory preamble")
    if not headers:
        return [Span(start, end, preamble, Part.CONTEXT)]
    footers = [found.start() for found in _MEMORY_FOOTER.finditer(text, headers[-1][0], end)]
    last = footers[0] if footers else end
    spans = [Span(start, headers[0][0], preamble, Part.CONTEXT)]
    for (at, path), following in zip(headers, [*(at for at, _ in headers[1:]), last], strict=True):
        spans.append(Span(at, following, Source(SourceType.MEMORY, path), rule.part))
    return [*spans, Span(last, end, preamble, Part.CONTEXT)]


def _nested_memory(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    line_end = _line_end(text, start, end)
    path = text[start + len("Contents of ") : line_end].rstrip().removesuffix(":")
    return [Span(start, end, Source(SourceType.MEMORY, path), rule.part)]


def _mcp_instructions(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    found = list(_SECTION.finditer(text, start, end))
    header = Span(start, found[0].start() if found else end, _framework("MCP instructions"), Part.CONTEXT)
    spans, before = [header], UNATTRIBUTED
    for index, section in enumerate(found):
        stop = found[index + 1].start() if index + 1 < len(found) else end
        name = wire_name(section[1])
        spans.append(Span(section.start(), stop, Pending(Need.SERVER, name, index, before), rule.part))
        before = Source(SourceType.MCP_SERVER, name)
    return spans


def _listing(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    stop = min((at for at in (text.find(trailer, start, end) for trailer in _TRAILERS) if at >= 0), default=end)
    kind = rule.source.source_type
    spans = listing_spans(text, start, stop, kind, _framework(f"{kind.value.lower()}s listing"), strict=True)
    return [*spans, Span(stop, end, _framework(f"{kind.value.lower()}s listing"), Part.CONTEXT)]


def listing_spans(text: str, start: int, end: int, kind: SourceType, frame: Source, *, strict: bool) -> list[Span]:
    """Cut `- name: description` entries, each with its further lines; what stands before the first is the frame's."""
    entries = list((_STRICT_ENTRY if strict else _ENTRY).finditer(text, start, end))
    first = entries[0].start() if entries else end
    spans = [Span(start, first, frame, Part.CONTEXT)]
    for index, entry in enumerate(entries):
        stop = entries[index + 1].start() if index + 1 < len(entries) else end
        spans.append(Span(entry.start(), stop, Source(kind, entry[1]), Part.LISTING))
    return spans


def _names(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    def owner(line: str) -> Source | Pending:
        if line.startswith(PREFIX):
            context.servers.add(line)
        return Pending(Need.TOOL, line)

    return _lines(text, start, end, _framework("deferred tools"), owner)


def _server_names(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    def owner(line: str) -> Source:
        context.servers.add(wire_name(line))
        return Source(SourceType.MCP_SERVER, wire_name(line))

    return _lines(text, start, end, _framework("deferred tools"), owner)


def _lines(text: str, start: int, end: int, frame: Source, owner: Callable[[str], Source | Pending]) -> list[Span]:
    spans: list[Span] = []
    at = start
    while at < end:
        stop = min(_line_end(text, at, end) + 1, end)
        line = text[at:stop].strip() if stop - at <= 300 else ""
        is_name = at > start and _NAME_LINE.fullmatch(line) is not None
        spans.append(Span(at, stop, owner(line), Part.NAMES) if is_name else Span(at, stop, frame, Part.CONTEXT))
        at = stop
    return spans


def _hook(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    return [Span(start, end, Source(SourceType.HOOK, _group(text, start, rule, "event")), rule.part)]


def _tagged_hook(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    tag = _group(text, start, rule, "event")
    event = "".join(word.capitalize() for word in tag.split("-"))
    is_whole = text.rstrip().endswith(f"</{tag}-hook>")
    return [Span(start, end, Source(SourceType.HOOK, event) if is_whole else USER, rule.part, not is_whole)]


def _named(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    return [Span(start, end, Source(rule.source.source_type, _group(text, start, rule, "name").strip()), rule.part)]


def _path_heading(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    path = _group(text, start, rule, "path")
    kind = rule.source.source_type
    return [Span(start, end, file_source(path) if kind is SourceType.FILE else Source(kind, path), rule.part)]


def _file_call(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    opened = expression_of(rule).match(text, start)
    at = opened.end() if opened else start
    context.mentioned = _path_in(text[at : _line_end(text, at, end)])
    return [Span(start, end, file_source(context.mentioned), rule.part)]


def _path_in(arguments: str) -> str:
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.MsgspecError, RecursionError):
        return arguments[:200]
    if not isinstance(value, dict):
        return arguments[:200]
    path = value.get("file_path") or value.get("path") or value.get("notebook_path") or value.get("command") or arguments[:200]
    return str(path).removeprefix("ls ")


def _file_result(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    return [Span(start, end, mentioned_source(context), rule.part)]


def mentioned_source(context: ElementContext) -> Source | Pending:
    """Name the file that was read last for the user, or leave it to be found in an earlier message."""
    return file_source(context.mentioned) if context.mentioned is not None else Pending(Need.MENTION)


def _resource(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    tagged = _MCP_RESOURCE.match(text, start)
    if tagged:
        return [Span(start, end, Source(SourceType.MCP_SERVER, wire_name(tagged[1])), rule.part)]
    source = Pending(Need.RESOURCE, "", context.resources, Source(SourceType.MCP_SERVER))
    context.resources += 1
    context.is_resource_open = not text[start + len("Full contents of resource:") : end].removesuffix("</system-reminder>").strip()
    return [Span(start, end, source, rule.part)]


def _task_notice(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    found = _TOOL_USE_ID.search(text, start, end)
    source: Source | Pending = Pending(Need.CALL, found[1], 0, rule.source) if found else rule.source
    return [Span(start, end, source, rule.part)]


def _command(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    name, spans = _command_spans(text, start, end)
    context.command = name
    arguments = next((span for span in spans if isinstance(span.source, Pending)), None)
    context.command_arguments = text[arguments.start : arguments.end].strip() if arguments else ""
    return spans


def _local_command(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    context.local_command, spans = _command_spans(text, start, end)
    return spans


def _local_output(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    return [Span(start, end, Source(SourceType.COMMAND, context.local_command), rule.part)]


def _command_spans(text: str, start: int, end: int) -> tuple[str | None, list[Span]]:
    """Cut `<command-message>`, `<command-name>`, `<command-args>`: the arguments are what the user typed."""
    values = {found[1]: _tagged(text, found.end(), end, found[1]) for found in _COMMAND.finditer(text, start, end)}
    at, stop = values.get("name", (start, start))
    if at == stop:
        at, stop = values.get("message", (start, start))
    name = text[at:stop].strip().removeprefix("/").removesuffix(" is running\N{HORIZONTAL ELLIPSIS}") or None
    source = command_source(name)
    first, last = values.get("args", (end, end))
    return name, [
        Span(start, first, source, Part.CALL),
        Span(first, last, Pending(Need.TYPED), Part.PROMPT),
        Span(last, end, source, Part.CALL),
    ]


def _tagged(text: str, at: int, end: int, tag: str) -> tuple[int, int]:
    stop = text.find(f"</command-{tag}>", at, end)
    return (at, stop) if stop >= 0 else (at, at)


def command_source(name: str | None) -> Source:
    """Name a slash command; one that is an MCP server's prompt is the server's."""
    if name and name.startswith(PREFIX):
        return Source(SourceType.MCP_SERVER, name[len(PREFIX) :].rsplit("__", 1)[0])
    if name and name.endswith(" (MCP)"):
        return Source(SourceType.MCP_SERVER, wire_name(name.removesuffix(" (MCP)").rsplit(":", 1)[0]))
    return Source(SourceType.COMMAND, name)


def _skill_body(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    opened = expression_of(rule).match(text, start)
    at = opened.end() if opened else start
    path = text[at : _line_end(text, at, end)].strip().rstrip("/\\")
    name = path.replace("\\", "/").rsplit("/", 1)[-1] or None
    if context.command:
        source: Source | Pending = Source(SourceType.SKILL, context.command)
        context.command = None
    else:
        source = Pending(Need.SKILL_BODY, name or "", context.bodies, Source(SourceType.SKILL, name))
        context.bodies += 1
    return [Span(start, end, source, rule.part)]


def _git_status(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    commits = text.find(_COMMITS, start, end)
    after = text.find("\n\n", commits, end) if commits >= 0 else -1
    stop = after if after >= 0 else end
    return [Span(start, stop, rule.source, rule.part), Span(stop, end, _framework("appended system prompt"), Part.INSTRUCTIONS)]


def _user_after(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    opened = expression_of(rule).match(text, start)
    at = opened.end() if opened else start
    stop = min((found for found in (text.rfind(trailer, at, end) for trailer in _MID_TURN_TRAILERS) if found >= 0), default=end)
    nudge = _framework("nudge")
    context.typed = text[at : min(stop, at + 2000)]
    return [Span(start, at, nudge, Part.CONTEXT), Span(at, stop, Pending(Need.TYPED), Part.PROMPT), Span(stop, end, nudge, Part.CONTEXT)]


def _between(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    spans, at = [], start
    for frame in rule.frames:
        first, last = _framed(text, at, end, frame)
        spans += [Span(at, first, rule.source, rule.part), Span(first, last, frame.source, frame.part)]
        if frame.source == USER:
            context.typed = text[first : min(last, first + 2000)]
        at = last
    return [*spans, Span(at, end, rule.source, rule.part)]


def _framed(text: str, start: int, end: int, frame: Frame) -> tuple[int, int]:
    found = text.find(frame.before, start, end)
    if found < 0:
        return end, end
    first = found + len(frame.before)
    last = text.rfind(frame.after, first, end) if frame.after else end
    return first, last if last >= 0 else end


_XML_KINDS: dict[Reader, tuple[re.Pattern[str], str, SourceType, str]] = {
    Reader.XML_SKILLS: (_XML_SKILL, "</skill>", SourceType.SKILL, "skills listing"),
    Reader.XML_SERVERS: (_XML_SERVER, "</server>", SourceType.MCP_SERVER, "MCP instructions"),
    Reader.XML_FILES: (_XML_FILE, "</project_instructions>", SourceType.MEMORY, "memory preamble"),
}


def _xml_entries(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    expression, closing, kind, frame_name = _XML_KINDS[rule.reader]
    frame = _framework(frame_name)
    spans, at = [], start
    for found in expression.finditer(text, start, end):
        close = text.find(closing, found.end(), end)
        if found.start() < at or close < 0:
            continue
        name = wire_name(found[1]) if kind is SourceType.MCP_SERVER else found[1]
        if kind is SourceType.MCP_SERVER:
            context.servers.add(name)
        stop = close + len(closing)
        spans += [Span(at, found.start(), frame, Part.CONTEXT), Span(found.start(), stop, Source(kind, name), rule.part)]
        at = stop
    return [*spans, Span(at, end, frame, Part.CONTEXT)]


def _tagged_files(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    """Cut files in tags, one after the other from the beginning; what follows them is typed."""
    spans, at = [], start
    while found := expression_of(rule).match(text, at):
        tag = text[at + 1 : text.find(" ", at)]
        close = text.find(f"</{tag}>", found.end(), end)
        stop = close + len(tag) + 3 if close >= 0 else end
        stop = min(stop + 1, end) if text.startswith("\n", stop) else stop
        spans.append(Span(at, stop, file_source(found["path"]), rule.part))
        at = stop
    context.typed = text[at : min(end, at + 2000)].strip() or context.typed
    return [*spans, Span(at, end, Pending(Need.TYPED), Part.PROMPT)]


def _tagged_skill(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    close = text.find("</skill>", start, end)
    stop = close + len("</skill>") if close >= 0 else end
    context.typed = text[stop : min(end, stop + 2000)].strip() or context.typed
    return [
        Span(start, stop, Source(SourceType.SKILL, _group(text, start, rule, "name")), rule.part),
        Span(stop, end, Pending(Need.TYPED), Part.PROMPT),
    ]


def _rule_sections(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    """Cut `## <rule>` sections; a heading that looks like prose belongs to the file it stands in."""
    found = [section for section in _RULE_HEADING.finditer(text, start, end)]
    first = found[0].start() if found else end
    names = [(section.start(), section[1]) for index, section in enumerate(found) if index == 0 or _RULE_NAME.fullmatch(section[1])]
    spans = [Span(start, first, _framework("memory preamble"), Part.CONTEXT)]
    for (at, name), (following, _) in zip(names, [*names[1:], (end, "")], strict=True):
        spans.append(Span(at, following, Source(SourceType.MEMORY, name), rule.part))
    return spans


def _tool_lines(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    frame, spans, at = _framework("deferred tools"), list[Span](), start
    for found in _TOOL_LINE.finditer(text, start, end):
        stop = min(_line_end(text, found.start(), end) + 1, end)
        spans += [Span(at, found.start(), frame, Part.CONTEXT), Span(found.start(), stop, Pending(Need.TOOL, found[1]), rule.part)]
        if found[1].startswith(PREFIX):
            context.servers.add(found[1])
        at = stop
    return [*spans, Span(at, end, frame, Part.CONTEXT)]


def _referenced_files(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    found = list(_REFERENCED.finditer(text, start, end))
    frame = _framework("files frame")
    spans = [Span(start, found[0].start() if found else end, frame, Part.CONTEXT)]
    for index, file in enumerate(found):
        stop = found[index + 1].start() if index + 1 < len(found) else end
        spans.append(Span(file.start(), stop, file_source(file[1]), rule.part))
    return spans


_FENCED = re.compile(r"^([^\n`]{1,1000})\n(`{3,20}|<source>)[^\n]{0,80}\n", re.MULTILINE)


def _added_files(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    spans, at = [], start
    while found := _FENCED.search(text, at, end):
        closing = "</source>" if found[2] == "<source>" else found[2]
        close = text.find(f"\n{closing}", found.end() - 1, end)
        stop = close + 1 + len(closing) if close >= 0 else end
        spans += [Span(at, found.start(), rule.source, rule.part), Span(found.start(), stop, file_source(found[1].strip()), Part.BODY)]
        at = stop
    return [*spans, Span(at, end, rule.source, rule.part)]


def _group(text: str, start: int, rule: PieceRule, name: str) -> str:
    found = expression_of(rule).match(text, start)
    return found[name] if found else ""


def _line_end(text: str, start: int, end: int) -> int:
    at = text.find("\n", start, end)
    return at if at >= 0 else end


_READERS: dict[Reader, PieceReader] = {
    Reader.PLAIN: _plain,
    Reader.MEMORY_FILES: _memory_files,
    Reader.NESTED_MEMORY: _nested_memory,
    Reader.MCP_INSTRUCTIONS: _mcp_instructions,
    Reader.LISTING: _listing,
    Reader.NAMES: _names,
    Reader.SERVER_NAMES: _server_names,
    Reader.HOOK: _hook,
    Reader.TAGGED_HOOK: _tagged_hook,
    Reader.OUTPUT_STYLE: _named,
    Reader.ACTIVE_STYLE: _named,
    Reader.FILE_CALL: _file_call,
    Reader.FILE_RESULT: _file_result,
    Reader.RESOURCE: _resource,
    Reader.TASK_NOTICE: _task_notice,
    Reader.COMMAND: _command,
    Reader.LOCAL_COMMAND: _local_command,
    Reader.LOCAL_OUTPUT: _local_output,
    Reader.SKILL_BODY: _skill_body,
    Reader.GIT_STATUS: _git_status,
    Reader.USER_AFTER: _user_after,
    Reader.BETWEEN: _between,
    Reader.XML_SKILLS: _xml_entries,
    Reader.XML_SERVERS: _xml_entries,
    Reader.XML_FILES: _xml_entries,
    Reader.TAGGED_FILES: _tagged_files,
    Reader.TAGGED_SKILL: _tagged_skill,
    Reader.RULE_SECTIONS: _rule_sections,
    Reader.TOOL_LINES: _tool_lines,
    Reader.REFERENCED_FILES: _referenced_files,
    Reader.PATH_HEADING: _path_heading,
    Reader.ADDED_FILES: _added_files,
}
