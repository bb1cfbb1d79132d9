"""Tables on standard output: aligned columns for people, one JSON object per line for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from tui.lines import printable

type Row = Mapping[str, Any]


def write_rows(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), is_error: bool = False
) -> None:
    """Write aligned columns; those in `right` are aligned to the right. `is_error`: to standard error."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max([len(name), *(len(row[index]) for row in cells)]) for index, name in enumerate(columns)]

    def line(values: Sequence[str]) -> str:
        aligned = [
            value.rjust(width) if name in right else value.ljust(width)
            for name, value, width in zip(columns, values, widths, strict=True)
        ]
        return "  ".join(aligned).rstrip()

    click.echo(click.style(line(columns), bold=True), err=is_error)
    for row in cells:
        click.echo(line(row), err=is_error)


def write_json_lines(rows: Iterable[Row]) -> None:
    """Write one JSON object per line."""
    for row in rows:
        click.echo(json.dumps(row, separators=(",", ":")))
