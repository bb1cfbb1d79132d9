"""The feed of one process: what the hooks put comes out as frozen, redacted events.

The consumer's side redacts, so nothing raw ever leaves this object.
"""

from collections.abc import Callable
from functools import cached_property

from proxy_core.assembling import ExchangeRecording
from proxy_core.exchange import CaptureEvent
from proxy_core.hook_feed import HookFeed
from proxy_core.live import LiveExchange


class CaptureFeed(HookFeed):
    """Carries recordings from the proxy's thread to the consumer's, who gets events."""

    unreadable = 0
    """Exchanges that ended and could not be read; counted in the consumer's thread."""
    on_lost: Callable[[str], None] | None = None
    """Called with the id of an exchange that ended and could not be read, in the consumer's thread."""

    @cached_property
    def _recordings(self) -> dict[str, ExchangeRecording]:
        """What was shown of running exchanges."""
        return {}

    def take(self, timeout_s: float) -> list[CaptureEvent]:
        """Return what is new, waiting for it at most `timeout_s`; an empty list when nothing is.

        Everything in the answer is redacted. An exchange that is over before it was shown gives `ExchangeFinished` alone,
        unless its bodies are too large to be held.
        """
        events: list[CaptureEvent] = []
        for live in self.changed(timeout_s):
            events += self._ended_events(live) if live.is_taken else self._grown_events(live)
        return events

    def _grown_events(self, live: LiveExchange) -> list[CaptureEvent]:
        recording = self._recordings.get(live.exchange_id)
        if recording is None:
            recording = self._recordings[live.exchange_id] = self._recording(live)
        return self._guarded(live.exchange_id, recording, recording.grow)

    def _ended_events(self, live: LiveExchange) -> list[CaptureEvent]:
        recording = self._recordings.pop(live.exchange_id, None) or self._recording(live)
        events = self._guarded(live.exchange_id, recording, recording.finish)
        self.note_taken()
        if not events:
            self.unreadable += 1
            if self.on_lost is not None:
                self.on_lost(live.exchange_id)
        return events

    def _recording(self, live: LiveExchange) -> ExchangeRecording:
        return ExchangeRecording(live, self._redactor, self._held_body_bytes)

    def _guarded(
        self, exchange_id: str, recording: ExchangeRecording, step: Callable[[], list[CaptureEvent]]
    ) -> list[CaptureEvent]:
        """Run one step of one recording: an exchange that cannot be read must not end the recording of all others."""
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - counted and shown; the exchange is lost, the others are not
            self.count_error(f"recording {exchange_id}", error)
            recording.discard()
            return []
