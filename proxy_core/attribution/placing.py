"""The second half of a reading: elements that are cut already get their place, and pending sources their names.

What a conversation keeps sending is placed once: an element remembers its finished segments by place and by what was found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from proxy_core.attribution.cuts import Call, Cut, CutElement, Need, Pending
from proxy_core.attribution.model import ContentKind, Part, Region, Segment, Source, SourceType
from proxy_core.attribution.readers.files import file_source
from proxy_core.attribution.servers import PREFIX, ToolOwners, wire_name

MAX_PLACES = 8
"""Places one element remembers."""


@dataclass(slots=True)
class Conversation:
    """What is known at one point of a request, from its beginning to there."""

    owners: ToolOwners
    is_subagent: bool = False
    agent_type: str | None = None
    calls: dict[str, Call] = field(default_factory=dict)
    call_order: list[str] = field(default_factory=list)
    """Ids of the calls of the latest assistant message."""
    launched: frozenset[str] = frozenset()
    """Ids of calls that the current message says launched a skill."""
    mentioned: str | None = None
    addresses: tuple[tuple[str, str], ...] = ()
    """Resources named in the latest user message."""

    def enter(self, element: CutElement) -> None:
        """Take in what an element says, before its own sources are named."""
        if element.calls:
            self.calls.update((call.call_id, call) for call in element.calls)
            self.call_order = [call.call_id for call in element.calls]
        self.launched = frozenset(element.launched)
        if element.addresses:
            self.addresses = element.addresses

    def leave(self, element: CutElement) -> None:
        """Take in what holds for the elements after this one."""
        if element.mentioned is not None:
            self.mentioned = element.mentioned
        elif element.role == "assistant":
            self.mentioned = None

    def resolve(self, cut: Cut) -> tuple[Source, Part, bool]:
        """Name a cut's source; tells as well its part and whether the reading is uncertain."""
        source = cut.source
        if isinstance(source, Source):
            return source, cut.part, cut.is_uncertain
        found = _RESOLVERS[source.need](self, source, cut)
        return found[0], found[1], found[2] or cut.is_uncertain

    def call_source(self, call: Call | None, part: Part) -> tuple[Source, Part, bool]:
        """Name the source of a tool call or its result."""
        if call is None:
            return Source(SourceType.TOOL), part, True
        speech = self.owners.rules.speech
        if call.name in speech.skill | speech.skill_readers and call.subject:
            return Source(SourceType.SKILL, call.subject), part, False
        if call.name in speech.command and call.subject:
            return Source(SourceType.COMMAND, call.subject), part, False
        if call.name in speech.agent:
            return Source(SourceType.AGENT, call.subject), part, False
        if call.name in speech.resource and call.subject and part is Part.RESULT:
            return Source(SourceType.MCP_SERVER, call.subject), Part.RESOURCE, False
        source, is_uncertain = self.owners.owner(call.name)
        return source, part, is_uncertain

    def launched_in_order(self) -> list[str]:
        """List the skills that were launched, in the order they were called."""
        calls = [self.calls[call_id] for call_id in self.call_order if call_id in self.launched]
        return [call.subject or "" for call in calls]


