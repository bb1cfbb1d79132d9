"""Times as answers write them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.api.schemas.common import read_moment, to_timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_a_moment_is_written_as_the_calendar_has_it(moment_us):
    written = to_timestamp(moment_us)
    expected = (EPOCH + timedelta(microseconds=moment_us)).isoformat(timespec="microseconds")
    assert written == expected.replace("+00:00", "Z")
    assert read_moment(written) == moment_us
