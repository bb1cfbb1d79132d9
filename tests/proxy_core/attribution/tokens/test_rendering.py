import pytest

from proxy_core.attribution.model import ContentKind, Part, Region, Segment, Source, SourceType
from proxy_core.attribution.tokens.rendering import is_counted, is_rendered, rendered_text


def segment(text: str, kind: ContentKind = ContentKind.TEXT) -> Segment:
    return Segment(
        source=Source(SourceType.TOOL, "f"),
        part=Part.DEFINITION,
        region=Region.TOOLS,
        pointer="/tools/0",
        start=0,
        end=len(text),
        text=text,
        content_bytes=len(text),
        content_hash="00",
        content_kind=kind,
    )


def test_a_tool_is_rendered_as_the_api_does() -> None:
    tool = '{"name":"f","description":"Föö","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}'

    rendered = rendered_text(segment(tool, ContentKind.TOOL_DEFINITION))

    assert rendered == '<function>{"description": "Föö", "name": "f", "parameters": {"type": "object"}}</function>\n'


@pytest.mark.parametrize("text", ["a fragment", "{broken", '{"type": "x"}', "{" * 100_000])
def test_fragments_of_tools_stay_as_they_are(text: str) -> None:
    assert rendered_text(segment(text, ContentKind.TOOL_DEFINITION)) == text


def test_text_is_text() -> None:
    assert rendered_text(segment('{"name": "f"}')) == '{"name": "f"}'


@pytest.mark.parametrize("kind", [ContentKind.IMAGE, ContentKind.OPAQUE, ContentKind.THINKING, ContentKind.NOT_RENDERED])
def test_payloads_are_never_counted(kind: ContentKind) -> None:
    assert not is_counted(segment("QUJD" * 100, kind))


def test_what_is_not_in_the_prompt() -> None:
    assert not is_counted(segment(""))
    assert not is_rendered(segment("x-anthropic-billing-header: cc_version=2.1"))
    assert not is_rendered(segment("a", ContentKind.NOT_RENDERED))
    assert is_counted(segment("a"))
