import logging
import sys
import threading

import pytest

from proxy_core.proxy_log import ProxyLog
from proxy_core.redact import Redactor


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def log(errors: list[str]) -> ProxyLog:
    return ProxyLog(Redactor(b"k" * 16), errors.append)


def test_lines_are_kept_redacted_and_off_the_screen(log: ProxyLog, errors: list[str], capfd) -> None:
    logger = logging.getLogger("mitmproxy.proxy.server")
    with log.installed():
        logger.info("nobody needs this")
        logger.warning("x-api-key: %s", "planted")
        try:
            int("sk-ant-api03-planted")
        except ValueError:
            logger.exception("crashed")
        logging.getLogger("asyncio").warning("socket.send() raised exception.")
        logging.warning("to the root, as some addons do: Bearer planted-token")  # noqa: LOG015
        logging.getLogger("somebody.else").warning("in the same thread")
    assert len(log.lines) == 5
    assert "planted" not in "".join(log.lines)
    assert len(errors) == 1
    assert errors[0].startswith("crashed")
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_lines_of_other_threads_are_not_taken(log: ProxyLog) -> None:
    with log.installed():
        thread = threading.Thread(target=logging.getLogger("asyncio").warning, args=("from elsewhere",))
        thread.start()
        thread.join()
    assert not log.lines


def test_loggers_are_given_back(log: ProxyLog) -> None:
    logger = logging.getLogger("mitmproxy")
    before = (logger.propagate, list(logger.handlers))
    with log.installed():
        assert log in logger.handlers
        assert not logger.propagate
    assert (logger.propagate, logger.handlers) == before
    assert sys.exc_info() == (None, None, None)
