"""What a filter line means, and what is said of one that means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.filters.fields import FIELD_BY_NAME, FIELDS
from storage.filters.parsing import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse
from storage.filters.tree import (
    ChoiceTest,
    Comparison,
    Conjunction,
    Disjunction,
    Filter,
    FilterError,
    FlagTest,
    Negation,
    NumberTest,
    RangeTest,
    Term,
    TextTest,
    TimeTest,
    UnknownTest,
)


def root(text):
    found = parse(text)
    assert isinstance(found, Filter), found
    return found.root


def error(text):
    found = parse(text)
    assert isinstance(found, FilterError), found
    return found


def text(words):
    return Term("text", (TextTest(words),))


def test_an_empty_line_lets_everything_pass():
    assert parse("  \t ").is_empty
    assert parse("").is_empty
    assert not parse("a").is_empty


@pytest.mark.parametrize(
    ("line", "term"),
    [
        ("source:context7", Term("source", (TextTest("context7"),))),
        ("source:=context7", Term("source", (TextTest("context7", is_exact=True),))),
        ('source:"my server"', Term("source", (TextTest("my server"),))),
        ('source:"=x"', Term("source", (TextTest("=x"),))),
        ("SOURCE:A", Term("source", (TextTest("A"),))),
        ("kind:mcp", Term("kind", (ChoiceTest("McpServer"),))),
        ("kind:McpServer,SKILL", Term("kind", (ChoiceTest("McpServer"), ChoiceTest("Skill")))),
        ("model:opus", Term("model", (TextTest("opus"),))),
        ("model:none", Term("model", (UnknownTest(),))),
        ('model:"none"', Term("model", (TextTest("none"),))),
        ("status:>=400", Term("status", (NumberTest(Comparison.AT_LEAST, 400),))),
        ("status:≥400", Term("status", (NumberTest(Comparison.AT_LEAST, 400),))),
        ("status:529", Term("status", (NumberTest(Comparison.EQUAL, 529),))),
        ("status:==529", Term("status", (NumberTest(Comparison.EQUAL, 529),))),
        ("status:4xx", Term("status", (RangeTest(400, 499),))),
        ("status:400..418", Term("status", (RangeTest(400, 418),))),
        ("cost:>0.05", Term("cost", (NumberTest(Comparison.MORE, 0.05),))),
        ("cost:<$5c", Term("cost", (NumberTest(Comparison.LESS, 0.05),))),
        ("tokens:>50k", Term("tokens", (NumberTest(Comparison.MORE, 50_000),))),
        ("tokens:<=1_000", Term("tokens", (NumberTest(Comparison.AT_MOST, 1000),))),
        ("size:>1.5MB", Term("size", (NumberTest(Comparison.MORE, 1_500_000),))),
        ("cached:<50%", Term("cached", (NumberTest(Comparison.LESS, 50),))),
        ("latency:>2s", Term("latency", (NumberTest(Comparison.MORE, 2000),))),
        ("latency:>2", Term("latency", (NumberTest(Comparison.MORE, 2),))),
        ("first_byte:<800ms", Term("ttfb", (NumberTest(Comparison.LESS, 800),))),
        ("rating:<-0.5", Term("rating", (NumberTest(Comparison.LESS, -0.5),))),
        ("rating:none,<0", Term("rating", (UnknownTest(), NumberTest(Comparison.LESS, 0)))),
        ("error:yes", Term("error", (FlagTest(is_set=True),))),
        ("error:no", Term("error", (FlagTest(is_set=False),))),
        ("since:1h", Term("since", (TimeTest(ago_us=3_600_000_000),))),
        ("since:now", Term("since", (TimeTest(ago_us=0),))),
        ("until:2026-01-01T00:00:00Z", Term("until", (TimeTest(at_us=1_767_225_600_000_000),))),
        ("since:2026-01-01T01:00:00+01:00", Term("since", (TimeTest(at_us=1_767_225_600_000_000),))),
        ("foo", text("foo")),
        ('"foo bar"', text("foo bar")),
        (r'"say \"hi\" \\"', text('say "hi" \\')),
        ('text:"foo"', text("foo")),
        ('"or"', text("or")),
        ('a"b c"d', text("ab cd")),
    ],
)
def test_one_term(line, term):
    assert root(line) == term


def test_today_begins_before_now_and_yesterday_a_day_earlier():
    today, yesterday = (root(line).tests[0].at_us for line in ("since:today", "since:yesterday"))
    assert 82_800_000_000 <= today - yesterday <= 90_000_000_000


def test_terms_side_by_side_must_all_hold_and_or_binds_weaker():
    assert root("a b or c") == Disjunction((Conjunction((text("a"), text("b"))), text("c")))
    assert root("a and b") == Conjunction((text("a"), text("b"))) == root("a & b") == root("a AND b")
    assert root("a | b") == Disjunction((text("a"), text("b")))
    assert root("a (b or c)") == Conjunction((text("a"), Disjunction((text("b"), text("c")))))


def test_negation_takes_the_next_item_only():
    assert root("-a b") == Conjunction((Negation(text("a")), text("b")))
    assert root("not a") == root("!a") == Negation(text("a"))
    assert root("-(a b)") == Negation(Conjunction((text("a"), text("b"))))
    assert root("not -a") == Negation(Negation(text("a")))
    assert root("claude-code") == text("claude-code")


@pytest.mark.parametrize(
    ("line", "position", "words"),
    [
        ("a or", 4, "`or` needs a term after it"),
        ("or a", 0, "`or` needs a term before it"),
        ("a and and b", 6, "`and` needs a term after it"),
        ("a and or b", 6, "`and` needs a term after it"),
        ("not", 3, "`not` needs a term after it"),
        ("a not)", 5, "`not` needs a term after it"),
        ("(a", 0, "never closed"),
        ("a)", 1, "no bracket to close"),
        ("()", 1, "nothing in the brackets"),
        ('a "b', 2, "never closed"),
        ('""', 0, "nothing in the quotes"),
        ("foo:bar", 0, "no field `foo`"),
        ("statsu:400", 0, "no field `statsu`"),
        ("x cost:", 7, "needs a value"),
        ("source:=", 7, "needs a value"),
        ("cost:abc", 5, "no figure"),
        ("cost:>", 5, "no figure"),
        ("cost:.", 5, "no figure"),
        ("cost:1,x", 7, "no figure"),
        ("kind:mpc", 5, "no kind"),
        ("kind:mcp,", 9, "needs a value"),
        ("kind:none", 5, "always known"),
        ("error:maybe", 6, "yes or no"),
        ("status:499..400", 7, "backwards"),
        ("status:a..400", 7, "no figure"),
        ("status:400..b", 7, "no figure"),
        ("cached:50x", 7, "no unit"),
        ("rating:5k", 7, "no unit"),
        ("tokens:999999999999G", 7, "too large"),
        ("since:soon", 6, "no time"),
        ("since:99999999999999d", 6, "too long ago"),
        ("since:2026-13-01", 6, "no time"),
        ("since:0001-01-01", 6, ""),
    ],
)
def test_an_error_says_where_and_why(line, position, words):
    if not words:
        parse(line)
        return
    found = error(line)
    assert (found.position, words in found.message) == (position, True), found
    assert f"(at character {position + 1})" in str(found)


def test_a_misspelt_name_is_guessed():
    assert "did you mean status:" in error("statsu:400").hint
    assert error("kind:mpc").hint == "did you mean kind:mcp?"
    assert "one of user, framework" in error("kind:zzzzz").hint
    assert error("qqqqqq:1").hint.startswith("quote")


def test_limits_are_said():
    assert "at most" in error("a" * (MAX_LENGTH + 1)).message
    assert "deep" in error("(" * (MAX_DEPTH + 2) + "a" + ")" * (MAX_DEPTH + 2)).message
    assert "deep" in error("-" * (MAX_DEPTH + 2) + "a").message
    assert "terms" in error("a " * (MAX_TERMS + 1)).message
    assert isinstance(parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH), Filter)


def test_half_characters_are_replaced():
    assert root("\ud800x") == text("?x")


FRAGMENTS = st.sampled_from(
    ["(", ")", "-", "!", "or", "and", "not", '"', ":", ",", "=", ">=", "..", " ", "4xx", "1h", "none", "\\", "%"]
    + [f"{field}:" for field in FIELD_BY_NAME]
    + [field.example for field in FIELDS]
)


@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=5)), max_size=30).map("".join))
def test_nothing_raises_and_every_error_points_into_the_line(line):
    found = parse(line)
    if isinstance(found, FilterError):
        assert 0 <= found.position <= len(line)
        assert found.message
    else:
        assert found.text == line


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_example_of_every_field_is_understood(field):
    assert root(field.example).field == field.name
    assert all(FIELD_BY_NAME[alias] is field for alias in field.aliases)
