"""The entrance: bytes in, an attribution with a settled ledger out, whatever the bytes are."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_core.attribution.analysis import analyse
from proxy_core.attribution.model import ATTRIBUTION_VERSION, RequestClass, SourceType, Zone
from proxy_core.dialects.base import RecordedCall
from tests.hidden_bills import our_context

BODY = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "system": "You are terse.",
    "messages": [{"role": "user", "content": "What is the capital of Portugal?"}],
}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-opus-4-8",
    "content": [{"type": "text", "text": "Lisbon."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 25, "output_tokens": 6},
}


def recorded(
    body: Any = BODY, answer: Any = ANSWER, *, status: int | None = 200, path: str = "/v1/messages", raw: bytes | None = None
) -> RecordedCall:
    return RecordedCall(
        method="POST",
        url=f"https://api.anthropic.com{path}",
        request_headers=(("content-type", "application/json"),),
        request_body=raw if raw is not None else json.dumps(body).encode(),
        status_code=status,
        response_headers=(("content-type", "application/json"), ("request-id", "req_9")),
        response_body=json.dumps(answer).encode() if status else None,
        started_us=1_795_000_000_000_000,
    )


def test_an_answered_call_is_settled() -> None:
    found = analyse(recorded(), our_context())

    assert found.version == ATTRIBUTION_VERSION
    assert (found.facts.api_request_id, found.facts.message_id, found.facts.stop_reason) == ("req_9", "msg_1", "end_turn")
    assert found.ledger is not None
    assert found.ledger.is_settled
    assert sum(line.tokens for line in found.ledger.lines if line.zone is not Zone.OUTPUT) == 25
    assert found.ledger.cost_nano_usd == 25 * 5000 + 6 * 25_000
    assert SourceType.USER in {line.source.source_type for line in found.ledger.lines}


def test_an_open_call_is_estimated() -> None:
    found = analyse(recorded(status=None), our_context(), patience_s=5)

    assert found.ledger is not None
    assert not found.ledger.is_settled
    assert found.facts.api_request_id is None


def test_a_failed_call_says_why() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    found = analyse(recorded(answer=error, status=529), our_context())

    assert (found.facts.error_type, found.facts.error_message) == ("overloaded_error", "Overloaded")
    assert found.ledger is not None
    assert found.ledger.cost_nano_usd == 0


def test_a_count_is_no_cost() -> None:
    found = analyse(recorded(answer={"input_tokens": 31}, path="/v1/messages/count_tokens"), our_context())

    assert found.facts.request_class is RequestClass.COUNT_TOKENS
    assert found.facts.counted_tokens == 31
    assert found.ledger is not None
    assert (found.ledger.cost_nano_usd, found.ledger.is_settled, found.ledger.total_input_tokens) == (0, False, 31)


def test_other_traffic_has_no_ledger() -> None:
    assert analyse(recorded({"events": []}, {}, path="/api/event_logging/v2/batch"), our_context()).ledger is None


def test_warnings_of_both_sides_are_kept() -> None:
    odd = ANSWER | {"content": [{"type": "hologram"}]}

    assert any("hologram" in warning for warning in analyse(recorded(answer=odd), our_context()).warnings)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "role", "model", "messages", "system", "tools", "usage", "name"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(JSON, JSON, st.sampled_from([None, 200, 500]))
def test_nothing_raises(body: Any, answer: Any, status: int | None) -> None:
    analyse(recorded(body, answer, status=status), our_context())


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=60), st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), st.integers(0, 999)))
def test_bytes_that_are_no_json_still_add_up(raw: bytes, usage: dict[str, int]) -> None:
    found = analyse(recorded(answer=ANSWER | {"usage": usage}, raw=raw), our_context())

    if found.ledger is not None and found.ledger.is_settled:
        assert sum(line.tokens for line in found.ledger.lines if line.zone is not Zone.OUTPUT) == usage.get("input_tokens", 0)
