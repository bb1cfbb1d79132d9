"""The `anthropic` SDK runs its loops through the proxy: same answers, everything captured, retries and streams included."""

import asyncio
import json

import anthropic
import httpx2
import pytest

from proxy_core.exchange import ExchangeState
from proxy_core.standin.api import ApiSettings
from proxy_core.standin.events import Pace
from proxy_core.standin.faults import Fault, FaultKind
from proxy_core.standin.scenario import ToolCall, Turn, scripted
from tests.e2e.rig import Rig, whole

MODEL = "claude-opus-5-5"
LOOP = scripted(
    [
        Turn(thinking="First one.", text="I look.", tool_calls=(ToolCall(name="lookup", input={"word": "one"}),)),
        Turn(
            tool_calls=(
                ToolCall(name="lookup", input={"word": "two"}),
                ToolCall(name="lookup", input={"word": "three"}),
            )
        ),
        Turn(text="One, two and three are numbers."),
    ]
)
TOOL = {
    "name": "lookup",
    "description": "Look a word up.",
    "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}


def client(rig: Rig, **options: object) -> anthropic.Anthropic:
    """Return a client that goes through the proxy."""
    http_client = anthropic.DefaultHttpxClient(proxy=rig.proxy_url, verify=rig.context(), trust_env=False)
    return anthropic.Anthropic(api_key="sk-ant-api03-not-real-at-all", http_client=http_client, **options)


def agent_loop(api: anthropic.Anthropic, *, streaming: bool) -> list[str]:
    """Run tools until the model has done, and return what it said."""
    messages: list[dict[str, object]] = [{"role": "user", "content": "What are one, two and three?"}]
    said: list[str] = []
    while True:
        asked = {"model": MODEL, "max_tokens": 256, "messages": messages, "tools": [TOOL]}
        if streaming:
            with api.messages.stream(**asked) as stream:
                answer = stream.get_final_message()
        else:
            answer = api.messages.create(**asked)
        said += [block.text for block in answer.content if block.type == "text"]
        if answer.stop_reason != "tool_use":
            return said
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": f"{block.input['word']} is a number"}
            for block in answer.content
            if block.type == "tool_use"
        ]
        messages += [
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]},
            {"role": "user", "content": results},
        ]


@pytest.mark.parametrize("streaming", [True, False])
def test_an_agent_loop(start_rig, streaming):
    rig = start_rig(ApiSettings(scenario=LOOP, pace=Pace(event_s=0.0005), content_encoding="auto"))
    with client(rig) as api:
        assert agent_loop(api, streaming=streaming) == ["I look.", "One, two and three are numbers."]
    exchanges = rig.collector.wait_for(3)
    assert [exchange.state for exchange in exchanges] == [ExchangeState.COMPLETE] * 3
    sent = [request.body for request in rig.standin.journal.requests]
    assert [whole(exchange.request_body) for exchange in exchanges] == sent
    results = json.loads(sent[2])["messages"][-1]["content"]
    assert [result["content"] for result in results] == ["two is a number", "three is a number"]


def test_retries_are_captured_one_by_one(start_rig):
    rig = start_rig()
    rig.standin.responder.faults.add(Fault(FaultKind.STATUS, 529), Fault(FaultKind.STATUS, 500), Fault(FaultKind.STATUS, 429))
    with client(rig, max_retries=4) as api:
        answer = api.messages.create(model=MODEL, max_tokens=16, messages=[{"role": "user", "content": "Hello"}])
    assert answer.stop_reason == "end_turn"
    exchanges = rig.collector.wait_for(4)
    assert [exchange.response.status_code for exchange in exchanges if exchange.response] == [529, 500, 429, 200]
    assert len({exchange.request_body.wire_sha256 for exchange in exchanges}) == 1


def test_every_other_call(start_rig):
    rig = start_rig()
    messages = [{"role": "user", "content": "Hello"}]
    with client(rig) as api:
        assert api.messages.count_tokens(model=MODEL, messages=messages).input_tokens > 0
        assert any(model.id == MODEL for model in api.models.list())
        batch = api.messages.batches.create(
            requests=[{"custom_id": "a", "params": {"model": MODEL, "max_tokens": 5, "messages": messages}}]
        )
        assert api.messages.batches.retrieve(batch.id).processing_status == "ended"
        (result,) = list(api.messages.batches.results(batch.id))
        assert result.custom_id == "a"
    captured = rig.collector.wait_for(len(rig.standin.journal.requests))
    assert len(captured) >= 5


def test_an_answer_that_breaks_off_breaks_off_for_the_client(start_rig):
    rig = start_rig(ApiSettings(scenario=scripted([Turn(text="A long answer. " * 40)])))
    rig.standin.responder.faults.add(Fault(FaultKind.CUT, 6))
    with (
        client(rig, max_retries=0) as api,
        pytest.raises((httpx2.RemoteProtocolError, anthropic.APIConnectionError)),
        api.messages.stream(model=MODEL, max_tokens=16, messages=[{"role": "user", "content": "Hello"}]) as stream,
    ):
        stream.get_final_message()
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.state is ExchangeState.FAILED
    assert exchange.error
    assert whole(exchange.response_body).count(b"event: content_block_delta") >= 1


def test_parallel_streams_of_one_async_client_are_not_mixed_up(start_rig):
    rig = start_rig(ApiSettings(pace=Pace(event_s=0.002)))

    async def run() -> list[str]:
        http_client = anthropic.DefaultAsyncHttpxClient(proxy=rig.proxy_url, verify=rig.context(), trust_env=False, http2=True)
        async with anthropic.AsyncAnthropic(api_key="sk-ant-api03-x", http_client=http_client) as api:

            async def ask(number: int) -> str:
                question = f"question number {number:03d}"
                async with api.messages.stream(
                    model=MODEL, max_tokens=64, messages=[{"role": "user", "content": question}]
                ) as stream:
                    return await stream.get_final_text()

            return await asyncio.gather(*(ask(number) for number in range(40)))

    answers = asyncio.run(run())
    assert [answer[-3:] for answer in answers] == [f"{number:03d}" for number in range(40)]
    for exchange in rig.collector.wait_for(40):
        question = json.loads(whole(exchange.request_body))["messages"][0]["content"]
        text = "".join(
            json.loads(line[6:])["delta"]["text"]
            for line in whole(exchange.response_body).decode().splitlines()
            if line.startswith("data: ") and '"text_delta"' in line
        )
        assert text.endswith(question)
