"""A bar on standard error while something long runs; nothing where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

type Progress = Callable[[int, int], None]
"""Called with (done, in all)."""


@contextmanager
def shown_progress(label: str) -> Iterator[Progress]:
    """Lend a function that moves the bar."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr, show_pos=True) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show
