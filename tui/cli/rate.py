"""`assay rate`: say how well an exchange went; the rating counts for every source that was in the request."""

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.settings import Group


@declare(
    "rate",
    examples=[
        'assay rate 0192f3a4 0.8 -m "found the bug at once"',
        "assay rate 0192f3a4 -- -1        # negative ratings stand after --",
        "assay rate 0192f3a4 --remove",
    ],
    exit_codes=["0 rated, 1 rated already (use --replace) or out of bounds, 7 no such exchange"],
)
@click.argument("exchange")
@click.argument("rating", type=click.FloatRange(-1.0, 1.0), required=False)
@click.option("-m", "--message", default=None, metavar="TEXT", help="Why (at most 2000 characters).")
@click.option("--replace", "is_replacing", is_flag=True, help="Replace a rating that is there.")
@click.option("--remove", "is_removing", is_flag=True, help="Remove the rating.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(
    ctx: click.Context,
    /,
    exchange: str,
    rating: float | None,
    message: str | None,
    is_replacing: bool,
    is_removing: bool,
    **_settings: object,
) -> None:
    """Rate the exchange EXCHANGE (its id, or the beginning of it) from -1.0 to 1.0."""
    if (rating is None) is not is_removing:
        raise click.UsageError("Give a rating, or --remove")
    with opened_store(settings_of(ctx)) as store:
        exchange_id = store.exchanges.find_id(exchange)
        given = store.feedback.of_exchange(exchange_id)
        if rating is None:
            if given is not None:
                store.feedback.remove(given.feedback_id)
            click.echo(f"removed the rating of {exchange_id}" if given else f"{exchange_id} was not rated")
            return
        if given is not None and is_replacing:
            feedback = store.feedback.update(given.feedback_id, rating, message)
        else:
            feedback = store.feedback.rate(exchange_id, rating, message)
    sources = ", ".join(feedback.affected_sources)
    click.echo(f"rated {exchange_id} {feedback.rating:+.1f}; counts for: {sources or 'no source (not analysed yet)'}")
