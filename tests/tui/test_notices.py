"""What is told, and in which order."""

import pytest

from proxy_core.exchange import ExchangeState
from storage.updating import Update
from storage.views import CaptureCounters
from tests import factories
from tui.notices import Gravity, running_notice, traffic_notice, updating_notice


def test_nothing_is_said_when_all_is_well() -> None:
    assert running_notice(CaptureCounters(), None) is None
    assert traffic_notice(None, 0) is None
    assert traffic_notice(factories.exchange_summary(), 0) is None


def test_a_stopped_proxy_goes_before_everything() -> None:
    notice = running_notice(CaptureCounters(is_paused=True, dropped=1), "port taken")
    assert notice is not None
    assert notice.gravity is Gravity.ERROR
    assert "The proxy has stopped" in notice.text
    assert notice.words == "port taken"


def test_what_cannot_be_stored_is_not_called_a_stopped_proxy() -> None:
    notice = running_notice(CaptureCounters(), "storing fails, trying again: database is locked")
    assert notice is not None
    assert notice.text == "Storing fails, and is tried again; traffic goes on"
    full = running_notice(CaptureCounters(), "storing fails, trying again: database or disk is full")
    assert full is not None
    assert full.text.startswith("The disk is full")


def test_of_a_stopped_proxy_it_is_not_said_that_requests_go_on() -> None:
    notice = running_notice(CaptureCounters(), "the proxy stopped: [Errno 28] No space left on device")
    assert notice is not None
    assert "The proxy has stopped" in notice.text
    assert "No space left" in notice.words


def test_remedies_name_the_command_by_which_assay_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.argv", ["/opt/bin/assay"])
    for counters, failure in (
        (CaptureCounters(), "port taken"),
        (CaptureCounters(writer_errors=1, last_error="database or disk is full"), None),
        (CaptureCounters(writer_errors=1), None),
        (CaptureCounters(analysis_errors=1), None),
    ):
        notice = running_notice(counters, failure)
        assert notice is not None
        assert "/opt/bin/assay " in notice.remedy


def test_an_update_says_how_large_it_is_and_how_far() -> None:
    begun = updating_notice(Update(database_bytes=1_200_000_000, written_bytes=0))
    assert begun.text == "Updating the database (1.2 GB)"
    assert begun.gravity is Gravity.INFO
    later = updating_notice(Update(database_bytes=1_200_000_000, written_bytes=340_000_000))
    assert later.text.endswith("(1.2 GB, 340 MB written)")


def test_a_full_disk_is_named_as_such() -> None:
    notice = running_notice(CaptureCounters(writer_errors=3, last_error="OSError: [Errno 28] No space left on device"), None)
    assert notice is not None
    assert notice.text.startswith("The disk is full")


def test_an_unreachable_api_is_told_apart_from_an_api_error() -> None:
    failed = factories.exchange_summary(state=ExchangeState.FAILED, status_code=None, error="refused")
    assert traffic_notice(failed, 0) is not None
    assert traffic_notice(factories.exchange_summary(status_code=502), 0) is not None
    assert traffic_notice(factories.exchange_summary(status_code=429), 0) is None


def test_why_the_api_is_unreachable_is_said_plainly_and_as_the_system_says_it() -> None:
    failed = factories.exchange_summary(
        state=ExchangeState.FAILED, status_code=None, error="[Errno -2] Name or service not known"
    )
    notice = traffic_notice(failed, 0)
    assert notice is not None
    assert notice.text == "The API cannot be reached: its name is not found: no network, or no DNS"
    assert notice.words == "[Errno -2] Name or service not known"
    assert "doctor" in notice.remedy
    reset = traffic_notice(factories.exchange_summary(state=ExchangeState.FAILED, status_code=None, error="it was reset"), 0)
    assert reset is not None
    assert reset.text.endswith("it was reset")
    assert not reset.words


def test_missing_prices_are_mentioned() -> None:
    notice = traffic_notice(factories.exchange_summary(), 3)
    assert notice is not None
    assert notice.gravity is Gravity.INFO
    assert "3 requests" in notice.text
