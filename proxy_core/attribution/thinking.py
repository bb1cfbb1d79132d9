"""Thinking in a prompt: billed by the figure that was reported when it was made, or not at all where the model drops it.

The wire carries a summary, or nothing, and a signature: neither says anything about the size.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from proxy_core.attribution.estimates import NOTHING, Estimate, share_thinking
from proxy_core.attribution.model import ContentKind, Part, Segment
from proxy_core.attribution.overhead_priors import KEEPS_THINKING_SINCE
from proxy_core.attribution.tokens.families import claude_version, plain_model_id

_LINE = re.compile(r"^claude-(?:[\d.-]+-)?([a-z]+)")


def keeps_thinking(model: str | None) -> bool:
    """Tell whether a model is shown (and billed for) its thinking of earlier turns; unknown ones are taken to be."""
    version = claude_version(model) if model else None
    line = _LINE.match(plain_model_id(model or ""))
    since = KEEPS_THINKING_SINCE.get(line[1]) if line else None
    return version is None or since is None or version >= since


def stripped_until(model: str | None, segments: Sequence[Segment]) -> int:
    """Return the message index before which thinking is dropped from the prompt: 0 when none is.

    Inside the current tool loop it always stays; the loop starts at the last user message without a tool result.
    """
    if keeps_thinking(model):
        return 0
    with_result = {segment.message_index for segment in segments if segment.part is Part.RESULT}
    turns = [
        segment.message_index
        for segment in segments
        if segment.role == "user" and segment.message_index is not None and segment.message_index not in with_result
    ]
    return max(turns, default=0)


def thinking_messages(segments: Sequence[Segment]) -> list[int]:
    """List the messages that carry thinking, in order."""
    return sorted({s.message_index for s in segments if s.part is Part.THINKING and s.message_index is not None})


def thinking_estimates(
    segments: Sequence[Segment], reported: Callable[[int], int | None], stripped_before: int
) -> dict[int, Estimate]:
    """Estimate the thinking segments whose size is known, by segment index.

    Args:
        segments: As the reading cut them.
        reported: Message index -> thinking tokens of the answer it was; `None` when unknown.
        stripped_before: Messages before this one have theirs dropped.
    """
    found: dict[int, Estimate] = {}
    by_message: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, segment in enumerate(segments):
        if segment.part is Part.THINKING and segment.message_index is not None:
            by_message[segment.message_index]["/".join(segment.pointer.split("/", 5)[:5])].append(index)
    for message, blocks in by_message.items():
        heads = [_head(segments, indexes) for indexes in blocks.values()]
        found |= {index: NOTHING for indexes in blocks.values() for index in indexes if index not in heads}
        tokens = reported(message)
        if message < stripped_before:
            found |= dict.fromkeys(heads, NOTHING)
        elif tokens is not None:
            weights = [sum(segments[index].content_bytes for index in indexes) for indexes in blocks.values()]
            found |= dict(zip(heads, share_thinking(weights, tokens), strict=True))
    return found


def _head(segments: Sequence[Segment], indexes: list[int]) -> int:
    """Pick the segment of a block that stands for its thinking: the text, not the signature."""
    return next((index for index in indexes if segments[index].content_kind is ContentKind.THINKING), indexes[0])
