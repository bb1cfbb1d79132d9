"""Analysing again changes what was found, for all or for those that need it."""

from dataclasses import replace

from proxy_core.attribution.analysis import analyse
from storage.reanalysis import reanalyze
from storage.store import Store
from tests import factories
from tests.storage.recorded_traffic import analyst, conversation, other_figures, store_and_analyse


def test_everything_can_be_analysed_again(database):
    store_and_analyse(database, *conversation(3))
    seen = []
    assert reanalyze(database, analyst=analyst(database)) == (0, 0)
    again = reanalyze(
        database, is_forced=True, progress=lambda *done: seen.append(done), analyst=analyst(database, other_figures(analyse))
    )
    assert again == (3, 0)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert Store(database).exchanges.summary(2).title == "another title"
    assert reanalyze(database, since_us=factories.START_US * 2, is_forced=True, analyst=analyst(database)) == (0, 0)


def test_a_long_title_says_that_it_was_cut(database):
    long = "word " * 30

    def titled(*arguments, **named):
        attribution = analyse(*arguments, **named)
        return replace(attribution, facts=replace(attribution.facts, title=long))

    store_and_analyse(database, factories.exchange_finished())
    reanalyze(database, is_forced=True, analyst=analyst(database, titled))
    title = Store(database).exchanges.summary(1).title
    assert title.endswith("word…")
    assert len(title) <= 80
