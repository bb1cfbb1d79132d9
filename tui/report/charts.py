"""The report's pictures as inline SVG: pure functions from figures to markup."""

from collections import defaultdict
from collections.abc import Sequence

from proxy_core.attribution.model import SourceType
from storage.views import SeriesPoint
from tui import colours
from tui import format as text

_WIDTH, _HEIGHT = 930, 240
_LEFT, _BOTTOM, _TOP = 52, 22, 8
_GRID_LINES = 4


def stacked_chart(points: Sequence[SeriesPoint]) -> str:
    """Draw tokens over time as bars stacked by kind of source."""
    buckets: dict[int, dict[str, int]] = defaultdict(dict)
    for point in points:
        buckets[point.bucket_us][point.key] = point.tokens
    highest = max(sum(stack.values()) for stack in buckets.values()) or 1
    slot = (_WIDTH - _LEFT) / len(buckets)
    bars = []
    for position, bucket_us in enumerate(sorted(buckets)):
        y = float(_HEIGHT - _BOTTOM)
        for kind in colours.KINDS:
            tokens = buckets[bucket_us].get(kind.value, 0)
            height = (_HEIGHT - _BOTTOM - _TOP) * tokens / highest
            if height > 0:
                y -= height
                bars.append(_bar(kind, _LEFT + position * slot, y, max(1.0, slot - 2), height))
    return _picture("Tokens over time by kind of source", highest, sorted(buckets), "".join(bars))


def context_chart(growth: Sequence[tuple[int, int]]) -> str:
    """Draw the input tokens of each request of a session, oldest first."""
    highest = max(tokens for _, tokens in growth) or 1
    step = (_WIDTH - _LEFT) / (len(growth) - 1)
    dots = [(_LEFT + i * step, _y(tokens, highest)) for i, (_, tokens) in enumerate(growth)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    floor = _HEIGHT - _BOTTOM
    area = f"{_LEFT},{floor} {line} {dots[-1][0]:.1f},{floor}"
    drawing = f'<polygon class="area" points="{area}"/><polyline class="rise" points="{line}"/>'
    return _picture("Input tokens of each request", highest, [at_us for at_us, _ in growth], drawing)


def _bar(kind: SourceType, x: float, y: float, width: float, height: float) -> str:
    style = colours.KINDS[kind]
    return (
        f'<rect style="--d:{style.dark};--l:{style.light}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"<title>{style.label}</title></rect>"
    )


def _y(tokens: int, highest: int) -> float:
    return _TOP + (_HEIGHT - _BOTTOM - _TOP) * (1 - tokens / highest)


def _picture(title: str, highest: int, times_us: Sequence[int], drawing: str) -> str:
    grid = []
    for step in range(_GRID_LINES + 1):
        tokens = highest * step // _GRID_LINES
        y = _y(tokens, highest)
        grid.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        grid.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text.tokens(tokens)}</text>')
    first, last = text.day_and_clock(times_us[0]), text.day_and_clock(times_us[-1])
    grid.append(f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{first}</text>')
    grid.append(f'<text x="{_WIDTH}" y="{_HEIGHT - 6}" text-anchor="end">{last}</text>')
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">{"".join(grid)}{drawing}</svg>'
