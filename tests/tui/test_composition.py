"""What a request is made of, summed up."""

from proxy_core.attribution.model import Grade, Part, SourceType, Zone
from tests import factories
from tui.composition import compose, gather, is_guess


def test_without_a_ledger_there_is_no_composition() -> None:
    assert compose(factories.exchange_detail(ledger=None)) is None


def test_every_line_is_in_exactly_one_source() -> None:
    tool = factories.source(SourceType.TOOL, "Read")
    lines = (
        factories.ledger_line(tokens=5, segment_index=0),
        factories.ledger_line(tokens=20, segment_index=1, source=tool, zone=Zone.CACHE_READ, cost_nano_usd=2),
        factories.ledger_line(tokens=4, segment_index=1, source=tool, zone=Zone.FRESH, cost_nano_usd=None),
        factories.ledger_line(tokens=3, segment_index=None, source=tool, part=Part.OVERHEAD, grade=Grade.OPAQUE),
        factories.ledger_line(tokens=7, segment_index=None, zone=Zone.OUTPUT, source=factories.source(SourceType.ASSISTANT)),
    )
    detail = factories.exchange_detail(
        ledger=factories.ledger(lines=lines, total_input_tokens=32),
        segments=(factories.segment(), factories.segment("x", source=tool)),
    )
    found = compose(detail)
    assert found is not None
    assert [share.source.source_name for share in found.sources] == ["Read", None]
    assert sum(share.share.tokens for share in found.sources) == 32
    read = found.sources[0]
    assert read.share.zones[0] == (Zone.CACHE_READ, 20)
    assert read.share.grade is Grade.OPAQUE
    assert [segment.index for segment in read.segments] == [1, None]
    assert read.segments[1].segment is None
    assert [share.share.tokens for share in found.outputs] == [7]


def test_before_the_bill_everything_is_an_estimate() -> None:
    share = gather([factories.ledger_line(grade=Grade.EXACT)], is_settled=False)
    assert share.grade is Grade.ESTIMATED
    assert is_guess(share.grade)
    assert not is_guess(Grade.BOUNDED)


def test_unknown_cost_stays_unknown() -> None:
    assert gather([factories.ledger_line(cost_nano_usd=None)]).cost_nano_usd is None


def test_a_segment_that_is_not_there_is_no_danger() -> None:
    ledger = factories.ledger(lines=(factories.ledger_line(segment_index=99),))
    found = compose(factories.exchange_detail(ledger=ledger))
    assert found is not None
    assert found.sources[0].segments[0].segment is None
