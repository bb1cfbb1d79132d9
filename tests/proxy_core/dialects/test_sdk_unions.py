"""The SDK's own types name every block, event, delta and usage field: a new one must be noticed here, not in the field."""

import typing

import pytest

anthropic_types = pytest.importorskip("anthropic.types")
beta_types = pytest.importorskip("anthropic.types.beta")

from proxy_core.attribution.billing import KNOWN_KINDS  # noqa: E402
from proxy_core.dialects.responses import KNOWN_BLOCKS  # noqa: E402
from proxy_core.dialects.sse import KNOWN_DELTAS, KNOWN_EVENTS  # noqa: E402
from proxy_core.dialects.usage import KNOWN_FIELDS  # noqa: E402


def discriminators(union: object) -> set[str]:
    args = typing.get_args(union)
    if typing.get_origin(union) is typing.Annotated:
        return discriminators(args[0])
    found: set[str] = set()
    for member in args:
        fields = getattr(member, "model_fields", None)
        if fields is None:
            found |= discriminators(member)
        elif "type" in fields:
            found |= set(typing.get_args(fields["type"].annotation))
    return found


@pytest.mark.parametrize("union", [anthropic_types.ContentBlock, beta_types.BetaContentBlock])
def test_every_response_block_is_known(union: object) -> None:
    assert len(discriminators(union)) > 10
    assert discriminators(union) <= KNOWN_BLOCKS


@pytest.mark.parametrize("union", [anthropic_types.RawMessageStreamEvent, beta_types.BetaRawMessageStreamEvent])
def test_every_stream_event_is_known(union: object) -> None:
    assert "message_delta" in discriminators(union)
    assert discriminators(union) <= KNOWN_EVENTS


@pytest.mark.parametrize("union", [anthropic_types.RawContentBlockDelta, beta_types.BetaRawContentBlockDelta])
def test_every_delta_is_known(union: object) -> None:
    assert "text_delta" in discriminators(union)
    assert discriminators(union) <= KNOWN_DELTAS


@pytest.mark.parametrize(
    "model",
    [
        anthropic_types.Usage,
        anthropic_types.MessageDeltaUsage,
        beta_types.BetaUsage,
        beta_types.BetaMessageDeltaUsage,
    ],
)
def test_every_usage_field_is_known(model: typing.Any) -> None:
    assert set(model.model_fields) <= KNOWN_FIELDS


def test_every_kind_of_iteration_is_known() -> None:
    kinds = discriminators(beta_types.BetaUsage.model_fields["iterations"].annotation)

    assert "compaction" in kinds
    assert kinds <= KNOWN_KINDS
