"""Filters with a name: kept, used in others, renamed with whoever uses them, and never in a circle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.redact import Redactor
from storage.database import Database
from storage.filters.clauses import compile_filter
from storage.filters.completion import complete
from storage.filters.parsing import MAX_LENGTH, MAX_TERMS, parse
from storage.filters.saved import NoSuchSavedFilterError, SavedFilter, SavedFilterError, SavedFilters
from storage.filters.tokens import saved_names
from storage.filters.tree import Filter, FilterError
from storage.store import Store
from tests import factories
from tests.storage.recorded_traffic import store_and_analyse


@pytest.fixture
def saved(database: Database) -> SavedFilters:
    return SavedFilters(database)


def root(saved: SavedFilters, text: str) -> object:
    found = saved.parse(text)
    assert isinstance(found, Filter), found
    return found.root


def trouble(saved: SavedFilters, text: str) -> FilterError:
    found = saved.parse(text)
    assert isinstance(found, FilterError)
    return found


def test_a_name_stands_for_its_line(saved):
    assert saved.save("Costly", " cost:>0.05 or tokens:>50k ") == SavedFilter("costly", "cost:>0.05 or tokens:>50k")
    saved.save("fresh", "since:1h")
    assert [one.name for one in saved.all()] == ["costly", "fresh"]
    assert saved.find("@Fresh").text == "since:1h"
    assert root(saved, "@COSTLY") == root(saved, "cost:>0.05 or tokens:>50k")
    assert root(saved, "-@costly model:opus") == root(saved, "-(cost:>0.05 or tokens:>50k) model:opus")
    found = saved.parse("@costly error:yes")
    assert isinstance(found, Filter)
    assert found.text == "@costly error:yes"


def test_saving_again_replaces(saved):
    saved.save("a", "error:yes")
    saved.save("@A", "error:no")
    assert saved.all() == (SavedFilter("a", "error:no"),)


def test_a_saved_filter_may_use_others_but_not_itself(saved):
    saved.save("bad", "error:yes")
    saved.save("bad.today", "@bad since:today")
    assert root(saved, "@bad.today") == root(saved, "(error:yes) since:today")
    with pytest.raises(SavedFilterError, match="comes back to itself"):
        saved.save("bad", "@bad.today")
    with pytest.raises(SavedFilterError, match="no saved filter `@alone`"):
        saved.save("alone", "@alone")
    assert saved.texts()["bad"] == "error:yes"


@pytest.mark.parametrize("name", ["", "@", "a b", "x" * 41, "scope/package", 'a"'])
def test_what_is_no_name_is_refused(saved, name):
    with pytest.raises(SavedFilterError, match="a name is"):
        saved.save(name, "error:yes")


@pytest.mark.parametrize("line", ["", "  ", "status:", "cost:>", "@nobody", "x" * (MAX_LENGTH + 1)])
def test_what_cannot_be_used_is_not_kept(saved, line):
    with pytest.raises(SavedFilterError):
        saved.save("a", line)
    assert saved.all() == ()


def test_renaming_reaches_whoever_uses_it(saved):
    saved.save("bad", "error:yes")
    saved.save("both", '@bad or -@BAD or "@bad"')
    assert saved.rename("@bad", "failed") == SavedFilter("failed", "error:yes")
    assert saved.texts() == {"failed": "error:yes", "both": '@failed or -@failed or "@bad"'}
    saved.rename("failed", "Failed")
    with pytest.raises(SavedFilterError, match="already"):
        saved.rename("both", "failed")
    with pytest.raises(NoSuchSavedFilterError):
        saved.rename("bad", "worse")


def test_what_is_used_stays(saved):
    saved.save("bad", "error:yes")
    saved.save("both", "@bad class:main")
    with pytest.raises(SavedFilterError, match="used by @both"):
        saved.remove("bad")
    saved.remove("both")
    saved.remove("bad")
    with pytest.raises(NoSuchSavedFilterError):
        saved.find("bad")
    assert saved.all() == ()
    with pytest.raises(NoSuchSavedFilterError):
        saved.remove("bad")


def test_an_unknown_name_is_explained_where_it_stands(saved):
    saved.save("errors", "error:yes")
    found = trouble(saved, "model:opus @error")
    assert (found.position, found.message) == (11, "There is no saved filter `@error`")
    assert found.hint is not None
    assert "did you mean @errors?" in found.hint
    assert "needs the name" in trouble(saved, "@").message
    assert isinstance(parse("@errors"), FilterError)


def test_text_with_an_at_sign_is_still_text(saved):
    assert root(saved, '"@errors"') == root(saved, 'text:"@errors"')
    assert root(saved, "@scope/package") == root(saved, 'text:"@scope/package"')
    assert root(saved, "me@example.org") == root(saved, 'text:"me@example.org"')
    assert saved_names('@a "@b" x@c @d/e -@F') == {"a", "f"}


def test_trouble_inside_a_saved_filter_names_it():
    found = parse("class:main @old", {"old": "gone:field"})
    assert isinstance(found, FilterError)
    assert found.position == 11
    assert found.message.startswith("In `@old`: There is no field `gone`")
    assert isinstance(parse("@long", {"long": "x " * MAX_LENGTH}), FilterError)


def test_terms_of_saved_filters_count():
    many = " ".join(f"w{n}" for n in range(MAX_TERMS // 2))
    assert isinstance(parse("@many @many", {"many": many}), Filter)
    found = parse("@many @many x", {"many": many})
    assert isinstance(found, FilterError)
    doubling = {f"n{n}": f"@n{n + 1} @n{n + 1}" for n in range(30)} | {"n30": "x"}
    found = parse("@n0", doubling)
    assert isinstance(found, FilterError)
    assert "at most 100 terms" in found.message


def test_names_are_completed_with_what_they_mean():
    saved = {"costly": "cost:>0.05", "code": "class:main", "failed": "error:yes"}
    assert [(one.text, one.meaning) for one in complete("model:x @co", 11, saved=saved)] == [
        ("@code", "class:main"),
        ("@costly", "cost:>0.05"),
    ]
    assert [one.text for one in complete("-@", 2, saved=saved)] == ["@code", "@costly", "@failed"]
    assert complete("@", 1) == ()


_LINES = st.text(alphabet='@ab."-() :', max_size=20)


@given(_LINES, st.dictionaries(st.sampled_from(["a", "b", "a.b"]), _LINES, max_size=3))
def test_anything_is_read_or_explained(text, saved):
    found = parse(text, saved)
    assert isinstance(found, Filter) or 0 <= found.position <= len(text)


KEY = "sk-ant-api03-AbCdEf0123456789AbCdEf0123456789"
REDACTOR = Redactor(b"a key of the tests")


@pytest.mark.parametrize("line", [f'text:"{KEY}"', f"text:{KEY}", f"-({KEY} or error:yes)", f'text:"x-api-key: {KEY}"'])
def test_a_key_in_a_filter_is_never_kept(database, tmp_path, line):
    kept = SavedFilters(database, REDACTOR).save("leak", line)
    assert KEY not in kept.text
    assert REDACTOR.fingerprint(KEY.encode()) in kept.text
    assert isinstance(SavedFilters(database).parse("@leak"), Filter)
    with pytest.raises(SavedFilterError, match="cannot be read"):
        SavedFilters(database).save("broken", f"text:{KEY} cost:>")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"AbCdEf0123456789" in path.read_bytes()]


@pytest.mark.parametrize("name", [KEY[:40], KEY[:40].upper().replace("SK-ANT", "sk-ant")])
def test_a_key_is_no_name(database, name):
    saved = SavedFilters(database)
    saved.save("plain", "error:yes")
    with pytest.raises(SavedFilterError, match="no name for a filter"):
        saved.save(name, "error:yes")
    with pytest.raises(SavedFilterError, match="no name for a filter"):
        saved.rename("plain", name)


def test_the_mark_that_takes_its_place_finds_what_the_key_was_in(database):
    body = factories.body_of({"messages": [{"role": "user", "content": f"use {REDACTOR.text(KEY)}"}]})
    store_and_analyse(database, factories.exchange_finished(request_body=body), factories.exchange_finished())
    opened = Store(database, REDACTOR)
    opened.filters.save("leak", f'text:"{KEY}"')
    found = opened.filters.parse("@leak")
    assert isinstance(found, Filter)
    assert [row.id for row in opened.exchanges.page(where=compile_filter(found, factories.START_US))] == [1]
