"""Waiting until a dashboard without a terminal shows all that it will show, for pictures of it and for its tests.

What it waits for happens sooner or later, so it may not count on how fast the machine is.
"""

from contextlib import suppress
from typing import Any, Final

from textual.app import App
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

_ROUND_S: Final = 0.07
_QUIET_ROUNDS: Final = 3
_MOST_ROUNDS: Final = 1_000
_SOON_S: Final = 5.0
"""Insights are read again later than that: nobody waits for those."""


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until nothing is being read or drawn, and nothing is put off for a moment."""
    quiet = 0
    for _ in range(_MOST_ROUNDS):
        await pilot.pause(_ROUND_S)
        with suppress(WorkerCancelled):  # by a newer read
            await pilot.app.workers.wait_for_complete()
        quiet = 0 if _is_busy(pilot.app) else quiet + 1
        if quiet == _QUIET_ROUNDS:
            break
    await pilot.pause()


def _is_busy(app: App[Any]) -> bool:
    """Whether messages wait to be handled, or something of ours is put off that is due soon."""
    nodes = [app, *(node for screen in app.screen_stack for node in screen.walk_children(with_self=True))]
    own = [node for node in nodes if type(node).__module__.startswith("tui.")]
    return any(node.message_queue_size for node in nodes) or any(map(_is_due_soon, own))


def _is_due_soon(node: MessagePump) -> bool:
    return any(
        timer._repeat == 0 and timer._interval < _SOON_S and timer._task is not None and not timer._task.done()  # noqa: SLF001 - Textual does not tell
        for timer in tuple(node._timers)  # noqa: SLF001
    )
