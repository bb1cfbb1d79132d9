"""Amazon Bedrock: Claude's own body under `/model/<id>/invoke`, and the Converse API's under `/model/<id>/converse`."""

from typing import Any
from urllib.parse import SplitResult, unquote

from proxy_core.dialects.prompts import PromptBody, element_of, split_body, split_value
from proxy_core.dialects.wire_json import WireJsonError, decode

NAME = "bedrock"
CONVERSE = "bedrock-converse"
_INVOKE = ("/invoke", "/invoke-with-response-stream")
_CONVERSE = ("/converse", "/converse-stream")


def matches(method: str, url: SplitResult) -> bool:
    """Tell whether a request invokes a model with its own body."""
    return method == "POST" and url.path.startswith("/model/") and url.path.endswith(_INVOKE)


def matches_converse(method: str, url: SplitResult) -> bool:
    """Tell whether a request speaks the Converse API."""
    return method == "POST" and url.path.startswith("/model/") and url.path.endswith(_CONVERSE)


def model_in(url: SplitResult) -> str | None:
    """Return the model id of the URL: `/model/<id>/invoke`, with an inference profile's address cut to the model."""
    model = unquote(url.path.split("/model/", 1)[-1].rsplit("/", 1)[0])
    return model.rsplit("/", 1)[-1] or None


def prompts(body: bytes) -> tuple[PromptBody, ...]:
    """Take the request apart.

    Raises:
        WireJsonError: The body is no JSON object.
    """
    return (split_body(body),)


def converse_prompts(body: bytes) -> tuple[PromptBody, ...]:
    """Take a Converse request apart; its tools stand one level deeper.

    Raises:
        WireJsonError: The body is no JSON object.
    """
    value = decode(body)
    if not isinstance(value, dict):
        raise WireJsonError("not an object")
    config = value.get("toolConfig")
    tools: Any = config.get("tools") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(tools, list):
        return (split_value(value),)
    plain = split_value({key: member for key, member in value.items() if key != "toolConfig"})
    elements = tuple(element_of(f"/toolConfig/tools/{index}", tool) for index, tool in enumerate(tools))
    others = {key: member for key, member in config.items() if key != "tools"}
    beside = (PromptBody(prefix="/toolConfig", rest=others),) if others else ()
    return (PromptBody(tools=elements, system=plain.system, messages=plain.messages, rest=plain.rest), *beside)
