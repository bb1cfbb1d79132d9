"""Token counting: the same body as a message, but nothing is generated and nothing is billed."""

from urllib.parse import SplitResult

from proxy_core.dialects.prompts import PromptBody, split_body

NAME = "count-tokens"
_VERTEX_MODEL = "/models/count-tokens:rawPredict"


def matches(method: str, url: SplitResult) -> bool:
    """Tell whether a request only counts."""
    path = url.path.rstrip("/")
    return method == "POST" and (path.endswith(("/v1/messages/count_tokens", _VERTEX_MODEL)))


def prompts(body: bytes) -> tuple[PromptBody, ...]:
    """Take the request apart.

    Raises:
        WireJsonError: The body is no JSON object.
    """
    return (split_body(body),)
