"""Google Vertex AI: Claude's own body under `.../publishers/anthropic/models/<id>:rawPredict`."""

from urllib.parse import SplitResult

from proxy_core.dialects.prompts import PromptBody, split_body

NAME = "vertex"
_VERBS = (":rawPredict", ":streamRawPredict")


def matches(method: str, url: SplitResult) -> bool:
    """Tell whether a request asks a Claude model."""
    return method == "POST" and "/publishers/anthropic/models/" in url.path and url.path.endswith(_VERBS)


def model_in(url: SplitResult) -> str | None:
    """Return the model id of the URL; `None` where it names none."""
    name = url.path.rsplit("/models/", 1)[-1].rsplit(":", 1)[0] if "/models/" in url.path else ""
    return name if name and name != "count-tokens" else None


def prompts(body: bytes) -> tuple[PromptBody, ...]:
    """Take the request apart.

    Raises:
        WireJsonError: The body is no JSON object.
    """
    return (split_body(body),)
