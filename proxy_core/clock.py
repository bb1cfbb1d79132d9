"""One clock for all times of an exchange: monotonic, anchored to the wall clock once.

Differences between two times hold even when somebody sets the wall clock meanwhile.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from functools import partial

# A clock that goes on while the machine sleeps: a laptop's lid must not date the next day's exchanges back.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
_ticks_ns: Callable[[], int] = time.monotonic_ns if _CLOCK is None else partial(time.clock_gettime_ns, _CLOCK)
_ANCHOR_US = time.time_ns() // 1000 - _ticks_ns() // 1000
_STEP_US = 500_000
"""A clock that moved by more than this against ours was set."""
_REMEMBERED_STEPS = 4
_DAY_US = 86_400_000_000

# Seeded by the system once; an id names an exchange, it guards nothing, and a system call each would cost more.
_random = random.Random()  # noqa: S311


def now_us() -> int:
    """Return microseconds since the epoch (UTC)."""
    return _ANCHOR_US + _ticks_ns() // 1000


class WallReadings:
    """Moves readings of the wall clock, taken a moment ago, onto our clock; also those taken before somebody set it.

    Args:
        now_us: Our clock.
        wall_s: The wall clock.
    """

    def __init__(self, now_us: Callable[[], int] = now_us, wall_s: Callable[[], float] = time.time) -> None:
        self._now_us = now_us
        self._wall_s = wall_s
        self._ahead_us = self._measure(now_us())
        """How far the wall clock is ahead of ours."""
        self._before: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_STEPS)
        """How far it was before it was set, and when that was noticed."""

    def to_us(self, wall_s: float) -> int:
        """Return when it was on our clock; what cannot be true becomes now."""
        now_us = self._now_us()
        ahead_us = self._measure(now_us)
        if abs(ahead_us - self._ahead_us) > _STEP_US:
            self._before.append((self._ahead_us, now_us))
        self._ahead_us = ahead_us
        wall_us = int(wall_s * 1_000_000)
        older = (wall_us - ahead for ahead, until_us in self._before if wall_us - ahead <= until_us)
        # It was a moment ago: of what it may have been, the latest.
        likely_us = max((us for us in (wall_us - ahead_us, *older) if us <= now_us), default=now_us)
        return likely_us if now_us - likely_us < _DAY_US else now_us

    def _measure(self, now_us: int) -> int:
        return int(self._wall_s() * 1_000_000) - now_us


_readings = WallReadings(wall_s=lambda: time.time())  # noqa: PLW0108 - asked for anew each time, so that tests can set it


def wall_to_us(wall_s: float | None) -> int | None:
    """Move a `time.time()` taken a moment ago onto this clock; mitmproxy stamps with the wall clock. For one thread."""
    return None if wall_s is None else _readings.to_us(wall_s)


def new_exchange_id(at_us: int) -> str:
    """Return 32 hex digits that sort by time: UUID version 7 with the microseconds in its 12 spare bits."""
    milliseconds, microseconds = divmod(at_us, 1000)
    fraction = microseconds * 4096 // 1000
    tail = 0x8000000000000000 | _random.getrandbits(62)
    return f"{milliseconds & 0xFFFFFFFFFFFF:012x}7{fraction:03x}{tail:016x}"
