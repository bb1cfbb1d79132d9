"""What is stored may be anything: it is read, cut and attributed without an error, and nothing is lost."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.reading import read_call
from proxy_core.dialects.base import RecordedCall
from proxy_core.dialects.registry import dialect_of, prompts_in
from proxy_core.dialects.responses import read_response
from proxy_core.dialects.sse import read_events, read_message_stream
from proxy_core.dialects.wire_json import WireJsonError
from storage.cutting import cut, join
from tests.fuzz.hostile import (
    ANSWER,
    JSON_ANSWER,
    MESSAGE,
    REQUEST,
    RICH_MESSAGE,
    SEARCH,
    STREAM,
    misshapen,
    misshapen_streams,
    spoilt,
)

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]
URLS = st.sampled_from(
    [
        "https://api.anthropic.com/v1/messages",
        "https://api.anthropic.com/v1/messages/batches",
        "https://api.anthropic.com/v1/messages/count_tokens",
        "https://x.openai.azure.com/v1/chat/completions",
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude/invoke-with-response-stream",
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude/converse",
        "https://eu-aiplatform.googleapis.com/v1/projects/p/models/claude-opus-4-8:streamRawPredict",
        "https://[/",
    ]
)


def call(url, request, answer, kind="application/json"):
    return RecordedCall(
        method="POST",
        url=url,
        request_headers=(("user-agent", "claude-cli/2.1.330 (external, cli)"),),
        request_body=request,
        status_code=200,
        response_headers=(("content-type", kind),),
        response_body=answer,
    )


@SEARCH
@given(spoilt(REQUEST, STREAM, b"[]") | misshapen(MESSAGE, RICH_MESSAGE))
def test_cutting_loses_no_byte(body):
    assert join(cut(body)) == body


@SEARCH
@given(spoilt(STREAM, JSON_ANSWER, b"") | misshapen_streams())
def test_event_streams_are_read_to_their_end(body):
    read_message_stream(read_events(body))


@SEARCH
@given(
    URLS,
    spoilt(JSON_ANSWER, STREAM) | misshapen(ANSWER) | misshapen_streams(),
    st.sampled_from(["application/json", "text/event-stream", "application/vnd.amazon.x"]),
)
def test_answers_are_read(url, body, kind):
    assert read_response(call(url, REQUEST, body, kind)) is not None


@SEARCH
@given(URLS, spoilt(REQUEST, STREAM, b"{}") | misshapen(MESSAGE, RICH_MESSAGE))
def test_requests_are_parted(url, body):
    dialect, _ = dialect_of("POST", url)
    with suppress(WireJsonError):
        prompts_in(dialect, "POST", body)


@SEARCH
@given(spoilt(REQUEST, b"{}") | misshapen(MESSAGE, RICH_MESSAGE))
def test_requests_are_read_to_segments(body):
    read_call(call("https://api.anthropic.com/v1/messages", body, JSON_ANSWER))
