"""`assay export`: exchanges as files that other programs read, streamed, however many there are."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.cli.progress import shown_progress
from tui.cli.selecting import selecting_options, wanted_exchanges
from tui.errors import AssayError
from tui.settings import Group

_FORMATS = ("json", "jsonl", "har", "csv", "otlp-json")


@declare(
    "export",
    examples=[
        "assay export --since 7d -o week.json",
        "assay export --format csv --filter 'class:main cost:>0.05' > costly.csv",
        "assay export --format jsonl -o everything.jsonl     # with bodies: assay import takes it in again",
        "assay export --format har --session 3f2a -o session.har",
    ],
    exit_codes=[
        "0 written, 1 the file cannot be written, 2 the filter means nothing, 5 database unusable, 7 there is none yet"
    ],
)
@click.option("--format", "export_format", type=click.Choice(_FORMATS), default="json", show_default=True, help="As what.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="File; else standard output."
)
@click.option("--with-bodies/--without-bodies", "has_bodies", default=None, help="Default: JSONL and HAR with, others without.")
@click.option("--no-texts", is_flag=True, help="Sizes and hashes of segments only.")
@selecting_options
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(
    ctx: click.Context,
    /,
    export_format: str,
    output: Path | None,
    has_bodies: bool | None,
    no_texts: bool,
    **rest: Any,
) -> None:
    """Write exchanges, oldest first. The JSON form is described by docs/export.schema.json.

    A file appears when it is whole; until then it is called FILE.part.
    """
    from importlib.metadata import version

    from storage.export.exporting import count_exported, export
    from storage.export.options import ExportFormat, ExportOptions

    with opened_store(settings_of(ctx)) as store, shown_progress("exporting") as progress:
        wanted = wanted_exchanges(rest, store)
        total = count_exported(store, wanted)
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        options = ExportOptions(
            has_bodies=has_bodies,
            has_texts=not no_texts,
            generator=f"assay {version('context-assay')}",
            on_exchange=count,
        )
        write(export(store, wanted, ExportFormat(export_format), options), output)
    if output is not None:
        click.echo(f"assay: {total} exchanges in {output}", err=True)


def write(pieces: Iterable[str], output: Path | None) -> None:
    """Write all pieces.

    Raises:
        AssayError: The file cannot be written.
    """
    try:
        with opened_output(output) as stream:
            stream.writelines(pieces)
    except BrokenPipeError:
        from tui.headless import silence_stdout

        # Whoever read has seen enough.
        silence_stdout()
    except OSError as error:
        raise AssayError(f"cannot write {output or 'standard output'}: {error.strerror or error}") from error


@contextmanager
def opened_output(output: Path | None) -> Iterator[TextIO]:
    """Open a file that takes its name when it is whole, for its owner alone; or standard output."""
    if output is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        sys.stdout.flush()
        return
    part = output.with_name(output.name + ".part")
    try:
        part.touch(mode=0o600)
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
