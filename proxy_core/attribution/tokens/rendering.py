"""What of a segment stands in the prompt: the text that a counter is to be given.

Tools are rendered by the API in a form of its own; payloads and signatures are not text at all. Nothing here counts.
"""

import json

from proxy_core.attribution.model import ContentKind, Segment

COUNTED_KINDS = frozenset({ContentKind.TEXT, ContentKind.TOOL_DEFINITION, ContentKind.JSON, ContentKind.DOCUMENT})
"""Kinds whose text is in the prompt as it is, or nearly so."""


def is_counted(segment: Segment) -> bool:
    """Tell whether a counter has anything to count in a segment."""
    return segment.content_kind in COUNTED_KINDS and bool(segment.text)


def rendered_text(segment: Segment) -> str:
    """Return the text that the API makes of a counted segment."""
    if segment.content_kind is ContentKind.TOOL_DEFINITION:
        return _rendered_tool(segment.text)
    return segment.text


def _rendered_tool(text: str) -> str:
    """Render a whole tool definition as the API does (measured 2026-11); a fragment of one stays as it is."""
    if not text.startswith("{"):
        return text
    try:
        tool = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(tool, dict) or "name" not in tool:
        return text
    shown = {"description": tool.get("description", ""), "name": tool["name"], "parameters": tool.get("input_schema", {})}
    return f"<function>{json.dumps(shown, ensure_ascii=False)}</function>\n"
