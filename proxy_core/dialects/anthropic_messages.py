"""The Messages API: `POST .../v1/messages`, at its own host or behind any gateway that keeps the path."""

from urllib.parse import SplitResult

from proxy_core.dialects.prompts import PromptBody, split_body

NAME = "anthropic-messages"


def matches(method: str, url: SplitResult) -> bool:
    """Tell whether a request creates a message."""
    return method == "POST" and url.path.rstrip("/").endswith("/v1/messages")


def prompts(body: bytes) -> tuple[PromptBody, ...]:
    """Take the request apart.

    Raises:
        WireJsonError: The body is no JSON object.
    """
    return (split_body(body),)
