"""Output: what the model wrote, as billed, thinking apart; and what can still be said when an answer was cut off."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proxy_core.attribution.billing import BilledSampling
from proxy_core.attribution.model import Part, Source, SourceType, Usage

OUTPUT_SOURCES = {
    "compaction": Source(SourceType.SUMMARY, "compaction"),
    "advisor_message": Source(SourceType.ASSISTANT, "advisor"),
}
"""Kind of sampling -> who wrote; anything else is the assistant itself."""


@dataclass(frozen=True, slots=True)
class OutputShare:
    """A part of the output of one sampling."""

    sampling: int
    source: Source
    part: Part
    tokens: int


def share_output(samplings: Sequence[BilledSampling], usage: Usage) -> list[OutputShare]:
    """Cut the output of every sampling into thinking and the rest.

    Only the top level of most answers says how much was thinking; it is taken from the last samplings first.
    """
    thinking_left = usage.thinking_tokens or 0
    shares: list[OutputShare] = []
    for index in reversed(range(len(samplings))):
        tokens = samplings[index].usage.output_tokens or 0
        source = OUTPUT_SOURCES.get(samplings[index].kind, Source(SourceType.ASSISTANT))
        thinking = 0 if source.source_name else min(thinking_left, tokens)
        thinking_left -= thinking
        parts = [
            OutputShare(index, source, Part.THINKING, thinking),
            OutputShare(index, source, Part.OUTPUT, tokens - thinking),
        ]
        shares = [share for share in parts if share.tokens] + shares
    return shares


def visible_output(blocks: Sequence[Mapping[str, Any]]) -> str:
    """Collect what is visible of an answer, as a text to count."""
    return "\n".join(text for block in blocks if (text := _block_text(block)))


def sole_text(blocks: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the text of an answer that is one plain text and nothing else."""
    if len(blocks) != 1 or blocks[0].get("type") != "text" or blocks[0].get("citations"):
        return None
    text = blocks[0].get("text")
    return text if isinstance(text, str) and text else None


def _block_text(block: Mapping[str, Any]) -> str:
    for field in ("text", "thinking"):
        if isinstance(block.get(field), str):
            return str(block[field])
    if "input" in block:
        return f"{block.get('name')} {json.dumps(block['input'], ensure_ascii=False, default=str)}"
    return ""
