"""One clock for all times of an exchange: monotonic, anchored to the wall clock once.

Differences between two times hold even when somebody sets the wall clock meanwhile.
"""

import random
import time

# A clock that goes on while the machine sleeps: a laptop's lid must not date the next day's exchanges back.
_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_ANCHOR_US = time.time_ns() // 1000 - time.clock_gettime_ns(_CLOCK) // 1000


# Seeded by the system once; an id names an exchange, it guards nothing, and a system call each would cost more.
_random = random.Random()  # noqa: S311


def now_us() -> int:
    """Return microseconds since the epoch (UTC)."""
    return _ANCHOR_US + time.clock_gettime_ns(_CLOCK) // 1000


def wall_to_us(wall_s: float | None) -> int | None:
    """Move a `time.time()` taken a moment ago onto this clock.

    mitmproxy stamps with the wall clock. The distance from now is what counts; one that cannot be
    true (the wall clock was set in between) becomes now.
    """
    if wall_s is None:
        return None
    ago_us = int((time.time() - wall_s) * 1_000_000)
    return now_us() - ago_us if 0 <= ago_us < 86_400_000_000 else now_us()


def new_exchange_id(at_us: int) -> str:
    """Return 32 hex digits that sort by time: UUID version 7 with the microseconds in its 12 spare bits."""
    milliseconds, microseconds = divmod(at_us, 1000)
    fraction = microseconds * 4096 // 1000
    tail = 0x8000000000000000 | _random.getrandbits(62)
    return f"{milliseconds & 0xFFFFFFFFFFFF:012x}7{fraction:03x}{tail:016x}"
