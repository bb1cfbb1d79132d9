"""The commands that capture, as programs of their own: lines, signals, exit codes, environment."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_core.standin.client import ProxiedClient
from proxy_core.standin.server import StandinServer
from tests.tui.live_rig import BODY, HEADERS, options_for, standin
from tui.presence import find_running

ROOT = Path(__file__).parents[3]
ASSAY = (sys.executable, "-c", "from tui.cli.main import main; main()")
CLIENT = """
import os, ssl, sys, http.client
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTPS_PROXY"])
context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, context=context)
connection.set_tunnel("api.anthropic.com", 443)
body = sys.stdin.buffer.read()
connection.request("POST", "/v1/messages", body, {"x-api-key": "sk-ant-x", "content-type": "application/json"})
print(connection.getresponse().status)
sys.exit(7)
"""

pytestmark = pytest.mark.e2e


@pytest.fixture
def api() -> Iterator[StandinServer]:
    with standin() as server:
        yield server


def assay(*arguments: str, stdin: bytes = b"", timeout: float = 150) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([*ASSAY, *arguments], input=stdin, capture_output=True, cwd=ROOT, timeout=timeout, check=False)


def start_headless(directory: Path, api: StandinServer, *more: str) -> "subprocess.Popen[bytes]":
    arguments = [*ASSAY, "--headless", "--port", "0", "--no-api", *options_for(directory, api), *more]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    for _ in range(1200):
        if find_running(directory) or process.poll() is not None:
            break
        time.sleep(0.05)
    return process


def ask(directory: Path) -> int:
    host, port = find_running(directory)[0].proxy_url.removeprefix("http://").split(":")
    client = ProxiedClient((host, int(port)), directory / "ca" / "ca-cert.pem")
    try:
        return client.send("POST", "/v1/messages", HEADERS, BODY).status
    finally:
        client.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_headless_writes_a_line_per_exchange_and_ends_clean(tmp_path: Path, api: StandinServer, number: signal.Signals) -> None:
    process = start_headless(tmp_path, api, "--format", "json")
    statuses = [ask(tmp_path) for _ in range(3)]
    process.send_signal(number)
    output, errors = process.communicate(timeout=90)
    lines = [json.loads(line) for line in output.splitlines()]
    assert statuses == [200, 200, 200]
    assert process.returncode == 0, errors
    assert [line["status_code"] for line in lines] == [200, 200, 200]
    assert all(line["state"] == "complete" and line["input_tokens"] and line["cost_usd"] for line in lines)
    assert b"proxy on http://127.0.0.1:" in errors


def test_a_reader_that_goes_away_does_not_end_the_traffic(tmp_path: Path, api: StandinServer) -> None:
    process = start_headless(tmp_path, api)
    assert process.stdout is not None
    process.stdout.close()
    assert ask(tmp_path) == 200
    time.sleep(1.0)
    assert ask(tmp_path) == 200
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    with process.stderr:
        errors = process.stderr.read()
    assert process.wait(90) == 0
    assert b"nobody reads the lines" in errors


def test_run_passes_on_streams_environment_and_exit_code(tmp_path: Path, api: StandinServer) -> None:
    result = assay("run", *options_for(tmp_path, api), "--", sys.executable, "-c", CLIENT, stdin=BODY)
    assert result.returncode == 7, result.stderr
    assert result.stdout == b"200\n"
    assert b"1 request" in result.stderr
    assert b"User" in result.stderr
    assert b"sk-ant" not in result.stderr


def test_run_says_when_nothing_was_seen(tmp_path: Path, api: StandinServer) -> None:
    result = assay("run", *options_for(tmp_path, api), "--", sys.executable, "-c", "")
    assert result.returncode == 0
    assert b"no request to the Claude API was seen" in result.stderr


def test_run_quietly_says_nothing(tmp_path: Path, api: StandinServer) -> None:
    result = assay("run", "-q", *options_for(tmp_path, api), "--", sys.executable, "-c", "print(1)")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"1\n", b"")


def test_run_does_not_start_the_program_when_it_cannot_start(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "data").write_text("in the way")
    result = assay("run", "--data-dir", str(tmp_path / "data"), "--", "touch", str(marker))
    assert result.returncode == 125
    assert not marker.exists()


def test_run_hands_signals_to_the_program(tmp_path: Path, api: StandinServer) -> None:
    child = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); print('up', flush=True); signal.pause()"
    arguments = [*ASSAY, "run", "-q", *options_for(tmp_path, api), "--", sys.executable, "-c", child]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 9


def test_without_a_terminal_it_runs_headless_and_says_so(tmp_path: Path, api: StandinServer) -> None:
    arguments = [*ASSAY, "--port", "0", "--no-api", *options_for(tmp_path, api)]
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    for _ in range(1200):
        if find_running(tmp_path):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 0
    assert b"running headless" in errors


def test_demo_shows_traffic_and_ends_by_itself(tmp_path: Path) -> None:
    arguments = ["demo", "--headless", "--format", "json", "--fast", "--sessions", "1", "--clients", "1"]
    result = assay(*arguments, "--database", str(tmp_path / "demo.db"), timeout=150)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 0, result.stderr
    assert len(lines) > 5
    assert any("McpServer" in line["tokens_by_source_type"] for line in lines)
    assert (tmp_path / "demo.db").exists()


def test_a_taken_port_is_one_line_and_exit_code_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = assay("--headless", "--data-dir", str(tmp_path), "--port", str(taken.getsockname()[1]))
    assert result.returncode == 3
    assert result.stdout == b""
    assert len(result.stderr.splitlines()) == 1
    assert b"--port 0" in result.stderr


def test_nothing_is_left_running(tmp_path: Path, api: StandinServer) -> None:
    process = start_headless(tmp_path, api)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=90)
    assert find_running(tmp_path) == []
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
