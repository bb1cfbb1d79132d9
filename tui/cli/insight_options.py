"""What the commands over insights have in common: the range, the session, the filter, and reading their turns."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tui.cli.times import since_option, until_option

if TYPE_CHECKING:
    from storage.database import Database
    from storage.filters.clauses import Clause
    from storage.insights.turns import AnalysedTurn
    from storage.ranges import TimeRange


def range_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --since, --until, --session and --filter."""
    function = click.option("--filter", "query", default=None, metavar="QUERY", help="Only what fits this filter, or @NAME.")(
        function
    )
    function = click.option("--session", "session_id", default=None, metavar="ID", help="Only this session.")(function)
    return since_option(until_option(function))


def wanted_range(options: dict[str, Any]) -> "TimeRange":
    """Return the range that the options name."""
    from storage.ranges import TimeRange

    return TimeRange(options["since"], options["until"])


def wanted_clause(options: dict[str, Any], database: "Database") -> "Clause | None":
    """Compile --filter; an error in it is a usage error."""
    from storage.filters.clauses import compile_filter
    from storage.filters.saved import SavedFilters
    from storage.filters.tree import FilterError

    if not options["query"]:
        return None
    parsed = SavedFilters(database).parse(options["query"])
    if isinstance(parsed, FilterError):
        raise click.BadParameter(f"{parsed.message} (at character {parsed.position + 1})", param_hint="--filter")
    return compile_filter(parsed)


def wanted_turns(database: "Database", options: dict[str, Any]) -> "list[AnalysedTurn]":
    """Read the turns that the options name, without texts."""
    from storage.insights.reading import InsightReader

    where = wanted_clause(options, database)
    return InsightReader(database).turns(wanted_range(options), options["session_id"], where=where, has_texts=False)
