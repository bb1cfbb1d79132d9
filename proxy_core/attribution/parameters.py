"""What of a request changes how it is rendered or billed, beside its content."""

from collections.abc import Mapping, Sequence
from typing import Any

from proxy_core.attribution.cuts import CutElement
from proxy_core.dialects.base import PromptParameters


def read_parameters(
    rest: Mapping[str, Any], tools: Sequence[CutElement], model: str | None, *, is_batch: bool
) -> PromptParameters:
    """Collect the parameters of one prompt."""
    config = rest.get("output_config")
    return PromptParameters(
        model=model,
        tool_choice=_choice(rest.get("tool_choice")),
        tool_types=tuple(tool.tool_type or "custom" for tool in tools),
        thinking=_text(rest.get("thinking"), "type"),
        effort=_text(config, "effort"),
        has_output_schema=(isinstance(config, dict) and "format" in config) or "output_format" in rest,
        has_context_management="context_management" in rest,
        has_thread=_text(rest.get("thread"), "previous_message_id") is not None,
        service_tier=_string(rest.get("service_tier")),
        speed=_string(rest.get("speed")),
        inference_geo=_string(rest.get("inference_geo")),
        is_batch=is_batch,
    )


def _choice(value: Any) -> str | None:
    return _string(value) or _text(value, "type")


def _text(holder: Any, key: str) -> str | None:
    return _string(holder.get(key)) if isinstance(holder, dict) else None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None
