import pytest

from proxy_core.errors import ProxySettingsError
from proxy_core.upstream_proxy import UpstreamProxy, choose_upstream_proxy, parse_upstream_proxy


def test_reading_an_address() -> None:
    assert parse_upstream_proxy("http://u:p%40ss@proxy.corp:3128/") == UpstreamProxy("http", "proxy.corp", 3128, "u:p@ss")
    assert parse_upstream_proxy("proxy.corp:8080") == UpstreamProxy("http", "proxy.corp", 8080)
    assert parse_upstream_proxy("https://proxy.corp") == UpstreamProxy("https", "proxy.corp", 443)
    assert parse_upstream_proxy("http://user@proxy") == UpstreamProxy("http", "proxy", 80, "user:")


@pytest.mark.parametrize("url", ["socks5://u:secret@h:1", "http://u:secret@", "http://u:secret@h:99999", "ftp://h"])
def test_what_is_no_proxy_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ProxySettingsError) as raised:
        parse_upstream_proxy(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("option", "environment", "host"),
    [
        (None, {}, None),
        (None, {"HTTPS_PROXY": "http://a:1"}, "a"),
        (None, {"https_proxy": "http://b:1", "HTTPS_PROXY": "http://a:1"}, "b"),
        (None, {"ALL_PROXY": "http://c:1"}, "c"),
        (None, {"HTTPS_PROXY": ""}, None),
        ("http://d:1", {"HTTPS_PROXY": "http://a:1"}, "d"),
        ("none", {"HTTPS_PROXY": "http://a:1"}, None),
        ("", {"HTTPS_PROXY": "http://a:1"}, None),
    ],
)
def test_the_option_goes_before_the_environment(option: str | None, environment: dict[str, str], host: str | None) -> None:
    proxy = choose_upstream_proxy(option, environment)
    assert (proxy.host if proxy else None) == host


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_covered"),
    [
        ("", "api.anthropic.com", True),
        ("*", "api.anthropic.com", False),
        ("localhost, .corp.example", "a.corp.example", False),
        ("corp.example", "a.corp.example", False),
        ("corp.example", "corp.example", False),
        ("*.corp.example", "a.corp.example", False),
        ("corp.example", "notcorp.example", True),
        ("127.0.0.1", "127.0.0.1", False),
        ("10.0.0.0/8", "10.1.2.3", False),
        ("10.0.0.0/8", "11.1.2.3", True),
        ("10.0.0.0/8", "host.example", True),
        ("::1", "::1", False),
        ("host.example:443", "host.example", False),
        ("host.example:80", "host.example", True),
        (",,", "host.example", True),
    ],
)
def test_no_proxy(no_proxy: str, host: str, is_covered: bool) -> None:
    assert parse_upstream_proxy("http://p:1", no_proxy).covers(host, 443) is is_covered
