"""Many at once and large ones: nothing lost, nothing mixed up, memory bounded."""

import asyncio
import hashlib
import json
import resource
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from proxy_core.exchange import ExchangeState
from proxy_core.standin.api import ApiSettings
from proxy_core.standin.events import Pace
from proxy_core.standin.scenario import Turn, scripted
from proxy_core.standin.wire import Journal
from tests.e2e.rig import API_URL, Rig, whole

UPLOADER = Path(__file__).with_name("large_upload.py")


async def stream_all(rig: Rig, count: int, *, http2: bool) -> list[str]:
    """Ask `count` questions at the same time and return what was answered to each."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        proxy=rig.proxy_url, verify=rig.context(), trust_env=False, http2=http2, limits=limits, timeout=120
    ) as client:

        async def ask(number: int) -> str:
            question = f"question number {number:04d}"
            body = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": question}]}
            async with client.stream("POST", f"{API_URL}/v1/messages", json=body, headers={"x-api-key": "k"}) as reply:
                events = [json.loads(line[6:]) async for line in reply.aiter_lines() if line.startswith("data: ")]
            assert events[-1]["type"] == "message_stop"
            return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")

        return await asyncio.gather(*(ask(number) for number in range(count)))


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_streams_at_once(start_rig, count, http2):
    rig = start_rig(ApiSettings(pace=Pace(first_event_s=0.5, event_s=0.05)))
    answers = asyncio.run(stream_all(rig, count, http2=http2))
    expected = {f"question number {number:04d}" for number in range(count)}
    assert [answer[-20:] for answer in answers] == sorted(expected)
    exchanges = rig.collector.wait_for(count, timeout_s=60)
    assert {exchange.state for exchange in exchanges} == {ExchangeState.COMPLETE}
    assert {json.loads(whole(exchange.request_body))["messages"][0]["content"] for exchange in exchanges} == expected
    for exchange in exchanges:
        question = json.loads(whole(exchange.request_body))["messages"][0]["content"]
        assert question[-4:].encode() in whole(exchange.response_body)
    assert (rig.feed.dropped, rig.feed.errors) == (0, 0)


def upload(rig: Rig) -> str:
    """Send 50 MB through a proxy, from a process of its own, and return the SHA-256 of what was sent."""
    command = [sys.executable, str(UPLOADER), rig.proxy_url, str(rig.ca_path), f"{API_URL}/v1/messages"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.strip()


def test_what_the_feed_may_hold_bounds_memory_and_not_what_passes(start_rig):
    """However late the consumer is: it may find some of a large body missing, the API does not."""
    limit_mb = 8
    rig = start_rig(ApiSettings(max_body_bytes=10**9), journal=Journal(keep_body_bytes=0), limit_bytes=limit_mb * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    digest = upload(rig)
    rig.collector.wait_for(1, timeout_s=60)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert rig.standin.journal.requests[0].body_sha256 == digest
    kept_mb = sum(len(event.data) for event in rig.collector.events if hasattr(event, "data")) / 1e6
    held_thrice_mb = 3 * limit_mb  # as it came, put together, redacted
    assert grown_mb < kept_mb + held_thrice_mb + 30


def test_a_50_mb_body_passes_whole(start_rig):
    rig = start_rig(ApiSettings(max_body_bytes=10**9), journal=Journal(keep_body_bytes=0))
    digest = upload(rig)
    (exchange,) = rig.collector.wait_for(1, timeout_s=60)
    assert exchange.request_body.wire_sha256 == digest
    assert exchange.request_body.wire_bytes == 50_000_000
    assert rig.standin.journal.requests[0].body_sha256 == digest


def test_a_large_answer_passes_whole(start_rig):
    text = "0123456789abcdef" * 500_000
    rig = start_rig(ApiSettings(scenario=scripted([Turn(text=text)])))
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    with httpx.Client(proxy=rig.proxy_url, verify=rig.context(), trust_env=False, timeout=60) as client:
        reply = client.post(f"{API_URL}/v1/messages", json=body, headers={"x-api-key": "k"})
    assert reply.json()["content"][0]["text"] == text
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.response_body is not None
    assert exchange.response_body.wire_sha256 == hashlib.sha256(reply.content).hexdigest()
