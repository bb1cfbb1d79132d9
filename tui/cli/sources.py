"""`assay sources`: which servers, skills, files and prompts the tokens and the money go to."""

from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.cli.tables import write_json_lines, write_rows
from tui.cli.times import since_option, until_option
from tui.settings import Group

if TYPE_CHECKING:
    from storage.views import SourceMetrics

_SORTS = ("total_tokens", "total_cost_usd", "usage_count", "average_tokens", "average_rating", "last_used")


@declare(
    "sources",
    examples=[
        "assay sources --since 7d --sort total_cost_usd",
        "assay sources --kind mcp --json",
    ],
    exit_codes=["0 listed, 5 database unusable, 7 there is no database yet"],
)
@since_option
@until_option
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind (repeatable): user, mcp, skill ...")
@click.option("--session", "session_id", default=None, metavar="ID", help="Only in this session.")
@click.option("--sort", type=click.Choice(_SORTS), default="total_tokens", show_default=True, help="Largest first.")
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object per line.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(
    ctx: click.Context, /, since: int | None, until: int | None, sort: str, limit: int, is_json: bool, **rest: Any
) -> None:
    """Rank sources by tokens, cost, use or rating."""
    from storage.ranges import TimeRange
    from storage.views import SourceOrder

    kinds = [_kind(name) for name in rest["kinds"]]
    with opened_store(settings_of(ctx)) as store:
        found = store.sources.metrics(
            TimeRange(since, until), source_types=kinds, session_id=rest["session_id"], order=SourceOrder(sort)
        )
    if is_json:
        write_json_lines(source_object(metrics) for metrics in found[:limit])
    else:
        write_sources(found, limit)


def _kind(name: str) -> Any:
    from proxy_core.attribution.model import SourceType
    from storage.filters.fields import KIND_WORDS

    by_name = dict(KIND_WORDS) | {kind.value.lower(): kind for kind in SourceType}
    if name.lower() not in by_name:
        raise click.BadParameter(f"{name!r} is none of {', '.join(word for word, _ in KIND_WORDS)}", param_hint="--kind")
    return by_name[name.lower()]


def write_sources(found: "tuple[SourceMetrics, ...]", limit: int, *, is_error: bool = False) -> None:
    """Write the table of the first sources; shares are of all of them."""
    from tui import format as fmt

    total = sum(metrics.total_tokens for metrics in found)
    rows = [
        (
            metrics.source_type.value,
            metrics.source_name or "",
            str(metrics.usage_count),
            fmt.tokens(metrics.total_tokens),
            fmt.percent(metrics.total_tokens, total),
            fmt.tokens(round(metrics.average_tokens)),
            fmt.usd(metrics.total_cost_nano_usd),
            fmt.average_rating(metrics.average_rating),
        )
        for metrics in found[:limit]
    ]
    columns = ("kind", "name", "requests", "tokens", "share", "each", "cost", "rating")
    write_rows(columns, rows, right=columns[2:], is_error=is_error)


def source_object(metrics: "SourceMetrics") -> dict[str, Any]:
    """Return the JSON form of a source, with the names of the JSON API."""
    cost = metrics.total_cost_nano_usd
    return {
        "source_type": metrics.source_type.value,
        "source_name": metrics.source_name,
        "usage_count": metrics.usage_count,
        "total_tokens": metrics.total_tokens,
        "average_tokens": metrics.average_tokens,
        "total_cost_usd": None if cost is None else cost / 1e9,
        "feedback_count": metrics.feedback_count,
        "average_rating": metrics.average_rating,
    }
