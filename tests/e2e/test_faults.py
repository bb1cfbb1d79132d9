"""What goes wrong towards the API: the client sees what it would have seen, and the exchange is kept with its error."""

import ssl

import httpx
import pytest

from proxy_core.exchange import ExchangeState
from proxy_core.standin.api import ApiSettings
from proxy_core.standin.events import Pace
from proxy_core.standin.scenario import Turn, scripted
from proxy_core.standin.server import ServerSettings
from tests.e2e.rig import API_URL, Rig, whole

ASK = {"model": "claude-opus-5-5", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
LONG = ApiSettings(scenario=scripted([Turn(text="word " * 400)]), pace=Pace(event_s=0.002))


@pytest.fixture(params=[False, True], ids=["h1", "h2"])
def connect(request):
    def client(rig: Rig, **options: object) -> httpx.Client:
        return httpx.Client(
            http2=request.param,
            proxy=rig.proxy_url,
            verify=rig.context(),
            trust_env=False,
            headers={"x-api-key": "k"},
            **({"timeout": 60} | options),
        )

    return client


@pytest.mark.parametrize("is_lean", [True, False], ids=["lean", "stock"])
@pytest.mark.parametrize("fault", ["cut=5", "reset=5", "garbage"])
def test_a_broken_answer_is_broken_for_the_client_and_kept(start_rig, connect, fault, is_lean):
    rig = start_rig(LONG, is_lean=is_lean)
    with connect(rig) as client:
        headers = {"x-standin-fault": fault}
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.post(f"{API_URL}/v1/messages", json=ASK, headers=headers)
        assert "message_stop" in client.post(f"{API_URL}/v1/messages", json=ASK).text
    first, second = rig.collector.wait_for(2)
    assert first.state is ExchangeState.FAILED
    assert first.error
    if fault == "cut=5":
        assert whole(first.response_body).startswith(b"event: message_start")
    assert second.state is ExchangeState.COMPLETE
    assert rig.feed.errors == 0


def test_a_client_that_leaves_in_the_middle(start_rig, connect):
    rig = start_rig(LONG)
    with connect(rig) as client, client.stream("POST", f"{API_URL}/v1/messages", json=ASK) as reply:
        next(reply.iter_raw())
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.state is ExchangeState.FAILED
    assert exchange.response_body is not None
    assert exchange.response_body.is_truncated
    with connect(rig) as client:
        assert client.post(f"{API_URL}/v1/messages", json=ASK).status_code == 200


def test_an_api_with_an_expired_certificate_is_not_trusted(start_rig, connect):
    rig = start_rig(server=ServerSettings(is_expired=True))
    with connect(rig) as client:
        reply = client.post(f"{API_URL}/v1/messages", json=ASK)
    assert reply.status_code == 502
    assert rig.standin.journal.requests == []
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.state is ExchangeState.FAILED
    assert "certificate" in (exchange.error or "").lower()


def test_an_api_that_stalls_lets_the_client_decide(start_rig, connect):
    rig = start_rig(LONG)
    with connect(rig, timeout=httpx.Timeout(60, read=3.0)) as client, pytest.raises(httpx.ReadTimeout):
        client.post(f"{API_URL}/v1/messages", json=ASK, headers={"x-standin-fault": "stall=3"})
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.state is ExchangeState.FAILED
    assert whole(exchange.response_body).count(b"event: ") == 3


def test_a_full_feed_drops_recordings_and_no_traffic(start_rig, connect):
    rig = start_rig(limit_bytes=1)
    with connect(rig) as client:
        for _ in range(5):
            assert client.post(f"{API_URL}/v1/messages", json=ASK).status_code == 200
    assert len(rig.standin.journal.requests) == 5
    assert rig.feed.dropped + len([e for e in rig.collector.finished if e.request_body.is_truncated]) > 0


def test_pausing_lets_traffic_go_on_unrecorded(start_rig, connect):
    rig = start_rig()
    with connect(rig) as client:
        rig.feed.pause()
        assert client.post(f"{API_URL}/v1/messages", json=ASK).status_code == 200
        rig.feed.resume()
        assert client.post(f"{API_URL}/v1/messages", json=ASK).status_code == 200
    assert len(rig.collector.wait_for(1)) == 1
    assert len(rig.standin.journal.requests) == 2


def test_other_hosts_are_never_decrypted(start_rig, connect):
    """The client sees the certificate of the far end itself, which the proxy's root did not sign."""
    rig = start_rig(is_chained=False)
    far_end = f"https://127.0.0.1:{rig.standin.tls_port}/v1/models"
    context = ssl.create_default_context(cafile=str(rig.standin.ca_path))
    with httpx.Client(proxy=rig.proxy_url, verify=context, trust_env=False, timeout=60) as client:
        assert client.get(far_end, headers={"x-api-key": "k"}).status_code == 200
    with connect(rig) as client, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        client.get(far_end)
    with connect(rig) as client:
        assert client.get(f"{rig.standin.url}/v1/models").status_code == 200
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.request.url.startswith("https://localhost:")
