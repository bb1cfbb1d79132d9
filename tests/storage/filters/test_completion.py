"""What is offered while a filter is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.database import open_database
from storage.filters.completion import complete
from storage.filters.fields import FIELDS
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.store import Store
from tests import sample


class Words:
    def words(self, field, beginning, limit):
        known = {"source": ["context7", "my server", "none"], "model": ["claude-opus-4-5"]}
        return [word for word in known.get(field, ()) if beginning in word][:limit]


def offered(line, cursor=None, vocabulary=None):
    cursor = len(line) if cursor is None else cursor
    return [line[: one.start] + one.text + line[one.end :] for one in complete(line, cursor, vocabulary or Words())]


def test_fields_are_offered_where_a_term_begins():
    assert offered("")[:2] == ["text:", "source:"]
    assert offered("st") == ["status:", "state:", "stream:"]
    assert offered("model:opus st")[0] == "model:opus status:"
    assert offered("-so") == ["-source:"]
    assert offered("(so") == ["(source:"]
    assert offered("a ")[0] == "a text:"
    assert len(complete("", 0)) <= 12


def test_fixed_words_are_offered_for_their_field():
    assert offered("kind:m") == ["kind:mcp", "kind:memory"]
    assert offered("kind:mcp,sk") == ["kind:mcp,skill"]
    assert offered("error:") == ["error:yes", "error:no"]
    assert offered("since:to") == ["since:today"]
    assert offered("cost:") == ["cost:>0.05"]
    assert offered("cost:1") == []
    assert offered("nofield:x") == []


def test_names_come_from_the_database():
    assert offered("source:con") == ["source:context7"]
    assert offered("source:my") == ['source:"my server"']
    assert offered("source:no") == ['source:"none"']
    assert offered("model:opus x", cursor=8) == ["model:claude-opus-4-5 x"]
    assert [one.text for one in complete("source:con", 10, None)] == []


def test_quoted_words_are_left_alone():
    assert offered('"so') == []


def test_the_store_is_a_vocabulary(tmp_path):
    database = open_database(tmp_path / "assay.db")
    sample.fill(database)
    words = Store(database).sources
    assert offered("source:", vocabulary=words) == ["source:context7", "source:github", 'source:"tool use"']
    assert offered("source:HUB", vocabulary=words) == ["source:github"]
    assert offered("model:claude", vocabulary=words) == ["model:claude-opus-4-5", "model:claude-sonnet-4-5"]
    assert offered("client:", vocabulary=words) == ["client:claude-code"]
    assert offered("session:session-t", vocabulary=words) == ["session:session-two"]
    assert offered("host:", vocabulary=words) == []
    database.close()


@given(st.text(max_size=30), st.integers(-3, 40))
def test_nothing_raises_and_every_offer_lies_in_the_line(line, cursor):
    for one in complete(line, cursor, Words()):
        assert 0 <= one.start <= one.end <= len(line)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_offered_value_is_understood(field):
    for one in complete(f"{field.name}:", len(field.name) + 1, Words()):
        assert isinstance(parse(f"{field.name}:{one.text}"), Filter)
