"""Figures, times and names as people read them: pure functions, so that one thing looks the same everywhere.

An unknown value is drawn as a dash, never as 0; an estimate carries a `~`.
Must hold no state, read no clock and know no widget.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from rich.cells import cell_len, set_cell_size

UNKNOWN: Final = "–"  # noqa: RUF001 - a dash is meant
"""What is drawn where a value is not known."""

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


def tokens(count: int | None, *, is_estimate: bool = False) -> str:
    """Write a token count in at most six characters, such as `812`, `12.3k`, `~1.24M`."""
    if count is None:
        return UNKNOWN
    mark = "~" if is_estimate else ""
    if abs(count) < 1_000:
        return f"{mark}{count}"
    for limit, divisor, unit in ((100_000, 1e3, "k"), (1_000_000, 1e3, "k"), (10_000_000, 1e6, "M"), (1_000_000_000, 1e6, "M")):
        if abs(count) < limit:
            digits = {100_000: 1, 1_000_000: 0, 10_000_000: 2, 1_000_000_000: 1}[limit]
            return f"{mark}{count / divisor:.{digits}f}{unit}"
    return f"{mark}{count / 1e9:.2f}G"


def whole(count: int | None) -> str:
    """Write a count in groups of thousands: `1,234,567`."""
    return UNKNOWN if count is None else f"{count:,}"


def usd(nano_usd: int | None, *, is_estimate: bool = False) -> str:
    """Write an amount in dollars with the precision it deserves: `$0.0123`, `$1.24`, `$1,204`; next to nothing is `≈$0`."""
    if nano_usd is None:
        return UNKNOWN
    amount = nano_usd / 1e9
    mark = "~" if is_estimate else ""
    if amount == 0:
        return f"{mark}$0"
    size = abs(amount)
    if size < 0.000_005:
        return "≈$0"
    digits = 5 if size < 0.000_1 else 4 if size < 1 else 2 if size < 1_000 else 0
    return f"{mark}${amount:,.{digits}f}"


def short_figure(text: str) -> str:
    """Leave out the zeros after a figure's point that say nothing, for axes: `$0.30`, `16k`."""
    figure, unit = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
    if "." not in figure:
        return text
    least = 2 if figure.startswith("$") else 0
    head, _, digits = figure.partition(".")
    digits = digits[:least] + digits[least:].rstrip("0")
    return (f"{head}.{digits}" if digits else head) + unit


def exact_usd(nano_usd: int | None) -> str:
    """Write an amount in dollars to the last micro-dollar, for arithmetic that is shown."""
    return UNKNOWN if nano_usd is None else f"${nano_usd / 1e9:.6f}"


def milliseconds(value: float | None) -> str:
    """Write a duration in at most six characters: `0.8ms`, `820ms`, `1.24s`, `2m05s`, `1h02m`."""
    if value is None:
        return UNKNOWN
    if value < 999.5:
        return f"{value:.1f}ms" if value < 9.95 else f"{value:.0f}ms"
    if value < 59_950:
        return f"{value / 1_000:.2f}s" if value < 9_995 else f"{value / 1_000:.1f}s"
    seconds = round(value / 1_000)
    if seconds < 3_600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    return f"{seconds // 3_600}h{seconds % 3_600 // 60:02d}m"


def size(count: int | None) -> str:
    """Write a number of bytes: `812 B`, `12.3 kB`, `1.2 MB`."""
    if count is None:
        return UNKNOWN
    if count < 1_000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1_000
        if value < 999.5 or unit == "GB":
            break
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def percent(part: float | None, whole_: float | None) -> str:
    """Write a share: `0 %`, `<1 %`, `18 %`; a dash where it has no meaning."""
    if part is None or not whole_:
        return UNKNOWN
    share = 100 * part / whole_
    if 0 < share < 1:
        return "<1 %"
    if 99 < share < 100:
        return "99 %"
    return f"{share:.0f} %"


def average_rating(value: float | None) -> str:
    """Write the average of ratings: `+0.25`."""
    return UNKNOWN if value is None else f"{value:+.2f}"


def growth(share: float) -> str:
    """Write by which share something grew: `+12 %`, `-3 %`, `0 %`."""
    percent_ = round(100 * share)
    return f"{percent_:+d} %" if percent_ else "0 %"


def rating(value: float | None) -> str:
    """Write a rating with its sign: `+0.8`, `-1.0`."""
    if value is None:
        return UNKNOWN
    return f"{value:+.1f}"


def clock(at_us: int, zone: tzinfo | None = None) -> str:
    """Write the time of day in the viewer's zone: `19:04:55`."""
    return _local(at_us, zone).strftime("%H:%M:%S")


def day_and_clock(at_us: int, zone: tzinfo | None = None) -> str:
    """Write date and time: `2026-11-22 19:04:55`."""
    return _local(at_us, zone).strftime("%Y-%m-%d %H:%M:%S")


