"""The commands that capture, called in this process: what a program of its own would do, with every branch in sight."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from proxy_core.standin.server import StandinServer
from storage.recorder_status import RecorderStatus
from tests.tui.cli.conftest import Call
from tests.tui.live_rig import BODY, HEADERS, ask, options_for, settings_for, standin
from tui import troubles
from tui.browser import BrowserServer
from tui.cli import live
from tui.cli.progress import shown_progress
from tui.cli.run import run
from tui.cli.summary import trouble_lines
from tui.headless import run_headless
from tui.presence import find_running
from tui.runtime import Runtime


@pytest.fixture
def api() -> Iterator[StandinServer]:
    with standin() as server:
        yield server


def end_soon(directory: Path, number: signal.Signals = signal.SIGTERM) -> threading.Thread:
    """Send this process a signal once an Assay runs in a directory and waits for that signal."""
    return end_when_awaited(number, lambda: bool(find_running(directory)))


def end_when_awaited(number: signal.Signals, is_running: Callable[[], bool] = lambda: True) -> threading.Thread:
    """Send this process a signal once something has taken it over: sent too early, it would end the tests."""
    before = signal.getsignal(number)

    def wait() -> None:
        waiting = threading.Event()
        for _ in range(1_200):
            if is_running() and signal.getsignal(number) is not before:
                os.kill(os.getpid(), number)
                return
            waiting.wait(0.05)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_demo(call: Call, tmp_path: Path) -> None:
    arguments = ["--headless", "--format", "json", "--fast", "--sessions", 1, "--clients", 1, "--no-api"]
    result = call("demo", *arguments, "--database", tmp_path / "demo.db")
    assert result.code == 0
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert len(lines) > 5
    assert "eval" not in result.err
    assert call("verify", "--database", tmp_path / "demo.db").code == 0


def test_run(call: Call, api: StandinServer, tmp_path: Path) -> None:
    assert call("run", *options_for(tmp_path, api), "--", sys.executable, "-c", "raise SystemExit(5)").code == 5
    (tmp_path / "file").write_text("")
    assert call("run", "--data-dir", tmp_path / "file", "--", "true").code == 125
    assert call("run").code == 2


def test_run_sums_up(api: StandinServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = (
        "import os, sys, json; from pathlib import Path; from proxy_core.standin.client import ProxiedClient; "
        "host, port = os.environ['HTTPS_PROXY'].removeprefix('http://').split(':'); "
        "c = ProxiedClient((host, int(port)), Path(os.environ['SSL_CERT_FILE'])); "
        f"c.send('POST', '/v1/messages', {HEADERS!r}, {BODY!r})"
    )
    settings = settings_for(tmp_path, api)
    assert run(settings, (sys.executable, "-c", client), is_quiet=False) == 0
    errors = capsys.readouterr().err
    assert "1 request, " in errors
    assert "User" in errors


def test_headless_until_a_signal(api: StandinServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = Runtime(settings_for(tmp_path, api), environ={})
    ending = end_soon(tmp_path)
    assert run_headless(runtime, "text", begin=lambda: print(ask(runtime).status, file=sys.stderr)) == 0
    ending.join()
    printed = capsys.readouterr()
    assert "POST api.anthropic.com/v1/messages" in printed.out
    assert "JSON API on" in printed.err
    assert "200" in printed.err


def test_headless_tells_what_went_wrong(api: StandinServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = Runtime(settings_for(tmp_path, api), environ={})

    def spoil() -> None:
        runtime.parts.feed.count_error("hook", ValueError("odd"))
        runtime.warnings.append("mind the gap")
        runtime.stop_errors.append("stopping the cat: asleep")

    assert run_headless(runtime, "json", begin=spoil, has_finished=lambda: True) == 1
    errors = capsys.readouterr().err
    assert "1 while capturing" in errors
    assert "asleep" in errors


def test_headless_tells_troubles_while_it_runs(
    api: StandinServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(troubles, "LASTING_S", 0.0)
    runtime = Runtime(settings_for(tmp_path, api), environ={})
    looks: list[int] = []

    def found() -> dict[str, str]:
        looks.append(1)
        return {"storing": "disk full"} if len(looks) == 1 else {}

    monkeypatch.setattr(runtime, "troubles", found)
    assert run_headless(runtime, "json", has_finished=lambda: len(looks) > 2) == 0
    errors = capsys.readouterr().err
    assert errors.count("storing fails, traffic goes on: disk full") == errors.count("storing works again") == 1


def test_troubles_are_found_in_every_part(api: StandinServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Runtime(settings_for(tmp_path, api), environ={}).troubles() == {}
    with Runtime(settings_for(tmp_path, api), environ={}) as runtime:
        assert runtime.troubles() == {}
        said = RecorderStatus(is_failing=True, last_error="locked", analysis_failure="bug", retention_failure="malformed")
        monkeypatch.setattr(runtime.parts.recorder, "status", lambda: said)
        monkeypatch.setattr(runtime.parts.api, "failure", OSError("gone"))
        assert runtime.troubles() == {
            "storing": "trying again: locked",
            "analysis": "bug",
            "retention": "malformed",
            "JSON API": "gone",
        }
        monkeypatch.undo()


def test_trouble_is_told_by_kind(api: StandinServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Runtime(settings_for(tmp_path, api), environ={}) as runtime:
        assert trouble_lines(runtime) == []
        said = RecorderStatus(dropped=2, failure="gone")
        monkeypatch.setattr(runtime.parts.recorder, "status", lambda: said)
        assert [line.split()[0] for line in trouble_lines(runtime)] == ["2", "nothing"]
        monkeypatch.undo()


def test_api_alone(call: Call, captured: Path) -> None:
    ending = end_when_awaited(signal.SIGTERM)
    result = call("api", "--data-dir", captured, "--api-port", 0, "--api-no-token")
    ending.join()
    assert result.code == 0
    assert "JSON API on http://127.0.0.1:" in result.err
    assert "WARNING" in result.err


class FakeApp:
    """Stands in for the dashboard: closes at once, as it is told to."""

    return_code: ClassVar[int | None] = 0
    error: ClassVar[Exception | None] = None
    seen: ClassVar[list[Any]] = []

    def __init__(self, store: Any, runtime: Any = None, when_painted: Callable[[], None] = lambda: None) -> None:
        self.seen.append(store)
        self._when_painted = when_painted

    def run(self) -> None:
        self._when_painted()
        if self.error is not None:
            raise self.error

    def exit(self) -> None:
        """Do nothing."""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> type[FakeApp]:
    import tui.app

    monkeypatch.setattr(tui.app, "AssayApp", FakeApp)
    monkeypatch.setattr("tui.screen_process.can_share", lambda _database: False)
    monkeypatch.setattr(FakeApp, "return_code", 0)
    monkeypatch.setattr(FakeApp, "error", None)
    monkeypatch.setattr(FakeApp, "seen", [])
    return FakeApp


def test_the_dashboard_is_closed(app: type[FakeApp], api: StandinServer, tmp_path: Path) -> None:
    assert live.run_dashboard(Runtime(settings_for(tmp_path, api), environ={})) == 0
    assert len(app.seen) == 1


@pytest.mark.parametrize("error", [None, RuntimeError("broken screen")])
def test_capturing_goes_on_when_the_dashboard_fails(
    app: type[FakeApp],
    api: StandinServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception | None,
) -> None:
    monkeypatch.setattr(app, "error", error)
    monkeypatch.setattr(app, "return_code", 1)
    begun: list[bool] = []
    runtime = Runtime(settings_for(tmp_path, api), environ={})
    real = live.say

    def say(text: str) -> None:
        real(text)
        assert ask(runtime).status == 200
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(live, "say", say)
    assert live.run_dashboard(runtime, lambda: begun.append(True)) == 1
    assert begun == [True]
    assert "capturing goes on" in capsys.readouterr().err


def test_a_terminal_that_goes_away_together_with_the_dashboard_ends_it_in_order(
    app: type[FakeApp], api: StandinServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The signal comes after the screen has failed and before anybody waits for another one."""
    runtime = Runtime(settings_for(tmp_path, api), environ={})

    def fail(_app: FakeApp) -> None:
        assert ask(runtime).status == 200
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)

    monkeypatch.setattr(app, "run", fail)
    monkeypatch.setattr(app, "return_code", 1)
    assert live.run_dashboard(runtime) == 0
    assert "goes on" not in capsys.readouterr().err
    assert runtime.counters().stored == 1


