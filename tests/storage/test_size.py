"""What a long conversation takes on disk, with everything that belongs to it: heads, attributions, totals, full-text index."""

import random
from dataclasses import replace

import pytest

from benchmarks.storing import answered, conversation, live, whole
from proxy_core.exchange import ExchangeFinished
from storage.verify import verify_database
from tests import factories
from tests.storage.recorded_traffic import SECOND_US, analyst, store

LIMIT_BYTES = 700_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", [whole, live])
def test_a_conversation_of_a_hundred_turns(database, kind):
    ingest = None
    for number, steps in enumerate(kind(random.Random(13), answered(conversation(101)))):
        timing = factories.timing(factories.START_US + number * SECOND_US)
        for step in steps:
            events = (replace(event, timing=timing) if isinstance(event, ExchangeFinished) else event for event in step)
            ingest = store(database, *events, ingest=ingest)
    worker = analyst(database)
    for row_id in range(1, 101):
        assert worker.analyse(row_id, has_ended=True)
        assert worker.error is None
    assert database.checkpoint()
    assert database.path.stat().st_size <= LIMIT_BYTES
    assert verify_database(database).proved == 200
