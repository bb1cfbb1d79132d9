"""`assay analyze`: the attribution of a request that lies in a file, or of many, one a line."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.options import setting_options, settings_of
from tui.errors import AssayError
from tui.settings import Group, Settings

if TYPE_CHECKING:
    from proxy_core.attribution.context import AnalysisContext
    from proxy_core.attribution.model import Attribution, Segment
    from proxy_core.dialects.base import RecordedCall

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


_PATIENCE_S = 60.0
"""How long a person waits for exact counts of one request."""


@declare(
    "analyze",
    examples=[
        "assay analyze request.json",
        "assay analyze request.json headers.json --response response.sse --json",
        "printf 'a.json\\ta.headers.json\\n' | assay analyze --batch",
    ],
    exit_codes=["0 analysed, 1 a file cannot be read, 2 wrong use; with --batch errors stand in the answers"],
)
@click.argument("body", type=_FILE, required=False)
@click.argument("headers", type=_FILE, required=False)
@click.option("--response", type=_FILE, default=None, help="The response (JSON or event stream): settles the bill.")
@click.option("--json", "is_json", is_flag=True, help="Every segment, as one JSON object.")
@click.option("--table", "is_table", is_flag=True, help="By source (the default).")
@click.option(
    "--tokens/--no-tokens", "has_tokens", default=None, help="Count tokens (default, but with --batch); a few ms without."
)
@click.option("--batch", "is_batch", is_flag=True, help="Read `body TAB headers` lines, answer each with one line of JSON.")
@setting_options(Group.STORAGE, only=("prices",))
@click.pass_context
def command(
    ctx: click.Context,
    /,
    body: Path | None,
    headers: Path | None,
    response: Path | None,
    is_json: bool,
    is_table: bool,
    **rest: Any,
) -> None:
    """Analyse the request BODY; HEADERS is a JSON file with `method`, `path` and `headers` (a list of pairs)."""
    settings = settings_of(ctx)
    is_batch: bool = rest["is_batch"]
    has_tokens = not is_batch if rest["has_tokens"] is None else rest["has_tokens"]
    if is_json and is_table:
        raise click.UsageError("--json and --table exclude each other")
    with counting_context(settings, has_tokens=has_tokens) as context:
        if is_batch:
            answer_lines(context)
            return
        if body is None:
            raise click.UsageError("Name a request file, or read many with --batch")
        attribution = analyse_files(body, headers, response, context)
    if is_json:
        click.echo(json.dumps(attribution_object(attribution)))
    else:
        write_attribution(attribution)


@contextmanager
def counting_context(settings: Settings, *, has_tokens: bool) -> "Iterator[AnalysisContext | None]":
    """Lend what counting and pricing need; `None` when nothing is to be counted."""
    if not has_tokens:
        yield None
        return
    from proxy_core.attribution.context import MemoryContext
    from proxy_core.attribution.tokens.service import WorkerCounting
    from tui.starting import open_prices

    prices = open_prices(settings)
    counting = WorkerCounting()
    try:
        yield MemoryContext(prices=prices, counting=counting)
    finally:
        counting.close()


def analyse_files(body: Path, headers: Path | None, response: Path | None, context: "AnalysisContext | None") -> "Attribution":
    """Analyse one request.

    Raises:
        AssayError: A file cannot be read.
    """
    from proxy_core.attribution.files import RecordedFileError, recorded_from_files

    try:
        recorded = recorded_from_files(body, headers, response)
    except (OSError, RecordedFileError) as error:
        raise AssayError(str(error)) from error
    if response is None:
        # A described response without its body would read as one that was cut off.
        recorded = replace(recorded, status_code=None, response_headers=())
    return analyse_recorded(recorded, context)


def analyse_recorded(recorded: "RecordedCall", context: "AnalysisContext | None") -> "Attribution":
    """Attribute a call, without figures when there is nobody to count."""
    if context is not None:
        from proxy_core.attribution.analysis import analyse

        return analyse(recorded, context, patience_s=_PATIENCE_S)
    from proxy_core.attribution.model import ATTRIBUTION_VERSION, Attribution
    from proxy_core.attribution.reading import read_call

    call = read_call(recorded)
    return Attribution(
        version=ATTRIBUTION_VERSION, facts=call.facts, segments=call.segments, ledger=None, warnings=call.warnings
    )


def answer_lines(context: "AnalysisContext | None") -> None:
    """Answer each line of standard input with one line of JSON, at once."""
    for line in sys.stdin:
        body, _, headers = line.rstrip("\r\n").partition("\t")
        if not body:
            continue
        try:
            attribution = analyse_files(Path(body), Path(headers) if headers else None, None, context)
            answer = attribution_object(attribution)
        except AssayError as error:
            answer = {"error": str(error)}
        click.echo(json.dumps(answer))


def attribution_object(attribution: "Attribution") -> dict[str, Any]:
    """Return the JSON form: segments in wire order, their figures where they were counted."""
    ledger = attribution.ledger
    tokens: Counter[int] = Counter()
    costs: Counter[int] = Counter()
    for line in ledger.lines if ledger else ():
        if line.segment_index is not None:
            tokens[line.segment_index] += line.tokens
            costs[line.segment_index] += line.cost_nano_usd or 0
    is_priced = ledger is not None and ledger.cost_nano_usd is not None
    segments = [
        segment_object(segment)
        | {
            "tokens": tokens[index] if ledger else None,
            "cost_usd": costs[index] / 1e9 if is_priced else None,
        }
        for index, segment in enumerate(attribution.segments)
    ]
    return {
        "attribution_version": attribution.version,
        "facts": asdict(attribution.facts),
        "segments": segments,
        "total_input_tokens": ledger.total_input_tokens if ledger else None,
        "output_tokens": ledger.output_tokens if ledger else None,
        "is_settled": ledger.is_settled if ledger else False,
        "cost_usd": ledger.cost_nano_usd / 1e9 if ledger and ledger.cost_nano_usd is not None else None,
        "warnings": list(attribution.warnings),
    }


def segment_object(segment: "Segment") -> dict[str, Any]:
    """Return the JSON form of a segment."""
    return {
        "source_type": segment.source.source_type.value,
        "source_name": segment.source.source_name,
        "text": segment.text,
        "part": segment.part.value,
        "region": segment.region.value,
        "role": segment.role,
        "message_index": segment.message_index,
        "pointer": segment.pointer,
        "start": segment.start,
        "end": segment.end,
        "content_kind": segment.content_kind.value,
        "content_bytes": segment.content_bytes,
        "content_hash": segment.content_hash,
        "is_uncertain": segment.is_uncertain,
        "cache_ttl": segment.cache_ttl,
    }


def write_attribution(attribution: "Attribution") -> None:
    """Write an attribution for people, by source."""
    from tui.cli.show import write_ledger
    from tui.cli.tables import write_rows
    from tui.lines import printable

    facts = attribution.facts
    client = " ".join(filter(None, (facts.client_name, facts.client_version))) or "unknown client"
    click.echo(printable(f"{client}, {facts.model or 'no model'}, {facts.request_class.value}"))
    for warning in attribution.warnings:
        click.echo(f"note: {printable(warning)}")
    if attribution.ledger is not None:
        write_ledger(attribution.ledger)
        return
    sizes: Counter[tuple[str, str]] = Counter()
    for segment in attribution.segments:
        sizes[segment.source.source_type.value, segment.source.source_name or ""] += segment.content_bytes
    click.echo("")
    write_rows(("kind", "name", "bytes"), [(*key, str(size)) for key, size in sizes.most_common()], right=("bytes",))
