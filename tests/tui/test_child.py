"""A child keeps its streams, its exit code and its signals."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tui.child import run_child

ROOT = Path(__file__).parents[2]


def run_wrapper(*command: str, **options: object) -> "subprocess.CompletedProcess[bytes]":
    code = f"import sys; from tui.child import run_child; sys.exit(run_child({list(command)!r}, {{'ASSAY_TEST': 'x'}}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, timeout=90, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_exit_code_is_passed_on(code: int) -> None:
    assert run_child([sys.executable, "-c", f"raise SystemExit({code})"], {}) == code


def test_streams_and_environment_are_the_childs_own() -> None:
    script = "import os, sys; os.write(1, sys.stdin.buffer.read()[::-1]); print(os.environ['ASSAY_TEST'], file=sys.stderr)"
    result = run_wrapper(sys.executable, "-c", script, input=b"abc\x00\xff")
    assert (result.stdout, result.stderr) == (b"\xff\x00cba", b"x\n")


def test_death_by_signal_is_told_as_shells_do() -> None:
    assert (
        run_child([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], {}) == 128 + signal.SIGKILL
    )


def test_missing_and_unfit_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("no program")
    assert run_child(["no-such-program-here"], {}) == 127
    assert run_child([str(plain)], {}) == 126
    assert "command not found" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1"])
def test_signals_reach_the_child(name: str) -> None:
    child = textwrap.dedent(f"""
        import signal, sys
        signal.signal(signal.{name}, lambda *_: sys.exit(7))
        print("ready", flush=True)
        signal.pause()
    """)
    code = f"import sys; from tui.child import run_child; sys.exit(run_child([sys.executable, '-c', {child!r}], {{}}))"
    # A session of its own: no terminal that would deliver keyboard signals to the child as well.
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True) as wrapper:
        assert wrapper.stdout is not None
        assert wrapper.stdout.readline() == b"ready\n"
        os.kill(wrapper.pid, getattr(signal, name))
        assert wrapper.wait(90) == 7


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    run_child([sys.executable, "-c", ""], {})
    assert signal.getsignal(signal.SIGTERM) is before
