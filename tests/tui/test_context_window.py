"""What a model can hold, where that is known."""

import pytest

from tui.context_window import context_limit


@pytest.mark.parametrize("model", ["nobody-knows-this-one", ""])
def test_an_unknown_model_has_no_limit(model: str) -> None:
    assert context_limit(model) is None


def test_a_known_model_has_one() -> None:
    assert (context_limit("claude-sonnet-4-5") or 0) >= 200_000
