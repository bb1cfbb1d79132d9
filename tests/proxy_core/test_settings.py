import socket
from pathlib import Path

import pytest

from proxy_core.errors import ListenError, ProxySettingsError
from proxy_core.exchange import CaptureMode
from proxy_core.settings import ProxySettings, check_port


def settings(**values: object) -> ProxySettings:
    return ProxySettings(**({"ca_directory": Path("ca")} | values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "spec"),
    [
        ({}, "regular@127.0.0.1:8080"),
        ({"host": "::1", "port": 0}, "regular@::1:0"),
        (
            {"mode": CaptureMode.REVERSE, "reverse_url": "https://api.anthropic.com"},
            "reverse:https://api.anthropic.com@127.0.0.1:8080",
        ),
        ({"mode": CaptureMode.REVERSE, "reverse_url": "http://[::1]:4000/v1"}, "reverse:http://[::1]:4000@127.0.0.1:8080"),
        ({"mode": CaptureMode.LOCAL}, "local"),
        ({"mode": CaptureMode.LOCAL, "local_spec": "claude,node"}, "local:claude,node"),
    ],
)
def test_what_mitmproxy_is_told(values: dict[str, object], spec: str) -> None:
    made = settings(**values)
    made.check()
    assert made.mode_spec() == spec


def test_the_path_of_a_reverse_url() -> None:
    made = settings(mode=CaptureMode.REVERSE, reverse_url="https://gateway.example/anthropic/")
    assert made.reverse_target() == ("https://gateway.example", "gateway.example", "/anthropic/")
    assert settings().reverse_target() == ("", "", "")


@pytest.mark.parametrize(
    "values",
    [
        {"port": -1},
        {"port": 65536},
        {"mode": CaptureMode.IMPORTED},
        {"mode": CaptureMode.REVERSE},
        {"mode": CaptureMode.REVERSE, "reverse_url": "ftp://h"},
        {"mode": CaptureMode.REVERSE, "reverse_url": "https://"},
        {"mode": CaptureMode.REVERSE, "reverse_url": "https://h:port"},
        {"mode": CaptureMode.REVERSE, "reverse_url": "https://u:p@h"},
        {"mode": CaptureMode.REVERSE, "reverse_url": "https://h/?q=1"},
    ],
)
def test_what_makes_no_sense(values: dict[str, object]) -> None:
    with pytest.raises(ProxySettingsError):
        settings(**values).check()


def test_ports() -> None:
    check_port("127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(ListenError, match="is another Assay running"):
            check_port("127.0.0.1", taken.getsockname()[1])
        port = taken.getsockname()[1]
    check_port("127.0.0.1", port)
    with pytest.raises(ListenError, match="not an address of this machine"):
        check_port("no.such.host.invalid", 8080)


def test_a_port_that_needs_more_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ListenError, match="above 1023"):
        check_port("127.0.0.1", 443)
