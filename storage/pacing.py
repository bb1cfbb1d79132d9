"""How much the analysis may do while much is coming in: it gives way then, and catches up afterwards.

Analysing an exchange costs several times what forwarding it does, and it can wait. It never stops for good: whoever sends
without a pause still sees one exchange after the other analysed.
"""

import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 0.5
"""How far back arrivals are counted."""
CALM_ARRIVALS = 5
"""More than so many ended exchanges in that time, and the analysis gives way. People and their agents send fewer."""
REST_FACTOR = 9
"""Then it rests so many times as long as it worked."""
LONGEST_REST_S = 1.0


class Pacing:
    """Counts what comes in and says how long to rest. `note_arrival` may be called in another thread than the rest.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._arrivals: deque[float] = deque(maxlen=CALM_ARRIVALS + 1)

    def note_arrival(self) -> None:
        """Count an exchange that has just ended."""
        self._arrivals.append(self._clock())

    @property
    def is_pressed(self) -> bool:
        """Much is coming in."""
        arrivals = self._arrivals
        return len(arrivals) > CALM_ARRIVALS and self._clock() - arrivals[0] <= WINDOW_S

    def rest_s(self, worked_s: float) -> float:
        """Return how long to rest after having worked for so long; 0 when nothing presses."""
        return min(LONGEST_REST_S, REST_FACTOR * worked_s) if self.is_pressed else 0.0
