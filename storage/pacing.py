"""How much the analysis may do while much is coming in: it gives way then, and catches up.

Analysing an exchange costs several times what forwarding it does, and it can wait. So a burst is let through first. When it is
none, but goes on, as much is analysed as comes in, if that leaves half a core; of what is more than that the rest waits until
it is over. It never stops for good: whoever sends without a pause still sees one exchange after the other analysed.
"""

import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 1.0
"""How far back arrivals are counted."""
CALM_ARRIVALS = 10
"""More than so many ended exchanges in that time, and the analysis gives way. People and their agents send fewer."""
PATIENCE_S = 10.0
"""What waits without an end for longer than this is no burst."""
LEAST_SHARE = 0.1
"""Of its time the analysis works at least so much, and rests for the remainder."""
MOST_SHARE = 0.5
"""No more than so much while much is coming in; of what needs more, the less the further that is out of reach."""
LONGEST_REST_S = 1.0
_HEADROOM = 1.25
"""What waits already is to be caught up with too."""
_SMOOTHING = 0.1
_MOST_COUNTED = 10_000


class Pacing:
    """Counts what comes in and says how long to rest. `note_arrival` may be called in another thread than the rest.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._arrivals: deque[float] = deque(maxlen=_MOST_COUNTED)
        self._idle_at = clock()
        """When nothing waited, the last time."""
        self._usual_work_s = 0.0
        """For one exchange."""

    def note_arrival(self) -> None:
        """Count an exchange that has just ended."""
        now = self._clock()
        self._arrivals.append(now)
        while self._arrivals[0] <= now - WINDOW_S:
            self._arrivals.popleft()

    def note_idle(self) -> None:
        """Take note that nothing waits."""
        self._idle_at = self._clock()

    @property
    def is_pressed(self) -> bool:
        """Much is coming in."""
        return self._arrived() > CALM_ARRIVALS

    def rest_s(self, worked_s: float) -> float:
        """Return how long to rest after having worked on an exchange for so long; 0 when nothing presses."""
        self._usual_work_s += _SMOOTHING * (worked_s - self._usual_work_s)
        return min(LONGEST_REST_S, worked_s * (1 / self._share() - 1)) if self.is_pressed else 0.0

    def _arrived(self) -> int:
        since = self._clock() - WINDOW_S
        return sum(moment > since for moment in self._arrivals.copy())

    def _share(self) -> float:
        """Return how much of its time the analysis may work."""
        if self._clock() - self._idle_at < PATIENCE_S:
            return LEAST_SHARE
        needed = _HEADROOM * self._usual_work_s * self._arrived() / WINDOW_S
        return max(LEAST_SHARE, needed if needed <= MOST_SHARE else MOST_SHARE**2 / needed)
