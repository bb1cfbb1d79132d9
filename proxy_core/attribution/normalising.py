"""What stays of a message from request to request: cache marks and settings come and go, a string becomes one text block."""

from hashlib import blake2b
from typing import Any

from proxy_core.attribution.cuts import text_bytes
from proxy_core.attribution.model import Region
from proxy_core.dialects.wire_json import json_text


def normal_hash(value: Any, region: Region) -> bytes:
    """Hash an element so that the same element of the next request has the same hash."""
    normal = _message(value) if region is Region.MESSAGES else _unmarked(value)
    return blake2b(text_bytes(json_text(normal)), digest_size=16).digest()


def _message(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    normal = {key: member for key, member in value.items() if key not in {"cache_control", "output_config"}}
    content = normal.get("content")
    if isinstance(content, str):
        normal["content"] = [{"text": content, "type": "text"}]
    elif isinstance(content, list):
        normal["content"] = [_block(block) for block in content]
    return dict(sorted(normal.items()))


def _block(block: Any) -> Any:
    if not isinstance(block, dict):
        return block
    plain = _unmarked(block)
    content = plain.get("content")
    if isinstance(content, list):
        plain["content"] = [_unmarked(inner) for inner in content]
    elif isinstance(content, str) and plain.get("type") == "tool_result":
        plain["content"] = [{"text": content, "type": "text"}]
    return plain


def _unmarked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: member for key, member in sorted(value.items()) if key != "cache_control"}
