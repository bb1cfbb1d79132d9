"""What the detail tabs say."""

import pytest

from proxy_core.attribution.model import ContentKind, Grade, Part, Region, SourceType, Usage, Zone
from proxy_core.dialects.base import ParsedResponse
from proxy_core.exchange import ExchangeState, Timing
from storage.views import AgentNode, SessionDetail
from tests import factories
from tests.factories import START_US
from tui.pages.cost import write_cost
from tui.pages.diff import write_diff
from tui.pages.headers import write_headers
from tui.pages.messages import write_request, write_response
from tui.pages.session import agent_tree, write_session
from tui.pages.sheet import Sheet, wrap
from tui.pages.source_text import write_source
from tui.pages.timing import write_timing
from tui.theme import inks


def _sheet(width: int = 100) -> Sheet:
    return Sheet(width, inks(is_dark=True))


def _text(sheet: Sheet) -> str:
    return "\n".join("".join(part for part, _ in line) for line in sheet.lines)


# Sheet


def test_wrapping_cuts_at_spaces_and_keeps_everything() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("日本語日本語", 5) == ["日本", "語日", "本語"]
    assert wrap("a\x1b[31m\tb", 40) == ["a·[31m    b"]


@pytest.mark.parametrize("width", [40, 100])
def test_no_line_is_wider_than_the_sheet(width: int) -> None:
    sheet = _sheet(width)
    sheet.heading("A title that is longer than the sheet is wide, by some way")
    sheet.pair("name", "value " * 40)
    sheet.text("text " * 40)
    assert all(len("".join(part for part, _ in line)) <= width + 2 for line in sheet.lines)


def test_links_cover_the_lines_since() -> None:
    sheet = _sheet()
    sheet.text("a")
    start = len(sheet.lines)
    sheet.text("b")
    sheet.link(7, start)
    assert sheet.links == {1: 7}


# Headers


@pytest.mark.parametrize("width", [80, 120, 200])
def test_names_of_headers_that_begin_alike_are_not_cut(width: int) -> None:
    sheet = _sheet(width)
    names = ("anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-input-tokens-remaining")
    write_headers(sheet, factories.exchange_detail(response_headers=tuple((name, "1") for name in names)))
    assert all(name in _text(sheet) for name in names)


def test_headers_show_both_heads_and_bodies() -> None:
    sheet = _sheet()
    detail = factories.exchange_detail(
        request_headers=(("x-api-key", "[REDACTED:abc]"),),
        request_trailers=(("t", "1"),),
        request_body=factories.body_facts(
            content_encoding="gzip", is_redacted=True, is_decoded=True, is_truncated=True, is_kept=False
        ),
    )
    write_headers(sheet, detail)
    text = _text(sheet)
    for words in (
        "[REDACTED:abc]",
        "1  (trailer)",
        "encoded as gzip",
        "a secret in it was replaced",
        "cut off",
        "no longer kept",
        "200 OK",
    ):
        assert words in text


def test_no_response_is_said() -> None:
    sheet = _sheet()
    write_headers(sheet, factories.exchange_detail(response_http_version=None, response_body=None))
    assert "no answer (yet)" in _text(sheet)


# Timing


def test_the_waterfall_names_every_phase() -> None:
    sheet = _sheet()
    write_timing(sheet, factories.exchange_detail())
    text = _text(sheet)
    assert "900ms in all" in text
    assert "API thinks" in text
    assert "reused or made ahead" in text
    assert "10 tokens/s" in text


def test_unknown_times_are_dashes_not_zeros() -> None:
    sheet = _sheet()
    write_timing(sheet, factories.exchange_detail(timing=Timing(client_started_us=START_US)))
    text = _text(sheet)
    assert "it never ended" in text
    assert "0.0ms" not in text.split("■")[0]


def test_a_new_connection_is_told() -> None:
    sheet = _sheet()
    write_timing(sheet, factories.exchange_detail(timing=factories.timing(upstream_connect_us=25_000)))
    assert "25ms (TCP and TLS" in _text(sheet)


# Cost


def test_the_parts_are_shown_to_add_up() -> None:
    sheet = _sheet()
    basis = factories.cost_basis(modifiers=("batch",), steps=("21 fresh x $3 per million = $0.000063",))
    write_cost(
        sheet, factories.exchange_detail(ledger=factories.ledger(cost_basis=basis, notes=("a note",)), notes=("a note",))
    )
    text = _text(sheet)
    assert "21  =  21 billed" in text
    assert "$0.000168  =  $0.000168 billed" in text
    assert "21 fresh x $3 per million" in text
    assert "batch" in text
    assert text.count("a note") == 1


