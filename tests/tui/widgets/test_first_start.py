"""What is said while there are no requests."""

from pathlib import Path

from tests.tui.widgets.stage import staged
from tui.widgets.first_start import FirstStart, first_steps, no_match


def test_with_a_proxy_the_lines_to_paste_are_there() -> None:
    text = first_steps("http://127.0.0.1:8080", Path("/home/dev/ca.pem")).plain
    assert "run -- claude" in text
    assert "export HTTPS_PROXY=http://127.0.0.1:8080" in text
    assert "export NODE_EXTRA_CA_CERTS=/home/dev/ca.pem" in text
    assert "doctor" in text


def test_without_a_bundle_none_is_named() -> None:
    assert "NODE_EXTRA_CA_CERTS" not in first_steps("http://127.0.0.1:8080", None).plain


def test_a_database_alone_says_how_to_start_a_proxy() -> None:
    text = first_steps(None, None).plain
    assert "holds no requests yet" in text
    assert "run -- claude" in text


def test_a_filter_that_lets_nothing_pass_is_quoted_as_it_is() -> None:
    assert "session:[zz]" in no_match("session:[zz]").plain


async def test_it_is_read_and_never_focused() -> None:
    async with staged(FirstStart) as (stage, _):
        shown = stage.query_one(FirstStart)
        shown.explain(None, None)
        assert "holds no requests" in str(shown.render())
        shown.explain_empty("kind:mcp")
        assert "kind:mcp" in str(shown.render())
        assert not shown.can_focus
