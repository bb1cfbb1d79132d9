"""What count_tokens answers teach about the parts of a request."""

from dataclasses import replace
from typing import Any

from proxy_core.attribution.estimates import content_hash
from proxy_core.attribution.ledger import build_ledger
from proxy_core.attribution.model import CallFacts, ContentKind, Part, Region, Segment, Source, SourceType, Usage
from proxy_core.attribution.samples import MAX_PARTS
from proxy_core.attribution.tokens.families import V4_8
from proxy_core.dialects.base import ParsedCall, ParsedResponse, PromptParameters
from tests.hidden_bills import RECORDED, our_context, our_count


def text(words: str, **fields: Any) -> Segment:
    values: dict[str, Any] = {
        "source": Source(SourceType.USER),
        "part": Part.TEXT,
        "region": Region.MESSAGES,
        "pointer": "/messages/0/content",
        "start": 0,
        "end": len(words),
        "text": words,
        "content_bytes": len(words),
        "content_hash": content_hash(words),
        "content_kind": ContentKind.TEXT,
        "role": "user",
        "message_index": 0,
    }
    return Segment(**(values | fields))


def tool(words: str) -> Segment:
    return text(words, region=Region.TOOLS, role=None, message_index=None)


def system(words: str) -> Segment:
    return text(words, region=Region.SYSTEM, role=None, message_index=None)


def count(context: Any, tokens: int, *segments: Segment) -> None:
    call = ParsedCall(
        facts=CallFacts(dialect="count_tokens", chain_hashes=(content_hash("".join(part.content_hash for part in segments)),)),
        segments=segments,
        parameters=PromptParameters(
            model="claude-opus-4-8", tool_types=("custom",) * sum(part.region is Region.TOOLS for part in segments)
        ),
    )
    build_ledger(RECORDED, call, ParsedResponse(usage=Usage(), counted_tokens=tokens, is_complete=True), context)


def known(context: Any, segment: Segment) -> int:
    return int(context.cached_counts(V4_8, [segment.content_hash])[segment.content_hash].tokens)


QUESTION = text("what is in the file")
MEMORY = "remember this and that " * 10


def test_a_text_alone_is_sized_to_the_token() -> None:
    context = our_context()
    count(context, 41 + 6, text(MEMORY))

    assert known(context, text(MEMORY)) == 41


def test_a_part_that_was_added_is_sized_by_difference() -> None:
    context = our_context()
    count(context, 20, QUESTION)
    count(context, 20 + 47, system(MEMORY), QUESTION)

    assert known(context, system(MEMORY)) == 47


def test_a_part_that_was_left_out_later_is_sized_too() -> None:
    context = our_context()
    count(context, 20 + 47, system(MEMORY), QUESTION)
    count(context, 20, QUESTION)

    assert known(context, system(MEMORY)) == 47


def test_one_tool_of_several_is_sized() -> None:
    context = our_context()
    first, second = tool('{"name": "a"} ' * 8), tool('{"name": "b"} ' * 8)
    count(context, 500, first, QUESTION)
    count(context, 590, first, second, QUESTION)

    assert known(context, second) == 90


def test_the_first_tool_brings_the_tool_prompt_with_it() -> None:
    context = our_context()
    first = tool('{"name": "a"} ' * 8)
    count(context, 20, QUESTION)
    count(context, 500, first, QUESTION)

    assert known(context, first) == our_count(first.text)


def test_a_difference_that_cannot_be_is_left_alone() -> None:
    context = our_context()
    count(context, 20, QUESTION)
    count(context, 5000, system(MEMORY), QUESTION)

    assert known(context, system(MEMORY)) == our_count(MEMORY)


def test_what_has_no_count_or_too_many_parts_is_no_sample() -> None:
    context = our_context()
    image = replace(text(""), content_kind=ContentKind.IMAGE)
    count(context, 1300, image)
    count(context, 900, *[replace(QUESTION, content_hash=f"{number:032x}") for number in range(MAX_PARTS + 1)])

    assert context.cached_counts(V4_8, [image.content_hash]) == {}
    assert not any(key[0] == "sample" and "with" in value and len(value) > 5000 for key, value in context._learnt.items())
