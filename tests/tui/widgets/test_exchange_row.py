"""Rows of the request list: pure drawing."""

import pytest

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import ExchangeState
from storage.views import ExchangeSummary
from tests import factories
from tui.theme import inks
from tui.widgets.exchange_row import RowMood, exchange_line, has_failed, header_line, layout

_INKS = inks(is_dark=True)


def _text(line: object) -> str:
    return "".join(part for part, _ in line)  # type: ignore[attr-defined]


def _row(summary: ExchangeSummary, width: int = 120, **mood: object) -> str:
    fields: dict[str, object] = {
        "inks": _INKS,
        "highlighted": frozenset(),
        "has_colour": False,
        "now_us": factories.START_US,
    } | mood
    return _text(exchange_line(summary, width, RowMood(**fields)))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [60, 78, 80, 100, 118, 150, 200, 300])
def test_rows_and_headings_fill_the_width_and_no_more(width: int) -> None:
    summary = factories.exchange_summary(title="日本語のタイトル")
    assert len(_text(header_line(width, _INKS))) <= width
    assert len(_text(header_line(width, _INKS, "by session, prompt"))) <= width
    newer = _text(header_line(width, _INKS, newer=99_999))
    assert len(newer) == len(_text(header_line(width, _INKS)))
    assert "made of" in newer
    assert newer.endswith((" +100.0k", " 100.0k newer"))
    from rich.cells import cell_len

    assert cell_len(_row(summary, width)) <= width
    assert layout(width).bar_cells >= 14


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_heading_says_how_the_list_is_arranged_and_what_stands_in_the_other_columns(width: int) -> None:
    plain, arranged = _text(header_line(width, _INKS)), _text(header_line(width, _INKS, "by session, prompt"))
    assert arranged.split()[:3] == ["by", "session,", "prompt"]
    assert arranged.index(" cost ") == plain.index(" cost ")


def test_small_screens_keep_what_matters() -> None:
    names = [column.name for column in layout(79).columns]
    assert {"time", "status", "input", "cost"} <= set(names)
    assert "first_byte" not in names


def test_very_wide_screens_show_what_was_asked() -> None:
    assert "Why does the build fail?" in _row(factories.exchange_summary(), 220)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status_code": 429, "error": "rate_limit_error: slow down"}, "rate_limit_error: slow down"),
        ({"status_code": 500, "error": None}, "HTTP 500"),
        ({"state": ExchangeState.INTERRUPTED, "status_code": None}, "CUT"),
        ({"state": ExchangeState.FAILED, "status_code": None, "error": None}, "no answer"),
        ({"spectrum": (), "request_class": RequestClass.OTHER}, "POST /v1/messages"),
        ({"spectrum": (), "attribution_version": None}, "not analysed yet"),
        ({"cost_nano_usd": None}, "–"),
        ({"is_estimate": True}, "~21"),
        ({"rating": 0.5}, "▲"),
        ({"rating": -0.5}, "▼"),
        ({"rating": 0.0}, "◆"),
        ({"is_distorted": True}, "≠"),
        ({"agent_type": "reviewer"}, "↳reviewer"),
    ],
)
def test_what_is_special_is_seen(changes: dict[str, object], words: str) -> None:
    assert words in _row(factories.exchange_summary(**changes))


def test_a_running_row_moves() -> None:
    summary = factories.exchange_summary(state=ExchangeState.OPEN, status_code=None, output_tokens=None, latency_ms=None)
    text = _row(summary, now_us=summary.started_us + 2_500_000, streamed_tokens=340)
    assert "2.50s" in text
    assert "↓~340" in text
    assert text != _row(summary, now_us=summary.started_us + 2_700_000, streamed_tokens=340)


def test_only_trouble_fails() -> None:
    assert has_failed(factories.exchange_summary(status_code=400))
    assert not has_failed(factories.exchange_summary(status_code=None, state=ExchangeState.OPEN))
