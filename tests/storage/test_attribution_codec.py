"""Attributions packed and unpacked: equal but for texts, hashes by number, and the inner chain hashes."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.model import Attribution, Zone
from storage import attribution_codec
from storage.errors import BodyCorruptError
from tests import factories

FIGURE = st.integers(0, 10**7)


def made(figures):
    lines = tuple(
        factories.ledger_line(
            segment_index=0, zone=list(Zone)[zone], tokens=tokens, estimated_tokens=estimate, cost_nano_usd=cost
        )
        for zone, tokens, estimate, cost in figures
    )
    segment = replace(factories.segment("text"), text="", content_hash="ab" * 16)
    facts = factories.call_facts(chain_hashes=("cd" * 16,))
    return Attribution(version=1, facts=facts, segments=(segment,), ledger=factories.ledger(lines=lines))


@given(st.lists(st.tuples(st.integers(0, len(Zone) - 1), FIGURE, FIGURE, st.none() | FIGURE), max_size=8))
def test_every_figure_comes_back(figures):
    attribution = made(figures)
    raw = attribution_codec.encode(attribution, [7])
    assert attribution_codec.contents_of(raw) == [7]
    found = attribution_codec.decode(raw, {7: "ab" * 16})
    assert found.ledger.lines == attribution.ledger.lines
    assert found.facts == attribution.facts == attribution_codec.facts_of(raw)
    assert found.segments[0].content_hash == "ab" * 16


def test_what_the_first_version_wrote_is_read():
    raw = msgspec.msgpack.decode(attribution_codec.encode(made([(0, 50, 40, 9)]), [1]))
    ledger = raw[-2]
    lines = ledger[0]
    lines[6] = [10]
    old = [*raw[:-2], [lines[:9], *ledger[1:]], raw[-1]]
    found = attribution_codec.decode(msgspec.msgpack.encode(old), {})
    assert [line.tokens for line in found.ledger.lines] == [50]


@pytest.mark.parametrize("damaged", [b"", b"\x93\x01", b"not packed"])
def test_damage_is_an_error_of_ours(damaged):
    with pytest.raises(BodyCorruptError):
        attribution_codec.decode(damaged, {})
    with pytest.raises(BodyCorruptError):
        attribution_codec.contents_of(damaged)
    with pytest.raises(BodyCorruptError):
        attribution_codec.facts_of(damaged)
