"""Whose each stretch of a text is, by where the text stands: system message, user message, tool result, system prompt.

Markers are believed only where the client itself writes them; anywhere else the same words belong to whoever printed them.
"""

import re

from proxy_core.attribution.cuts import ASSISTANT, UNATTRIBUTED, Need, Pending, Span, merged
from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.readers.dispatch import read_piece
from proxy_core.attribution.readers.wrappers import command_source
from proxy_core.attribution.rules.model import PieceRule, Place, Reader

MAX_PIECES = 5_000
"""Paragraphs looked at in one text; what follows belongs to the last piece found."""
MAX_FOLDED = 64
"""Reminders looked for at the end of one tool result."""
_EMBEDDING = frozenset(
    {Reader.MEMORY_FILES, Reader.NESTED_MEMORY, Reader.FILE_CALL, Reader.FILE_RESULT, Reader.HOOK, Reader.PATH_HEADING}
)
"""Pieces that carry files or output as they are, so that a closing tag may stand inside them."""
_ADDRESS = re.compile(r"(?:^|(?<=\s))@([A-Za-z0-9_.:-]{1,100}?):([a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s]{1,500})")
_HEADING = re.compile(r"^# ([^\n]{1,100})$", re.MULTILINE)
_LAUNCHING = re.compile(r"Launching (?:skill|command): ")
_TITLE_CHARACTERS = 2_000


def cut_system_message(text: str, context: ElementContext) -> list[Span]:
    """Cut a message with role `system`: pieces joined by a blank line, each recognised by how it begins."""
    if context.ruleset.matchers[Place.SYSTEM_MESSAGE].expression is None:
        return [Span(0, len(text), Source(SourceType.FRAMEWORK, "system message"), Part.INSTRUCTIONS)]
    spans: list[Span] = []
    rule, start, forged = context.ruleset.rule_at(Place.SYSTEM_MESSAGE, text, 0), 0, False
    for position in _paragraphs(text):
        found = context.ruleset.rule_at(Place.SYSTEM_MESSAGE, text, position)
        if found is not None and _is_forged(found, rule):
            forged = True
        elif found is not None:
            spans += _system_piece(text, start, position, rule, context, is_uncertain=forged)
            rule, start, forged = found, position, False
    return merged(spans + _system_piece(text, start, len(text), rule, context, is_uncertain=forged))


def _is_forged(found: PieceRule, current: PieceRule | None) -> bool:
    """Tell whether a marker must be a server's own words: the client never puts such a piece after MCP instructions."""
    return found.is_before_servers and current is not None and current.reader is Reader.MCP_INSTRUCTIONS


def _paragraphs(text: str) -> list[int]:
    positions: list[int] = []
    at = text.find("\n\n")
    while at >= 0 and len(positions) < MAX_PIECES:
        positions.append(at + 2)
        at = text.find("\n\n", at + 1)
    return positions


def _system_piece(
    text: str, start: int, end: int, rule: PieceRule | None, context: ElementContext, *, is_uncertain: bool
) -> list[Span]:
    if rule is None:
        return [Span(start, end, Source(SourceType.UNATTRIBUTED, "system message"), Part.CONTEXT)]
    spans = read_piece(text, start, end, rule, context)
    return [span._replace(is_uncertain=True) for span in spans] if is_uncertain else spans


def cut_user_text(text: str, context: ElementContext) -> list[Span]:
    """Cut one text block of a user message: a reminder, a client's wrapper, the body of a command or skill, or typed text."""
    reminder = _whole_reminder(text, context)
    if reminder is not None:
        return reminder
    rule = context.ruleset.rule_at(Place.BLOCK, text, 0)
    if rule is not None and not (context.command and rule.reader is not Reader.SKILL_BODY):
        return merged(read_piece(text, 0, len(text), rule, context))
    if context.command:
        return _command_body(text, context)
    if len(context.launched) > context.bodies:
        context.bodies += 1
        return [Span(0, len(text), Pending(Need.LAUNCHED, "", context.bodies - 1, Source(SourceType.COMMAND)), Part.BODY)]
    return _typed(text, context)


def _command_body(text: str, context: ElementContext) -> list[Span]:
    source = command_source(context.command)
    if source.source_type is SourceType.MCP_SERVER:
        return [Span(0, len(text), source, Part.PROMPT)]
    context.command = None
    tail = f"ARGUMENTS: {context.command_arguments}"
    at = text.rfind(tail) if context.command_arguments and text.rstrip().endswith(tail) else -1
    if at < 0:
        return [Span(0, len(text), source, Part.BODY)]
    arguments = at + len("ARGUMENTS: ")
    return merged([Span(0, arguments, source, Part.BODY), Span(arguments, len(text), Pending(Need.TYPED), Part.PROMPT)])


