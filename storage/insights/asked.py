"""What a result was asked for with: a path, a command, a query. It tells apart what has the same source.

Pure, over one request's segments. What it returns is content: for the reader's own screen, never for reports or the API.
"""

import json
from collections.abc import Sequence
from itertools import groupby

from proxy_core.attribution.model import Part, Segment, SourceType

_MOST_CHARACTERS = 200
_CALL_INPUT = "/input"
_CALL_NAME = "/name"


def asked_with(segments: Sequence[Segment], index: int) -> str | None:
    """Write the beginning of the call that a result answers, on one line.

    Args:
        segments: Those of a request, in order.
        index: The result's.

    Returns:
        `None` where it is no result, where its call is not in the request or cannot be told, or texts are not kept.
    """
    result = segments[index]
    if result.part is not Part.RESULT or result.message_index is None:
        return None
    own = [s for s in segments if s.source == result.source and s.message_index is not None]
    calls = [s for s in own if s.part is Part.CALL and (s.message_index or 0) < result.message_index]
    asked_in = max((s.message_index or 0 for s in calls), default=None)
    by_call = _blocks([s for s in calls if s.message_index == asked_in])
    by_result = _blocks([s for s in own if s.part is Part.RESULT and s.message_index == result.message_index])
    if len(by_call) != len(by_result):
        return None  # results of one message answer the calls of the one before in order, or we cannot say
    place = next(i for i, block in enumerate(by_result) if any(s is result for s in block))
    return _first_words(by_call[place])


def _blocks(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Put together what stands in the same block of a message's content."""
    return [list(block) for _, block in groupby(segments, key=lambda segment: segment.pointer.split("/")[:5])]


def _first_words(call: Sequence[Segment]) -> str | None:
    text = "".join(segment.text for segment in call if segment.pointer.endswith(_CALL_INPUT))
    try:
        values = list(json.loads(text).values())
    except (ValueError, AttributeError):
        return None
    words = [str(value) for value in values if isinstance(value, str | int)]
    if call[0].source.source_type is SourceType.MCP_SERVER:
        name = "".join(segment.text for segment in call if segment.pointer.endswith(_CALL_NAME))
        words.insert(0, name.rpartition("__")[2])
    else:
        words = words[:1]
    return " ".join(" ".join(words).split())[:_MOST_CHARACTERS] or None
