"""Which wire API a request speaks, by its method and URL, and how to find the prompts in its body."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from proxy_core.dialects import anthropic_messages, batches, bedrock, chat_completions, count_tokens, raw, vertex
from proxy_core.dialects.prompts import PromptBody, split_body
from proxy_core.dialects.wire_json import WireJsonError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One wire API."""

    name: str
    matches: Callable[[str, SplitResult], bool]
    """Tells by method and URL whether a request is of this API."""
    prompts: Callable[[bytes], tuple[PromptBody, ...]]
    """Finds the prompts in a request body; raises `WireJsonError` when it is no JSON object."""
    model_in: Callable[[SplitResult], str | None] = raw.no_model
    """Returns the model where the URL names it."""


MESSAGES = Dialect(name=anthropic_messages.NAME, matches=anthropic_messages.matches, prompts=anthropic_messages.prompts)
RAW = Dialect(name=raw.NAME, matches=raw.matches, prompts=raw.prompts)
DIALECTS = (
    Dialect(name=batches.NAME, matches=batches.matches, prompts=batches.prompts),
    Dialect(name=count_tokens.NAME, matches=count_tokens.matches, prompts=count_tokens.prompts, model_in=vertex.model_in),
    MESSAGES,
    Dialect(name=bedrock.NAME, matches=bedrock.matches, prompts=bedrock.prompts, model_in=bedrock.model_in),
    Dialect(
        name=bedrock.CONVERSE, matches=bedrock.matches_converse, prompts=bedrock.converse_prompts, model_in=bedrock.model_in
    ),
    Dialect(name=vertex.NAME, matches=vertex.matches, prompts=vertex.prompts, model_in=vertex.model_in),
    Dialect(name=chat_completions.NAME, matches=chat_completions.matches, prompts=chat_completions.prompts),
    RAW,
)


def dialect_of(method: str, url: str) -> tuple[Dialect, SplitResult]:
    """Return the wire API of a request, `RAW` when it is none that carries prompts, and the URL's parts."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return RAW, SplitResult("", "", "", "", "")
    return next(dialect for dialect in DIALECTS if dialect.matches(method.upper(), parts)), parts


def prompts_in(dialect: Dialect, method: str, body: bytes) -> tuple[Dialect, tuple[PromptBody, ...]]:
    """Find the prompts in a body; one that looks like a message at an unknown path is taken for one.

    Raises:
        WireJsonError: The API's bodies are JSON objects, and this is none.
    """
    if dialect is not RAW:
        return dialect, dialect.prompts(body)
    if method.upper() == "POST" and b'"messages"' in body and b'"max_tokens"' in body:
        try:
            prompt = split_body(body)
        except WireJsonError:
            return RAW, RAW.prompts(body)
        if prompt.messages and isinstance(prompt.rest.get("model"), str):
            return MESSAGES, (prompt,)
    return RAW, RAW.prompts(body)
