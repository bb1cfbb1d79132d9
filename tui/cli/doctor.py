"""`assay doctor`: every reason why traffic may not come through, checked one by one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.command import command as declare
from tui.cli.options import setting_options, settings_of
from tui.settings import Group, Settings

if TYPE_CHECKING:
    from tui.doctor.findings import Finding

_MARKS = {"ok": ("ok  ", "green"), "note": ("note", "yellow"), "bad": ("BAD ", "red")}


@declare(
    "doctor",
    examples=[
        "assay doctor",
        'eval "$(assay env)"; assay doctor     # as a client of this shell would see it',
        "assay doctor --json",
    ],
    exit_codes=["0 nothing stands in the way (notes there may be), 1 something does"],
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object per line.")
@click.option("--offline", "is_offline", is_flag=True, help="Leave out what needs the network.")
@setting_options(Group.PROXY, only=("listen", "port", "upstream_proxy", "upstream_ca"))
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, is_json: bool, is_offline: bool, **_settings: object) -> None:
    """Check port, certificate authority, trust, proxy variables, database, clock, and whether traffic really comes through."""
    from tui.cli.tables import write_json_lines

    settings = settings_of(ctx)
    config: Path | None = ctx.find_root().params.get("config_path")
    is_bad = False
    for finding in examine(settings, config, is_offline=is_offline):
        is_bad |= finding.verdict.value == "bad"
        if is_json:
            write_json_lines(
                [
                    {
                        "check": finding.check,
                        "verdict": finding.verdict.value,
                        "message": finding.message,
                        "remedy": finding.remedy,
                    }
                ]
            )
        else:
            write_finding(finding)
    ctx.exit(1 if is_bad else 0)


def write_finding(finding: "Finding") -> None:
    """Write one finding, and what to do about it."""
    mark, colour = _MARKS[finding.verdict.value]
    click.echo(f"{click.style(mark, fg=colour)}  {finding.check:<10}  {finding.message}")
    if finding.remedy:
        click.echo(f"{'':<18}-> {finding.remedy}")


def examine(settings: Settings, config: Path | None, *, is_offline: bool) -> "Iterator[Finding]":
    """Make all checks, one after the other."""
    from tui.doctor import places, surroundings, traffic
    from tui.environment import environment_before
    from tui.presence import find_running
    from tui.trust import authority_directory

    yield from places.check_configuration(config)
    yield from places.check_directory(settings.data_dir)
    yield from places.check_authority(settings.data_dir)
    yield from places.check_database(settings)
    yield from places.check_port(settings)
    yield from surroundings.check_clock()
    running = find_running(settings.data_dir)
    url = running[0].proxy_url if running else f"http://{settings.listen}:{settings.port}"
    certificate = authority_directory(settings.data_dir) / "ca-cert.pem"
    yield from surroundings.check_variables(os.environ, url)
    yield from surroundings.check_trust(os.environ, certificate)
    yield from surroundings.check_base_url(os.environ, Path.home())
    yield from traffic.check_own_loop()
    if running and not running[0].is_reverse:
        yield from traffic.check_running_proxy(url, certificate)
    if not is_offline:
        yield from traffic.check_way_out(settings.upstream_proxy, environment_before(os.environ), settings.upstream_ca)
