"""The trends of the sources in sight: asked for when a row is first drawn, since there may be thousands of rows. Pure."""

from collections.abc import Callable, Mapping, Sequence


class Trends:
    """What is known of them; what is drawn before it is known is asked for.

    Args:
        ask: Called once when there is something to ask for, until `take_asked`; it may not ask at once, within the drawing.
    """

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._known: dict[int, Sequence[int]] = {}
        self._asked: set[int] = set()
        """Sources asked for since the last renewal."""
        self._unsent: list[int] = []

    def of(self, source_id: int) -> Sequence[int]:
        """Return what a source's is, as far as it is known; empty: unknown as yet."""
        if source_id not in self._asked:
            self._asked.add(source_id)
            self._unsent.append(source_id)
            if len(self._unsent) == 1:
                self._ask()
        return self._known.get(source_id, ())

    def take_asked(self) -> Sequence[int]:
        """Return the sources whose trends are to be read now."""
        taken, self._unsent = self._unsent, []
        return taken

    def learn(self, read: Mapping[int, Sequence[int]]) -> None:
        """Take what was read."""
        self._known |= read

    def renew(self, *, is_same_time: bool) -> None:
        """Ask for all that is drawn from now on once more; what is known is shown until then, unless it is of another time."""
        self._asked.clear()
        self._unsent.clear()
        if not is_same_time:
            self._known.clear()
