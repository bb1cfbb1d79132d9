"""`assay sessions`: client sessions with their tokens and cost."""

from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.cli.tables import write_json_lines, write_rows
from tui.cli.times import since_option, until_option
from tui.settings import Group

if TYPE_CHECKING:
    from storage.views import SessionSummary


@declare(
    "sessions",
    examples=["assay sessions --since 7d", "assay sessions --json | jq -r .session_id"],
    exit_codes=["0 listed, 5 database unusable, 7 there is no database yet"],
)
@since_option
@until_option
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object per line.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(
    ctx: click.Context, /, since: int | None, until: int | None, limit: int, is_json: bool, **_settings: object
) -> None:
    """List client sessions, newest first."""
    from storage.ranges import TimeRange

    with opened_store(settings_of(ctx)) as store:
        sessions = store.sessions.page(TimeRange(since, until), limit=limit)
    if is_json:
        write_json_lines(session_object(session) for session in sessions)
        return
    from tui import format as fmt

    rows = [
        (
            fmt.day_and_clock(session.first_us),
            session.session_id[:8],
            session.client_name or fmt.UNKNOWN,
            str(session.requests),
            fmt.tokens(session.input_tokens),
            fmt.percent(session.cache_read_tokens, session.input_tokens),
            fmt.tokens(session.output_tokens),
            fmt.usd(session.cost_nano_usd),
            (session.title or "")[:50],
        )
        for session in sessions
    ]
    columns = ("begun", "session", "client", "requests", "in", "cached", "out", "cost", "title")
    write_rows(columns, rows, right=columns[3:8])


def session_object(session: "SessionSummary") -> dict[str, Any]:
    """Return the JSON form of a session."""
    from dataclasses import asdict

    cost = session.cost_nano_usd
    return asdict(session) | {"cost_usd": None if cost is None else cost / 1e9}
