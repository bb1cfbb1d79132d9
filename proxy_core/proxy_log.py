"""mitmproxy's and asyncio's log lines: redacted, kept in a ring, counted, and never on stderr over a dashboard."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from proxy_core.redact import Redactor

_LOGGERS = ("mitmproxy", "asyncio", "h2", "hpack", "h11", "mitmproxy_rs")
_LINES = 200

product_log = logging.getLogger("assay.proxy")
"""Where redacted lines go on to; silent unless the program gives it a handler."""
product_log.addHandler(logging.NullHandler())


class ProxyLog(logging.Handler):
    """Takes the log lines of one proxy thread.

    Args:
        redactor: Replaces secrets in lines and tracebacks.
        on_error: Told of each line of level ERROR or above.
    """

    def __init__(self, redactor: Redactor, on_error: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._redactor = redactor
        self._on_error = on_error
        self.lines: deque[str] = deque(maxlen=_LINES)
        """The newest lines, redacted."""
        self.thread_id: int | None = None
        """Only lines of this thread are taken; `None` for all."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, pass it on redacted."""
        if self.thread_id not in {None, record.thread} or record.name == product_log.name:
            return
        text = self._redactor.text(self.format(record))
        self.lines.append(text)
        if record.levelno >= logging.ERROR:
            self._on_error(text)
        product_log.log(record.levelno, "%s", text)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take over the loggers of everything that runs in the proxy's thread, and give them back."""
        self.thread_id = threading.get_ident()
        kept = []
        # Some of mitmproxy logs to the root; without a handler there, the first line would give it one to stderr.
        root = logging.getLogger()
        root.addHandler(self)
        for logger in map(logging.getLogger, _LOGGERS):
            kept.append((logger, logger.propagate))
            logger.propagate = False
            logger.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)
            for logger, propagate in kept:
                logger.removeHandler(self)
                logger.propagate = propagate or not logger.handlers
