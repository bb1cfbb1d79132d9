"""What a client is told: the proxy, who is exempt, and what to trust, without taking away what it trusted before."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tui.environment import ProxyAddress, client_environment, environment_before, shell_lines, upstream_of


def address(**changes: Any) -> ProxyAddress:
    fields: dict[str, Any] = {
        "url": "http://127.0.0.1:8080",
        "is_reverse": False,
        "certificate": Path("/d/ca-cert.pem"),
        "bundle": Path("/d/ca-bundle.pem"),
    }
    return ProxyAddress(**(fields | changes))


def test_proxy_and_trust_are_set_and_plain_http_left_alone() -> None:
    variables = client_environment(address(), {})
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == "http://127.0.0.1:8080"
    assert variables["NODE_EXTRA_CA_CERTS"] == "/d/ca-cert.pem"
    assert variables["SSL_CERT_FILE"] == variables["REQUESTS_CA_BUNDLE"] == variables["CURL_CA_BUNDLE"] == "/d/ca-bundle.pem"
    assert "HTTP_PROXY" not in variables


def test_reverse_mode_names_a_base_url_only() -> None:
    assert client_environment(address(is_reverse=True), {}) == {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8080"}


def test_exemptions_are_kept_but_for_captured_hosts() -> None:
    environ = {"NO_PROXY": "corp.example, .anthropic.com,*"}
    assert client_environment(address(), environ)["NO_PROXY"] == "localhost,127.0.0.1,::1,corp.example"


def test_an_intercepted_loopback_host_is_not_exempt() -> None:
    assert client_environment(address(intercept=("localhost",)), {})["NO_PROXY"] == "127.0.0.1,::1"


def test_extra_certificates_of_the_user_stay_trusted() -> None:
    variables = client_environment(address(extra_ca=(Path("/corp.pem"),)), {"NODE_EXTRA_CA_CERTS": "/corp.pem"})
    assert variables["NODE_EXTRA_CA_CERTS"] == "/d/ca-bundle.pem"
    assert variables["ASSAY_EXTRA_CA"] == "/corp.pem"


def test_upstream_proxy_is_handed_on() -> None:
    assert client_environment(address(upstream_proxy="http://corp:3128"), {})["ASSAY_UPSTREAM_PROXY"] == "http://corp:3128"


def test_the_way_out_is_never_an_assay() -> None:
    inside = client_environment(address(), {})
    assert upstream_of(inside) is None
    assert upstream_of({"https_proxy": "http://corp:3128", "ASSAY_PROXY_URL": "http://127.0.0.1:8080"}) == "http://corp:3128"
    assert environment_before({"PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize("value", ["plain", "with space", "it's", '"$(rm)"', "back\\slash", "a;b&c"])
def test_posix_lines_survive_the_shell(value: str) -> None:
    line = "\n".join(shell_lines({"NAME": value}, "bash"))
    result = subprocess.run(["sh", "-c", f'{line}\nprintf %s "$NAME"'], capture_output=True, text=True, check=True)
    assert result.stdout == value


def test_other_shells_quote_as_they_want() -> None:
    assert shell_lines({"A": "it's \\"}, "fish") == ["set -gx A 'it\\'s \\\\'"]
    assert shell_lines({"HTTPS_PROXY": "it's", "https_proxy": "it's"}, "powershell") == ["$env:HTTPS_PROXY = 'it''s'"]
