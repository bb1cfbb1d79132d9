"""`assay token`: the key to the JSON API, for scripts."""

import click

from tui.cli.command import command as declare
from tui.cli.options import setting_options, settings_of
from tui.errors import AssayError
from tui.settings import Group


@declare(
    "token",
    examples=['curl -H "Authorization: Bearer $(assay token)" http://127.0.0.1:3001/api/claude/requests'],
)
@setting_options(Group.STORAGE, only=("data_dir",))
@click.pass_context
def command(ctx: click.Context, /, **_settings: object) -> None:
    """Print the bearer token of the JSON API; it is made at the first use and kept in the data directory."""
    from storage.api.token import TOKEN_FILE, TokenUnreadableError, ensure_token

    try:
        click.echo(ensure_token(settings_of(ctx).data_dir / TOKEN_FILE))
    except TokenUnreadableError as error:
        raise AssayError(str(error)) from error
