"""Everything that records, as one: what it says of itself adds up."""

from proxy_core.feed import CaptureFeed
from proxy_core.redact import Redactor
from storage.notices import Notices
from storage.recorder import Recorder, RecordingOptions
from tests.factories import live_exchange


def test_what_cannot_be_read_is_counted_as_dropped(database, wait_until):
    feed = CaptureFeed(Redactor(b"a key of the tests"))
    stored, given_up = [], []
    recorder = Recorder(database, feed, Notices(), RecordingOptions(), on_settled=stored.extend, on_given_up=given_up.extend)
    recorder.launch()
    recorder.start()
    for fields in ({"method": None}, {}):
        live = live_exchange(feed, **fields)
        feed.begin(live)
        feed.finish(live)
    wait_until(lambda: feed.is_drained and stored == [live.exchange_id])
    assert recorder.stop() == []
    status = recorder.status()
    assert (status.stored, status.dropped, feed.captured, given_up) == (1, 1, 2, [])
    assert (status.failure, status.analysis_failure, status.retention_failure) == (None, None, None)
