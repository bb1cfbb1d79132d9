"""What a running proxy shows to the screen: a small protocol, so that the dashboard knows no proxy, writer or thread.

`assay` passes one of these; `assay view` passes none. It must not hand out rows: what was captured is read from the store.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from storage.views import CaptureCounters


@runtime_checkable
class LiveSource(Protocol):
    """The running side of Assay, as the dashboard needs it. All calls return at once and are safe from the UI thread."""

    @property
    def proxy_url(self) -> str | None:
        """Where clients are to point `HTTPS_PROXY`, such as `http://127.0.0.1:8877`; `None` before it listens."""

    @property
    def ca_bundle(self) -> Path | None:
        """The certificate file that clients must trust; `None` when there is none."""

    @property
    def api_url(self) -> str | None:
        """Where the JSON API answers; `None` when it is off."""

    def counters(self) -> CaptureCounters:
        """Return what was captured, stored and lost since start."""

    def failure(self) -> str | None:
        """Return why the proxy (or the writer) stopped, in one line; `None` while all is well."""

    def pause(self) -> None:
        """Stop capturing; traffic goes on."""

    def resume(self) -> None:
        """Capture again."""

    def response_bytes(self) -> Mapping[str, int]:
        """Return the response bytes so far of each exchange in flight, by exchange id."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (from any thread, without arguments) whenever stored exchanges were added or changed.

        Returns:
            A function that ends the subscription.
        """
