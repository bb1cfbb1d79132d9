"""`assay show`: what one request was made of, where each piece came from, and what it cost."""

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.cli.tables import write_rows
from tui.errors import NotFoundError
from tui.settings import Group

if TYPE_CHECKING:
    from proxy_core.attribution.model import Ledger, Source
    from storage.store import Store
    from storage.views import ExchangeDetail


@declare(
    "show",
    examples=[
        "assay show                     # the newest one",
        "assay show 0192f3a4",
        "assay show 0192f3a4 --body request | jq .",
    ],
    exit_codes=["0 shown, 5 database unusable, 7 no such exchange, or its body was not kept"],
)
@click.argument("exchange", required=False)
@click.option(
    "--body", type=click.Choice(["request", "response"]), default=None, help="Write this body, decoded, and nothing else."
)
@click.option("--json", "is_json", is_flag=True, help="As one JSON object.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, exchange: str | None, body: str | None, is_json: bool, **_settings: object) -> None:
    """Show the exchange EXCHANGE (its id, or the beginning of it), or the newest one."""
    with opened_store(settings_of(ctx)) as store:
        key = exchange or newest_call(store)
        if body is not None:
            write_body(store, key, body)
            return
        detail = store.exchanges.detail(key)
        if detail is None:
            raise NotFoundError(f"no exchange {exchange}" if exchange else "nothing was captured yet")
    if is_json:
        click.echo(json.dumps(detail_object(detail), indent=2))
    else:
        write_detail(detail)


def newest_call(store: "Store") -> int:
    """Return the newest exchange that an answer was billed for, else the newest of all; 0 when there is none."""
    from storage.filters.clauses import compile_filter
    from storage.filters.parsing import parse
    from storage.filters.tree import Filter

    wanted = parse("-class:other,count_tokens")
    assert isinstance(wanted, Filter)
    newest = store.exchanges.page(1, where=compile_filter(wanted))
    return newest[0].id if newest else store.exchanges.newest_id()


def write_body(store: "Store", key: int | str, side: str) -> None:
    """Write a body, decoded, to standard output.

    Raises:
        NotFoundError: It was not kept.
    """
    from proxy_core.exchange import Side

    content = store.exchanges.body(key, Side(side), decoded=True)
    if content is None:
        raise NotFoundError(f"the {side} body was not kept")
    sys.stdout.buffer.write(content)


@dataclass(slots=True)
class SourceShare:
    """What one source has of one request."""

    tokens: int = 0
    cost_nano_usd: int | None = None
    """`None`: no price known."""
    grades: set[str] = field(default_factory=set)


def shares_of(ledger: "Ledger") -> "list[tuple[Source, SourceShare]]":
    """Sum up a ledger by source, largest first."""
    shares: defaultdict[Source, SourceShare] = defaultdict(SourceShare)
    for line in ledger.lines:
        share = shares[line.source]
        share.tokens += line.tokens
        share.grades.add(line.grade.value)
        if line.cost_nano_usd is not None:
            share.cost_nano_usd = (share.cost_nano_usd or 0) + line.cost_nano_usd
    return sorted(shares.items(), key=lambda item: -item[1].tokens)


def write_detail(detail: "ExchangeDetail") -> None:
    """Write an exchange for people."""
    from tui.lines import printable, text_line

    click.echo(text_line(detail.summary))
    click.echo(f"id {detail.summary.exchange_id}")
    for warning in detail.notes:
        click.echo(f"note: {printable(warning)}")
    if detail.ledger is None:
        click.echo("no ledger: " + ("it carries no prompt" if detail.facts else "not analysed yet"))
        return
    write_ledger(detail.ledger)
    if detail.ledger.cost_basis.steps:
        click.echo("")
        for step in detail.ledger.cost_basis.steps:
            click.echo(f"  {printable(step)}")


def write_ledger(ledger: "Ledger") -> None:
    """Write a ledger by source, with its sum."""
    from tui import format as fmt

    shares = shares_of(ledger)
    total = sum(share.tokens for _, share in shares)
    mark = "" if ledger.is_settled else "~"
    rows = [
        (
            source.source_type.value,
            source.source_name or "",
            f"{mark}{share.tokens}",
            fmt.percent(share.tokens, total),
            fmt.exact_usd(share.cost_nano_usd),
            "/".join(sorted(share.grades)),
        )
        for source, share in shares
    ]
    rows.append(("total", "", f"{mark}{total}", "", fmt.exact_usd(ledger.cost_nano_usd), ""))
    click.echo("")
    write_rows(("kind", "name", "tokens", "share", "cost", "grade"), rows, right=("tokens", "share", "cost"))


def detail_object(detail: "ExchangeDetail") -> dict[str, Any]:
    """Return the JSON form of an exchange: the line of headless mode, and its sources."""
    from tui.lines import exchange_object

    shares = shares_of(detail.ledger) if detail.ledger else []
    sources = [
        {
            "source_type": source.source_type.value,
            "source_name": source.source_name,
            "tokens": share.tokens,
            "cost_usd": None if share.cost_nano_usd is None else share.cost_nano_usd / 1e9,
            "grades": sorted(share.grades),
        }
        for source, share in shares
    ]
    return exchange_object(detail.summary) | {"sources": sources, "notes": list(detail.notes)}
