"""Message batches: `requests[].params` is a whole request each."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from proxy_core.dialects.prompts import PromptBody, split_value
from proxy_core.dialects.wire_json import WireJsonError, decode

NAME = "batches"


def matches(method: str, url: SplitResult) -> bool:
    """Tell whether a request creates a batch."""
    return method == "POST" and url.path.rstrip("/").endswith("/v1/messages/batches")


def prompts(body: bytes) -> tuple[PromptBody, ...]:
    """Take every request of the batch apart; what stands beside them comes first.

    Raises:
        WireJsonError: The body is no JSON object.
    """
    value = decode(body)
    if not isinstance(value, dict):
        raise WireJsonError("not an object")
    return tuple(_prompts(value))


def _prompts(value: dict[str, Any]) -> Iterator[PromptBody]:
    requests = value.get("requests")
    listed = requests if isinstance(requests, list) else []
    beside = {key: member for key, member in value.items() if key != "requests" or not isinstance(requests, list)}
    if beside:
        yield PromptBody(rest=beside)
    for index, request in enumerate(listed):
        params = request.get("params") if isinstance(request, dict) else None
        if not isinstance(params, dict):
            yield PromptBody(prefix="/requests", rest={str(index): request})
            continue
        others = {
            key: member
            for key, member in request.items()
            if key not in {"params", "custom_id"} or isinstance(member, dict | list)
        }
        others.pop("params", None)
        if others:
            yield PromptBody(prefix=f"/requests/{index}", rest=others)
        yield split_value(params, f"/requests/{index}/params")
