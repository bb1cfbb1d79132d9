"""What can wait lets those go first who cannot: whoever is forwarded, and whoever looks at the screen.

A low priority is not enough. What Linux wakes on a core where something else runs waits for the next tick of the clock (4 ms
at 250 Hz) unless it is due before; and it may compare sessions first (autogroup), so that a process in a session of its own has
as much as all of another together. So our processes stay in the session they come from, and ask for the longest turn there is:
whoever asks for a shorter one, as everybody does who asks for none, goes before them the moment he is woken. Who has had little
for long is due all the same; the lower its priority, the sooner it has had its share.
"""

import contextlib
import ctypes
import os
import platform
import struct
import sys

LOW = 10
"""For what works for long: beside one that would have a whole core, a tenth of it is left, by the weights of Linux."""
LAST = 19
"""For what works little and often."""
_LONGEST_TURN_NS = 100_000_000
"""`sched_runtime` of `sched_setattr(2)`, which Linux obeys from 6.12 on; before, it does nothing."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
_SYSTEM_CALLS = {"x86_64": 314, "aarch64": 274}


def give_way(niceness: int = LOW, thread_id: int = 0) -> None:
    """Let this thread, and the threads and processes it starts from now on, go behind others.

    Args:
        niceness: `LOW` or `LAST`; a thread that has a higher one keeps it.
        thread_id: The system's id of another thread instead; where priorities are of processes, nothing is done then.
    """
    if not hasattr(os, "setpriority") or (thread_id and sys.platform != "linux"):
        return
    with contextlib.suppress(OSError):  # the thread has ended
        niceness = max(niceness, os.getpriority(os.PRIO_PROCESS, thread_id))
        if not _take_long_turns(niceness, thread_id):
            os.setpriority(os.PRIO_PROCESS, thread_id, niceness)


def _take_long_turns(niceness: int, thread_id: int) -> bool:
    """Say whether the system could be asked for it."""
    number = _SYSTEM_CALLS.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return False
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_BATCH, 0, niceness, 0, _LONGEST_TURN_NS, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, thread_id, attributes, 0) == 0)
