"""Take pictures of every screen from the fixture database: SVG always, PNG where a Chromium is at hand.

`make screenshots` runs it. Everything is fixed: data, clock, zone, sizes; so the same code gives the same pictures.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

os.environ["TZ"] = "UTC"
time.tzset()
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from textual.widgets import Input  # noqa: E402

from screenshots.fixture import NOW_US, RUNNING_ID, build  # noqa: E402 - after the zone and the path are set
from screenshots.settling import settle  # noqa: E402
from storage.database import open_database  # noqa: E402
from storage.store import Store  # noqa: E402
from storage.views import CaptureCounters  # noqa: E402
from tui.app import AssayApp  # noqa: E402
from tui.theme import DARK, LIGHT  # noqa: E402

HERE: Final = Path(__file__).resolve().parent
LARGE: Final = (200, 50)
MEDIUM: Final = (120, 40)
SMALL: Final = (80, 24)


class StillLive:
    """A running proxy that stands still: a `LiveSource` for pictures."""

    proxy_url: str | None = "http://127.0.0.1:8080"
    ca_bundle: Path | None = Path("/home/dev/.local/share/assay/ca.pem")
    api_url: str | None = "http://127.0.0.1:3001"

    def __init__(self, counters: CaptureCounters | None = None, failure: str | None = None) -> None:
        self._counters = counters or CaptureCounters(captured=124, stored=123, analysed=123, in_flight=1)
        self._failure = failure

    def counters(self) -> CaptureCounters:
        """Return fixed figures."""
        return self._counters

    def failure(self) -> str | None:
        """Return the failure that is to be shown."""
        return self._failure

    def pause(self) -> None:
        """Be paused."""
        self._counters = replace(self._counters, is_paused=True)

    def resume(self) -> None:
        """Go on."""
        self._counters = replace(self._counters, is_paused=False)

    def response_bytes(self) -> Mapping[str, int]:
        """Return what the running request has got so far."""
        return {RUNNING_ID: 14_200}

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 - nothing ever changes
        """Never call anyone."""
        return lambda: None


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture."""

    name: str
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = MEDIUM
    is_dark: bool = True
    is_empty: bool = False
    """Over a database without requests."""
    live: Callable[[], StillLive | None] = StillLive


PICTURES: Final = (
    Picture("live", ("k",)),
    Picture("live-wide", ("k",), size=LARGE),
    Picture("live-small", ("k",), size=SMALL),
    Picture("live-light", ("k",), is_dark=False),
    Picture("tree", ("t", "t", "g")),
    Picture("breakdown", ("k", "k", "enter", "j", "space", "m")),
    Picture("segment", ("k", "k", "enter", "j", "space", "j", "j", "enter")),
    Picture("response", ("k", "k", "]", "]", "m")),
    Picture("json", ("k", "k", "]", "]", "]", "]", "m")),
    Picture("timing", ("k", "k", "[", "[", "[", "m")),
    Picture("cost", ("k", "k", "[", "[", "m")),
    Picture("diff", ("k", "k", "d", "m")),
    Picture("filter", ("slash", *"kind:mcp st")),
    Picture("sources", ("s",)),
    Picture("sources-light", ("s",), is_dark=False),
    Picture("sessions", ("a",)),
    Picture("charts", ("c",)),
    Picture("charts-small", ("c",), size=SMALL),
    Picture("insights", ("i", "w")),
    Picture("what-if", ("i", "w", "x")),
    Picture("help", ("question_mark",)),
    Picture("rating", ("k", "k", "r")),
    Picture("export", ("slash", *"error:yes", "enter", "e")),
    Picture("first-start", is_empty=True, live=lambda: StillLive(CaptureCounters())),
    Picture("paused", live=lambda: StillLive(CaptureCounters(captured=124, stored=123, is_paused=True))),
)


async def draw(picture: Picture, store: Store) -> str:
    """Run the dashboard without a terminal, press the keys, and return the picture as SVG."""
    app = AssayApp(store, picture.live(), clock_us=lambda: NOW_US)
    app.theme = DARK.name if picture.is_dark else LIGHT.name
    async with app.run_test(size=picture.size) as pilot:
        await settle(pilot)
        for key in picture.keys:
            await pilot.press(key)
            await settle(pilot)
        await settle(pilot)
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()
        return app.export_screenshot(title="assay")


def to_png(svg: Path, png: Path, chromium: str) -> None:
    """Draw an SVG with a headless Chromium: the only renderer here that gets every cell right."""
    text = svg.read_text(encoding="utf-8")
    width, height = (round(float(value)) for value in text.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split())
    with tempfile.TemporaryDirectory() as profile:
        page = Path(profile) / "page.html"
        page.write_text(f"<style>body{{margin:0}}svg{{display:block;width:{width}px}}</style>{text}", encoding="utf-8")
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}/profile", "--hide-scrollbars",
            f"--window-size={width},{height}", f"--screenshot={png}", page.as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - our own arguments


def main(names: list[str]) -> None:
    """Draw all pictures, or those that are named."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as directory:
        full = build(Path(directory) / "assay.db")
        empty = Store(open_database(Path(directory) / "empty.db"))
        for picture in PICTURES:
            if names and picture.name not in names:
                continue
            svg = HERE / f"{picture.name}.svg"
            svg.write_text(asyncio.run(draw(picture, empty if picture.is_empty else full)), encoding="utf-8")
            if chromium is not None:
                to_png(svg, svg.with_suffix(".png"), chromium)
            print(svg.name)
        full.database.close()
        empty.database.close()


if __name__ == "__main__":
    main(sys.argv[1:])
