"""What kind of call a request is: the conversation itself, a sub-agent, or one that the client makes by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proxy_core.attribution.linking import Links
from proxy_core.attribution.model import RequestClass
from proxy_core.attribution.rules.model import ClientRules
from proxy_core.dialects import batches, count_tokens, raw
from proxy_core.dialects.prompts import PromptBody
from proxy_core.dialects.wire_json import json_text

_STATED = {
    "main": RequestClass.MAIN,
    "subagent": RequestClass.SUBAGENT,
    "compaction": RequestClass.COMPACTION,
    "auxiliary": RequestClass.AUXILIARY,
}
_BY_DIALECT = {
    raw.NAME: RequestClass.OTHER,
    count_tokens.NAME: RequestClass.COUNT_TOKENS,
    batches.NAME: RequestClass.BATCH,
}
SIDE_CALLS = frozenset(
    {RequestClass.TITLE, RequestClass.QUOTA, RequestClass.WEB_FETCH, RequestClass.WEB_SEARCH, RequestClass.AUXILIARY}
)
CLASS_HEADER = "x-claude-code-request-class"
HEAD_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What can be seen of a prompt without cutting it."""

    system: tuple[str, ...]
    """Texts of the system prompt's blocks."""
    question: str
    """Beginning of the last text of the last message."""
    message_count: int
    own_tools: int
    """Tools that the client itself answers; server tools left out."""

    @property
    def head(self) -> str:
        """How the system prompt begins."""
        return self.system[0][:HEAD_CHARACTERS] if self.system else ""


def glimpse(prompt: PromptBody) -> Glimpse:
    """Look at what tells kinds of calls apart.

    Raises:
        WireJsonError: An element is no JSON.
    """
    return Glimpse(
        system=tuple(_text_of(element.value()) for element in prompt.system),
        question=_last_text(prompt.messages[-1].value()) if prompt.messages else "",
        message_count=len(prompt.messages),
        own_tools=sum(1 for tool in prompt.tools if b'"input_schema"' in tool.raw or b'"function"' in tool.raw),
    )


def _text_of(block: Any) -> str:
    text = block.get("text") if isinstance(block, dict) else block
    return text if isinstance(text, str) else ""


def _last_text(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content[:HEAD_CHARACTERS]
    blocks = content if isinstance(content, list) else []
    return next((text for text in map(_text_of, reversed(blocks)) if text), "")[:HEAD_CHARACTERS]


def classify(
    dialect: str, headers: Mapping[str, str], links: Links, prompt: PromptBody, seen: Glimpse, rules: ClientRules
) -> RequestClass:
    """Say what kind of call a request is."""
    by_dialect = _BY_DIALECT.get(dialect)
    if by_dialect is not None:
        return by_dialect
    stated = _STATED.get(headers.get(CLASS_HEADER, "").lower())
    if stated is not None and stated is not RequestClass.AUXILIARY:
        return stated
    return _side_class(prompt, seen, rules) or stated or _unstated_class(links, seen, rules)


def _side_class(prompt: PromptBody, seen: Glimpse, rules: ClientRules) -> RequestClass | None:
    """Recognise a client's own calls by what they ask; only where nothing else is in the request."""
    if seen.own_tools:
        return None
    if any(text.lstrip().startswith(rules.title_markers) for text in seen.system if rules.title_markers):
        return RequestClass.TITLE
    if not rules.side_questions or seen.message_count > 1:
        return None
    if _asks_for_title(prompt.rest):
        return RequestClass.TITLE
    question = seen.question.lstrip()
    if prompt.rest.get("max_tokens") == 1 and question == "quota":
        return RequestClass.QUOTA
    return next((kind for beginning, kind in rules.side_questions.items() if question.startswith(beginning)), None)


def _asks_for_title(rest: Mapping[str, Any]) -> bool:
    config = rest.get("output_config") or rest.get("output_format")
    return isinstance(config, dict) and '"properties":{"title":' in json_text(config)[:HEAD_CHARACTERS]


def _unstated_class(links: Links, seen: Glimpse, rules: ClientRules) -> RequestClass:
    if links.is_subagent or has_agent_prompt(seen, rules):
        return RequestClass.SUBAGENT
    if rules.compaction_markers and (
        seen.question.startswith(rules.compaction_markers) or seen.head.startswith(rules.compaction_markers)
    ):
        return RequestClass.COMPACTION
    is_bare = bool(rules.side_questions) and not seen.own_tools and seen.message_count <= 1
    return RequestClass.AUXILIARY if is_bare and not _has_own_prompt(seen, rules) else RequestClass.MAIN


def has_agent_prompt(seen: Glimpse, rules: ClientRules) -> bool:
    """Tell by the system prompt whether a sub-agent speaks."""
    return any(
        text.startswith(tuple(rules.agent_openers)) or any(marker in text for marker in rules.agent_markers)
        for text in seen.system
        if rules.agent_markers or rules.agent_openers
    )


def agent_type_in(seen: Glimpse, rules: ClientRules) -> str | None:
    """Name a built-in sub-agent by how its system prompt begins."""
    return next(
        (agent for text in seen.system for opener, agent in rules.agent_openers.items() if text.startswith(opener)), None
    )


def _has_own_prompt(seen: Glimpse, rules: ClientRules) -> bool:
    return any(text.lstrip().startswith(rules.prompt_openers) for text in seen.system if rules.prompt_openers)
