"""The one entrance: a recorded exchange in, everything known about its meaning out.

Reading, counting and the ledger each live elsewhere; this puts them in order. It never raises on what a client or the API sent.
"""

from dataclasses import replace

from proxy_core.attribution.context import AnalysisContext, MemoryContext, Topic
from proxy_core.attribution.ledger import build_ledger
from proxy_core.attribution.model import ATTRIBUTION_VERSION, Attribution, CallFacts, RequestClass
from proxy_core.attribution.reading import read_call
from proxy_core.dialects.base import ParsedResponse, RecordedCall
from proxy_core.dialects.responses import read_response

__all__ = ["AnalysisContext", "MemoryContext", "Topic", "analyse"]


def analyse(
    recorded: RecordedCall,
    context: AnalysisContext,
    *,
    patience_s: float | None = None,
    response: ParsedResponse | None = None,
) -> Attribution:
    """Read an exchange, attribute its content and settle its bill.

    Before the response (`status_code` is `None`) the ledger is an estimate (`is_settled` is False) made in a fraction of a
    second; after it, its input lines sum to the bill. Call it again for the same exchange as often as wanted.

    Args:
        recorded: The exchange, redacted, content-encodings undone.
        context: Counts and facts learnt before, prices, and who counts what is new.
        patience_s: How long to wait for exact counts; `None`: a fraction of a second before the response, a minute after it.
        response: What `read_response` made of it, where that was asked before; `None`: it is read here.
    """
    call = read_call(recorded)
    response = response or read_response(recorded)
    facts = _with_response(call.facts, response)
    is_prompt = bool(call.segments) and facts.request_class is not RequestClass.OTHER
    ledger = build_ledger(recorded, call, response, context, patience_s=patience_s) if is_prompt else None
    return Attribution(
        version=ATTRIBUTION_VERSION,
        facts=facts,
        segments=call.segments,
        ledger=ledger,
        warnings=call.warnings + (response.warnings if response else ()),
    )


def _with_response(facts: CallFacts, response: ParsedResponse | None) -> CallFacts:
    """Add what the response says about the call."""
    if response is None:
        return facts
    return replace(
        facts,
        model=response.model or facts.model,
        is_streaming=response.is_streaming or facts.is_streaming,
        api_request_id=response.request_id,
        message_id=response.message_id,
        stop_reason=response.stop_reason,
        error_type=response.error_type,
        error_message=response.error_message,
        counted_tokens=response.counted_tokens,
    )
