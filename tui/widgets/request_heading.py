"""The heading of the selected request: what it was, what it came to, and its spectrum in full width. Draws one summary."""

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import ExchangeState
from storage.views import ExchangeSummary
from tui import format as fmt
from tui.theme import Inks, inks
from tui.widgets.exchange_row import has_failed
from tui.widgets.line_list import Line
from tui.widgets.spectrum import spectrum_bar


class RequestHeading(Widget):
    """Three lines: title, figures, spectrum."""

    DEFAULT_CSS = "RequestHeading { height: 3; }"

    summary: reactive[ExchangeSummary | None] = reactive(None)

    def __init__(self, *, has_colour: bool = True, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._has_colour = has_colour

    def render_line(self, y: int) -> Strip:
        """Draw one of the three lines."""
        ink = inks(is_dark=self.app.current_theme.dark)
        width = self.size.width
        line = self._line(y, width, ink) if self.summary is not None else []
        strip = Strip([Segment(text, style) for text, style in line])
        return strip.adjust_cell_length(width).apply_style(Style(bgcolor=self.rich_style.bgcolor))

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self.refresh()

    def _line(self, y: int, width: int, ink: Inks) -> Line:
        summary = self.summary
        assert summary is not None, "drawn only when there is one"
        if y == 0:
            return title_line(summary, width, ink)
        if y == 1:
            return figures_line(summary, width, ink)
        if not summary.spectrum:
            return [(" " + "─" * (width - 2), ink.faint)]
        return [(" ", ink.plain), *spectrum_bar(summary.spectrum, width - 2, is_dark=ink.is_dark, has_colour=self._has_colour)]


def title_line(summary: ExchangeSummary, width: int, ink: Inks) -> Line:
    """Draw number, what was asked, and the rating."""
    mark = f" {fmt.rating(summary.rating)} " if summary.rating is not None else ""
    mark += "✎ " if summary.has_note else ""
    number = f" #{summary.id} "
    title = summary.title or f"{summary.method} {summary.path}"
    room = max(0, width - len(number) - len(mark) - 1)
    rating_ink = ink.good if (summary.rating or 0) > 0 else ink.error if (summary.rating or 0) < 0 else ink.accent
    return [(number, ink.accent), (fmt.fit(fmt.one_line(title), room), ink.strong), (mark, rating_ink)]


def figures_line(summary: ExchangeSummary, width: int, ink: Inks) -> Line:
    """Draw model, tokens, cache, cost and time; unknown parts are left out, and from the right what does not fit."""
    line: list[tuple[str, Style]] = [(" ", ink.plain)]
    used = 1
    for text, style in _figures(summary, ink):
        if fmt.UNKNOWN in text.split():
            continue
        if used + len(text) + 3 > width - 1:
            break
        if len(line) > 1:
            line.append((" · ", ink.faint))
            used += 3
        line.append((text, style))
        used += len(text)
    return line


def _figures(summary: ExchangeSummary, ink: Inks) -> list[tuple[str, Style]]:
    guess = summary.is_estimate
    failed = has_failed(summary)
    is_running = summary.state is ExchangeState.OPEN
    status = str(summary.status_code) if summary.status_code is not None else "running" if is_running else summary.state.value
    parts: list[tuple[str, Style]] = [
        (status, ink.error if failed else ink.accent if is_running else ink.good),
        (fmt.model_name(summary.model), ink.plain),
    ]
    if summary.request_class is not RequestClass.OTHER:
        parts += [
            (f"{fmt.tokens(summary.input_tokens, is_estimate=guess)} in", ink.plain),
            (f"{fmt.tokens(summary.output_tokens, is_estimate=guess)} out", ink.plain),
            (fmt.usd(summary.cost_nano_usd, is_estimate=guess), ink.plain),
            (f"{fmt.percent(summary.cache_read_tokens, summary.input_tokens)} cached", ink.muted),
        ]
    parts += [
        (f"took {fmt.milliseconds(summary.latency_ms)}", ink.muted),
        (f"first byte {fmt.milliseconds(summary.first_byte_ms)}", ink.muted),
        (fmt.day_and_clock(summary.started_us), ink.muted),
        (
            fmt.client_name(summary.client_name, summary.agent_type)
            + (f" {summary.client_version}" if summary.client_version else ""),
            ink.muted,
        ),
    ]
    if summary.is_distorted:
        parts.insert(2, ("≠ context changed by the base URL", ink.warning))
    return parts
