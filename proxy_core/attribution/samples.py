"""Samples: what count_tokens answers say about the parts of a request.

Two counted requests that differ in one part size that part exactly. Requests are known by the sum of their parts' hashes, so
that "the same without this part" is one subtraction away, in whichever order the two were seen.
"""

import json
from dataclasses import replace

from proxy_core.attribution.context import AnalysisContext, Topic
from proxy_core.attribution.estimates import Estimator
from proxy_core.attribution.model import Region, Segment
from proxy_core.attribution.overhead_priors import FIRST_FRAME
from proxy_core.attribution.tokens.counting import TokenCount
from proxy_core.attribution.tokens.rendering import is_counted, is_rendered
from proxy_core.dialects.base import ParsedCall, PromptParameters

MAX_PARTS = 80
"""Requests of more parts are no samples of one of them."""
PLAUSIBLE_FACTOR = 0.4
PLAUSIBLE_TOKENS = 40
_MODULUS = 1 << 128


def remember_sample(context: AnalysisContext, call: ParsedCall, family: str, estimator: Estimator, counted_tokens: int) -> None:
    """Keep a counted request, and size the parts by which it differs from others."""
    parts = [segment for segment in call.segments if is_rendered(segment)]
    if not 0 < len(parts) <= MAX_PARTS:
        return
    sizes = _sizes_by_others(context, call, family, parts, counted_tokens)
    if len(parts) == 1 and parts[0].region is Region.MESSAGES:
        sizes[parts[0].content_hash] = counted_tokens - FIRST_FRAME[family]
    counted = dict(context.cached_counts(family, sizes.keys()))
    counted |= {part.content_hash: TokenCount(tokens) for part in parts if (tokens := estimator.raw_count(part)) is not None}
    kept = {key: TokenCount(tokens) for key, tokens in sizes.items() if key in counted and _is_plausible(tokens, counted[key])}
    if kept:
        context.keep_counts(family, kept)


def _sizes_by_others(
    context: AnalysisContext, call: ParsedCall, family: str, parts: list[Segment], counted_tokens: int
) -> dict[str, int]:
    """Find counted requests that are this one less a part, or this one and a part, and subtract."""
    setting = _setting(call.parameters, family)
    whole = sum(_number(part) for part in parts) % _MODULUS
    holes = {f"{setting}:{(whole - _number(part)) % _MODULUS:032x}": part for part in parts if _can_go(part, parts)}
    key = f"{setting}:{whole:032x}"
    known = context.recall(Topic.SAMPLE, [key, *holes])
    sizes = {
        holes[other].content_hash: counted_tokens - entry["tokens"]
        for other, text in known.items()
        if other != key and (entry := json.loads(text)).get("tokens") is not None
    }
    own = json.loads(known[key]) if key in known else {}
    sizes |= {part: tokens - counted_tokens for part, tokens in own.get("with", {}).items()}
    updates = {other: _added(known.get(other), part.content_hash, counted_tokens) for other, part in holes.items()}
    updates[key] = json.dumps(own | {"tokens": counted_tokens})
    context.remember(Topic.SAMPLE, updates)
    return sizes


def _added(text: str | None, part: str, tokens: int) -> str:
    entry = json.loads(text) if text else {}
    with_parts = dict(list(entry.get("with", {}).items())[-15:]) | {part: tokens}
    return json.dumps(entry | {"with": with_parts})


def _can_go(part: Segment, parts: list[Segment]) -> bool:
    """Tell whether the request stays of the same form without a part: no frame, no tool prompt goes with it."""
    if not is_counted(part):
        return False
    if part.region is Region.TOOLS:
        return sum(other.region is Region.TOOLS for other in parts) > 1
    return part.region is not Region.MESSAGES or sum(other.message_index == part.message_index for other in parts) > 1


def _setting(parameters: PromptParameters, family: str) -> str:
    plain = replace(parameters, tool_types=("custom",) if parameters.tool_types else (), service_tier=None, speed=None)
    return f"{family}|{plain.model}|{plain.tool_choice}|{plain.thinking}|{bool(plain.tool_types)}"


def _number(part: Segment) -> int:
    return int(part.content_hash, 16)


def _is_plausible(tokens: int, counted: TokenCount) -> bool:
    """Accept a size only near the count: a difference can hide other differences."""
    return tokens >= 0 and abs(tokens - counted.tokens) <= PLAUSIBLE_TOKENS + PLAUSIBLE_FACTOR * counted.tokens
