"""Whole words are named for the beginnings that a person types."""

import pytest

from storage import full_text, sqlite


def numbered(*texts):
    return list(enumerate(texts, 1))


def found(database, texts, words):
    """Ids that the arm of some words leads to, and those that full-text search finds for their beginnings."""
    with database.write() as connection:
        for number, text in texts:
            full_text.index_text(connection, number, ("", text, ""))
    with database.read() as connection:
        arm = full_text.text_arm(connection, words, has_leftovers=False)
        by_arm = sqlite.read_arm(connection, arm, (0, 10_000), 10_000, is_descending=False)
        return arm.values[0], by_arm, list(connection.execute(full_text.match_text(words)).scalars())


@pytest.mark.parametrize(
    ("words", "query", "ids"),
    [
        ("fix", '("fix" OR "fixed" OR "fixture")', [1, 2, 3]),
        ("FIX", '("fix" OR "fixed" OR "fixture")', [1, 2, 3]),
        ("fix bug", '("fix" OR "fixed" OR "fixture") AND ("bug" OR "bugs")', [1, 3]),
        ("fixtures", '"fixtures"*', []),
        ("ca", '"ca"*', [3, 4]),
        ("äpf", '"äpf"*', [4]),
        ("", '""', []),
        ('" OR (', '("or")', [2]),
    ],
)
def test_the_words_that_begin_so_are_named(database, words, query, ids):
    texts = numbered("fix the bug", "fixed or not", "a fixture, bugs, a café", "Äpfel, cafe, caß")
    assert found(database, texts, words) == (query, ids, ids)


def test_words_that_are_too_many_are_not_named(database):
    texts = numbered(*(f"word{number}" for number in range(40)))
    query, by_arm, by_beginning = found(database, texts, "word")
    assert query == '"word"*'
    assert by_arm == by_beginning == list(range(1, 41))
    query, by_arm, by_beginning = found(database, [], "word3")
    assert query.count(" OR ") == 10
    assert by_arm == by_beginning == [4, *range(31, 41)]
