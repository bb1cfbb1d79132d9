"""What of a segment stands in the prompt: the text that a counter is to be given.

Tools are rendered by the API in a form of its own; payloads and signatures are not text at all. Nothing here counts.
"""

import json

from proxy_core.attribution.model import ContentKind, Segment

COUNTED_KINDS = frozenset({ContentKind.TEXT, ContentKind.TOOL_DEFINITION, ContentKind.JSON, ContentKind.DOCUMENT})
"""Kinds whose text is in the prompt as it is, or nearly so."""

UNBILLED_OPENING = "x-anthropic-billing-header:"
"""A line that Claude Code puts before its system prompt. It changes with every request and breaks no cache, so it is not
rendered (observed 2026-11)."""


def is_rendered(segment: Segment) -> bool:
    """Tell whether a segment is part of the prompt at all."""
    return segment.content_kind is not ContentKind.NOT_RENDERED and not segment.text.startswith(UNBILLED_OPENING)


def is_counted(segment: Segment) -> bool:
    """Tell whether a counter has anything to count in a segment."""
    return segment.content_kind in COUNTED_KINDS and bool(segment.text) and is_rendered(segment)


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
