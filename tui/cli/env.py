"""`assay env`: what a shell has to export so that its clients come through the proxy."""

import os
from pathlib import Path

import click

from tui.cli.command import command as declare
from tui.cli.options import setting_options, settings_of
from tui.environment import SHELLS, ProxyAddress, client_environment, shell_lines, upstream_of
from tui.errors import NotFoundError
from tui.settings import Group, Settings


@declare(
    "env",
    examples=[
        'eval "$(assay env)"                                   # bash, zsh, sh',
        "assay env --shell fish | source",
        "assay env --shell powershell | Out-String | Invoke-Expression",
    ],
)
@click.option("--shell", type=click.Choice(SHELLS), default=None, help="Syntax; guessed from SHELL if not given.")
@setting_options(Group.PROXY, only=("listen", "port", "reverse", "intercept"))
@setting_options(Group.STORAGE, only=("data_dir",))
@click.pass_context
def command(ctx: click.Context, /, shell: str | None, **_settings: object) -> None:
    """Print what to export so that a shell's clients are captured.

    Names the Assay that runs now (the newest, if there are several), or the address in the settings if none does.
    """
    settings = settings_of(ctx)
    address = find_address(settings, is_port_given=bool(ctx.params.get("port") or ctx.find_root().params.get("port")))
    for line in shell_lines(client_environment(address, os.environ), shell or guess_shell(os.environ.get("SHELL"))):
        click.echo(line)


def guess_shell(path: str | None) -> str:
    """Return the syntax of the user's shell."""
    if path is None and os.name == "nt":
        return "powershell"
    name = Path(path or "").stem
    return {"fish": "fish", "pwsh": "powershell"}.get(name, "bash")


def find_address(settings: Settings, *, is_port_given: bool) -> ProxyAddress:
    """Return the address of the running proxy, else the one in the settings.

    Raises:
        NotFoundError: Nothing runs, and the settings leave the port to chance.
    """
    from tui.presence import find_running
    from tui.trust import extra_bundles, open_own_authority

    running = [] if is_port_given else find_running(settings.data_dir)
    if running:
        url, is_reverse = running[0].proxy_url, running[0].is_reverse
    elif settings.port:
        host = f"[{settings.listen}]" if ":" in settings.listen else settings.listen
        url, is_reverse = f"http://{host}:{settings.port}", settings.reverse is not None
        click.echo(f"assay: no Assay is running yet; start one with `assay` (it will be expected at {url})", err=True)
    else:
        raise NotFoundError("no Assay is running, and port 0 names none", "Start one first, or give --port")
    authority = open_own_authority(settings.data_dir)
    return ProxyAddress(
        url=url,
        is_reverse=is_reverse,
        certificate=authority.certificate_path,
        bundle=authority.bundle_path,
        intercept=settings.intercept,
        upstream_proxy=settings.upstream_proxy or upstream_of(os.environ),
        extra_ca=extra_bundles(settings.data_dir, os.environ),
    )
