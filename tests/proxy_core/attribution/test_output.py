import pytest

from proxy_core.attribution.billing import BilledSampling
from proxy_core.attribution.model import Part, Usage
from proxy_core.attribution.output import share_output, sole_text, visible_output


def sampling(kind: str, output: int | None) -> BilledSampling:
    return BilledSampling(kind=kind, model="m", usage=Usage(output_tokens=output))


def test_thinking_is_taken_from_the_last_message_first() -> None:
    samplings = [sampling("message", 100), sampling("advisor_message", 30), sampling("message", 50), sampling("message", None)]

    shares = share_output(samplings, Usage(thinking_tokens=70))

    assert [(share.sampling, share.part, share.tokens, share.source.source_name) for share in shares] == [
        (0, Part.THINKING, 20, None),
        (0, Part.OUTPUT, 80, None),
        (1, Part.OUTPUT, 30, "advisor"),
        (2, Part.THINKING, 50, None),
    ]


def test_everything_visible_is_collected() -> None:
    blocks = [
        {"type": "text", "text": "a"},
        {"type": "thinking", "thinking": "b", "signature": "zzz"},
        {"type": "tool_use", "name": "Bash", "input": {"command": "ls"}},
        {"type": "redacted_thinking", "data": "zzz"},
    ]

    assert visible_output(blocks) == 'a\nb\nBash {"command": "ls"}'


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ([{"type": "text", "text": "a"}], "a"),
        ([{"type": "text", "text": ""}], None),
        ([{"type": "text", "text": 5}], None),
        ([{"type": "text", "text": "a", "citations": [{}]}], None),
        ([{"type": "tool_use"}], None),
        ([{"type": "text", "text": "a"}] * 2, None),
        ([], None),
    ],
)
def test_a_plain_text_answer(blocks: list[dict[str, object]], text: str | None) -> None:
    assert sole_text(blocks) == text
