"""Run the dashboard without a terminal: a proxy that can be told how it is, and waiting until all is read and drawn."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from screenshots.fixture import NOW_US, RUNNING_ID
from screenshots.settling import settle
from storage.store import Store
from storage.views import CaptureCounters
from tui.app import AssayApp
from tui.screens.live import LiveScreen


class FakeLive:
    """A `LiveSource` that does as it is told."""

    def __init__(self, failure: str | None = None, **counters: object) -> None:
        self.proxy_url: str | None = "http://127.0.0.1:8080"
        self.ca_bundle: Path | None = Path("/home/dev/ca.pem")
        self.api_url: str | None = None
        self.figures = replace(CaptureCounters(captured=2, stored=2), **counters)  # type: ignore[arg-type]
        self.reason = failure
        self.callbacks: list[Callable[[], None]] = []

    def counters(self) -> CaptureCounters:
        return self.figures

    def failure(self) -> str | None:
        return self.reason

    def pause(self) -> None:
        self.figures = replace(self.figures, is_paused=True)

    def resume(self) -> None:
        self.figures = replace(self.figures, is_paused=False)

    def response_bytes(self) -> Mapping[str, int]:
        return {RUNNING_ID: 14_200}

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)


@asynccontextmanager
async def running(store: Store, live: FakeLive | None = None, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    """Start the dashboard and wait until the first rows are shown."""
    app = AssayApp(store, live, clock_us=lambda: NOW_US)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, each after what the one before set off."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def live_screen(pilot: Pilot[None]) -> LiveScreen:
    """The live screen, which must be in front."""
    assert isinstance(pilot.app.screen, LiveScreen)
    return pilot.app.screen


def screen_text(pilot: Pilot[None]) -> str:
    """Everything that is to be read on the screen."""
    height = pilot.app.size.height
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips[:height])
