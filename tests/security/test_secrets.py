"""A secret planted wherever one can stand, real traffic through the real product, and every byte that is left searched."""

import asyncio
import base64
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from proxy_core.exchange import Side
from proxy_core.standin.server import ServerSettings, StandinServer
from storage.api.app import create_app
from storage.api.settings import ApiSettings
from storage.database import open_database
from storage.store import Store
from storage.views import ExchangeSummary
from tests.e2e.product import Headless, assay, files_below
from tests.security.plants import PLANT_HEADER, Place, PlantedApi, make_places

pytestmark = pytest.mark.e2e

PLACES = make_places()
PROXY_PASSWORD = "PLANTED-proxy-Zq7H2K9"
NAMES = ("api.anthropic.com", "bedrock-runtime.us-east-1.amazonaws.com", "us-east5-aiplatform.googleapis.com", "localhost")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
TOKEN = "token-of-the-tests-0123456789"


@dataclass
class Outcome:
    """What one run left behind."""

    left: dict[str, bytes]
    """Everything that can be looked at, by where it is."""
    received: bytes
    """What arrived at the API."""
    answered: bytes
    """What arrived at the client."""
    stored: int


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    home = tmp_path_factory.mktemp("secrets") / "home"
    with StandinServer(PlantedApi(PLACES), ServerSettings(names=NAMES, protocols=("http/1.1",))) as standin:
        proxy = standin.proxy_url.replace("://", f"://me:{PROXY_PASSWORD}@")
        options = ("--upstream-proxy", proxy)
        with Headless(home, standin, *options) as running:
            answered = asyncio.run(_send_all(running))
            during = {str(path): path.read_bytes() for path in files_below(home)}
            assert running.stop() == 0, running.output.decode()
        received = b"".join(repr(request).encode() + (request.body or b"") for request in standin.journal.requests)
        said = {
            name: _said(home, *arguments, *options)
            for name, arguments in {
                "doctor": ("doctor", "--port", "0"),
                "check": ("check",),
                "run": ("run", "--", "true"),
            }.items()
        }
    left = {f"during {name}": content for name, content in during.items()}
    left |= {str(path): path.read_bytes() for path in files_below(home)}
    left |= {"output": bytes(running.output), **said, **dict(_exported(home))}
    left["env"] = _said(home, "env")
    (path,) = [file for file in files_below(home) if file.suffix == ".db"]
    database = open_database(path)
    try:
        store = Store(database)
        shown = dict(_bodies(store))
        left |= shown | asyncio.run(_api_answers(store))
    finally:
        database.close()
    return Outcome(
        left | {f"{name} (base64)": _decoded(content) for name, content in left.items()}, received, answered, len(shown)
    )


async def _send_all(running: Headless) -> bytes:
    context = ssl.create_default_context(cafile=str(running.certificate))
    answered = []
    async with httpx.AsyncClient(proxy=running.proxy_url, verify=context, trust_env=False, timeout=30) as client:
        for number, place in enumerate(PLACES.values()):
            sent = place.sent
            headers = [*sent.headers, (PLANT_HEADER, str(number))]
            answer = await client.request(sent.method, sent.url, content=sent.body, headers=headers)
            answered.append(repr(answer.headers.raw).encode() + answer.content)
    return b"".join(answered)


def _said(home: Path, *arguments: str) -> bytes:
    done = assay(home, *arguments)
    return done.stdout + done.stderr


def _exported(home: Path) -> Iterator[tuple[str, bytes]]:
    for kind in ("json", "jsonl", "har", "csv", "otlp-json"):
        done = assay(home, "export", "--format", kind, *(["--with-bodies"] if kind != "csv" else []))
        assert done.returncode == 0, done.stderr
        yield f"export {kind}", done.stdout + done.stderr
    for kind in ("html", "md", "json"):
        yield f"report {kind}", _said(home, "report", "--format", kind)
    for command in ("insights", "sources", "sessions", "verify", "reconcile"):
        yield command, _said(home, command)


def _bodies(store: Store) -> Iterator[tuple[str, bytes]]:
    for summary in store.exchanges.page(1000):
        yield f"detail {summary.id}", repr(store.exchanges.detail(summary.id)).encode()
        for side in Side:
            yield f"{side} of {summary.id}", store.exchanges.body(summary.id, side) or b""


async def _api_answers(store: Store) -> dict[str, bytes]:
    app = create_app(store, ApiSettings(token=TOKEN))
    answers = {}
    transport = httpx.ASGITransport(app=app)
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        routes = (await client.get("/openapi.json")).json()["paths"]
        summaries = store.exchanges.page(1000)
        for path, methods in routes.items():
            if "get" not in methods or "stream" in path or "events" in path:
                continue
            wanted = [path]
            if "{" in path:
                wanted = [re.sub(r"\{[^}]*\}", name, path) for summary in summaries for name in _names(summary)]
            for url in wanted:
                answer = await client.get(url, params={"text": "true", "body": "true"})
                answers[f"GET {url}"] = answer.content
    app.state.context.close()
    assert sum(b"[REDACTED:" in content for content in answers.values()) > 50
    return answers


def _names(summary: ExchangeSummary) -> set[str]:
    return {summary.exchange_id, quote(summary.session_id or "none", safe="")}


def _decoded(content: bytes) -> bytes:
    found = []
    for match in _BASE64.finditer(content):
        for start in range(4):
            letters = match[0][start:].replace(b"-", b"+").replace(b"_", b"/")
            found.append(base64.b64decode(letters[: len(letters) // 4 * 4]))
    return b"\n".join(found)


def test_everything_was_sent_and_stored(outcome: Outcome) -> None:
    assert outcome.stored == 3 * len(PLACES)
    assert "[REDACTED:" in outcome.left["export jsonl"].decode()
    assert len(outcome.left["report html"]) > 1000


@pytest.mark.parametrize("place", PLACES.values(), ids=lambda place: place.name)
def test_a_planted_secret_is_found_nowhere(outcome: Outcome, place: Place) -> None:
    assert [name for name, content in outcome.left.items() if place.fragment in content] == []


def test_the_clients_bytes_were_not_touched(outcome: Outcome) -> None:
    for name in ("body/text", "header/x-api-key", "url/path", "mcp token"):
        assert PLACES[name].secret.encode() in outcome.received
    for name in ("answer/text", "answer/error", "answer/set-cookie", "oauth/answered access_token"):
        assert PLACES[name].secret.encode() in outcome.answered


def test_the_other_proxys_password_is_found_nowhere(outcome: Outcome) -> None:
    assert [name for name, content in outcome.left.items() if PROXY_PASSWORD.encode() in content] == []
