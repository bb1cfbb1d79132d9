import pytest

from proxy_core.attribution.tokens.families import O200K, V3, V4_7, V4_8, claude_version, family_of, is_verified, plain_model_id


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("claude-3-haiku-20240307", V3),
        ("claude-3-5-sonnet-latest", V3),
        ("claude-3.7-sonnet", V3),
        ("claude-sonnet-4-20250514", V3),
        ("claude-opus-4-6", V3),
        ("claude-haiku-4-5-20251001", V3),
        ("claude-opus-4-7", V4_7),
        ("claude-mythos-preview", V4_7),
        ("claude-opus-4-8", V4_8),
        ("claude-sonnet-5", V4_8),
        ("claude-opus-5-5", V4_8),
        ("claude-fable-5-2", V4_8),
        ("us.anthropic.claude-opus-4-8-v1:0", V4_8),
        ("anthropic/claude-opus-4.6", V3),
        ("claude-opus-4-5@20251101", V3),
        ("claude-opus-4-8[1m]", V4_8),
        ("claude-2.1", O200K),
        ("claude-instant-1", O200K),
        ("claude-zephyr", O200K),
        ("gpt-4.1", O200K),
        ("", O200K),
        (None, O200K),
    ],
)
def test_families(model: str | None, family: str) -> None:
    assert family_of(model) == family


def test_clouds_wrap_ids() -> None:
    assert plain_model_id("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-5-20251101-v1:0") == (
        "claude-opus-4-5-20251101"
    )
    assert plain_model_id("a\nb") == "a\nb"
    assert claude_version("eu.anthropic.claude-haiku-4-5-20251001-v1:0") == (4, 5)


def test_what_was_ever_compared_with_bills() -> None:
    assert is_verified("claude-opus-5")
    assert is_verified("claude-3-haiku-20240307")
    assert not is_verified("claude-opus-5-5")
    assert not is_verified("gpt-4")
