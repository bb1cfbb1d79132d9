"""A result is told apart by what it was asked for with, where that can be said for certain."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from proxy_core.attribution.model import ContentKind, Part, Region, Segment, Source, SourceType
from storage.insights.asked import asked_with

READ = Source(SourceType.TOOL, "Read")
GITHUB = Source(SourceType.MCP_SERVER, "github")


def _segment(source: Source, part: Part, pointer: str, text: str) -> Segment:
    return Segment(
        source=source,
        part=part,
        region=Region.MESSAGES,
        pointer=pointer,
        start=0,
        end=len(text),
        text=text,
        content_bytes=len(text),
        content_hash=f"{pointer}-{text}",
        content_kind=ContentKind.TEXT,
        message_index=int(pointer.split("/")[2]),
    )


def call(source: Source, message: int, block: int, name: str, values: Mapping[str, object]) -> list[Segment]:
    at = f"/messages/{message}/content/{block}"
    return [
        _segment(source, Part.CALL, f"{at}/name", name),
        _segment(source, Part.CALL, f"{at}/input", json.dumps(values)),
    ]


def result(source: Source, message: int, block: int, text: str = "found") -> Segment:
    return _segment(source, Part.RESULT, f"/messages/{message}/content/{block}/content", text)


def test_results_answer_the_calls_of_the_message_before_in_order() -> None:
    segments = [
        *call(READ, 1, 0, "Read", {"file_path": "/a.py"}),
        result(READ, 2, 0),
        *call(READ, 3, 1, "Read", {"file_path": "/b.py", "limit": 5}),
        *call(READ, 3, 2, "Read", {"file_path": "/c.py"}),
        result(READ, 4, 0),
        result(READ, 4, 1),
    ]
    assert [asked_with(segments, i) for i in (2, 7, 8)] == ["/a.py", "/b.py", "/c.py"]


def test_a_result_cut_into_pieces_is_one() -> None:
    pieces = [result(READ, 2, 0, "one"), result(READ, 2, 0, "two")]
    segments = [*call(READ, 1, 0, "Read", {"file_path": "/a.py"}), *pieces]
    assert [asked_with(segments, i) for i in (2, 3)] == ["/a.py", "/a.py"]


def test_of_a_server_the_tool_is_named_with_all_it_was_given() -> None:
    segments = [*call(GITHUB, 1, 0, "mcp__github__get_issue", {"owner": "acme", "number": 7, "more": {}}), result(GITHUB, 2, 0)]
    assert asked_with(segments, 2) == "get_issue acme 7"


def test_it_is_one_short_line() -> None:
    segments = [*call(READ, 1, 0, "Bash", {"command": "first\n  second " + "x" * 500}), result(READ, 2, 0)]
    told = asked_with(segments, 2)
    assert told is not None
    assert told.startswith("first second xxx")
    assert len(told) == 200


@pytest.mark.parametrize("values", [{}, {"deep": {"path": "/a"}}])
def test_a_call_without_plain_values_says_nothing(values: Mapping[str, object]) -> None:
    assert asked_with([*call(READ, 1, 0, "Read", values), result(READ, 2, 0)], 2) is None


def test_what_cannot_be_told_is_not_guessed() -> None:
    asked = call(READ, 1, 0, "Read", {"file_path": "/a.py"})
    assert asked_with(asked, 0) is None, "no result"
    assert asked_with([result(READ, 2, 0)], 0) is None, "no call"
    assert asked_with([*asked, *call(READ, 1, 1, "Read", {"file_path": "/b.py"}), result(READ, 2, 0)], 4) is None
    assert asked_with([asked[0], replace(asked[1], text=""), result(READ, 2, 0)], 2) is None, "texts are not kept"
    assert asked_with([asked[0], replace(asked[1], text="[1]"), result(READ, 2, 0)], 2) is None, "no object"
