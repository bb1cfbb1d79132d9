"""The composition root: everything that runs while Assay captures, in the order in which it starts and stops.

Started front to back: what must not fail later is checked first. Stopped back to front: the proxy ends before the recorder,
which stores and analyses what is left. Nothing here touches traffic, and no screen is known here.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from storage.views import CaptureCounters
from tui import starting
from tui.environment import ProxyAddress
from tui.errors import AssayError
from tui.failures import PROXY_STOPPED, STORING_ENDED, STORING_FAILS
from tui.interpreter import favour_latency, load_quickly
from tui.settings import Settings

if TYPE_CHECKING:
    from proxy_core.hook_feed import HookFeed
    from proxy_core.server import ProxyThread
    from storage.api.remote import RemoteApi
    from storage.api.server import ApiThread
    from storage.notices import Notices
    from storage.recorder import Recorder
    from storage.remote_recorder import RemoteRecorder
    from storage.store import Store
    from tui.recording import Reading

DRAIN_S = 5.0
"""Running exchanges get this long to end when Assay stops."""
STORE_S = 10.0
"""The writer gets this long for what is left."""
ANALYSE_S = 15.0
"""The analysis gets this long; what it does not reach is taken up at the next start."""


@dataclass(slots=True)
class Parts:
    """What a runtime is made of, once it has started."""

    notices: "Notices"
    feed: "HookFeed"
    recorder: "Recorder | RemoteRecorder"
    proxy: "ProxyThread"
    reading: "Reading"
    address: ProxyAddress
    api: "RemoteApi | ApiThread | None" = None
    """`None`: the JSON API is off."""


class Runtime:
    """A running Assay; is the dashboard's `LiveSource`.

    Args:
        settings: The settings in force.
        environ: The process's environment: the way out, and what is trusted besides.
        is_private: It serves its own children only, so `assay env` does not offer it to others.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str] | None = None, *, is_private: bool = False) -> None:
        self.settings = settings
        self.started_us = time.time_ns() // 1000
        """When it was made, microseconds since the epoch, UTC."""
        self.stop_errors: list[str] = []
        """What went wrong while stopping, for people."""
        self.warnings: list[str] = []
        """What a person has to be told at the start."""
        self._environ = dict(os.environ if environ is None else environ)
        self.is_private = is_private
        self._parts: Parts | None = None
        self._closing = ExitStack()
        """Ends what reads: the JSON API, the database."""
        self._draining = ExitStack()
        """Ends what captures and stores."""

    # Life.

    def start(self, on_listening: Callable[[], None] = lambda: None, *, tells_summaries: bool = False) -> None:
        """Check and start everything; when something fails, nothing is left running.

        Args:
            on_listening: Called as soon as clients can connect; the rest takes a moment longer.
            tells_summaries: Notices tell how each analysed exchange reads.

        Raises:
            AssayError: What failed, with its exit code.
        """
        load_quickly()
        with ExitStack() as closing, ExitStack() as draining:
            self._parts = starting.start_parts(
                self.settings, self._environ, closing, draining, self._note_stop_error, tells_summaries=tells_summaries
            )
            starting.announce(self, draining)
            on_listening()
            self._parts.api = starting.start_api(self.settings, self, closing, self._note_stop_error)
            if self._parts.api is not None:
                starting.announce(self, draining)
            self._closing, self._draining = closing.pop_all(), draining.pop_all()
        favour_latency()

    def drain(self) -> None:
        """Stop capturing and store what is left; everything can still be read. Never raises, see `stop_errors`."""
        self._draining.close()

    def stop(self) -> None:
        """Stop everything, storing what is left. Never raises, see `stop_errors`."""
        self._draining.close()
        self._closing.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _note_stop_error(self, part: str, error: BaseException) -> None:
        self.stop_errors.append(f"stopping the {part}: {error}")

    @property
    def parts(self) -> Parts:
        """What runs.

        Raises:
            AssayError: It has not been started.
        """
        if self._parts is None:
            raise AssayError("not started")
        return self._parts

    @property
    def has_ended(self) -> bool:
        """The proxy ended by itself."""
        return self._parts is not None and self._parts.proxy.failure is not None

    @property
    def exit_code(self) -> int:
        """0, or 1 when something failed or was lost."""
        return 1 if self.stop_errors or self.failure() else 0

    @property
    def address(self) -> ProxyAddress:
        """What clients have to be told."""
        return self.parts.address

    @property
    def store(self) -> "Store":
        """Where everything captured is read from."""
        return self.parts.reading.store

    # What the dashboard asks (`tui.live.LiveSource`).

    @property
    def proxy_url(self) -> str | None:
        """Where clients are to point `HTTPS_PROXY`."""
        return self._parts.address.url if self._parts else None

    @property
    def ca_bundle(self) -> Path | None:
        """The certificate file that clients must trust."""
        return self._parts.address.certificate if self._parts else None

    @property
    def api_url(self) -> str | None:
        """Where the JSON API answers; `None` when it is off."""
        return self._parts.api.url if self._parts and self._parts.api else None

    def counters(self) -> CaptureCounters:
        """Return what was captured, stored and lost since start."""
        if self._parts is None:
            return CaptureCounters()
        feed, status = self._parts.feed, self._parts.recorder.status()
        return CaptureCounters(
            captured=feed.captured,
            stored=status.stored,
            analysed=status.analysed,
            in_flight=feed.in_flight,
            queued=max(0, feed.captured - status.stored - status.dropped),
            dropped=feed.dropped + status.dropped,
            capture_errors=feed.errors + status.capture_errors,
            writer_errors=status.writer_errors,
            analysis_errors=status.analysis_errors,
            is_paused=feed.is_paused,
            last_error=feed.last_error or status.last_error,
        )

    def failure(self) -> str | None:
        """Return why the proxy (or the recorder) stopped, in one line; `None` while all is well."""
        if self._parts is None:
            return None
        if error := self._parts.proxy.failure:
            return f"{PROXY_STOPPED}{error}"
        status = self._parts.recorder.status()
        if status.failure:
            return f"{STORING_ENDED}{status.failure}"
        if status.is_failing:
            return f"{STORING_FAILS}{status.last_error}"
        return None

    def troubles(self) -> Mapping[str, str]:
        """Return what does not work right now: what went wrong, by part; the proxy's end is not among it."""
        if self._parts is None:
            return {}
        status, api = self._parts.recorder.status(), self._parts.api
        storing = f"trying again: {status.last_error}" if status.is_failing else None
        found = {
            "storing": status.failure or storing,
            "analysis": status.analysis_failure,
            "retention": status.retention_failure,
            "JSON API": None if api is None or api.failure is None else str(api.failure),
        }
        return {part: reason for part, reason in found.items() if reason is not None}

    def pause(self) -> None:
        """Stop capturing; traffic goes on."""
        self.parts.feed.pause()

    def resume(self) -> None:
        """Capture again."""
        self.parts.feed.resume()

    def response_bytes(self) -> Mapping[str, int]:
        """Return the response bytes so far of each exchange in flight, by exchange id."""
        return self._parts.feed.response_bytes() if self._parts else {}

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (from any thread) whenever stored exchanges were added or changed; returns what ends it."""
        return self.parts.notices.subscribe(lambda _change: callback())
