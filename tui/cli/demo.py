"""`assay demo`: live traffic within seconds, offline; everything but the API is real, and nothing of it is kept."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING

import click

from tui.cli.command import command as declare
from tui.cli.live import has_terminal, run_dashboard
from tui.cli.options import setting_options, settings_of
from tui.settings import Group, Settings

if TYPE_CHECKING:
    from proxy_core.standin.demo import DemoTraffic
    from tui.runtime import Runtime


@declare(
    "demo",
    examples=[
        "assay demo",
        "assay demo --headless --sessions 2",
        "assay demo --database demo.db --no-api     # keep what was captured",
    ],
    exit_codes=["0 ended as told, 1 something failed, 3 port taken"],
)
@click.option("--headless", is_flag=True, help="No screen: one line per exchange.")
@click.option("--format", "line_format", type=click.Choice(["text", "json"]), default="text", help="Form of those lines.")
@click.option("--sessions", type=click.IntRange(1), default=None, metavar="N", help="End after N sessions of each client.")
@click.option("--clients", type=click.IntRange(1, 50), default=2, show_default=True, help="Clients side by side.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same sessions.")
@click.option("--fast", is_flag=True, help="No pauses.")
@setting_options(Group.PROXY, only=("port",))
@setting_options(Group.STORAGE, only=("database", "bodies"))
@setting_options(Group.API, only=("api", "api_port"))
@click.pass_context
def command(
    ctx: click.Context,
    /,
    headless: bool,
    line_format: str,
    sessions: int | None,
    clients: int,
    seed: int,
    fast: bool,
    **_settings: object,
) -> None:
    """Show live traffic: scripted clients, the real proxy, a stand-in for the API on loopback.

    Certificate authority and database are made for the occasion and removed afterwards, unless --database names a place.
    """
    from proxy_core.standin.demo import AS_FAST_AS_POSSIBLE, DemoApi, DemoPace, DemoTraffic
    from tui.runtime import Runtime

    is_headless = headless or not has_terminal()
    pace = AS_FAST_AS_POSSIBLE if fast else DemoPace()
    with ExitStack() as stack:
        api = DemoApi(pace)
        api.start()
        stack.callback(api.stop)
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="assay-demo-", ignore_cleanup_errors=True)))
        runtime = Runtime(demo_settings(ctx, directory, api.proxy_url, api.ca_path), environ={}, is_private=True)

        def make_traffic(address: tuple[str, int], certificate: Path) -> DemoTraffic:
            return DemoTraffic(api, address, certificate, seed=seed, clients=clients, sessions=sessions, pace=pace)

        ctx.exit(play(runtime, make_traffic, line_format if is_headless else None))


def play(runtime: "Runtime", make_traffic: "Callable[[tuple[str, int], Path], DemoTraffic]", line_format: str | None) -> int:
    """Start everything, let the clients work, and show it; without a `line_format` on the dashboard.

    Returns:
        The exit code.
    """
    with ExitStack() as stack:
        has_finished = Event()

        def begin() -> None:
            traffic = make_traffic(runtime.address.socket_address, runtime.address.certificate)
            traffic.start()
            stack.callback(traffic.stop)

            def wait() -> None:
                traffic.wait()
                has_finished.set()

            Thread(target=wait, name="demo-end", daemon=True).start()

        if line_format is None:
            return run_dashboard(runtime, begin)
        from tui.headless import run_headless

        return run_headless(runtime, line_format, begin=begin, has_finished=has_finished.is_set)


def demo_settings(ctx: click.Context, directory: Path, upstream_proxy: str, upstream_ca: Path) -> Settings:
    """Return settings that touch nothing of the user's: own directory, free ports unless they were named right here."""
    settings = settings_of(ctx)
    given = ctx.params
    return replace(
        settings,
        data_dir=directory,
        database=settings.database if given.get("database") else f"sqlite:///{directory / 'assay.db'}",
        port=settings.port if given.get("port") else 0,
        api_port=settings.api_port if given.get("api_port") else 0,
        upstream_proxy=upstream_proxy,
        upstream_ca=upstream_ca,
        reverse=None,
        local=None,
        intercept=(),
    )