def _typed(text: str, context: ElementContext) -> list[Span]:
    end = len(text)
    for marker, source in context.ruleset.client.tails:
        at = text.find(marker)
        if at >= 0:
            spans = [Span(0, at, Pending(Need.TYPED), Part.PROMPT), Span(at, end, source, Part.CONTEXT)]
            context.typed = text[: min(at, _TITLE_CHARACTERS)]
            return merged(spans)
    if text.strip():
        context.typed = text[:_TITLE_CHARACTERS]
    if "://" in text:
        context.addresses += [(found[1], found[2]) for found in _ADDRESS.finditer(text[:100_000])]
    return [Span(0, end, Pending(Need.TYPED), Part.PROMPT)]


def _whole_reminder(text: str, context: ElementContext) -> list[Span] | None:
    """Cut a block that is one reminder and nothing else; `None` when it is not."""
    tag = context.ruleset.client.reminder_tag
    if tag is None or not text.startswith(f"<{tag}>"):
        return None
    closing, end = f"</{tag}>", len(text.rstrip())
    if not text.endswith(closing, 0, end):
        return None
    body = len(tag) + 2
    body += text.startswith("\n", body)
    rule = context.ruleset.rule_at(Place.REMINDER, text, body)
    inner = text.find(closing) < end - len(closing)
    if inner and (rule is None or rule.reader not in _EMBEDDING):
        return None
    if rule is None:
        return [Span(0, len(text), *_unknown_reminder(context))]
    return _framed(read_piece(text, body, end - len(closing), rule, context), len(text), is_uncertain=inner)


def _unknown_reminder(context: ElementContext) -> tuple[Source | Pending, Part]:
    if context.is_resource_open:
        context.is_resource_open = False
        return Pending(Need.RESOURCE, "", context.resources - 1, Source(SourceType.MCP_SERVER)), Part.RESOURCE
    return Source(SourceType.UNATTRIBUTED, "system-reminder"), Part.CONTEXT


def _framed(spans: list[Span], end: int, start: int = 0, *, is_uncertain: bool = False) -> list[Span]:
    """Give the tags around a piece to its first and last span."""
    joined = merged(spans)
    joined[0] = joined[0]._replace(start=start)
    joined[-1] = joined[-1]._replace(end=end)
    return [span._replace(is_uncertain=True) for span in joined] if is_uncertain else joined


def cut_message_text(text: str, context: ElementContext, holder: Source | Pending | None) -> list[Span]:
    """Cut a text by who speaks: a tool result's content by its holder, a message's by its role."""
    if not text:
        return []
    if isinstance(holder, Pending) and holder.need is Need.CALL:
        return cut_result_block(text, holder.key, context)
    if holder is not None:
        return [Span(0, len(text), holder, Part.RESULT)]
    cut = _BY_ROLE.get(context.role or "")
    return cut(text, context) if cut else [Span(0, len(text), UNATTRIBUTED, Part.TEXT)]


def cut_assistant_text(text: str, context: ElementContext) -> list[Span]:
    """Cut an earlier answer: all of it is the assistant's, whatever it looks like, unless the client put it there."""
    if text in context.ruleset.client.canned_answers:
        return [Span(0, len(text), Source(SourceType.FRAMEWORK, "canned answer"), Part.CONTEXT)]
    return [Span(0, len(text), ASSISTANT, Part.TEXT)]


def cut_result_text(text: str, call_id: str, context: ElementContext) -> list[Span]:
    """Cut the text of a tool result: the tool's, but for reminders that the client folded in at its end."""
    if _LAUNCHING.match(text):
        context.launched.append(call_id)
    source = Pending(Need.CALL, call_id, 0, Source(SourceType.TOOL))
    if not context.can_fold:
        return [Span(0, len(text), source, Part.RESULT)]
    tails = _folded_tails(text, call_id, context)
    start = tails[0].start if tails else len(text)
    return merged([Span(0, start, source, Part.RESULT), *tails])


def _folded_tails(text: str, call_id: str, context: ElementContext) -> list[Span]:
    """Find the reminders that end a text, each after a blank line; the first unknown one and all before it are the tool's."""
    tag = context.ruleset.client.reminder_tag
    opening, closing = f"\n\n<{tag}>", f"</{tag}>"
    spans: list[Span] = []
    end = len(text)
    for _ in range(MAX_FOLDED):
        stop = len(text[max(0, end - 64) : end].rstrip()) + max(0, end - 64)
        if not text.endswith(closing, 0, stop):
            break
        at = text.rfind(opening, 0, stop)
        if at < 0:
            break
        found = _folded_piece(text, at, end, stop - len(closing), call_id, context)
        if not found:
            break
        spans, end = found + spans, at
    return spans


