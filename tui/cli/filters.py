"""`assay filters`: filters under a name, the same ones that the dashboard saves; `--filter @NAME` uses one."""

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.cli.tables import write_json_lines, write_rows
from tui.invocation import own_command
from tui.settings import Group


@declare(
    "filters",
    examples=[
        "assay filters                                   # list them",
        "assay filters costly 'class:main cost:>0.05'    # save one, or replace it",
        "assay export --filter '@costly since:7d' -o costly.json",
        "assay filters cheap -- '-@costly'               # what begins with a dash stands after --",
        "assay filters costly --rename dear",
        "assay filters dear --remove",
    ],
    exit_codes=["0 done, 1 it cannot be saved or is in use, 2 wrong use, 5 database unusable, 7 no such filter or database"],
)
@click.argument("name", required=False)
@click.argument("query", required=False)
@click.option("--rename", "new_name", default=None, metavar="NEW", help="Give it another name, also where others use it.")
@click.option("--remove", "is_removing", is_flag=True, help="Forget it.")
@click.option("--json", "is_json", is_flag=True, help="List as one JSON object per line.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str | None,
    query: str | None,
    new_name: str | None,
    is_removing: bool,
    is_json: bool,
    **_settings: object,
) -> None:
    """List saved filters; save the filter QUERY under NAME; or show, rename or remove NAME.

    A saved filter is written @NAME wherever a filter is: --filter, the dashboard's filter line, the API's q, other filters.
    """
    wishes = (query is not None) + (new_name is not None) + is_removing
    if wishes > 1 or (wishes and name is None) or (name is not None and is_json):
        raise click.UsageError("Give a NAME, and a QUERY, --rename NEW or --remove; to list them, neither")
    with opened_store(settings_of(ctx)) as store:
        filters = store.filters
        if name is None:
            _write_all([(saved.name, saved.text) for saved in filters.all()], is_json=is_json)
        elif query is not None:
            click.echo(f"saved @{filters.save(name, query).name}")
        elif new_name is not None:
            click.echo(f"renamed to @{filters.rename(name, new_name).name}")
        elif is_removing:
            filters.remove(name)
            click.echo(f"removed @{name.removeprefix('@')}")
        else:
            click.echo(filters.find(name).text)


def _write_all(rows: list[tuple[str, str]], *, is_json: bool) -> None:
    if is_json:
        write_json_lines([{"name": name, "filter": text} for name, text in rows])
    elif rows:
        write_rows(("name", "filter"), [(f"@{name}", text) for name, text in rows])
    else:
        click.echo(f"no filters are saved yet; save one: {own_command()} filters NAME QUERY, or S in the dashboard", err=True)
