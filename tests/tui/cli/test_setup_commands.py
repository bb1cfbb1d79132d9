"""The commands that set up: environment, authority, token, doctor."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.tui.cli.conftest import Call
from tests.tui.live_rig import settings_for, standin
from tui.cli.env import guess_shell
from tui.doctor.findings import Verdict
from tui.doctor.traffic import check_running_proxy
from tui.runtime import Runtime

ROOT = Path(__file__).parents[3]


def test_env_can_be_evaluated_and_names_a_running_proxy(call: Call, tmp_path: Path) -> None:
    with standin() as api, Runtime(settings_for(tmp_path, api), environ={}) as runtime:
        lines = call("env", "--shell", "bash", "--data-dir", tmp_path).out
        assert call("env", "--shell", "bash", "--port", "9", "--data-dir", tmp_path).out != lines
        url = runtime.proxy_url
    script = lines + '\nprintf "%s %s" "$HTTPS_PROXY" "$SSL_CERT_FILE"'
    result = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    proxy, bundle = result.stdout.split()
    assert proxy == url
    assert Path(bundle).is_file()


def test_env_without_a_running_proxy(call: Call, tmp_path: Path) -> None:
    result = call("env", "--data-dir", tmp_path)
    assert result.code == 0
    assert "HTTPS_PROXY=http://127.0.0.1:8080" in result.out
    assert "no Assay is running" in result.err
    assert call("env", "--port", "0", "--data-dir", tmp_path).code == 7
    assert "ANTHROPIC_BASE_URL" in call("env", "--reverse", "https://api.anthropic.com", "--data-dir", tmp_path).out
    assert "[::1]:8080" in call("env", "--listen", "::1", "--data-dir", tmp_path).out


@pytest.mark.parametrize(
    ("path", "shell"), [("/bin/zsh", "bash"), ("/usr/bin/fish", "fish"), ("/usr/bin/pwsh", "powershell"), (None, "bash")]
)
def test_the_shell_is_guessed(path: str | None, shell: str) -> None:
    assert guess_shell(path) == shell


def test_ca_shows_everything(call: Call, tmp_path: Path) -> None:
    shown = call("ca", "--data-dir", tmp_path).out
    for part in ("SHA-256", "valid", "update-ca-certificates", "NODE_EXTRA_CA_CERTS", "certutil", "security add-trusted-cert"):
        assert part in shown
    certificate = call("ca", "--path", "--data-dir", tmp_path).out.strip()
    assert Path(certificate).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in Path(certificate).read_text()
    assert call("ca", "--bundle", "--data-dir", tmp_path).out.strip() in shown


def test_ca_that_is_damaged(call: Call, tmp_path: Path) -> None:
    call("ca", "--data-dir", tmp_path)
    (tmp_path / "ca" / "ca.pem").write_text("nonsense")
    result = call("ca", "--data-dir", tmp_path)
    assert result.code == 4
    assert "remove it" in result.err


def test_token_is_made_once(call: Call, tmp_path: Path) -> None:
    first = call("token", "--data-dir", tmp_path).out
    assert len(first.strip()) > 30
    assert call("token", "--data-dir", tmp_path).out == first
    (tmp_path / "api-token").write_text("x")
    assert call("token", "--data-dir", tmp_path).code == 1


def findings(output: str) -> dict[str, str]:
    return {found["check"]: found["verdict"] for found in map(json.loads, output.splitlines())}


def test_doctor_on_a_new_machine(call: Call, tmp_path: Path) -> None:
    result = call("doctor", "--json", "--offline", "--port", "0", "--data-dir", tmp_path / "data")
    found = findings(result.out)
    assert result.code == 0
    assert found["capture"] == "ok"
    assert found["variables"] == "note"
    assert not (tmp_path / "data").exists()


def test_doctor_beside_a_running_proxy(call: Call, tmp_path: Path) -> None:
    with standin() as api, Runtime(settings_for(tmp_path, api), environ={}):
        # In a process of its own: mitmproxy keeps one set of globals, and the doctor runs a proxy too.
        script = "from tui.cli.main import main; main()"
        command = [sys.executable, "-c", script, "doctor", "--json", "--offline", "--data-dir", str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    found = findings(result.stdout)
    assert result.returncode == 0, result.stdout
    assert found["handshake"] == "ok"
    assert found["proxy"] == "ok"


def test_doctor_for_people(call: Call, tmp_path: Path) -> None:
    text = call("doctor", "--offline", "--port", "0", "--data-dir", tmp_path).out
    assert "ok    data" in text
    assert "-> Run: eval" in text


def test_handshake_with_a_stranger_is_bad(tmp_path: Path, call: Call) -> None:
    certificate = Path(call("ca", "--path", "--data-dir", tmp_path).out.strip())
    with standin() as api:
        stranger = list(check_running_proxy(api.proxy_url, certificate))
    gone = list(check_running_proxy(api.proxy_url, certificate))
    assert [finding.verdict for finding in stranger + gone] == [Verdict.BAD, Verdict.BAD]
    assert "not ours" in stranger[0].message


def test_a_proxy_that_refuses(tmp_path: Path, call: Call) -> None:
    certificate = Path(call("ca", "--path", "--data-dir", tmp_path).out.strip())

    def refuse(server: socket.socket, answer: bytes) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(answer)

    for answer, said in ((b"HTTP/1.1 407 Who are you\r\n\r\n", "407"), (b"", "without an answer")):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=refuse, args=(server, answer))
            thread.start()
            finding = next(iter(check_running_proxy(f"http://127.0.0.1:{server.getsockname()[1]}", certificate)))
            thread.join()
        assert said in finding.message


def test_doctor_finds_what_is_broken(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("ca", "--data-dir", tmp_path)
    (tmp_path / "ca" / "ca.pem").write_text("nonsense")
    (tmp_path / "assay.db").write_bytes(b"nonsense" * 1000)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    result = call("doctor", "--json", "--offline", "--port", "0", "--data-dir", tmp_path)
    found = findings(result.out)
    assert result.code == 1
    assert [found[name] for name in ("authority", "database", "variables", "data")] == ["bad", "bad", "bad", "note"]


def test_doctor_on_the_way_out(call: Call, tmp_path: Path) -> None:
    with standin() as api:
        arguments = ["--upstream-proxy", api.proxy_url, "--port", "0", "--data-dir", tmp_path, "--json"]
        trusted = findings(call("doctor", *arguments, "--upstream-ca", api.ca_path).out)
        distrusted = findings(call("doctor", *arguments).out)
    assert trusted["way out"] == "ok"
    assert distrusted["way out"] == "bad"
    assert findings(call("doctor", *arguments).out)["way out"] == "note"
