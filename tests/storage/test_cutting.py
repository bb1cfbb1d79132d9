import json

from hypothesis import given
from hypothesis import strategies as st

from storage.cutting import CHUNK_BYTES, cut, join

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just({"cache_control": {"type": "ephemeral"}}),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["text", "cache_control", "a"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.binary(max_size=300))
def test_any_bytes_come_back(body):
    assert join(cut(body)) == body


@given(
    st.fixed_dictionaries({}, optional={"tools": JSON, "system": JSON, "messages": JSON, "model": JSON}),
    st.sampled_from([None, 1, 2]),
)
def test_any_request_comes_back(request, indent):
    body = json.dumps(request, indent=indent).encode()
    assert join(cut(body)) == body


@given(st.binary(max_size=30), st.integers(0, 400))
def test_a_damaged_request_comes_back(noise, position):
    body = json.dumps({"messages": [{"role": "user", "content": f"{n}" * 50} for n in range(5)]}).encode()
    damaged = body[:position] + noise + body[position:]
    assert join(cut(damaged)) == damaged


def test_moving_cache_marks_leave_the_runs_alike():
    def body(marked):
        messages = [{"role": "user", "content": [{"type": "text", "text": f"message {n}"}]} for n in range(4)]
        messages[marked]["content"][0]["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
        return json.dumps({"messages": messages}).encode()

    first, second = cut(body(1)), cut(body(3))
    assert [run.content for run in first] == [run.content for run in second]
    assert first != second


def test_each_element_is_a_run_of_its_own():
    body = b'{"tools":[{"name":"a"}],"system":[{"text":"b"}],"messages":[{"role":"user"},{"role":"assistant"}]}'
    runs = [run.content for run in cut(body)]
    for element in (b'{"name":"a"}', b'{"text":"b"}', b'{"role":"user"}', b'{"role":"assistant"}'):
        assert element in runs


def test_long_values_are_cut_at_fixed_lengths():
    body = json.dumps({"messages": [{"content": "x" * (3 * CHUNK_BYTES)}]}).encode()
    runs = cut(body)
    assert join(runs) == body
    assert max(len(run.content) for run in runs) <= CHUNK_BYTES


def test_repeated_keys_and_foreign_types_do_no_harm():
    for body in (
        b'{"messages":[1],"messages":[2,1]}',
        b'{"messages":"text","tools":{"a":1},"system":null}',
        b'{"messages":[[1,2],[1,2]]}',
    ):
        assert join(cut(body)) == body


def test_deep_nesting_is_kept_whole():
    body = b'{"messages":' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert join(cut(body)) == body
