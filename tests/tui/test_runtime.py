"""The whole: starts in order, stops in order, and leaves nothing behind when something is in the way."""

import socket
import sqlite3
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy_core.exchange import ExchangeState
from proxy_core.standin.server import StandinServer
from storage.recorder_status import RecorderStatus
from tests.tui.live_rig import BODY, KEY, ask, settings_for, standin
from tui.errors import AssayError, AuthorityError, ConfigurationError, DatabaseUnusableError, PortTakenError
from tui.live import LiveSource
from tui.presence import find_running
from tui.runtime import Runtime
from tui.trust import authority_directory


@pytest.fixture
def api() -> Iterator[StandinServer]:
    with standin() as server:
        yield server


def assay_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("assay-")]


def test_an_exchange_goes_all_the_way(tmp_path: Path, api: StandinServer) -> None:
    changes = threading.Semaphore(0)
    with Runtime(settings_for(tmp_path, api), environ={}) as runtime:
        end = runtime.subscribe(changes.release)
        assert ask(runtime).status == 200
        runtime.drain()
        end()
        exchange = runtime.store.exchanges.page()[0]
        detail = runtime.store.exchanges.detail(exchange.id)
    assert exchange.state is ExchangeState.COMPLETE
    assert detail is not None
    assert detail.ledger is not None
    billed = detail.ledger.usage.total_input_tokens
    assert sum(line.tokens for line in detail.ledger.lines if line.zone.value != "output") == billed
    assert changes.acquire(blocking=False)
    assert runtime.counters().stored == 1
    assert runtime.exit_code == 0
    assert runtime.stop_errors == []


def test_it_is_what_the_dashboard_asks_for(tmp_path: Path, api: StandinServer) -> None:
    runtime = Runtime(settings_for(tmp_path, api), environ={})
    assert isinstance(runtime, LiveSource)
    assert (runtime.proxy_url, runtime.ca_bundle, runtime.api_url, runtime.failure()) == (None, None, None, None)
    assert runtime.counters().captured == 0
    assert runtime.response_bytes() == {}
    with pytest.raises(AssayError, match="not started"):
        _ = runtime.store
    with runtime:
        assert (runtime.proxy_url or "").startswith("http://127.0.0.1:")
        assert (runtime.api_url or "").startswith("http://127.0.0.1:")
        assert runtime.ca_bundle is not None
        assert runtime.ca_bundle.exists()
        assert runtime.response_bytes() == {}
        assert not runtime.has_ended


def test_paused_traffic_goes_on_unrecorded(tmp_path: Path, api: StandinServer) -> None:
    with Runtime(replace(settings_for(tmp_path, api), capture=False), environ={}) as runtime:
        assert runtime.counters().is_paused
        assert ask(runtime).status == 200
        runtime.resume()
        assert ask(runtime).status == 200
        runtime.pause()
        assert ask(runtime).status == 200
        runtime.drain()
        assert runtime.store.exchanges.count() == 1


