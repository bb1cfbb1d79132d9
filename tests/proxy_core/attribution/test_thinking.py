import pytest

from proxy_core.attribution.estimates import NOTHING
from proxy_core.attribution.model import ContentKind, Part, Region, Segment, Source, SourceType
from proxy_core.attribution.thinking import keeps_thinking, stripped_until, thinking_estimates, thinking_messages


def part(
    pointer: str,
    message: int | None,
    *,
    kind: ContentKind = ContentKind.THINKING,
    size: int = 10,
    what: Part = Part.THINKING,
    role: str = "assistant",
) -> Segment:
    return Segment(
        source=Source(SourceType.ASSISTANT, "thinking"),
        part=what,
        region=Region.MESSAGES,
        pointer=pointer,
        start=0,
        end=0,
        text="t",
        content_bytes=size,
        content_hash="00",
        content_kind=kind,
        role=role,
        message_index=message,
    )


@pytest.mark.parametrize(
    ("model", "keeps"),
    [
        ("claude-opus-4-5-20251101", True),
        ("claude-opus-4-1", False),
        ("claude-sonnet-4-6", True),
        ("claude-sonnet-4-5", False),
        ("claude-haiku-4-5", False),
        ("claude-haiku-5-5", True),
        ("claude-3-7-sonnet-20250219", False),
        ("claude-fable-5", True),
        ("claude-newline-1-0", True),
        ("gpt-4", True),
        (None, True),
    ],
)
def test_which_models_keep_it(model: str | None, keeps: bool) -> None:
    assert keeps_thinking(model) is keeps


def test_the_tool_loop_starts_at_the_last_user_turn_without_a_result() -> None:
    segments = [
        part("/messages/0/content", 0, what=Part.TEXT, role="user"),
        part("/messages/1/content/0", 1),
        part("/messages/2/content", 2, what=Part.TEXT, role="user"),
        part("/messages/3/content/0", 3),
        part("/messages/4/content/0", 4, what=Part.RESULT, role="user"),
        part("/messages/4/content/1", 4, what=Part.TEXT, role="user"),
    ]

    assert stripped_until("claude-haiku-4-5", segments) == 2
    assert stripped_until("claude-opus-4-8", segments) == 0
    assert stripped_until("claude-haiku-4-5", []) == 0
    assert thinking_messages(segments) == [1, 3]


def test_reported_thinking_is_shared_among_blocks_and_signatures_are_free() -> None:
    segments = [
        part("/messages/1/content/0/thinking", 1, size=100),
        part("/messages/1/content/0/signature", 1, kind=ContentKind.OPAQUE, size=200),
        part("/messages/1/content/1/data", 1, kind=ContentKind.OPAQUE, size=100),
        part("/messages/1/content/2/text", 1, what=Part.TEXT),
        part("/x", None),
    ]

    found = thinking_estimates(segments, lambda message: 400 if message == 1 else None, 0)

    assert found[0].piece.estimate == pytest.approx(300)
    assert found[1] is NOTHING
    assert found[2].piece.estimate == pytest.approx(100)
    assert set(found) == {0, 1, 2}


def test_unreported_thinking_is_left_to_a_guess_and_stripped_is_nothing() -> None:
    segments = [part("/messages/1/content/0/thinking", 1), part("/messages/3/content/0/thinking", 3)]

    assert thinking_estimates(segments, lambda _: None, 0) == {}
    assert thinking_estimates(segments, lambda _: None, 2) == {0: NOTHING}
