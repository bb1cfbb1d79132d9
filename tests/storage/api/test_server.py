"""The thread: it listens before it says so, tells why when it cannot, stops, and says nothing to stderr."""

import logging
import socket
import subprocess
import sys

import httpx
import pytest

from storage.api.server import ApiThread, ApiUnavailableError
from storage.api.settings import ApiSettings

TOKEN = "token-of-the-tests-0123456789"


def served(store, **changes):
    return ApiThread(store, ApiSettings(**({"token": TOKEN, "port": 0} | changes)))


def test_it_answers_on_a_free_port_until_it_is_stopped(store):
    api = served(store)
    assert (api.is_running, api.port) == (False, 0)
    api.start()
    assert api.is_running
    assert api.url == f"http://127.0.0.1:{api.port}"
    assert httpx.get(f"{api.url}/healthz", trust_env=False, timeout=60).status_code == 200
    port = api.port
    api.stop()
    api.stop()
    assert (api.is_running, api.failure, api.port) == (False, None, port)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{api.url}/healthz", trust_env=False, timeout=60)


def test_a_taken_port_is_said(store):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ApiUnavailableError, match="--api-port"):
        served(store, port=taken.getsockname()[1]).start()


def test_an_address_that_is_not_ours_is_said(store):
    with pytest.raises(ApiUnavailableError, match=r"192\.0\.2\.1"):
        served(store, host="192.0.2.1").start()


def test_a_server_that_fails_is_kept_and_raised(store, monkeypatch):
    def fail(*_args, **_more):
        raise SystemExit(3)

    monkeypatch.setattr("storage.api.server._Server.run", fail)
    api = served(store)
    with pytest.raises(ApiUnavailableError, match="did not start"):
        api.start()
    assert isinstance(api.failure, SystemExit)


def test_it_serves_ipv6_loopback(store):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    api = served(store, host="::1")
    api.start()
    assert api.url == f"http://[::1]:{api.port}"
    assert httpx.get(f"{api.url}/healthz", trust_env=False, timeout=60).status_code == 200
    api.stop()


def test_without_a_token_when_that_is_wished(store):
    api = served(store, token=None)
    api.start()
    assert httpx.get(f"{api.url}/api/claude/requests", trust_env=False, timeout=60).status_code == 200
    api.stop()


def test_a_failure_is_an_answer_without_a_traceback(client, store, monkeypatch, caplog):
    def fail(*_args, **_more):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(store.sources, "summary", fail)
    with caplog.at_level(logging.ERROR, logger="storage.api"):
        answer = client.get("/api/claude/metrics/summary")
    assert answer.status_code == 500
    assert answer.json() == {"error": "Assay could not answer this", "details": "the log says why"}
    assert "secret detail" in caplog.text


def test_a_database_that_fails_is_503(client, database):
    from sqlalchemy import text

    with database.write() as connection:
        connection.execute(text("ALTER TABLE session RENAME TO gone"))
    for path in ("/api/claude/sessions", "/api/claude/sessions/x"):
        answer = client.get(path)
        assert (answer.status_code, set(answer.json())) == (503, {"error", "details"})
    with database.write() as connection:
        connection.execute(text("ALTER TABLE exchange RENAME TO gone_too"))
    assert client.get("/healthz").status_code == 503


def test_nothing_reaches_stderr(tmp_path):
    script = f"""
import socket, sys
sys.path.insert(0, {str(sys.path[0])!r})
from pathlib import Path
import httpx
from storage.api.server import ApiThread
from storage.api.settings import ApiSettings
from storage.database import open_database
from storage.store import Store
database = open_database(Path({str(tmp_path)!r}) / "assay.db")
api = ApiThread(Store(database), ApiSettings(token={TOKEN!r}, port=0))
api.start()
httpx.get(api.url + "/healthz", trust_env=False, timeout=60)
with socket.create_connection(("127.0.0.1", api.port)) as rubbish:
    rubbish.sendall(b"rubbish\\r\\n\\r\\n")
    rubbish.recv(100)
api.stop()
database.close()
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_store_is_read_without_the_web_framework():
    code = "import sys, storage.store, storage.filters.parsing, storage.export.exporting; print('fastapi' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "False\n"
