"""What happens, for the screens to hear: small and frozen, at most one of a kind waiting."""

from textual.message import Message

from storage.views import CaptureCounters


class StoreChanged(Message):
    """Exchanges were stored or changed; how many does not matter, what is in sight is read again."""

    def can_replace(self, message: Message) -> bool:
        """A burst is one change."""
        return isinstance(message, StoreChanged)


class CountersRead(Message):
    """The running side's figures, a few times a second."""

    def __init__(self, counters: CaptureCounters, failure: str | None) -> None:
        super().__init__()
        self.counters = counters
        self.failure = failure
        """Why the proxy stopped; `None` while all is well."""

    def can_replace(self, message: Message) -> bool:
        """Only the newest figures matter."""
        return isinstance(message, CountersRead)


class FilterRequested(Message):
    """The requests that pass a filter are to be shown on the live screen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        """The filter."""
