"""What signals ask for. A handler may interrupt anything, itself as well: nothing here takes a lock or starts a thread."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType


class Ending:
    """Whether it is time to end; as an event of `threading`, which a handler would wait for that interrupts its own setting."""

    def __init__(self) -> None:
        self._is_set = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Say that it is."""
        self._is_set = True
        self._wake.put(None)

    def is_set(self) -> bool:
        """Tell whether it is."""
        return self._is_set

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is, or so long at most; returns whether it is. For one thread."""
        if not self._is_set:
            with suppress(Empty):
                self._wake.get(timeout=timeout_s)
        return self._is_set


@contextmanager
def ending_signals(also: Callable[[], None] = lambda: None) -> Iterator[Ending]:
    """Tell of SIGINT, SIGTERM and a hang-up; a second one is as impatient as ever. `nohup` is respected.

    Args:
        also: Called with each of them, in the handler.
    """
    ending = Ending()

    def end(number: int, _frame: object) -> None:
        ending.set()
        if number in {signal.SIGINT, signal.SIGTERM}:  # that a terminal is gone is told by the system and again by the shell
            signal.signal(number, signal.SIG_DFL)
        also()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    with handled_signals(numbers, end):
        yield ending


@contextmanager
def handled_signals(numbers: Iterable[signal.Signals], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a handler called for some signals, then what was called before."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
