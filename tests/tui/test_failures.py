"""Failures in plain words, with the exact thing to do, and what the system said."""

import pytest

from tui.failures import explain_failure, explain_listening, explain_unreachable

_BIND = "the proxy stopped: [Errno {}] error while attempting to bind on address ('127.0.0.1', 8080): {}"


@pytest.mark.parametrize(
    ("platform", "who"),
    [
        ("linux", "ss -ltnp 'sport = :8080'"),
        ("darwin", "lsof -nP -iTCP:8080 -sTCP:LISTEN"),
        ("win32", "netstat -ano | findstr :8080"),
    ],
)
def test_a_taken_port_is_named_with_another_and_how_to_find_who_has_it(
    monkeypatch: pytest.MonkeyPatch, platform: str, who: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    trouble = explain_failure(_BIND.format(98, "address already in use"))
    assert trouble.text == "Port 8080 is taken: another program listens on 127.0.0.1:8080"
    assert trouble.remedy.startswith("q, then assay --port 8081; ")
    assert trouble.remedy.endswith(who)
    assert trouble.words.startswith("[Errno 98]")
    assert trouble.is_stopped


def test_on_the_command_line_a_port_of_its_choice_is_offered_where_there_is_one() -> None:
    words = "[Errno 98] Address already in use"
    assert explain_listening("127.0.0.1", 8080, words).remedy.startswith("--port 0 takes any that is free, --port 8081; ")
    assert explain_listening("127.0.0.1", 8000, words, "--web-port").remedy.startswith("--web-port 8001; ")


def test_after_the_last_port_no_next_one_is_named() -> None:
    assert "--port 65536" not in explain_listening("127.0.0.1", 65_535, "[Errno 98] Address already in use").remedy


def test_a_port_that_needs_rights() -> None:
    low = explain_listening("127.0.0.1", 443, "[Errno 13] Permission denied")
    assert low.text == "Not allowed to listen on port 443: those below 1024 are the system's"
    assert low.remedy.startswith("--port 8443")
    high = explain_listening("127.0.0.1", 8080, "[WinError 10013] forbidden")
    assert high.text == "Not allowed to listen on port 8080"
    assert high.remedy.startswith("--port 0")


@pytest.mark.parametrize(
    ("option", "other"), [("--port", "--listen"), ("--api-port", "--api-listen"), ("--web-port", "--web-host")]
)
def test_an_address_of_another_machine(option: str, other: str) -> None:
    trouble = explain_listening("192.0.2.1", 8080, "[Errno 99] Cannot assign requested address", option)
    assert trouble.text == "192.0.2.1 is no address of this machine"
    assert trouble.remedy.startswith(f"{other} 127.0.0.1")


def test_an_address_that_went_away_while_it_ran() -> None:
    trouble = explain_failure("the proxy stopped: cannot listen on 10.0.0.7:8080: cannot assign requested address")
    assert trouble.text == "10.0.0.7 is no address of this machine"
    assert "assay --listen 127.0.0.1" in trouble.remedy


def test_too_many_open_files() -> None:
    assert "ulimit -n" in explain_failure("the proxy stopped: [Errno 24] Too many open files").remedy


def test_any_other_end_keeps_what_was_said() -> None:
    trouble = explain_failure("the proxy stopped: the proxy's event loop ended")
    assert trouble.text.startswith("The proxy has stopped")
    assert trouble.words == "the proxy's event loop ended"


@pytest.mark.parametrize("beginning", ["nothing is stored any more: ", "storing fails, trying again: "])
def test_storing_that_fails_leaves_the_proxy_running(beginning: str) -> None:
    trouble = explain_failure(f"{beginning}database is locked")
    assert not trouble.is_stopped
    assert "traffic goes on" in trouble.text
    assert trouble.words == "database is locked"


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("[Errno -2] Name or service not known", "its name is not found: no network, or no DNS"),
        ("[Errno 8] nodename nor servname provided, or not known", "its name is not found: no network, or no DNS"),
        ("[Errno 111] Connect call failed ('127.0.0.1', 443)", "nobody listens at its address"),
        ("[Errno 101] Network is unreachable", "there is no way to it: no network, or no VPN"),
        ("certificate verify failed: self-signed", "its certificate is not trusted (--upstream-ca adds one)"),
        ("connection to api.anthropic.com was reset", "connection to api.anthropic.com was reset"),
    ],
)
def test_why_the_api_cannot_be_reached(words: str, plain: str) -> None:
    assert explain_unreachable(words) == plain