def day_or_clock(at_us: int, zone: tzinfo | None = None) -> str:
    """Write date and time shortly: `20 Nov 15:01`."""
    return _local(at_us, zone).strftime("%d %b %H:%M")


def precise(at_us: int | None, zone: tzinfo | None = None) -> str:
    """Write the time of day to the microsecond."""
    return UNKNOWN if at_us is None else _local(at_us, zone).strftime("%H:%M:%S.%f")


def ago(at_us: int, now_us: int) -> str:
    """Write how long ago something was: `12s ago`, `5m ago`, `3h ago`, `2d ago`."""
    seconds = max(0, (now_us - at_us) // 1_000_000)
    for limit, divisor, unit in ((60, 1, "s"), (3_600, 60, "m"), (86_400, 3_600, "h")):
        if seconds < limit:
            return f"{seconds // divisor}{unit} ago"
    return f"{seconds // 86_400}d ago"


def model_name(model: str | None) -> str:
    """Shorten a model id to what tells models apart: `opus-4.8`, `sonnet-4.5`, `haiku-4.5`."""
    if model is None:
        return UNKNOWN
    name = model.rpartition("/")[2].removeprefix("anthropic.").removeprefix("us.anthropic.").removeprefix("claude-")
    name = name.partition("@")[0]
    parts = [part for part in name.split("-") if not (part.isdigit() and len(part) == 8)]
    if len(parts) >= 3 and parts[-1].isdigit() and parts[-2].isdigit():
        parts[-2:] = [f"{parts[-2]}.{parts[-1]}"]
    return "-".join(parts)


def client_name(client: str | None, agent_type: str | None = None) -> str:
    """Name who asked: the sub-agent where there is one, else the client."""
    if agent_type:
        return f"↳{agent_type}"
    return client or UNKNOWN


def fit(text: str, width: int, *, is_right: bool = False) -> str:
    """Cut or pad a text to a width in cells; what was cut ends in `…`."""
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    gap = " " * (width - length)
    return gap + text if is_right else text + gap


def fit_path(text: str, width: int) -> str:
    """Cut a path in its middle, so that the file's name stays; what is no path is cut at its end."""
    if len(text) <= width or width < 5 or "/" not in text:
        return fit(text, width)
    tail = (width - 1) * 2 // 3
    return text[: width - 1 - tail] + "…" + text[-tail:]


def one_line(text: str) -> str:
    """Join a text's lines by single spaces, control characters left out."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def sparkline(values: Sequence[int], width: int) -> str:
    """Draw values as one line of blocks, the last one rightmost; empty where there is nothing."""
    if not values or width <= 0:
        return ""
    shown = _squeeze(values, width)
    top = max(shown)
    if top <= 0:
        return " " * len(shown)
    return "".join(_BLOCKS[0 if value <= 0 else max(1, round(8 * value / top))] for value in shown)


def bar(share: float, width: int) -> str:
    """Draw a share (0 to 1) as a bar of eighths, without its ground."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0 and eighths == 0:
        eighths = 1
    full, rest = divmod(eighths, 8)
    return "█" * full + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")


def divide_cells(amounts: Sequence[int], width: int) -> list[int]:
    """Share out `width` cells by amounts: they add up to `width`, and nothing present vanishes while there is room.

    Args:
        amounts: What to show, none negative.
        width: Cells to share out.

    Returns:
        One count of cells for each amount; all 0 when there is nothing to show.
    """
    total = sum(amounts)
    if total <= 0 or width <= 0:
        return [0] * len(amounts)
    exact = [amount * width / total for amount in amounts]
    cells = [int(value) for value in exact]
    order = sorted(range(len(amounts)), key=lambda i: (-(exact[i] - cells[i]), i))
    for index in order[: width - sum(cells)]:
        cells[index] += 1
    return _lift_small(cells, amounts)


def _lift_small(cells: list[int], amounts: Sequence[int]) -> list[int]:
    """Give a cell to what is present but got none, from the widest, as long as that leaves the widest the widest."""
    for index, amount in enumerate(amounts):
        if amount > 0 and cells[index] == 0:
            widest = max(range(len(cells)), key=cells.__getitem__)
            if cells[widest] < 4:
                break
            cells[widest] -= 1
            cells[index] = 1
    return cells


def _squeeze(values: Sequence[int], width: int) -> list[int]:
    """Sum neighbours until at most `width` values are left; the newest stay in whole groups."""
    step = -(-len(values) // width)
    ends = range(len(values), 0, -step)
    return [sum(values[max(0, end - step) : end]) for end in ends][::-1]


def _local(at_us: int, zone: tzinfo | None) -> datetime:
    at = datetime.fromtimestamp(at_us / 1_000_000, UTC)
    return at.astimezone(zone)