def _call(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    call = conversation.calls.get(pending.key)
    if call is None and pending.otherwise.source_type is SourceType.AGENT:
        return pending.otherwise, cut.part, True
    if call is None and pending.otherwise.source_name:
        return pending.otherwise, cut.part, False
    return conversation.call_source(call, cut.part)


def _tool(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    source, is_uncertain = conversation.owners.owner(pending.key)
    return source, cut.part, is_uncertain


def _server(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    """Believe a heading inside MCP instructions only if there is such a server, or no server is known at all."""
    known = conversation.owners.servers
    if pending.key in known or not known or pending.order == 0:
        return Source(SourceType.MCP_SERVER, pending.key), cut.part, False
    return pending.otherwise, cut.part, True


def _skill_body(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    skills = conversation.launched_in_order()
    for skill in skills:
        if skill == pending.key or skill.rsplit(":", 1)[-1] == pending.key:
            return Source(SourceType.SKILL, skill), cut.part, False
    if pending.order < len(skills):
        return Source(SourceType.SKILL, skills[pending.order]), cut.part, True
    return pending.otherwise, cut.part, True


def _launched(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    skills = conversation.launched_in_order()
    name = skills[pending.order] if pending.order < len(skills) else None
    return Source(SourceType.COMMAND, name), cut.part, True


def _mention(conversation: Conversation, _pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    if conversation.mentioned is not None:
        return file_source(conversation.mentioned), cut.part, False
    return Source(SourceType.FILE), cut.part, False


def _resource(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    if pending.order < len(conversation.addresses):
        return Source(SourceType.MCP_SERVER, wire_name(conversation.addresses[pending.order][0])), cut.part, False
    return pending.otherwise, cut.part, True


def _folded(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    """Believe a reminder inside a tool result; a memory file only where a file was touched in the same turn.

    The client folds reminders into the last result of a turn, whichever tool's it is.
    """
    call = conversation.calls.get(pending.key)
    speech = conversation.owners.rules.speech
    name = call.name if call else ""
    has_file = any(conversation.calls[call_id].name in speech.file for call_id in conversation.call_order)
    if pending.otherwise.source_type is SourceType.MEMORY and not has_file:
        source, part, _ = conversation.call_source(call, Part.RESULT)
        return source, part, True
    return pending.otherwise, cut.part, name not in speech.numbered


def _typed(conversation: Conversation, _pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    if conversation.is_subagent:
        return Source(SourceType.AGENT, conversation.agent_type), Part.PROMPT, False
    return Source(SourceType.USER), cut.part, False


def _prompt(conversation: Conversation, pending: Pending, cut: Cut) -> tuple[Source, Part, bool]:
    named = pending.otherwise
    if named.source_type is SourceType.AGENT:
        return (
            (named, Part.PROMPT, False)
            if conversation.is_subagent
            else (Source(SourceType.FRAMEWORK, "system prompt"), cut.part, False)
        )
    if conversation.is_subagent and pending.order:
        if conversation.agent_type:
            return Source(SourceType.AGENT, conversation.agent_type), Part.PROMPT, False
        return Source(SourceType.FRAMEWORK, "agent prompt"), cut.part, False
    return named, cut.part, False


_RESOLVERS = {
    Need.CALL: _call,
    Need.TOOL: _tool,
    Need.SERVER: _server,
    Need.SKILL_BODY: _skill_body,
    Need.LAUNCHED: _launched,
    Need.MENTION: _mention,
    Need.RESOURCE: _resource,
    Need.FOLDED: _folded,
    Need.TYPED: _typed,
    Need.PROMPT: _prompt,
}


def server_names(printed: frozenset[str], owners: ToolOwners) -> Iterator[str]:
    """Make wire names of servers from what elements printed: names, or whole tool names."""
    for name in printed:
        if name.startswith(PREFIX):
            source, is_uncertain = owners.owner(name)
            if not is_uncertain and source.source_name:
                yield source.source_name
        else:
            yield name


def placed(
    element: CutElement, pointer: str, region: Region, message_index: int | None, conversation: Conversation
) -> tuple[Segment, ...]:
    """Return an element's finished segments."""
    found = tuple(conversation.resolve(cut) for cut in element.cuts) if element.has_pending else ()
    key = (pointer, found)
    known = element.placed.get(key)
    if known is None:
        if len(element.placed) >= MAX_PLACES:
            element.placed.clear()
        known = element.placed[key] = tuple(_segments(element, found, pointer, region, message_index))
    return known


def _segments(
    element: CutElement, found: tuple[tuple[Source, Part, bool], ...], pointer: str, region: Region, message_index: int | None
) -> Iterator[Segment]:
    for index, cut in enumerate(element.cuts):
        if found:
            source, part, is_uncertain = found[index]
        else:
            assert isinstance(cut.source, Source)
            source, part, is_uncertain = cut.source, cut.part, cut.is_uncertain
        yield Segment(
            source=source,
            part=part,
            region=region,
            pointer=pointer + cut.pointer,
            start=cut.start,
            end=cut.end,
            text=cut.text,
            content_bytes=cut.content_bytes,
            content_hash=cut.content_hash,
            content_kind=cut.kind,
            role=element.role if region is Region.MESSAGES else None,
            message_index=message_index,
            is_uncertain=is_uncertain,
            cache_ttl=cut.cache_ttl,
            image=cut.image,
        )


def without_unloaded(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Mark the segments of a definition that is deferred and was not loaded: it is on the wire, but not in the prompt."""
    return tuple(replace(segment, content_kind=ContentKind.NOT_RENDERED) for segment in segments)


def as_examples(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Give turns that a client made up itself to the framework."""
    return tuple(
        replace(segment, source=Source(SourceType.FRAMEWORK, "example turns"), part=Part.CONTEXT) for segment in segments
    )
