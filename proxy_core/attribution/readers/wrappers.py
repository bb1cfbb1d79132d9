"""Wrappers around what somebody else said: hooks, commands, skills, styles, notices, frames."""

import re

from proxy_core.attribution.cuts import USER, Need, Pending, Span
from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.readers.piece import Piece, framework, line_end
from proxy_core.attribution.rules.model import Frame
from proxy_core.attribution.servers import PREFIX, wire_name

_TOOL_USE_ID = re.compile(r"<tool-use-id>([^<\s]{1,200})</tool-use-id>")
_COMMAND = re.compile(r"<command-(message|name|args)>")
_MID_TURN_TRAILERS = ("\n\nIMPORTANT: After completing", "\n\nPlease address this message")
_COMMITS = "Recent commits:\n"


def read_plain(piece: Piece) -> list[Span]:
    """Give the whole piece to the rule's source."""
    return [Span(piece.start, piece.end, piece.rule.source, piece.rule.part)]


def read_hook(piece: Piece) -> list[Span]:
    """Name the event of a hook that printed something."""
    return [Span(piece.start, piece.end, Source(SourceType.HOOK, piece.group("event")), piece.rule.part)]


def read_tagged_hook(piece: Piece) -> list[Span]:
    """Name the event by the tag; believed only when the tag wraps the whole text."""
    tag = piece.group("event")
    event = "".join(word.capitalize() for word in tag.split("-"))
    is_whole = piece.text.rstrip().endswith(f"</{tag}-hook>")
    return [Span(piece.start, piece.end, Source(SourceType.HOOK, event) if is_whole else USER, piece.rule.part, not is_whole)]


def read_named(piece: Piece) -> list[Span]:
    """Name the source by the name in its marker."""
    return [Span(piece.start, piece.end, Source(piece.rule.source.source_type, piece.group("name").strip()), piece.rule.part)]


def read_task_notice(piece: Piece) -> list[Span]:
    """Give a notice to the call that started the task."""
    found = _TOOL_USE_ID.search(piece.text, piece.start, piece.end)
    source: Source | Pending = Pending(Need.CALL, found[1], 0, piece.rule.source) if found else piece.rule.source
    return [Span(piece.start, piece.end, source, piece.rule.part)]


def read_command(piece: Piece) -> list[Span]:
    """Cut the call of a command; its body follows in the next block."""
    name, spans = _command_spans(piece.text, piece.start, piece.end)
    piece.context.command = name
    arguments = next((span for span in spans if isinstance(span.source, Pending)), None)
    piece.context.command_arguments = piece.text[arguments.start : arguments.end].strip() if arguments else ""
    return spans


def read_local_command(piece: Piece) -> list[Span]:
    """Cut the call of a command that the client ran by itself."""
    piece.context.local_command, spans = _command_spans(piece.text, piece.start, piece.end)
    return spans


def read_local_output(piece: Piece) -> list[Span]:
    """Give output to the command that was run."""
    return [Span(piece.start, piece.end, Source(SourceType.COMMAND, piece.context.local_command), piece.rule.part)]


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


def read_skill_body(piece: Piece) -> list[Span]:
    """Name the skill a body belongs to, by the command just called or by the order of calls."""
    at = piece.marker_end()
    path = piece.text[at : line_end(piece.text, at, piece.end)].strip().rstrip("/\\")
    name = path.replace("\\", "/").rsplit("/", 1)[-1] or None
    if piece.context.command:
        source: Source | Pending = Source(SourceType.SKILL, piece.context.command)
        piece.context.command = None
    else:
        source = Pending(Need.SKILL_BODY, name or "", piece.context.bodies, Source(SourceType.SKILL, name))
        piece.context.bodies += 1
    return [Span(piece.start, piece.end, source, piece.rule.part)]


def read_tagged_skill(piece: Piece) -> list[Span]:
    """Cut a skill in tags; what follows is typed."""
    close = piece.text.find("</skill>", piece.start, piece.end)
    stop = close + len("</skill>") if close >= 0 else piece.end
    piece.context.typed = piece.text[stop : min(piece.end, stop + 2000)].strip() or piece.context.typed
    return [
        Span(piece.start, stop, Source(SourceType.SKILL, piece.group("name")), piece.rule.part),
        Span(stop, piece.end, Pending(Need.TYPED), Part.PROMPT),
    ]


def read_git_status(piece: Piece) -> list[Span]:
    """Cut the status up to the end of its list of commits."""
    commits = piece.text.find(_COMMITS, piece.start, piece.end)
    after = piece.text.find("\n\n", commits, piece.end) if commits >= 0 else -1
    stop = after if after >= 0 else piece.end
    return [
        Span(piece.start, stop, piece.rule.source, piece.rule.part),
        Span(stop, piece.end, framework("appended system prompt"), Part.INSTRUCTIONS),
    ]


def read_user_after(piece: Piece) -> list[Span]:
    """Give what follows the marker to the user."""
    at = piece.marker_end()
    stop = min(
        (found for found in (piece.text.rfind(trailer, at, piece.end) for trailer in _MID_TURN_TRAILERS) if found >= 0),
        default=piece.end,
    )
    nudge = framework("nudge")
    piece.context.typed = piece.text[at : min(stop, at + 2000)]
    return [
        Span(piece.start, at, nudge, Part.CONTEXT),
        Span(at, stop, Pending(Need.TYPED), Part.PROMPT),
        Span(stop, piece.end, nudge, Part.CONTEXT),
    ]


def read_between(piece: Piece) -> list[Span]:
    """Cut framework text around pieces of others."""
    spans, at = [], piece.start
    for frame in piece.rule.frames:
        first, last = _framed(piece.text, at, piece.end, frame)
        spans += [Span(at, first, piece.rule.source, piece.rule.part), Span(first, last, frame.source, frame.part)]
        if frame.source == USER:
            piece.context.typed = piece.text[first : min(last, first + 2000)]
        at = last
    return [*spans, Span(at, piece.end, piece.rule.source, piece.rule.part)]


def _framed(text: str, start: int, end: int, frame: Frame) -> tuple[int, int]:
    found = text.find(frame.before, start, end)
    if found < 0:
        return end, end
    first = found + len(frame.before)
    last = text.rfind(frame.after, first, end) if frame.after else end
    return first, last if last >= 0 else end
