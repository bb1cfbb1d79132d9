"""What can wait lets those go first who cannot: whoever is forwarded, and whoever looks at the screen.

A low priority is not enough. What Linux wakes on a core where something else runs waits for the next tick of the clock (4 ms
at 250 Hz) unless it is due before; and it compares sessions, not processes, so that a process in a session of its own has as
much as all of another together. So our processes stay in the session they come from, and ask for the longest turn there is:
whoever asks for a shorter one, as everybody does who asks for none, goes before them the moment he is woken.
"""

import contextlib
import ctypes
import os
import platform
import struct
import sys

NICENESS = 10
_LONGEST_TURN_NS = 100_000_000
"""`sched_runtime` of `sched_setattr(2)`, which Linux obeys from 6.12 on; before, it does nothing."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
_SYSTEM_CALLS = {"x86_64": 314, "aarch64": 274}


def give_way() -> None:
    """Let this thread, and the threads and processes it starts from now on, go behind all others. Twice is as once."""
    if not hasattr(os, "setpriority"):
        return
    niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0))
    if not _take_long_turns(niceness):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, niceness)


def _take_long_turns(niceness: int) -> bool:
    """Say whether the system could be asked for it."""
    number = _SYSTEM_CALLS.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return False
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_BATCH, 0, niceness, 0, _LONGEST_TURN_NS, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, 0, attributes, 0) == 0)