def test_parts_that_do_not_add_up_are_not_hidden() -> None:
    sheet = _sheet()
    write_cost(sheet, factories.exchange_detail(ledger=factories.ledger(total_input_tokens=22)))
    assert "21  ≠  22 billed" in _text(sheet)


def test_an_unknown_price_is_said_and_nothing_guessed() -> None:
    sheet = _sheet()
    lines = (factories.ledger_line(cost_nano_usd=None),)
    ledger = factories.ledger(
        lines=lines, cost_nano_usd=None, total_input_tokens=10, cost_basis=factories.cost_basis(price_model=None)
    )
    write_cost(sheet, factories.exchange_detail(ledger=ledger))
    assert "No price is known" in _text(sheet)
    assert "$0" not in _text(sheet)


@pytest.mark.parametrize(("state", "words"), [(ExchangeState.FAILED, "No bill came"), (ExchangeState.OPEN, "not billed yet")])
def test_what_has_ended_is_not_waited_for(state: ExchangeState, words: str) -> None:
    sheet = _sheet()
    basis = factories.cost_basis(price_model=None, steps=("not billed yet",))
    ledger = factories.ledger(is_settled=False, cost_nano_usd=None, cost_basis=basis)
    write_cost(sheet, factories.exchange_detail(summary=factories.exchange_summary(state=state), usage=None, ledger=ledger))
    assert words in _text(sheet)


def test_without_usage_or_ledger_it_says_why() -> None:
    sheet = _sheet()
    write_cost(sheet, factories.exchange_detail(usage=None, ledger=None))
    text = _text(sheet)
    assert "The API has reported none" in text
    assert "No prompt was sent" in text


def test_tier_and_region_are_shown() -> None:
    sheet = _sheet()
    usage = Usage(input_tokens=1, service_tier="standard", inference_geo="us", speed="fast", web_search_requests=2)
    write_cost(sheet, factories.exchange_detail(usage=usage))
    for words in ("standard", "us", "fast", "web searches"):
        assert words in _text(sheet)


# Diff


def test_the_first_request_has_nothing_to_compare_with() -> None:
    sheet = _sheet()
    write_diff(sheet, None, factories.exchange_detail())
    assert "first request of its conversation" in _text(sheet)


def test_a_distorted_capture_says_so_and_how_to_do_better() -> None:
    sheet = _sheet()
    write_diff(sheet, None, factories.exchange_detail(summary=factories.exchange_summary(is_distorted=True)))
    assert "base URL" in _text(sheet)
    assert "assay run" in _text(sheet)


def test_added_removed_edited_and_moved_are_shown() -> None:
    def seg(text: str, kind: SourceType = SourceType.USER) -> object:
        return factories.segment(text, source=factories.source(kind, "x" if kind is SourceType.TOOL else None))

    keep, gone, old, new, more = (
        seg("same"),
        seg("gone", SourceType.TOOL),
        seg("line 1\nline 2"),
        seg("line 1\nline 3"),
        seg("more\n" * 20),
    )
    before = factories.exchange_detail(1, segments=(keep, gone, old))
    after = factories.exchange_detail(2, segments=(keep, new, more))
    sheet = _sheet()
    write_diff(sheet, before, after)
    text = _text(sheet)
    assert "1 unchanged" in text
    assert "+ 1 added" in text
    assert "− 1 removed" in text
    assert "~ 1 edited" in text
    assert "line 2" in text
    assert "line 3" in text
    assert "line 1" not in text.split("Segment by segment")[1]
    assert "14 more lines" in text
    assert 1 in sheet.links.values()


def test_a_broken_cache_is_explained() -> None:
    def detail(number: int, text: str, zone: Zone) -> object:
        line = factories.ledger_line(tokens=5_000, zone=zone, cost_nano_usd=15_000_000)
        system = factories.segment(
            text, region=Region.SYSTEM, cache_ttl="5m", source=factories.source(SourceType.MEMORY, "CLAUDE.md")
        )
        return factories.exchange_detail(
            number, segments=(system,), ledger=factories.ledger(lines=(line,), total_input_tokens=5_000)
        )

    sheet = _sheet()
    write_diff(sheet, detail(1, "old", Zone.CACHE_WRITE_5M), detail(2, "new", Zone.CACHE_WRITE_5M))
    text = _text(sheet)
    assert "broken: 5.0k tokens paid for again" in text
    assert "was edited" in text
    assert "Memory: CLAUDE.md" in text


def test_texts_too_long_to_compare_say_so() -> None:
    before = factories.exchange_detail(1, segments=(factories.segment("a" * 30_000),))
    after = factories.exchange_detail(2, segments=(factories.segment("b" * 30_000),))
    sheet = _sheet()
    write_diff(sheet, before, after)
    assert "too long to compare" in _text(sheet)


