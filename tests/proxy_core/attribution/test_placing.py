"""Elements find their place again, and remember only a few."""

from proxy_core.attribution.cuts import UNATTRIBUTED, CutElement, Span, cut_text
from proxy_core.attribution.model import Part, Region
from proxy_core.attribution.placing import MAX_PLACES, Conversation, placed
from proxy_core.attribution.rules.choose import rules_of
from proxy_core.attribution.servers import ToolOwners


def test_an_element_remembers_its_latest_places() -> None:
    element = CutElement((cut_text("/content", "alpha", Span(0, 5, UNATTRIBUTED, Part.TEXT)),), role="user")
    conversation = Conversation(ToolOwners(rules_of(None), frozenset()))
    for index in range(3 * MAX_PLACES):
        segments = placed(element, f"/messages/{index}", Region.MESSAGES, index, conversation)
        assert [(segment.pointer, segment.message_index) for segment in segments] == [(f"/messages/{index}/content", index)]
        assert len(element.placed) <= MAX_PLACES
    assert placed(element, "/messages/23", Region.MESSAGES, 23, conversation) is segments
