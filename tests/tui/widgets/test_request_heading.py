"""The heading of the selected request."""

from proxy_core.exchange import ExchangeState
from tests import factories
from tests.tui.widgets.stage import lines_of, staged
from tui.theme import inks
from tui.widgets.request_heading import RequestHeading, figures_line, title_line

_INKS = inks(is_dark=True)


def _text(line: object) -> str:
    return "".join(part for part, _ in line)  # type: ignore[attr-defined]


def test_the_heading_of_a_request_leaves_out_what_does_not_fit() -> None:
    summary = factories.exchange_summary(rating=-0.5, has_note=True, is_distorted=True)
    assert "-0.5 ✎" in _text(title_line(summary, 60, _INKS))
    assert len(_text(figures_line(summary, 40, _INKS))) <= 40
    assert "context changed" in _text(figures_line(summary, 200, _INKS))


def test_what_is_not_known_is_left_out() -> None:
    running = factories.exchange_summary(
        state=ExchangeState.OPEN,
        status_code=None,
        output_tokens=None,
        cost_nano_usd=None,
        cache_read_tokens=None,
        latency_ms=None,
        first_byte_ms=None,
    )
    text = _text(figures_line(running, 200, _INKS))
    assert text.startswith(" running · ")
    assert "–" not in text
    assert "first byte" not in text


async def test_three_lines_are_drawn_and_none_without_a_request() -> None:
    async with staged(RequestHeading) as (stage, _):
        heading = stage.query_one(RequestHeading)
        assert lines_of(heading) == ["", "", ""]
        heading.summary = factories.exchange_summary(rating=1.0)
        title, figures, spectrum = lines_of(heading)
        assert title.endswith("+1.0")
        assert "200" in figures
        assert set(spectrum.strip()) == {"▆"}
        heading.summary = factories.exchange_summary(spectrum=())
        assert set(lines_of(heading)[2].strip()) == {"─"}
