"""A bounded memory of what was cut before. It never grows beyond its limits, and threads may share it."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from proxy_core.attribution.cuts import CutElement


class Memo:
    """Keeps the most recently used elements, up to a number and a weight."""

    def __init__(self, *, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[CutElement, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def weight_bytes(self) -> int:
        """About how much the kept elements take."""
        return self._bytes

    def get(self, key: Hashable) -> CutElement | None:
        """Return an element and keep it longer; `None` when it is not (any more) here."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, element: CutElement, weight_bytes: int) -> None:
        """Keep an element, and let go of the least recently used ones where a limit is passed."""
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._bytes += weight_bytes - (replaced[1] if replaced else 0)
            self._entries[key] = (element, weight_bytes)
            while self._entries and (len(self._entries) > self._max_entries or self._bytes > self._max_bytes):
                _, (_, weight) = self._entries.popitem(last=False)
                self._bytes -= weight

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0