def test_a_held_cache_is_told() -> None:
    sheet = _sheet()
    summary = factories.exchange_summary(2, cache_read_tokens=20, input_tokens=21)
    write_diff(sheet, factories.exchange_detail(1), factories.exchange_detail(2, summary=summary))
    assert "held: 20 tokens" in _text(sheet)
    assert "nothing changed" in _text(sheet)


# Request and response


def test_a_request_is_written_newest_message_first() -> None:
    segments = (
        factories.segment("tool", region=Region.TOOLS, part=Part.DEFINITION, content_kind=ContentKind.TOOL_DEFINITION),
        factories.segment("first", message_index=0),
        factories.segment("second\n" * 30, message_index=1, cache_ttl="5m", is_uncertain=True),
        factories.segment("", message_index=1, content_kind=ContentKind.IMAGE, content_bytes=2_000),
    )
    sheet = _sheet()
    write_request(sheet, segments)
    text = _text(sheet)
    assert text.index("second") < text.index("first") < text.index("tool")
    assert "◆ cached 5m" in text
    assert "? unsure" in text
    assert "20 more lines" in text
    assert "[image, 2.0 kB]" in text


def test_a_request_without_a_prompt_says_so() -> None:
    sheet = _sheet()
    write_request(sheet, ())
    assert "No prompt" in _text(sheet)


def test_an_answer_is_put_back_together() -> None:
    blocks = (
        {"type": "thinking", "thinking": "hmm"},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "name": "Bash", "input": {"command": "ls"}},
        {"type": "strange", "x": 1},
    )
    sheet = _sheet()
    write_response(
        sheet,
        ParsedResponse(blocks=blocks, usage=Usage(), model="m", stop_reason="tool_use", counted_tokens=5, warnings=("w",)),
    )
    text = _text(sheet)
    for words in ("hmm", "hello", "→ Bash", '"command": "ls"', "[strange]", "cut off", "5 tokens", "· w"):
        assert words in text


def test_errors_and_silence_are_told() -> None:
    sheet = _sheet()
    write_response(sheet, ParsedResponse(usage=Usage(), error_type="overloaded_error", error_message="busy", is_complete=True))
    assert "✗ overloaded_error: busy" in _text(sheet)
    sheet = _sheet()
    write_response(sheet, ParsedResponse(usage=Usage(), is_complete=True))
    assert "no content" in _text(sheet)
    sheet = _sheet()
    write_response(sheet, None)
    assert "It stands here when it has ended." in _text(sheet)


# Source text


def test_code_is_numbered_highlighted_and_whole() -> None:
    sheet = _sheet(30)
    write_source(sheet, '{"key": "a value that is longer than the line"}\n\n# x', "json")
    text = _text(sheet)
    assert text.startswith("    1 {")
    assert "    3 # x" in text
    joined = "".join(line[6:] for line in text.splitlines())
    assert "a value that is longer than the line" in joined
    assert len({style for line in sheet.lines for _, style in line}) > 2


def test_long_or_plain_texts_are_not_highlighted() -> None:
    sheet = _sheet()
    write_source(sheet, "x" * 130_000, "markdown")
    assert len({style for line in sheet.lines for _, style in line}) == 2


# Sessions


def _agent(agent_id: str | None, parent: str | None = None, first: int = 0) -> AgentNode:
    return AgentNode(
        agent_id=agent_id, agent_type="reviewer" if agent_id else None, parent_agent_id=parent, requests=1, input_tokens=10,
        output_tokens=1, cost_nano_usd=None, first_us=START_US + first, last_us=START_US + first,
    )  # fmt: skip


def test_agents_stand_below_who_started_them() -> None:
    agents = [_agent("b", "a", 2), _agent(None), _agent("a", None, 1), _agent("orphan", "gone", 3)]
    assert [(depth, agent.agent_id) for depth, agent in agent_tree(agents)] == [(0, None), (1, "a"), (2, "b"), (1, "orphan")]


def test_a_circle_of_agents_does_not_hang() -> None:
    assert agent_tree([_agent("a", "b"), _agent("b", "a")]) == []


def test_a_session_is_written_with_growth_and_agents() -> None:
    sheet = _sheet()
    summary = factories.session_summary(compactions=1, errors=2)
    session = SessionDetail(
        summary=summary, agents=(_agent(None), _agent("a")), context_growth=((START_US, 10), (START_US + 1, 50))
    )
    write_session(sheet, session, 100)
    text = _text(sheet)
    for words in ("session-1", "compactions", "errors", "now 50, 50 % of 100", "↳ reviewer", "⣿"):
        assert words in text


def test_grades_are_told_apart() -> None:
    assert len(set(Grade)) == 4
