"""What a long conversation takes on disk, with everything that belongs to it: heads, attributions, totals, full-text index."""

import pytest

from benchmarks.storing import conversation, prose
from storage.verify import verify_database
from tests import factories
from tests.storage.recorded_traffic import SECOND_US, store_and_analyse

LIMIT_BYTES = 700_000


@pytest.mark.slow
def test_a_conversation_of_a_hundred_turns(database):
    import random

    chance = random.Random(13)
    events = [
        factories.exchange_finished(
            exchange_id=factories.exchange_id(number + 1),
            request_body=factories.body_of(body),
            response_body=factories.body_of(factories.response_json(content=[{"type": "text", "text": prose(chance, 800)}])),
            timing=factories.timing(factories.START_US + number * SECOND_US),
        )
        for number, body in enumerate(conversation(turns=100, start_bytes=60_000, turn_bytes=4_000))
    ]
    store_and_analyse(database, *events)
    assert database.checkpoint()
    assert database.path.stat().st_size <= LIMIT_BYTES
    assert verify_database(database).proved == 200
