"""The members of a request beside tools, system and messages: which matter, and whose they are."""

from collections.abc import Iterator
from typing import Any

from proxy_core.attribution.cuts import UNATTRIBUTED, Cut
from proxy_core.attribution.members import is_plain
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.values import value_cuts
from proxy_core.dialects.wire_json import escape_token

SCALARS = frozenset(
    {
        "model",
        "max_tokens",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "service_tier",
        "speed",
        "inference_geo",
        "anthropic_version",
    }
)
"""Facts about the call, not content, as long as they are single values."""
_KNOWN = frozenset(
    {
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
        "cache_control",
        "container",
        "diagnostics",
        "metadata",
        "stop_sequences",
        "user_profile_id",
        "mcp_servers",
        "context_management",
        "compaction",
        "thread",
        "fallbacks",
        "fallback_credit_token",
        "billing_policy",
        "betas",
        "anthropic_beta",
        "safeguards",
        "response_format",
        "reasoning_effort",
        "max_completion_tokens",
        "stream_options",
        "user",
        "parallel_tool_calls",
        "inferenceConfig",
        "additionalModelRequestFields",
        "toolChoice",
        "n",
        "seed",
        "stop",
        "custom_id",
    }
)
_PROMPT_MEMBERS = frozenset({"tools", "system", "messages"})
_SETTINGS = Source(SourceType.FRAMEWORK, "request settings")
_SCHEMA = Source(SourceType.FRAMEWORK, "output schema")


def setting_cuts(key: str, value: Any) -> Iterator[Cut]:
    """Cut one member of a request; nothing for a plain fact such as the model."""
    pointer = f"/{escape_token(key)}"
    if value is None or (key in SCALARS and not isinstance(value, dict | list) and is_plain(value)):
        return
    if key == "mcp_servers" and isinstance(value, list):
        for index, server in enumerate(value):
            yield from _unrendered(f"{pointer}/{index}", server, Source(SourceType.MCP_SERVER, _name_in(server, "name")))
    elif key in {"output_config", "output_format", "response_format"}:
        yield from _output(pointer, value)
    elif key == "container" and isinstance(value, dict) and isinstance(value.get("skills"), list):
        yield from _container(pointer, value)
    elif key in _PROMPT_MEMBERS:
        yield from value_cuts(pointer, value, UNATTRIBUTED, Part.TEXT)
    else:
        yield from _unrendered(
            pointer, value, _SETTINGS if key in _KNOWN else Source(SourceType.UNATTRIBUTED, "unknown setting")
        )


def _unrendered(pointer: str, value: Any, source: Source) -> Iterator[Cut]:
    yield from value_cuts(pointer, value, source, Part.SETTINGS, ContentKind.NOT_RENDERED)


def _output(pointer: str, value: Any) -> Iterator[Cut]:
    if not isinstance(value, dict):
        yield from _unrendered(pointer, value, _SETTINGS)
        return
    for key, member in value.items():
        below = f"{pointer}/{escape_token(key)}"
        if key in {"format", "schema", "json_schema"} and isinstance(member, dict):
            yield from value_cuts(below, member, _SCHEMA, Part.SETTINGS)
        elif member is not None:
            yield from _unrendered(below, member, _SETTINGS)


def _container(pointer: str, value: dict[str, Any]) -> Iterator[Cut]:
    for key, member in value.items():
        below = f"{pointer}/{escape_token(key)}"
        if key == "skills":
            for index, skill in enumerate(member):
                yield from _unrendered(f"{below}/{index}", skill, Source(SourceType.SKILL, _name_in(skill, "skill_id")))
        elif member is not None:
            yield from _unrendered(below, member, _SETTINGS)


def _name_in(value: Any, key: str) -> str | None:
    name = value.get(key) if isinstance(value, dict) else None
    return name if isinstance(name, str) else None
