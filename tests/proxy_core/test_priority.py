"""Who gives way, and how, in a process of its own: what it gives up cannot be taken back."""

import os
import re
import subprocess
import sys

import pytest

from proxy_core.priority import LAST, LOW

SAYS = "print(os.getpriority(os.PRIO_PROCESS, 0), open('/proc/thread-self/sched').read() if sys.platform == 'linux' else '')"

pytestmark = pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system knows no niceness")


def run(*lines: str) -> str:
    code = "\n".join(("import os, sys, threading", "from proxy_core.priority import give_way", *lines))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout


def test_it_goes_behind_others_once() -> None:
    said = run("give_way()", "give_way()", SAYS)
    assert int(said.split()[0]) == max(LOW, os.getpriority(os.PRIO_PROCESS, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere priorities are of processes")
def test_another_thread_is_sent_behind_others_alone() -> None:
    said = run(
        "there, go_on = threading.Event(), threading.Event()",
        f"t = threading.Thread(target=lambda: (there.set(), go_on.wait(), {SAYS}))",
        "t.start(); there.wait()",
        f"give_way({LAST}, t.native_id)",
        SAYS,
        "go_on.set(); t.join()",
    )
    first, second = re.findall(r"^(\d+) python", said, re.MULTILINE)
    assert (int(first), int(second)) == (os.getpriority(os.PRIO_PROCESS, 0), LAST)


def test_a_thread_that_has_ended_is_no_error() -> None:
    said = run("t = threading.Thread(target=print)", "t.start(); t.join()", f"give_way({LAST}, t.native_id)", SAYS)
    assert int(said.split()[0]) == os.getpriority(os.PRIO_PROCESS, 0)


def test_who_is_behind_already_stays_there() -> None:
    assert run("os.setpriority(os.PRIO_PROCESS, 0, 17)", "give_way()", SAYS).split()[0] == "17"


@pytest.mark.skipif(sys.platform != "linux", reason="turns are Linux's")
def test_its_threads_take_long_turns_and_wake_nobody_out_of_his() -> None:
    said = run("give_way()", f"t = threading.Thread(target=lambda: {SAYS})", "t.start(); t.join()")
    assert re.search(rf"^policy\s*:\s*{os.SCHED_BATCH}$", said, re.MULTILINE)
    turn = re.search(r"^se.slice\s*:\s*(\d+)$", said, re.MULTILINE)
    if turn is None:
        pytest.skip("this kernel does not tell how long turns are")
    assert int(turn[1]) == 100_000_000


def test_where_turns_cannot_be_asked_for_the_niceness_is_lowered_still() -> None:
    said = run("import platform", "platform.machine = lambda: 'unheard of'", "give_way()", SAYS)
    assert int(said.split()[0]) == max(LOW, os.getpriority(os.PRIO_PROCESS, 0))