def test_everything_ends_and_is_private(tmp_path: Path, api: StandinServer) -> None:
    data = tmp_path / "data"
    runtime = Runtime(settings_for(data, api), environ={})
    with runtime:
        assert [presence.proxy_url for presence in find_running(data)] == [runtime.proxy_url]
        assert "assay-proxy" in assay_threads()
        ask(runtime)
    assert assay_threads() == []
    assert find_running(data) == []
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in ("assay.db", "api-token"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600


def test_the_key_is_nowhere_on_disk(tmp_path: Path, api: StandinServer) -> None:
    with Runtime(settings_for(tmp_path, api), environ={}) as runtime:
        ask(runtime, BODY.replace(b"Why", KEY.encode()))
        ask(runtime, path=f"/v1/messages?api_key={KEY}")
        runtime.drain()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_a_taken_port_stops_the_start(tmp_path: Path, api: StandinServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = replace(settings_for(tmp_path, api), port=taken.getsockname()[1])
        with pytest.raises(PortTakenError, match="--port 0") as caught:
            Runtime(settings, environ={}).start()
        assert caught.value.exit_code == 3
        with pytest.raises(PortTakenError, match="--api-port 0"):
            Runtime(replace(settings, port=0, api_port=settings.port), environ={}).start()
    assert not (tmp_path / "assay.db").exists()
    assert assay_threads() == []


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_ours(tmp_path: Path, api: StandinServer, host: str) -> None:
    with pytest.raises(PortTakenError):
        Runtime(replace(settings_for(tmp_path, api), listen=host, port=8080), environ={}).start()


def test_a_broken_authority_stops_the_start(tmp_path: Path, api: StandinServer) -> None:
    authority_directory(tmp_path).mkdir(mode=0o700)
    (authority_directory(tmp_path) / "ca.pem").write_text("broken")
    with pytest.raises(AuthorityError):
        Runtime(settings_for(tmp_path, api), environ={}).start()
    assert assay_threads() == []


def test_a_broken_database_stops_the_start(tmp_path: Path, api: StandinServer) -> None:
    (tmp_path / "assay.db").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(DatabaseUnusableError, match=r"assay\.db") as caught:
        Runtime(settings_for(tmp_path, api), environ={}).start()
    assert caught.value.exit_code == 5
    assert assay_threads() == []


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path, api: StandinServer) -> None:
    with Runtime(settings_for(tmp_path, api), environ={}):
        pass
    connection = sqlite3.connect(tmp_path / "assay.db")
    connection.execute("insert into schema_version (version, name, applied_us) values (9999, 'from the future', 1)")
    connection.commit()
    connection.close()
    with pytest.raises(DatabaseUnusableError, match="update Assay"):
        Runtime(settings_for(tmp_path, api), environ={}).start()


@pytest.mark.parametrize(
    "change",
    [
        {"reverse": "ftp://nowhere"},
        {"upstream_proxy": "socks5://x:1"},
        {"upstream_ca": Path("/nowhere.pem")},
        {"prices": Path("/nowhere.toml")},
        {"reverse": "https://a", "local": ""},
        {"api_no_token": True, "api_listen": "0.0.0.0"},
    ],
)
def test_settings_that_make_no_sense_stop_the_start(tmp_path: Path, api: StandinServer, change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Runtime(replace(settings_for(tmp_path, api), **change), environ={}).start()  # type: ignore[arg-type]
    assert caught.value.exit_code == 2
    assert assay_threads() == []


def test_two_of_them_share_a_database(tmp_path: Path, api: StandinServer) -> None:
    settings = settings_for(tmp_path, api)
    with Runtime(settings, environ={}) as first, Runtime(settings, environ={}, is_private=True) as second:
        assert ask(first).status == ask(second).status == 200
        first.drain()
        second.drain()
        states = [exchange.state for exchange in second.store.exchanges.page()]
    assert states == [ExchangeState.COMPLETE] * 2


def test_reverse_mode_tells_its_clients_so(tmp_path: Path, api: StandinServer) -> None:
    settings = replace(settings_for(tmp_path, api), reverse=api.plain_url, upstream_proxy="none")
    with Runtime(settings, environ={}) as runtime:
        assert runtime.address.is_reverse


def test_an_open_api_is_warned_about(tmp_path: Path, api: StandinServer) -> None:
    with Runtime(replace(settings_for(tmp_path, api), api_no_token=True), environ={}) as runtime:
        assert any("no token" in warning for warning in runtime.warnings)


def test_what_goes_wrong_while_stopping_is_told(tmp_path: Path, api: StandinServer, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime(settings_for(tmp_path, api), environ={})
    runtime.start()
    proxy = runtime.parts.proxy

    def fail(drain_s: float) -> None:
        type(proxy).stop(proxy, drain_s)
        raise OSError("it did not want to")

    monkeypatch.setattr(proxy, "stop", fail)
    runtime.stop()
    assert runtime.stop_errors == ["stopping the proxy: it did not want to"]
    assert runtime.exit_code == 1
    assert assay_threads() == []


def test_a_dead_proxy_and_a_failing_writer_are_told(
    tmp_path: Path, api: StandinServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Runtime(settings_for(tmp_path, api), environ={}) as runtime:
        said: list[RecorderStatus] = [RecorderStatus(is_failing=True, last_error="OSError: disk full")]
        monkeypatch.setattr(runtime.parts.recorder, "status", lambda: said[-1])
        assert runtime.failure() == "storing fails, trying again: OSError: disk full"
        said.append(RecorderStatus(failure="gone"))
        assert runtime.failure() == "nothing is stored any more: gone"
        monkeypatch.setattr(runtime.parts.proxy, "_failure", OSError("cut"))
        assert runtime.failure() == "the proxy stopped: cut"
        assert runtime.has_ended
        assert runtime.exit_code == 1
        monkeypatch.undo()


def test_a_recording_process_that_cannot_be_started_stops_the_start(
    tmp_path: Path, api: StandinServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launch(*_module: object, **_options: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("storage.remote_recorder.launch", launch)
    with pytest.raises(AssayError, match="temporarily unavailable"):
        Runtime(settings_for(tmp_path, api), environ={}).start()
    assert assay_threads() == []
