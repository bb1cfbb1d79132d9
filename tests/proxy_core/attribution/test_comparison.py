"""What changed between two requests is named segment by segment, and nothing is counted twice."""

from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.comparison import Change, compare_segments, first_difference
from proxy_core.attribution.model import ContentKind, Part, Region, Segment, Source, SourceType


def a_segment(text: str, name: str = "CLAUDE.md", region: Region = Region.MESSAGES, ttl: str | None = None) -> Segment:
    return Segment(
        source=Source(SourceType.MEMORY, name),
        part=Part.BODY,
        region=region,
        pointer="/messages/0/content",
        start=0,
        end=len(text),
        text=text,
        content_bytes=len(text),
        content_hash=text.rjust(32, "0"),
        content_kind=ContentKind.TEXT,
        cache_ttl=ttl,
    )


def changes_of(before: str, after: str) -> list[tuple[Change, int | None, int | None]]:
    """Compare two words, each letter a segment of its own source."""
    old, new = ([a_segment(c, name=c.lower()) for c in word] for word in (before, after))
    return [(c.change, c.before_index, c.after_index) for c in compare_segments(old, new)]


def test_growth_at_the_end_is_an_addition() -> None:
    assert changes_of("ab", "abc") == [(Change.SAME, 0, 0), (Change.SAME, 1, 1), (Change.ADDED, None, 2)]


def test_a_removal_stands_where_the_segment_would_have_stood() -> None:
    assert changes_of("abc", "ac") == [(Change.SAME, 0, 0), (Change.REMOVED, 1, None), (Change.SAME, 2, 1)]


def test_other_content_of_the_same_source_at_the_same_place_is_an_edit() -> None:
    assert changes_of("abc", "aBc") == [(Change.SAME, 0, 0), (Change.EDITED, 1, 1), (Change.SAME, 2, 2)]


def test_the_same_content_elsewhere_is_a_move() -> None:
    assert (Change.MOVED, 0, 2) in changes_of("abc", "bca")
    assert Change.REMOVED not in {change for change, _, _ in changes_of("abc", "bca")}


def test_something_else_in_its_place_is_a_removal_and_an_addition() -> None:
    assert changes_of("abc", "axc") == [
        (Change.SAME, 0, 0),
        (Change.REMOVED, 1, None),
        (Change.ADDED, None, 1),
        (Change.SAME, 2, 2),
    ]


def test_an_unchanged_run_between_two_changes_stays_the_same() -> None:
    assert changes_of("xabcy", "zabcw")[2:5] == [(Change.SAME, 1, 1), (Change.SAME, 2, 2), (Change.SAME, 3, 3)]


def test_first_difference_is_the_length_of_the_common_start() -> None:
    assert first_difference([a_segment("a"), a_segment("b")], [a_segment("a"), a_segment("c")]) == 1
    assert first_difference([a_segment("a")], [a_segment("a"), a_segment("c")]) == 1


@given(st.text("abAB", max_size=12), st.text("abAB", max_size=12))
def test_every_segment_of_both_has_exactly_one_fate(before: str, after: str) -> None:
    changes = changes_of(before, after)
    assert sorted(i for _, i, _ in changes if i is not None) == list(range(len(before)))
    assert sorted(j for _, _, j in changes if j is not None) == list(range(len(after)))