def _folded_piece(text: str, at: int, end: int, stop: int, call_id: str, context: ElementContext) -> list[Span]:
    body = text.index(">", at) + 1
    body += text.startswith("\n", body)
    rule = context.ruleset.rule_at(Place.FOLDED, text, body)
    if rule is None:
        return []
    spans = _framed(read_piece(text, body, stop, rule, context), end, at)
    return [
        span._replace(source=Pending(Need.FOLDED, call_id, 0, span.source)) if isinstance(span.source, Source) else span
        for span in spans
    ]


def cut_result_block(text: str, call_id: str, context: ElementContext) -> list[Span]:
    """Cut a text block inside a tool result: the tool's, or a whole reminder that the client put beside it."""
    tag = context.ruleset.client.reminder_tag
    if context.can_fold and tag and text.startswith(f"<{tag}>") and text.rstrip().endswith(f"</{tag}>"):
        padded = _folded_piece(f"\n\n{text}", 0, len(text) + 2, len(text.rstrip()) + 2 - len(tag) - 3, call_id, context)
        if padded:
            return [span._replace(start=max(0, span.start - 2), end=span.end - 2) for span in padded]
    return cut_result_text(text, call_id, context)


def cut_prompt(text: str, context: ElementContext) -> list[Span]:
    """Cut one block of the system prompt into the client's sections and what others put between them."""
    client = context.ruleset.client
    if not client.has_sections:
        return [
            Span(0, len(text), Pending(Need.PROMPT, "", 0, Source(SourceType.FRAMEWORK, "system prompt")), Part.INSTRUCTIONS)
        ]
    rule = context.ruleset.rule_at(Place.PROMPT, text, 0)
    is_own = rule is not None or text.lstrip().startswith(client.prompt_openers)
    spans: list[Span] = []
    start, current = 0, _opening(text, rule, context, is_own=is_own)
    for position in _line_starts(text):
        found = context.ruleset.rule_at(Place.PROMPT, text, position) or _own_heading(text, position, current, is_own=is_own)
        if found is not None:
            spans += _prompt_piece(text, start, position, current, context)
            start, current = position, found
            is_own = True
    return merged(spans + _prompt_piece(text, start, len(text), current, context))


def _opening(text: str, rule: PieceRule | None, context: ElementContext, *, is_own: bool) -> PieceRule | Pending:
    if rule is not None:
        return rule
    for opener, agent in context.ruleset.client.agent_openers.items():
        if text.startswith(opener):
            return Pending(Need.PROMPT, "", 1, Source(SourceType.AGENT, agent))
    name = "system prompt" if is_own else "custom system prompt"
    return Pending(Need.PROMPT, "", 0 if is_own else 1, Source(SourceType.FRAMEWORK, name))


def _prompt_piece(text: str, start: int, end: int, current: PieceRule | Pending, context: ElementContext) -> list[Span]:
    if isinstance(current, Pending):
        return [Span(start, end, current, Part.INSTRUCTIONS)]
    return read_piece(text, start, end, current, context)


def _line_starts(text: str) -> list[int]:
    """Find the lines of a prompt that may begin a section: outside code fences, known markers and headings."""
    starts: list[int] = []
    at, is_fenced = text.find("\n") + 1, False
    while 0 < at < len(text) and len(starts) < MAX_PIECES:
        if text.startswith("```", at):
            is_fenced = not is_fenced
        elif not is_fenced and text[at] not in " \n\t*":
            starts.append(at)
        at = text.find("\n", at) + 1
    return starts


def _own_heading(text: str, position: int, current: PieceRule | Pending, *, is_own: bool) -> PieceRule | None:
    """Name a section of the client's own by a heading no rule knows; inside others' text a heading means nothing."""
    if not is_own or (isinstance(current, PieceRule) and current.is_foreign):
        return None
    found = _HEADING.match(text, position)
    if found is None:
        return None
    return PieceRule(
        opener=found[0],
        places=Place.PROMPT,
        source=Source(SourceType.FRAMEWORK, f"system prompt: {found[1].strip().rstrip(':')}"),
        part=Part.INSTRUCTIONS,
    )


_BY_ROLE = {
    "assistant": cut_assistant_text,
    "system": cut_system_message,
    "developer": cut_system_message,
    "user": cut_user_text,
}
