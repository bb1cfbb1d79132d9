import pytest

from proxy_core.attribution import content_classes
from proxy_core.attribution.content_classes import ContentClass, class_of, class_of_content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ContentClass.PROSE),
        ("The quick brown fox jumps over the lazy dog. " * 200, ContentClass.PROSE),
        ("Füße über Öl und Äpfel für Käufer, schöne Grüße aus Köln.", ContentClass.PROSE),
        ("def f(x):\n    return {'a': [x]}\n" * 20, ContentClass.CODE),
        ('{"name": "a", "value": "b"}', ContentClass.JSON),
        ("2026-11-22 19:13:05 1234567 42 17\n" * 9, ContentClass.DIGITS),
        ("模型回答用户的问题。" * 30, ContentClass.WIDE),
        ("Привет, мир! Как дела?", ContentClass.OTHER_SCRIPT),
    ],
)
def test_classes(text: str, expected: ContentClass) -> None:
    assert class_of(text) is expected


def test_a_content_is_looked_at_once_and_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_classes, "_remembered", {})
    monkeypatch.setattr(content_classes, "_MAX_REMEMBERED", 1)

    assert class_of_content("a", "words and words") is ContentClass.PROSE
    assert class_of_content("a", "模型回答") is ContentClass.PROSE
    assert class_of_content("b", "模型回答") is ContentClass.WIDE
    assert list(content_classes._remembered) == ["b"]
