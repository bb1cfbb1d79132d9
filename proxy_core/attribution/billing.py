"""Billing: from a response to the list of samplings that were billed, each with its model, its usage and whether it costs.

The top level of a usage is a sum that leaves some samplings out; the list behind it is what is paid. Knows no prices.
"""

from dataclasses import dataclass, replace

from proxy_core.attribution.model import Usage
from proxy_core.dialects.base import ParsedResponse, UsageEntry
from proxy_core.dialects.usage import add_usages

KNOWN_KINDS = frozenset({"message", "compaction", "advisor_message", "fallback_message"})
"""Kinds of samplings (SDK 2.12.0, 2026-11); others are billed as the server's own loop."""
LOOPING_BLOCKS = frozenset({"server_tool_use", "mcp_tool_use", "compaction", "fallback"})
"""Blocks after which the API samples again by itself."""
SERVER_LOOP = "server tool loop"
AFTER_COMPACTION = "prompt after compaction"
ADVISOR = "advisor"
FALLBACK = "fallback attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledSampling:
    """One sampling of a model that the API bills."""

    kind: str
    """`message`, `compaction`, `advisor_message`, `fallback_message`, or a kind of the future."""
    model: str | None
    usage: Usage
    extra_input: str | None = None
    """Name of the overhead its input is; `None` for the one that read what the client sent."""
    is_free: bool = False
    """Reported, but not charged: refused before any output."""


def billed_samplings(response: ParsedResponse) -> tuple[BilledSampling, ...]:
    """List what was billed, the sampling that read the client's prompt first; empty when nothing was."""
    usage = response.usage
    if usage.total_input_tokens is None:
        return ()
    entries = [entry for entry in response.iterations if entry.usage.total_input_tokens is not None]
    if not entries:
        return _with_refusal(_without_iterations(response), response)
    first = BilledSampling(kind=entries[0].kind, model=entries[0].model or response.model, usage=entries[0].usage)
    rest = [_later(entry, entries[: index + 1], response.model) for index, entry in enumerate(entries[1:])]
    return _with_refusal(_with_remainder((first, *rest), response), response)


def billed_usage(samplings: tuple[BilledSampling, ...], top_level: Usage) -> Usage:
    """Sum what was billed; what only the top level says (searches, tier, place, speed) comes from there."""
    if not samplings:
        return top_level
    total = add_usages(sampling.usage for sampling in samplings)
    return replace(
        total,
        web_search_requests=top_level.web_search_requests,
        web_fetch_requests=top_level.web_fetch_requests,
        service_tier=top_level.service_tier or total.service_tier,
        inference_geo=top_level.inference_geo or total.inference_geo,
        speed=top_level.speed or total.speed,
        thinking_tokens=top_level.thinking_tokens if total.thinking_tokens is None else total.thinking_tokens,
        output_tokens=top_level.output_tokens if total.output_tokens is None else total.output_tokens,
    )


def _without_iterations(response: ParsedResponse) -> tuple[BilledSampling, ...]:
    """Split a bill without a list: a stream's start tells what the client sent, the rest is the server's own loop."""
    usage, start = response.usage, response.start_usage
    whole = BilledSampling(kind="message", model=response.model, usage=usage)
    if start is None or not start.total_input_tokens or not _has_server_loop(response):
        return (whole,)
    if start.total_input_tokens >= (usage.total_input_tokens or 0):
        return (whole,)
    loop = _less(usage, start)
    if loop is None:
        return (whole,)
    first = replace(
        usage,
        input_tokens=start.input_tokens,
        cache_read_tokens=start.cache_read_tokens,
        cache_write_5m_tokens=start.cache_write_5m_tokens,
        cache_write_1h_tokens=start.cache_write_1h_tokens,
    )
    return (
        replace(whole, usage=first),
        BilledSampling(kind="message", model=response.model, usage=loop, extra_input=SERVER_LOOP),
    )


def _has_server_loop(response: ParsedResponse) -> bool:
    """Tell whether the API sampled more than once: gateways put placeholders into the start of plain streams."""
    usage = response.usage
    kinds = {block.get("type") for block in response.blocks}
    return bool(kinds & LOOPING_BLOCKS or usage.web_search_requests or usage.web_fetch_requests)


def _less(usage: Usage, start: Usage) -> Usage | None:
    """Subtract the input figures of one usage from another; `None` when that makes no sense."""
    rest = Usage(
        input_tokens=(usage.input_tokens or 0) - (start.input_tokens or 0),
        cache_read_tokens=(usage.cache_read_tokens or 0) - (start.cache_read_tokens or 0),
        cache_write_5m_tokens=(usage.cache_write_5m_tokens or 0) - (start.cache_write_5m_tokens or 0),
        cache_write_1h_tokens=(usage.cache_write_1h_tokens or 0) - (start.cache_write_1h_tokens or 0),
    )
    counts = (rest.input_tokens, rest.cache_read_tokens, rest.cache_write_5m_tokens, rest.cache_write_1h_tokens)
    return None if any((count or 0) < 0 for count in counts) else rest


def _later(entry: UsageEntry, before: list[UsageEntry], model: str | None) -> BilledSampling:
    if entry.kind == "advisor_message":
        name = ADVISOR
    elif entry.kind == "fallback_message" or before[-1].kind == "fallback_message":
        name = FALLBACK
    elif any(earlier.kind == "compaction" for earlier in before):
        name = AFTER_COMPACTION
    else:
        name = SERVER_LOOP
    return BilledSampling(kind=entry.kind, model=entry.model or model, usage=entry.usage, extra_input=name)


def _with_remainder(samplings: tuple[BilledSampling, ...], response: ParsedResponse) -> tuple[BilledSampling, ...]:
    """Add what the top level holds beyond the listed messages, should the list ever be incomplete."""
    listed = add_usages(sampling.usage for sampling in samplings if sampling.kind == "message")
    is_partial = any(sampling.kind == "fallback_message" for sampling in samplings)
    rest = None if is_partial or listed.total_input_tokens is None else _less(response.usage, listed)
    if rest is None or not rest.total_input_tokens:
        return samplings
    return (*samplings, BilledSampling(kind="message", model=response.model, usage=rest, extra_input=SERVER_LOOP))


def _with_refusal(samplings: tuple[BilledSampling, ...], response: ParsedResponse) -> tuple[BilledSampling, ...]:
    """Mark what a refusal before any output leaves unbilled."""
    is_refused = response.stop_reason == "refusal" and not response.blocks
    return tuple(
        replace(sampling, is_free=True) if (is_refused and not (sampling.usage.output_tokens or 0) > 1) else sampling
        for sampling in samplings
    )
