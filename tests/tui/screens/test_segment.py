"""A segment says since when it is carried, and what that cost."""

from dataclasses import replace

import pytest

from proxy_core.attribution.model import Part, Source, SourceType
from storage.insights.carry import CarriedContent
from storage.insights.turns import Amount
from storage.store import Store
from tests.tui.dashboard_rig import press, running, screen_text
from tui.screens.segment import carry_text

CARRY = CarriedContent(
    content_hash="0" * 32,
    source=Source(SourceType.TOOL, "Read"),
    part=Part.DEFINITION,
    entered_id=7,
    entered_exchange_id="x",
    entered_turn=0,
    turns_carried=1,
    tokens_each=100,
    entry=Amount(100, 50_000_000),
    carried=Amount(),
)


@pytest.mark.parametrize(
    ("requests", "words"), [(1, "new in this request"), (2, "through 1 more request"), (9, "through 8 more requests")]
)
def test_carrying_is_put_in_words(requests: int, words: str) -> None:
    text = carry_text(replace(CARRY, turns_carried=requests, carried=Amount(100 * requests, 3_000_000)))
    assert words in text
    assert "$0.05" in text


async def test_an_open_segment_tells_what_carrying_it_cost(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "k", "k", "enter", "j", "enter", "j", "enter")
        assert "in this conversation since #" in screen_text(pilot) or "new in this request" in screen_text(pilot)
