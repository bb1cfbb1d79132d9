"""Points in time as people type them: `7d`, `90m`, `2026-01-31`, `2026-01-31T12:00`."""

import re
import time
from datetime import datetime
from typing import override

import click

_SPAN = re.compile(r"(\d+)\s*(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class PointInTime(click.ParamType[int]):
    """A time, in microseconds since the epoch; without a zone it is the local one."""

    name = "time"

    @override
    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a span back from now, or a date and time."""
        if isinstance(value, int):
            return value
        if span := _SPAN.fullmatch(value.strip()):
            return time.time_ns() // 1000 - int(span[1]) * _SECONDS[span[2]] * 1_000_000
        try:
            return int(datetime.fromisoformat(value).astimezone().timestamp() * 1_000_000)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is no time: write 90m, 7d, 2026-01-31 or 2026-01-31T12:00", param, ctx)


POINT_IN_TIME = PointInTime()
since_option = click.option("--since", type=POINT_IN_TIME, default=None, help="Only from then on: 90m, 7d, 2026-01-31.")
until_option = click.option("--until", type=POINT_IN_TIME, default=None, help="Only before then.")
