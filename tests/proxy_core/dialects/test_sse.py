import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy_core.dialects import sse
from proxy_core.dialects.sse import MessageStream, ServerSentEvent, read_events, read_message_stream


def stream_of(*events: Mapping[str, Any]) -> MessageStream:
    return read_message_stream(iter([ServerSentEvent(str(event.get("type")), json.dumps(event)) for event in events]))


def start(**usage: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": [], "usage": usage}}


def block(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": fields}


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def test_events_are_read_in_every_line_ending_and_comment() -> None:
    body = b": hi\r\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata:3\n\nid: 7\n\nevent: cut\ndata: off"

    assert list(read_events(body)) == [ServerSentEvent("a", "1\n2"), ServerSentEvent("", "3")]


def test_a_stream_is_put_together_again() -> None:
    stream = stream_of(
        start(input_tokens=5, output_tokens=1),
        block(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="hm"),
        delta(0, type="signature_delta", signature="abc"),
        block(1, type="text", text=""),
        delta(1, type="text_delta", text="Hel"),
        delta(1, type="text_delta", text="lo"),
        delta(1, type="citations_delta", citation={"type": "char_location"}),
        block(2, type="tool_use", name="f", input={}),
        delta(2, type="input_json_delta", partial_json=""),
        delta(2, type="input_json_delta", partial_json='{"a":'),
        delta(2, type="input_json_delta", partial_json="1}"),
        block(3, type="compaction", content=None),
        delta(3, type="compaction_delta", content="sum", signature=None),
        {"type": "content_block_stop", "index": 3},
        {"type": "ping"},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 9, "iterations": [{"type": "message", "input_tokens": 5}]},
            "context_management": {"applied_edits": []},
        },
        {"type": "message_stop"},
    )

    assert stream.blocks() == (
        {"type": "thinking", "thinking": "hm", "signature": "abc"},
        {"type": "text", "text": "Hello", "citations": [{"type": "char_location"}]},
        {"type": "tool_use", "name": "f", "input": {"a": 1}},
        {"type": "compaction", "content": "sum"},
    )
    assert stream.usage.output_tokens == 9
    assert stream.start_usage is not None
    assert stream.start_usage.output_tokens == 1
    assert stream.iterations[0].usage.input_tokens == 5
    assert stream.message["stop_reason"] == "end_turn"
    assert stream.is_stopped
    assert stream.has_final_usage
    assert stream.warnings == []


def test_a_tool_call_without_input_keeps_its_empty_one() -> None:
    stream = stream_of(block(0, type="tool_use", name="f", input={}), delta(0, type="input_json_delta", partial_json=""))

    assert stream.blocks() == ({"type": "tool_use", "name": "f", "input": {}},)


def test_a_cut_off_tool_call_keeps_what_came() -> None:
    stream = stream_of(
        block(0, type="tool_use", name="f", input={}), delta(0, type="input_json_delta", partial_json='{"a": "b')
    )

    assert stream.blocks() == ({"type": "tool_use", "name": "f", "input": '{"a": "b'},)
    assert stream.warnings == ["tool input is not whole JSON"]


def test_a_delta_without_a_start_is_kept_and_noted() -> None:
    stream = stream_of(
        delta(4, type="text_delta", text="x"),
        delta(5, type="thinking_delta", thinking="y"),
        delta(6, type="input_json_delta", partial_json="{}"),
    )

    assert stream.blocks() == (
        {"type": "text", "text": "x"},
        {"type": "thinking", "thinking": "y"},
        {"type": "tool_use", "input": {}},
    )
    assert len(stream.warnings) == 3


def test_an_event_whose_type_is_no_text_is_one_that_nobody_knows() -> None:
    stream = stream_of({"type": {"a": 1}}, {"type": []}, {"type": None}, {}, block(0, type="text", text="a"))
    assert stream.blocks() == ({"type": "text", "text": "a"},)
    assert len(stream.warnings) == 3


def test_unknown_things_are_noted_once_and_change_nothing() -> None:
    stream = stream_of(
        {"type": "surprise"},
        {"type": "surprise"},
        block(0, type="text", text="a"),
        block(0, type="text", text="b"),
        delta(0, type="odd_delta"),
        delta(0, type=["x"]),
    )

    assert stream.blocks() == ({"type": "text", "text": "b"},)
    assert len(stream.warnings) == 4


def test_broken_json_is_noted() -> None:
    stream = read_message_stream(iter([ServerSentEvent("x", "{"), ServerSentEvent("y", "[1]")]))

    assert stream.warnings == ["stream event 'x' is not JSON"]


def test_an_error_event_is_kept() -> None:
    assert stream_of({"type": "error", "error": {"type": "overloaded_error"}}).error == {"type": "overloaded_error"}


def test_content_in_the_start_is_kept() -> None:
    stream = stream_of({"type": "message_start", "message": {"content": [{"type": "text", "text": "a"}]}})

    assert stream.blocks() == ({"type": "text", "text": "a"},)


def test_blocks_without_end_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(sse, "MAX_BLOCKS", 2)
    stream = stream_of(*(block(index, type="text", text="") for index in range(4)), delta(3, type="text_delta", text="x"))

    assert len(stream.blocks()) == 2
    assert stream.warnings == ["too many content blocks", "content block 3 grew before it started"]


def test_notes_are_bounded() -> None:
    assert len(stream_of(*({"type": f"t{number}"} for number in range(80))).warnings) == 50


TEXT = st.text(max_size=8)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(sse.KNOWN_EVENTS)) | TEXT},
    optional={
        "index": st.integers(-2, 3) | TEXT,
        "message": st.dictionaries(st.sampled_from(["usage", "content", "id"]), TEXT | st.lists(TEXT, max_size=2) | st.none()),
        "content_block": st.dictionaries(st.sampled_from(["type", "text", "citations", "input"]), TEXT | st.none()),
        "delta": st.dictionaries(st.sampled_from(["type", "text", "thinking", "partial_json"]), TEXT)
        | st.fixed_dictionaries(
            {"type": st.sampled_from(sorted(sse.KNOWN_DELTAS))}, optional={"text": TEXT, "partial_json": TEXT}
        ),
        "usage": st.dictionaries(st.sampled_from(["output_tokens", "input_tokens"]), st.integers() | TEXT) | TEXT,
    },
)


@given(st.lists(EVENTS, max_size=12))
def test_no_stream_raises(events: list[dict[str, Any]]) -> None:
    stream_of(*events).blocks()


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    read_message_stream(read_events(body)).blocks()


@given(st.text(max_size=200), st.integers(1, 20))
def test_text_survives_any_cut_into_deltas(text: str, size: int) -> None:
    pieces = [text[index : index + size] for index in range(0, len(text), size)]

    stream = stream_of(block(0, type="text", text=""), *(delta(0, type="text_delta", text=piece) for piece in pieces))

    assert stream.blocks()[0]["text"] == text
