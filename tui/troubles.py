"""Says on standard error what stopped working while Assay runs without a screen, and that it works again: each once.

It must never raise: whoever reads standard error may be gone, and capturing goes on.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import click

type Ask = Callable[[], Mapping[str, str]]

LASTING_S = 1.0
"""What is over sooner is not told."""
_LOOK_S = 0.5


def say(text: str) -> None:
    """Write a line to standard error, if anybody reads it."""
    with suppress(OSError, ValueError):
        click.echo(f"assay: {text}", err=True)


class TroubleTeller:
    """Tells troubles that last, and their ends.

    Args:
        ask: Gives what does not work right now: what went wrong, by part.
        clock: Seconds.
    """

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._told: set[str] = set()
        """Parts that are known to be in trouble."""
        self._differs_since: dict[str, float] = {}
        """When the state of a part was first seen to differ from what was told."""

    def look(self) -> None:
        """Tell what is new."""
        troubles = self._ask()
        now = self._clock()
        for part in {*troubles, *self._told, *self._differs_since}:
            if (part in troubles) == (part in self._told):
                self._differs_since.pop(part, None)
            elif now - self._differs_since.setdefault(part, now) >= LASTING_S:
                del self._differs_since[part]
                self._tell(part, troubles.get(part))

    def _tell(self, part: str, reason: str | None) -> None:
        if reason is None:
            self._told.discard(part)
            say(f"{part} works again")
            return
        self._told.add(part)
        say(f"{part} fails, traffic goes on: {reason}")


@contextmanager
def troubles_told_beside(ask: Ask) -> Iterator[None]:
    """Tell troubles from a thread of its own while a program runs; not where that program may be drawing on the terminal."""
    if sys.stdout.isatty() and sys.stderr.isatty():
        yield
        return
    ending = threading.Event()
    teller = TroubleTeller(ask)

    def watch() -> None:
        while not ending.wait(_LOOK_S):
            teller.look()

    thread = threading.Thread(target=watch, name="assay-troubles", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
