"""Who gives way, and how, in a process of its own: what it gives up cannot be taken back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from proxy_core.priority import LAST, LOW

SAYS = "print(os.getpriority(os.PRIO_PROCESS, 0))"
SAYS_HOW = "print(os.sched_getscheduler(0), open('/proc/thread-self/sched').read())"

pytestmark = pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system knows no niceness")


def run(*lines: str) -> str:
    code = "\n".join(("import os, sys, threading", "from proxy_core.priority import give_way", *lines))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout


def test_it_goes_behind_others_once() -> None:
    said = run("give_way()", "give_way()", SAYS)
    assert int(said) == max(LOW, os.getpriority(os.PRIO_PROCESS, 0))


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
    assert [int(each) for each in said.split()] == [os.getpriority(os.PRIO_PROCESS, 0), LAST]


def test_a_thread_that_has_ended_is_no_error() -> None:
    said = run("t = threading.Thread(target=int)", "t.start(); t.join()", f"give_way({LAST}, t.native_id)", SAYS)
    assert int(said) == os.getpriority(os.PRIO_PROCESS, 0)


def test_who_is_behind_already_stays_there() -> None:
    assert run("os.setpriority(os.PRIO_PROCESS, 0, 17)", "give_way()", SAYS) == "17\n"


@pytest.mark.skipif(not Path("/proc/self/sched").exists(), reason="this system does not tell how turns are taken")
def test_its_threads_take_long_turns_and_wake_nobody_out_of_his() -> None:
    said = run("give_way()", f"t = threading.Thread(target=lambda: {SAYS_HOW})", "t.start(); t.join()")
    assert int(said.split()[0]) == os.SCHED_BATCH
    turns = re.findall(r"^se.slice\s*:\s*(\d+)$", said, re.MULTILINE)  # told from the Linux on that obeys
    assert all(int(turn) == 100_000_000 for turn in turns)


def test_where_turns_cannot_be_asked_for_the_niceness_is_lowered_still() -> None:
    said = run("import platform", "platform.machine = lambda: 'unheard of'", "give_way()", SAYS)
    assert int(said) == max(LOW, os.getpriority(os.PRIO_PROCESS, 0))
