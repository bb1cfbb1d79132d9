"""Whom the API answers: everybody else is refused before a route sees the request."""

import http.client
import json
import socket

import httpx
import pytest

from storage.api.server import ApiThread
from storage.api.settings import ApiSettings
from storage.database import open_database
from storage.store import Store
from tests import sample

TOKEN = "token-of-the-tests-0123456789"

PATHS = (
    "/api/claude/requests",
    "/api/claude/metrics/summary",
    "/api/claude/feedback",
    "/api/claude/capture",
    "/api/claude/events",
    "/metrics",
    "/openapi.json",
    "/nosuch",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    database = open_database(tmp_path_factory.mktemp("guard") / "assay.db")
    sample.fill(database)
    yield Store(database)
    database.close()


@pytest.fixture(scope="module")
def known(store):
    ids = [one.exchange_id for one in reversed(store.exchanges.page())]
    return sample.Sample(main=ids[0], subagent=ids[1], failed=ids[2], refused=ids[3], running=ids[4])


@pytest.fixture(scope="module")
def capture():
    return FakeCapture()


@pytest.fixture(scope="module")
def api(store, capture):
    thread = ApiThread(store, ApiSettings(token=TOKEN, port=0), capture)
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture(scope="module")
def client(api):
    with httpx.Client(base_url=api.url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60) as opened:
        yield opened


class FakeCapture:
    is_paused = False

    def subscribe(self, callback):
        return lambda: None


def refused(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "details"}
    return True


def raw(api, head: bytes) -> tuple[int, bytes]:
    """Send exactly these bytes and read the answer."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(head)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "Bearer", "Bearer wrong", "Basic dG9rZW4=", "Bearer \x7f", "{}"])
def test_without_the_token_nothing_is_answered(api, client, path, token):
    own = client.headers["authorization"].removeprefix("Bearer ")
    headers = {} if token is None else {"authorization": token.format(own)}
    answer = httpx.get(api.url + path, headers=headers, trust_env=False, timeout=60)
    assert refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_bare_token_is_none(api, client):
    own = client.headers["authorization"].removeprefix("Bearer ")
    assert refused(httpx.get(api.url + PATHS[0], headers={"authorization": own}, trust_env=False, timeout=60), 401)
    assert (
        httpx.get(api.url + PATHS[0], headers={"authorization": f"bearer {own}"}, trust_env=False, timeout=60).status_code
        == 200
    )


def test_health_needs_no_token_but_the_right_host(api):
    assert httpx.get(f"{api.url}/healthz", trust_env=False, timeout=60).json() == {"status": "ok"}
    assert refused(httpx.get(f"{api.url}/healthz", headers={"host": "evil.example"}, trust_env=False, timeout=60), 403)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:3001", "127.0.0.1.evil.example", "user@127.0.0.1", "[::2]", "127.0.0.1:x", "localhost.", ""],
)
def test_a_foreign_host_is_refused(client, host):
    assert refused(client.get(PATHS[0], headers={"host": host}), 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3001", "127.0.0.1:9", "[::1]:3001"])
def test_loopback_names_are_ours(client, host):
    assert client.get(PATHS[0], headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9999", "http://127.0.0.1", "file://"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_a_foreign_origin_is_refused(client, origin, method):
    answer = client.request(method, PATHS[0], headers={"origin": origin})
    assert refused(answer, 403)
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_write_without_preflight_from_a_page_is_refused(client, capture):
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        answer = client.post("/api/claude/capture", json={"action": "pause"}, headers=headers)
        assert refused(answer, 403)
    assert not capture.is_paused


def test_our_own_origin_is_answered_without_cors(api, client):
    answer = client.get(PATHS[0], headers={"origin": api.url, "sec-fetch-site": "same-origin"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_a_named_origin_may_call(store):
    api = ApiThread(store, ApiSettings(token="t" * 30, port=0, allowed_origins=("https://tool.example/",)))
    api.start()
    try:
        ours = {"origin": "https://tool.example"}
        asked = httpx.options(
            api.url + PATHS[0], headers={**ours, "access-control-request-method": "POST"}, trust_env=False, timeout=60
        )
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "https://tool.example")
        assert "authorization" in asked.headers["access-control-allow-headers"]
        answer = httpx.get(
            api.url + PATHS[0], headers={**ours, "authorization": f"Bearer {'t' * 30}"}, trust_env=False, timeout=60
        )
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://tool.example")
        assert "access-control-allow-credentials" not in answer.headers
        assert refused(httpx.get(api.url + PATHS[0], headers=ours, trust_env=False, timeout=60), 401)
        assert refused(
            httpx.get(api.url + PATHS[0], headers={"origin": "https://other.example"}, trust_env=False, timeout=60), 403
        )
    finally:
        api.stop()


def test_large_bodies_are_refused_with_and_without_a_length(client):
    large = json.dumps({"request_id": "0" * 32, "rating": 0, "feedback_text": "x" * 70_000}).encode()
    json_type = {"content-type": "application/json"}
    assert refused(client.post("/api/claude/feedback", content=large, headers=json_type), 413)
    pieces = (large[start : start + 5000] for start in range(0, len(large), 5000))
    assert refused(client.post("/api/claude/feedback", content=pieces, headers=json_type), 413)


def test_only_json_is_read(client, known):
    form = {"content-type": "text/plain"}
    answer = client.post("/api/claude/feedback", content=json.dumps({"request_id": known.main, "rating": 0}), headers=form)
    assert refused(answer, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/api/claude/requests/../../../../etc/passwd",
        "/api/claude/requests/..%2f..%2fetc%2fpasswd",
        "/api/claude/requests/%00",
        "/api/claude/requests/%ff%fe",
        "/api/claude/requests/" + "a" * 5000,
        "/api/claude/sessions/' OR 1=1 --",
        "/api/claude/feedback/by-request/%2e%2e",
        "/static/../../assay.db",
        "/api/claude/requests/",
    ],
)
def test_hostile_paths_are_errors_of_the_caller(client, path):
    answer = client.get(path)
    assert answer.status_code in {400, 404}, answer.text
    assert set(answer.json()) == {"error", "details"}


def test_headers_that_come_twice_are_refused(api, client):
    token = client.headers["authorization"].encode()
    line = b"GET /api/claude/requests HTTP/1.1\r\n"
    both_hosts = b"Host: 127.0.0.1\r\nHost: evil.example\r\nAuthorization: " + token
    assert raw(api, line + both_hosts + b"\r\n\r\n")[0] == 400
    assert raw(api, line + b"Host: 127.0.0.1\r\nAuthorization: x\r\nAuthorization: " + token + b"\r\n\r\n")[0] == 400
    assert raw(api, line.replace(b"1.1", b"1.0") + b"Authorization: " + token + b"\r\n\r\n")[0] == 403


def test_every_answer_forbids_sniffing_and_storing(client, known):
    for path in (PATHS[0], f"/api/claude/requests/{known.main}/body", "/nosuch"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_wrong_methods_say_which_are_right(client):
    for path, methods in (
        (PATHS[0], "GET"),
        ("/api/claude/feedback", "GET, POST"),
        ("/api/claude/feedback/7", "DELETE, GET, PUT"),
    ):
        answer = client.patch(path)
        assert refused(answer, 405)
        assert answer.headers["allow"] == methods