def test_a_terminal_that_goes_away_without_a_signal_ends_it_in_order(
    app: type[FakeApp], api: StandinServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.terminal.end_with_terminal", lambda: signal.raise_signal(signal.SIGHUP))
    closed: list[bool] = []
    monkeypatch.setattr(app, "exit", lambda _app: closed.append(True))
    assert live.run_dashboard(Runtime(settings_for(tmp_path, api), environ={})) == 0
    assert closed


def test_view_opens_the_dashboard(app: type[FakeApp], call: Call, captured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.view.has_terminal", lambda: True)
    assert call("view", "--data-dir", captured).code == 0
    assert len(app.seen) == 1


def test_with_a_terminal_the_dashboard_is_shown(
    app: type[FakeApp], call: Call, api: StandinServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "has_terminal", lambda: True)
    assert call("--port", 0, "--no-api", *options_for(tmp_path, api)).code == 0
    assert len(app.seen) == 1


def test_serve(call: Call, captured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[BrowserServer] = []
    monkeypatch.setattr(BrowserServer, "serve", lambda server: served.append(server))  # noqa: PLW0108 - bound, unlike the method of a list
    monkeypatch.setattr("os.environ", dict(os.environ))
    printed = call("serve", "--data-dir", captured)
    assert printed.code == 0
    assert served[0].address in printed.err
    assert served[0].command.endswith(" view")
    assert os.environ["ASSAY_DATA_DIR"] == str(captured)
    monkeypatch.setitem(sys.modules, "tui.browser", None)
    assert "pip install textual-serve" in call("serve", "--data-dir", captured).err


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with shown_progress("working") as progress:
        progress(1, 3)
        progress(3, 3)
    assert "working" in capsys.readouterr().err
