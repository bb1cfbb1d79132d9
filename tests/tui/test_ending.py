"""Signals end it, however often and whenever they come."""

import os
import signal
import subprocess
import sys

import pytest

from tui.ending import ending_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_end_it_and_are_put_back(number: signal.Signals) -> None:
    before, heard = signal.getsignal(number), []
    with ending_signals(lambda: heard.append(number)) as ending:
        os.kill(os.getpid(), number)
        assert ending.wait(60)
        assert heard == [number]
        # Of a terminal that is gone both the system and the shell tell.
        assert (signal.getsignal(number) is signal.SIG_DFL) == (number is not signal.SIGHUP)
    assert signal.getsignal(number) is before


def test_who_asked_for_no_hang_up_gets_none() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_signals() as ending:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not ending.wait(0.05)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_that_interrupt_each_other_wait_for_nothing() -> None:
    # From outside: within this process a signal would wait for the interpreter lock, and so for the handler before.
    storm = "import os, sys, time\nfor _ in range(30_000): os.kill(int(sys.argv[1]), 1); time.sleep(0)"
    heard = 0

    def hear() -> None:
        nonlocal heard
        heard += 1

    with ending_signals(hear) as ending, subprocess.Popen([sys.executable, "-c", storm, str(os.getpid())]) as sender:
        while sender.poll() is None:
            assert ending.wait(0.001) or not heard
        assert ending.wait(60)
    assert heard > 1
