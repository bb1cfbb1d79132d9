"""One line per exchange: whole for programs, harmless for terminals."""

import json

import pytest

from proxy_core.attribution.model import RequestClass, SourceType
from proxy_core.exchange import ExchangeState
from tests import factories
from tui.lines import json_line, printable, text_line


def test_json_line_is_one_line_with_nulls_for_the_unknown() -> None:
    line = json_line(factories.exchange_summary(title="a\nb \ud800", cost_nano_usd=None, status_code=None))
    fields = json.loads(line)
    assert "\n" not in line
    assert line.isascii()
    assert fields["cost_usd"] is None
    assert fields["status_code"] is None
    assert fields["timestamp"] == "2026-01-01T00:00:01Z"


def test_json_line_holds_tokens_by_kind() -> None:
    fields = json.loads(json_line(factories.exchange_summary(spectrum=((SourceType.MCP_SERVER, 9), (SourceType.USER, 1)))))
    assert fields["tokens_by_source_type"] == {"McpServer": 9, "User": 1}
    assert fields["cost_usd"] == pytest.approx(0.000168)


def test_text_line_tells_the_essentials() -> None:
    line = text_line(factories.exchange_summary(input_tokens=1000, cache_read_tokens=900))
    for part in (
        "200",
        "POST api.anthropic.com/v1/messages",
        "claude-sonnet-4-5",
        "90 % cached",
        "7 out",
        "Why does the build fail?",
    ):
        assert part in line


def test_text_line_of_a_failure_leaves_out_what_is_unknown() -> None:
    line = text_line(
        factories.exchange_summary(
            state=ExchangeState.FAILED,
            status_code=None,
            input_tokens=None,
            cost_nano_usd=None,
            latency_ms=None,
            model=None,
            error="connection refused",
            request_class=RequestClass.OTHER,
        )
    )
    assert line.endswith("failed  POST api.anthropic.com/v1/messages  connection refused")


def test_estimates_are_marked() -> None:
    assert "~21 in" in text_line(factories.exchange_summary(is_estimate=True))


def test_nothing_can_move_the_cursor() -> None:
    assert printable("a\x1b[2Jb\nc\u202ed") == "a [2Jb c d"
