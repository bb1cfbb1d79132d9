"""The compatibility endpoint `POST .../chat/completions`: other roles and tool calls, the same prompt."""

from urllib.parse import SplitResult

from proxy_core.dialects.prompts import PromptBody, split_body

NAME = "chat-completions"


def matches(method: str, url: SplitResult) -> bool:
    """Tell whether a request asks for a chat completion."""
    return method == "POST" and url.path.rstrip("/").endswith("/chat/completions")


def prompts(body: bytes) -> tuple[PromptBody, ...]:
    """Take the request apart.

    Raises:
        WireJsonError: The body is no JSON object.
    """
    return (split_body(body),)
