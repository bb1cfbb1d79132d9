"""How figures are written."""

from datetime import UTC

import pytest

from tests.factories import START_US
from tui import format as fmt


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0"),
        (812, "812"),
        (12_345, "12.3k"),
        (123_456, "123k"),
        (1_240_000, "1.24M"),
        (12_400_000, "12.4M"),
        (3_200_000_000, "3.20G"),
    ],
)
def test_tokens(count: int | None, text: str) -> None:
    assert fmt.tokens(count) == text
    assert len(text) <= 6


def test_an_estimate_is_marked() -> None:
    assert fmt.tokens(12_345, is_estimate=True) == "~12.3k"
    assert fmt.usd(12_345_678, is_estimate=True) == "~$0.0123"
    assert fmt.tokens(None, is_estimate=True) == "–"


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (None, "–"),
        (0, "$0"),
        (1_000, "≈$0"),
        (12_000, "$0.00001"),
        (99_000, "$0.00010"),
        (12_345_678, "$0.0123"),
        (1_236_000_000, "$1.24"),
        (1_204_000_000_000, "$1,204"),
    ],
)
def test_usd(nano: int | None, text: str) -> None:
    assert fmt.usd(nano) == text


def test_exact_usd() -> None:
    assert fmt.exact_usd(17_585_000) == "$0.017585"
    assert fmt.exact_usd(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.84, "0.8ms"),
        (820.4, "820ms"),
        (1_240, "1.24s"),
        (12_400, "12.4s"),
        (125_000, "2m05s"),
        (3_720_000, "1h02m"),
        (999.6, "1.00s"),
        (9.97, "10ms"),
        (9_996.0, "10.0s"),
        (59_960.0, "1m00s"),
    ],
)
def test_milliseconds(value: float | None, text: str) -> None:
    assert fmt.milliseconds(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (812, "812 B"),
        (12_345, "12.3 kB"),
        (123_456, "123 kB"),
        (1_240_000, "1.2 MB"),
        (5_000_000_000_000, "5000 GB"),
    ],
)
def test_size(count: int | None, text: str) -> None:
    assert fmt.size(count) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (None, 5, "–"),
        (5, None, "–"),
        (5, 0, "–"),
        (0, 5, "0 %"),
        (1, 500, "<1 %"),
        (499, 500, "99 %"),
        (1, 4, "25 %"),
        (4, 4, "100 %"),
    ],
)
def test_percent(part: int | None, whole: int | None, text: str) -> None:
    assert fmt.percent(part, whole) == text


def test_rating_and_whole() -> None:
    assert fmt.rating(0.8) == "+0.8"
    assert fmt.rating(None) == "–"
    assert fmt.whole(1_234_567) == "1,234,567"
    assert fmt.whole(None) == "–"


def test_times() -> None:
    assert fmt.clock(START_US, UTC) == "00:00:00"
    assert fmt.day_and_clock(START_US, UTC) == "2026-01-01 00:00:00"
    assert fmt.day_or_clock(START_US, UTC) == "01 Jan 00:00"
    assert fmt.precise(START_US + 12, UTC) == "00:00:00.000012"
    assert fmt.precise(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0s ago"), (12, "12s ago"), (300, "5m ago"), (7_200, "2h ago"), (200_000, "2d ago")]
)
def test_ago(seconds: int, text: str) -> None:
    assert fmt.ago(START_US - seconds * 1_000_000, START_US) == text


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (None, "–"),
        ("claude-opus-4-8", "opus-4.8"),
        ("claude-sonnet-4-5-20250929", "sonnet-4.5"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "haiku-4-5-v1:0"),
        ("anthropic/claude-opus-4-8", "opus-4.8"),
        ("claude-opus-4-8@20260101", "opus-4.8"),
        ("gpt-9", "gpt-9"),
    ],
)
def test_model_name(model: str | None, text: str) -> None:
    assert fmt.model_name(model) == text


def test_client_name_prefers_the_agent() -> None:
    assert fmt.client_name("claude-code", "reviewer") == "↳reviewer"
    assert fmt.client_name(None) == "–"


def test_fit_counts_cells_not_characters() -> None:
    assert fmt.fit("abc", 5) == "abc  "
    assert fmt.fit("abc", 5, is_right=True) == "  abc"
    assert fmt.fit("abcdef", 4) == "abc…"
    assert fmt.fit("日本語", 5) == "日本…"
    assert fmt.fit("abc", 0) == ""


def test_fit_path_keeps_the_file_name() -> None:
    assert fmt.fit_path("/home/dev/project/CLAUDE.md", 16).endswith("CLAUDE.md")
    assert len(fmt.fit_path("/home/dev/project/CLAUDE.md", 16)) == 16
    assert fmt.fit_path("system prompt: tasks", 10) == "system pr…"


def test_one_line_joins_and_cleans() -> None:
    assert fmt.one_line("a\n\tb\x1b[31m c") == "a b [31m c"


def test_sparkline() -> None:
    assert fmt.sparkline((), 5) == ""
    assert fmt.sparkline((0, 0), 5) == "  "
    assert fmt.sparkline((0, 1, 8), 5) == " ▁█"
    assert len(fmt.sparkline(tuple(range(100)), 10)) == 10


def test_bar() -> None:
    assert fmt.bar(0, 4) == ""
    assert fmt.bar(0.5, 4) == "██"
    assert fmt.bar(0.001, 4) == "▏"
    assert fmt.bar(2, 4) == "████"


def test_cells_add_up_and_nothing_vanishes() -> None:
    assert fmt.divide_cells((), 5) == []
    assert fmt.divide_cells((0, 0), 5) == [0, 0]
    assert fmt.divide_cells((1, 1000), 10) == [1, 9]
    assert fmt.divide_cells((1, 1, 1), 2) == [1, 1, 0]
    for width in range(1, 40):
        assert sum(fmt.divide_cells((5, 0, 17, 1, 300), width)) == width


@pytest.mark.parametrize(
    ("text", "short"),
    [("$0.3000", "$0.30"), ("$0.0750", "$0.075"), ("16.0k", "16k"), ("1.20M", "1.2M"), ("300k", "300k"), ("$0", "$0")],
)
def test_axes_leave_out_zeros_that_say_nothing(text: str, short: str) -> None:
    assert fmt.short_figure(text) == short


def test_averages_and_growth_say_no_more_than_there_is() -> None:
    assert fmt.average_rating(0.25) == "+0.25"
    assert fmt.average_rating(None) == "–"
    assert [fmt.growth(share) for share in (0.0, 0.004, 0.12, -0.03)] == ["0 %", "0 %", "+12 %", "-3 %"]
