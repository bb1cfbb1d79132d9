"""The memory of cut elements stays within its limits."""

from proxy_core.attribution.cuts import CutElement
from proxy_core.attribution.memo import Memo


def test_the_least_recently_used_goes_first() -> None:
    memo = Memo(max_entries=2, max_bytes=1_000)
    elements = {name: CutElement(()) for name in "abc"}
    memo.put("a", elements["a"], 10)
    memo.put("b", elements["b"], 10)
    assert memo.get("a") is elements["a"]
    memo.put("c", elements["c"], 10)
    assert (memo.get("b"), memo.get("a"), memo.get("c")) == (None, elements["a"], elements["c"])
    assert (len(memo), memo.weight_bytes) == (2, 20)


def test_weight_is_bounded_and_counted_once() -> None:
    memo = Memo(max_entries=10, max_bytes=100)
    memo.put("a", CutElement(()), 60)
    memo.put("a", CutElement(()), 70)
    assert memo.weight_bytes == 70
    memo.put("b", CutElement(()), 40)
    assert (memo.get("a"), memo.weight_bytes) == (None, 40)
    memo.put("huge", CutElement(()), 500)
    assert (len(memo), memo.weight_bytes) == (0, 0)
    memo.put("a", CutElement(()), 1)
    memo.clear()
    assert (len(memo), memo.weight_bytes) == (0, 0)
