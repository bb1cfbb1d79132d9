"""The factories make whole, consistent values."""

from tests import factories


def test_every_maker_works_without_arguments() -> None:
    makers = [factories.timing, factories.body_of, factories.captured_request, factories.captured_response]
    makers += [factories.exchange_started, factories.exchange_finished, factories.segment, factories.ledger_line]
    makers += [factories.usage, factories.ledger, factories.call_facts, factories.exchange_summary, factories.exchange_detail]
    makers += [factories.source_metrics, factories.summary_metrics, factories.session_summary, factories.feedback]
    assert all(make() is not None for make in makers)


def test_ledger_adds_up() -> None:
    ledger = factories.ledger()
    assert sum(line.tokens for line in ledger.lines) == ledger.total_input_tokens + (ledger.output_tokens or 0)
    assert sum(line.cost_nano_usd or 0 for line in ledger.lines) == ledger.cost_nano_usd


def test_ids_are_distinct_unless_numbered() -> None:
    assert factories.exchange_id() != factories.exchange_id()
    assert factories.exchange_id(7) == factories.exchange_id(7)
    assert len(factories.exchange_id(7)) == 32
