"""The API of a running capture, served by a process of its own: the same answers, control over the pipes, revival."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from proxy_core.child_process import launch
from proxy_core.redact import Redactor
from storage.api import remote
from storage.api.remote import RemoteApi
from storage.api.settings import ApiSettings
from storage.errors import ApiUnavailableError
from tests.storage.api.conftest import TOKEN, FakeCapture

KEY = b"the capture's key of redaction"


@pytest.fixture
def served(database, known, capture) -> Iterator[RemoteApi]:
    api = RemoteApi(database.url.render_as_string(hide_password=False), ApiSettings(token=TOKEN, port=0), capture, KEY)
    api.start()
    yield api
    api.stop()
    assert not api.is_running


@pytest.fixture
def reader(served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60) as opened:
        yield opened


def eventually(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def answers(reader: httpx.Client) -> bool:
    try:
        return reader.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_it_is_started_before_somebody_asks(served):
    assert served.is_running
    assert eventually(lambda: served._serving is not None)


def kill(served: RemoteApi) -> None:
    assert eventually(lambda: served._serving is not None)
    os.kill(served._serving.pid, signal.SIGKILL)


@contextmanager
def launching(code: str) -> Iterator[None]:
    """Let other code be run instead of the process that serves."""
    command = [sys.executable, "-c", code]
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(remote, "launch", lambda module, *, inherits: launch(module, inherits=inherits, command=command))
        yield


def test_it_answers_from_the_same_database(reader, known):
    found = reader.get("/api/claude/requests").json()
    assert known.main in {request["id"] for request in found["requests"]}
    assert reader.get("/api/claude/requests", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_the_capture_is_asked_and_switched_over_the_pipes(reader, capture):
    assert reader.get("/api/claude/capture").json()["captured"] == 5
    assert reader.post("/api/claude/capture", json={"action": "pause"}).json()["is_paused"] is True
    assert capture.is_paused
    assert reader.post("/api/claude/capture", json={"action": "resume"}).json()["is_paused"] is False
    assert not capture.is_paused


def test_a_key_in_a_comment_gets_the_captures_fingerprint(reader, known):
    text = "sk-ant-api03-planted"
    given = reader.post("/api/claude/feedback", json={"request_id": known.main, "rating": 1, "feedback_text": text}).json()
    assert given["feedback_text"] == f"[REDACTED:{Redactor(KEY).fingerprint(text.encode())}]"


def test_it_hears_that_something_changed(served, reader, capture):
    assert len(capture.callbacks) == 1
    assert reader.get("/healthz").status_code == 200
    capture.callbacks[0]()
    served.notify()
    assert eventually(lambda: not served._changed.is_set())
    assert served.is_running


def test_a_process_that_was_killed_is_started_anew_on_the_same_port(served, reader):
    port = served.port
    assert reader.get("/healthz").status_code == 200
    os.kill(served._process.pid, signal.SIGKILL)
    assert eventually(lambda: answers(reader))
    assert served.port == port
    assert served.failure is None


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("pass", "process ended"),
        ("print('no JSON', flush=True); input()", "Expecting value"),
        ('print(\'{"pid": 1}\\n{"error": "newer"}\', flush=True); input()', "newer"),
    ],
)
def test_who_asks_while_none_can_be_started_is_turned_away_and_the_next_one_answered(served, reader, does, why):
    with launching(does):
        kill(served)
        with pytest.raises(httpx.TransportError):
            reader.get("/healthz")
        assert eventually(lambda: why in str(served.failure))
        assert served.is_running
    assert eventually(lambda: answers(reader))
    assert served.failure is None


def test_a_process_that_ends_again_and_again_is_told(served, reader):
    with launching('print(\'{"pid": 1}\\n{"serves": true}\', flush=True)'):
        kill(served)
        assert eventually(lambda: "again and again" in str(served.failure))
    assert eventually(lambda: answers(reader))
    assert served.failure is None


def test_one_that_served_for_long_is_followed_by_the_next_though_one_before_it_ended_early(served, monkeypatch):
    monkeypatch.setattr(remote, "_RETRY_S", 10_000.0)
    kill(served)
    first = served._process
    assert eventually(lambda: served._serving not in {None, first})
    monkeypatch.setattr(remote, "_EARLY_S", 0.0)
    second = served._serving
    kill(served)
    assert eventually(lambda: served._serving not in {None, second})


FAILING_LOOP = """
import sys
from storage.api import server, worker

async def fail(self):
    raise OSError("as if the loop had broken")

server._Server.main_loop = fail
worker.serve(sys.stdin.buffer, sys.stdout.buffer)
"""


def test_a_process_ends_with_the_thread_that_serves(served, reader):
    with launching(FAILING_LOOP):
        kill(served)
        with pytest.raises(httpx.TransportError):
            reader.get("/healthz", timeout=5.0)
        assert eventually(lambda: served._process.poll() is not None)
    assert eventually(lambda: answers(reader))


def test_it_is_stopped_while_its_process_starts(served):
    killed = served._process
    kill(served)
    assert eventually(lambda: served._process is not killed)
    served.stop()
    assert served._process.poll() is not None
    assert not any(thread.is_alive() for thread in served._threads)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.port))


def test_a_process_that_does_not_come_up_at_first_is_told_and_leaves_the_address(database, capture):
    api = RemoteApi(database.url.render_as_string(hide_password=False), ApiSettings(token=TOKEN, port=0), capture)
    with launching("pass"), pytest.raises(ApiUnavailableError, match="its process ended"):
        api.start()
    assert not api.is_running
    with socket.create_server(("127.0.0.1", api.port)):
        pass


def test_a_taken_port_is_told_before_anything_serves(database, capture):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ApiSettings(token=TOKEN, port=taken.getsockname()[1])
        api = RemoteApi(database.url.render_as_string(hide_password=False), settings, capture)
        with pytest.raises(ApiUnavailableError, match="--api-port"):
            api.start()
    assert not api.is_running
    api.stop()


@pytest.fixture
def capture() -> FakeCapture:
    return FakeCapture()
