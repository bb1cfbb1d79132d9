"""Assay as a user starts it: a program run through it, its database afterwards, and what may never be found in it."""

import json
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from proxy_core.exchange import ExchangeState, Side
from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.scenario import ToolCall, Turn, scripted
from proxy_core.standin.server import StandinServer
from storage.database import open_database
from storage.store import Store
from tests.e2e.product import Headless, assay, environment, files_below, towards
from tests.e2e.rig import API_URL

AGENT = Path(__file__).with_name("sdk_agent.py")
KEY = "sk-ant-api03-PLANTED0123456789abcdefghijklmnopqrstuvwxyz"
SETTINGS = ApiSettings(
    scenario=scripted(
        [
            Turn(text="I look.", tool_calls=(ToolCall(name="lookup", input={"word": "one"}),)),
            Turn(text="One is a number. " * 20),
        ]
    ),
    pace=Pace(event_s=0.001),
    content_encoding="auto",
)


@pytest.fixture
def standin():
    with StandinServer(MessagesApi(SETTINGS)) as server:
        yield server


@pytest.fixture
def database_of(tmp_path):
    opened = []

    def open_one(home: Path) -> Store:
        (path,) = [file for file in files_below(home) if file.suffix == ".db"]
        opened.append(open_database(path))
        return Store(opened[-1])

    yield open_one
    for database in opened:
        database.close()


def test_an_agent_runs_through_assay_as_without_it(tmp_path, standin, database_of):
    home = tmp_path / "home"
    asked = b"What is one?"
    with StandinServer(MessagesApi(SETTINGS)) as direct:
        variables = {"ANTHROPIC_API_KEY": KEY, "HTTPS_PROXY": direct.proxy_url, "SSL_CERT_FILE": str(direct.ca_path)}
        plain = subprocess.run(
            [sys.executable, AGENT], env=environment(home) | variables, input=asked, capture_output=True, timeout=90, check=True
        )
    through = subprocess.run(
        [shutil.which("assay", path=Path(sys.executable).parent), "run", *towards(standin), "--", sys.executable, AGENT],
        env=environment(home) | {"ANTHROPIC_API_KEY": KEY},
        input=asked,
        capture_output=True,
        timeout=150,
        check=False,
    )
    assert (through.returncode, through.stdout) == (0, plain.stdout), through.stderr.decode()
    sent = [(request.head.target, request.body) for request in standin.journal.requests]
    assert [target for target, _ in sent] == ["/v1/messages"] * 2

    store = database_of(home)
    exchanges = sorted(store.exchanges.page(100), key=lambda exchange: exchange.id)
    assert [exchange.state for exchange in exchanges] == [ExchangeState.COMPLETE] * 2
    assert [store.exchanges.body(exchange.id, Side.REQUEST) for exchange in exchanges] == [body for _, body in sent]
    assert all(exchange.input_tokens for exchange in exchanges)
    verified = assay(home, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_program_that_fails_keeps_its_exit_code(tmp_path, standin):
    done = assay(tmp_path / "home", "run", "--quiet", *towards(standin), "--", sys.executable, "-c", "raise SystemExit(37)")
    assert done.returncode == 37


def test_a_planted_key_is_found_nowhere(tmp_path, standin):
    home = tmp_path / "home"
    with Headless(home, standin) as running:
        _plant(running)
        assert running.stop() == 0
    assert any(KEY.encode() in (request.body or b"") for request in standin.journal.requests)
    places = {"output": bytes(running.output)} | {str(path): path.read_bytes() for path in files_below(home)}
    for kind in ("json", "jsonl", "har", "csv"):
        exported = assay(home, "export", "--format", kind)
        assert exported.returncode == 0, exported.stderr
        places[f"export {kind}"] = exported.stdout + exported.stderr
    places["verify"] = assay(home, "verify").stdout
    assert len(places["export jsonl"]) > 1000
    fragment = KEY[13:45].encode()
    assert [name for name, content in places.items() if fragment in content] == []


def _plant(running: Headless) -> None:
    """Send the key in every place a client could put it."""
    context = ssl.create_default_context(cafile=str(running.certificate))
    ask = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": f"my key is {KEY}"}]}
    servers = [{"type": "url", "url": f"https://mcp.example/{KEY}", "name": "m", "authorization_token": KEY}]
    with httpx.Client(proxy=running.proxy_url, verify=context, trust_env=False, timeout=60) as client:
        client.post(f"{API_URL}/v1/messages?key={KEY}", json=ask | {"mcp_servers": servers}, headers={"x-api-key": KEY})
        client.post(f"{API_URL}/v1/messages", json=ask, headers={"authorization": f"Bearer {KEY}", "cookie": f"session={KEY}"})
        client.post(f"{API_URL}/v1/{KEY}", json=ask, headers={"x-api-key": KEY, "proxy-authorization": f"Basic {KEY}"})
        client.post(f"{API_URL}/v1/messages", content=f"not JSON {KEY}".encode(), headers={"x-api-key": KEY})
        client.post(f"{API_URL}/v1/messages", json=ask, headers={"x-api-key": KEY, "x-standin-fault": KEY})
        streamed = client.post(f"{API_URL}/v1/messages", json=ask | {"stream": True}, headers={"x-api-key": KEY})
        assert "message_stop" in streamed.text


def test_the_demonstration_shows_varied_traffic_and_ends(tmp_path):
    done = assay(tmp_path / "home", "demo", "--headless", "--fast", "--sessions", "1", "--no-api", "--format", "json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    assert len(lines) > 15
    assert len({line["model"] for line in lines}) >= 2
