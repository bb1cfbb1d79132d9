"""The entry point: the group `assay`, what it does without a command, and how errors become exit codes.

Nothing heavy is imported here; `tests/tui/cli/test_imports.py` watches over it.
"""

import os
import sys
from typing import Any, override

import click

from tui.cli.command import write_lines
from tui.cli.lazy import CommandEntry, LazyGroup
from tui.cli.options import config_option, setting_options, settings_of
from tui.errors import AssayError
from tui.settings import Group

TRACEBACK_VARIABLE = "ASSAY_TRACEBACK"
"""Set to 1: an unexpected error ends with its traceback."""

_CAPTURE, _READ, _KEEP, _SETUP = "Capture", "Look", "Keep", "Set up"

COMMANDS = {
    "run": CommandEntry("tui.cli.run", "Run a program through a private proxy: assay run -- claude", _CAPTURE),
    "demo": CommandEntry("tui.cli.demo", "See live traffic within seconds, offline.", _CAPTURE),
    "view": CommandEntry("tui.cli.view", "Open the dashboard over what was captured before.", _READ),
    "serve": CommandEntry("tui.cli.serve", "Show the dashboard in a web browser.", _READ),
    "sessions": CommandEntry("tui.cli.sessions", "List client sessions with their tokens and cost.", _READ),
    "sources": CommandEntry("tui.cli.sources", "Rank sources (servers, skills, files ...) by tokens and cost.", _READ),
    "show": CommandEntry("tui.cli.show", "Show what one request was made of.", _READ),
    "insights": CommandEntry("tui.cli.insights", "Tell what to cut, what broke the cache, what it was worth.", _READ),
    "what-if": CommandEntry("tui.cli.what_if", "Recompute captured traffic without a server, skill or file.", _READ),
    "report": CommandEntry("tui.cli.report", "Write a page to share: HTML, Markdown or JSON.", _READ),
    "check": CommandEntry("tui.cli.check", "Fail when a budget of tokens or dollars is passed.", _READ),
    "reconcile": CommandEntry("tui.cli.reconcile", "Compare the bill with count_tokens and the client's own report.", _READ),
    "analyze": CommandEntry("tui.cli.analyze", "Analyse a request that lies in a file.", _READ),
    "filters": CommandEntry("tui.cli.filters", "List, save, rename or remove filters with a name.", _READ),
    "rate": CommandEntry("tui.cli.rate", "Rate an exchange; it counts for every source in it.", _READ),
    "api": CommandEntry("tui.cli.api", "Serve the JSON API over a database, without a proxy.", _READ),
    "export": CommandEntry("tui.cli.export", "Write exchanges as JSON, JSONL, HAR, CSV or OpenTelemetry.", _KEEP),
    "import": CommandEntry("tui.cli.import_", "Take in mitmproxy flows, HAR or exported JSONL.", _KEEP),
    "reanalyze": CommandEntry("tui.cli.reanalyze", "Attribute stored exchanges again with the present rules.", _KEEP),
    "verify": CommandEntry("tui.cli.verify", "Prove that every stored body can be rebuilt byte for byte.", _KEEP),
    "prune": CommandEntry("tui.cli.prune", "Delete old exchanges now; totals per source stay.", _KEEP),
    "env": CommandEntry("tui.cli.env", "Print what to export so that a shell's clients are captured.", _SETUP),
    "ca": CommandEntry("tui.cli.ca", "Show the certificate authority and how to trust it.", _SETUP),
    "doctor": CommandEntry("tui.cli.doctor", "Check everything that traffic needs to come through.", _SETUP),
    "token": CommandEntry("tui.cli.token", "Print the bearer token of the JSON API.", _SETUP),
}


_EXAMPLES = (
    "assay run -- claude                    # the shortest way: one session, captured",
    "assay                                  # or: the dashboard here, and in another terminal",
    'eval "$(assay env)"; claude            #     every client of that shell',
    "assay --headless --format json         # one line per exchange for other programs",
)
_EXIT_CODES = (
    "0 done (also after SIGINT or SIGTERM), 1 failed, 2 wrong use or configuration, 3 port taken,",
    "4 certificate authority unusable, 5 database unusable, 6 proxy did not start, 7 not found",
)


class AssayGroup(LazyGroup):
    """The commands of Assay."""

    entries = COMMANDS

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_lines(formatter, "Examples", _EXAMPLES)
        write_lines(formatter, "Exit codes", _EXIT_CODES)


def _print_version(ctx: click.Context, _parameter: click.Parameter, is_wanted: bool) -> None:
    if is_wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"assay {version('context-assay')}")
        ctx.exit()


@click.group(
    cls=AssayGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version.")
@click.option("--headless", is_flag=True, help="No screen: one line per exchange on standard output.")
@click.option("--format", "line_format", type=click.Choice(["text", "json"]), default=None, help="Form of those lines.")
@config_option
@setting_options(Group.PROXY, Group.STORAGE, Group.API)
@click.pass_context
def cli(ctx: click.Context, /, headless: bool, line_format: str | None, **_settings: Any) -> None:
    """See what every request to the Claude API is made of, where each piece came from, and what it costs.

    Without a command: the proxy and the dashboard (headless where there is no terminal). Settings come from the option, else
    the environment (ASSAY_PORT for --port), else the configuration file, else the default.
    """
    if ctx.invoked_subcommand is None:
        from tui.cli.live import run_live

        ctx.exit(run_live(settings_of(ctx), is_headless=headless, line_format=line_format))


def main() -> None:
    """Run the command line; every error becomes one line and an exit code."""
    try:
        cli(prog_name="assay")
    except AssayError as error:
        click.echo(f"assay: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        # The program's root: reported, and shown whole on demand.
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        reason = (str(getattr(error, "orig", None) or error).splitlines() or [""])[0]
        click.echo(f"assay: unexpected error: {type(error).__name__}: {reason} ({TRACEBACK_VARIABLE}=1 shows where)", err=True)
        sys.exit(1)
