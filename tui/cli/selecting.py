"""Which exchanges a command is about: the filter language, and the options that say common things shorter."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tui.cli.times import since_option, until_option

if TYPE_CHECKING:
    from storage.filters.tree import Filter
    from storage.store import Store


def selecting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --filter, --session, --since and --until."""
    text = "Only what fits, such as 'model:opus cost:>0.05 -status:2xx' or @NAME, a saved one (see docs/filters.md)."
    function = click.option("--filter", "query", default=None, metavar="QUERY", help=text)(function)
    function = click.option("--session", "session_id", default=None, metavar="ID", help="Only this session.")(function)
    return since_option(until_option(function))


def wanted_exchanges(options: dict[str, Any], store: "Store") -> "Filter":
    """Return the filter that the options make together; what is wrong with it is a usage error."""
    from storage.filters.tree import FilterError

    parts = [f"({options['query']})"] if options["query"] else []
    if options["session_id"]:
        parts.append(f"session:{options['session_id']}")
    parts += [f"{name}:{_moment(options[name])}" for name in ("since", "until") if options[name] is not None]
    parsed = store.filters.parse(" ".join(parts))
    if isinstance(parsed, FilterError):
        raise click.BadParameter(f"{parsed.message}{f' ({parsed.hint})' if parsed.hint else ''}", param_hint="--filter")
    return parsed


def _moment(at_us: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
