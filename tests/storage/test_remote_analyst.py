"""Analysing in a process of its own: the same result, and nothing that process does stops the next analysis."""

import io
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from storage.analyser import AnalysisThread
from storage.analysis_worker import serve
from storage.database import open_database
from storage.notices import Notices
from storage.remote_analyst import MAX_ATTEMPTS, AnalysisProcessError, RemoteAnalyst, open_analyst
from storage.store import Store
from tests.storage.recorded_traffic import analyst, conversation, store

REPLY = "import json, sys\nfor line in sys.stdin:\n    print(json.dumps({reply}), flush=True)\n"


@pytest.fixture
def remote(database):
    """Make analysts over the database; end their processes afterwards."""
    made = []

    def make(**options):
        made.append(RemoteAnalyst(database, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def scripted(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_it_finds_what_the_analysis_here_finds(database, tmp_path, remote):
    other = open_database(tmp_path / "other.db")
    events = conversation(2)
    store(database, *events)
    store(other, *events)
    here, there = analyst(other), remote()
    for row_id in (1, 2):
        assert here.analyse(row_id, has_ended=True)
        assert there.analyse(row_id, has_ended=True)
    found = [Store(each).exchanges.detail(2) for each in (database, other)]
    assert found[0].segments == found[1].segments
    assert found[0].facts == found[1].facts
    assert found[0].ledger.total_input_tokens == found[1].ledger.total_input_tokens
    other.close()


def test_a_process_that_was_killed_is_started_anew(database, remote):
    store(database, *conversation(2))
    there = remote()
    assert there.analyse(1, has_ended=True)
    os.kill(there.process_id, signal.SIGKILL)
    assert there.analyse(2, has_ended=True)
    assert there.restarts == 1
    assert there.error is None


def test_an_exchange_that_kills_it_is_noted_and_the_next_one_goes_on(database, remote):
    store(database, *conversation(1))
    there = remote(command=scripted("import sys; sys.stdin.readline(); sys.stdin.readline(); sys.exit(1)"))
    assert there.analyse(1, has_ended=True)
    assert isinstance(there.error, AnalysisProcessError)
    assert there.restarts == MAX_ATTEMPTS
    summary = Store(database).exchanges.summary(1)
    assert summary.attribution_version is not None
    assert not there.analyse(1, has_ended=False), "an estimate is not worth a note"


def test_a_process_that_hangs_is_ended(database, remote):
    store(database, *conversation(1))
    there = remote(command=scripted("import time; time.sleep(600)"), hang_limit_s=0.2)
    assert there.analyse(1, has_ended=True)
    assert there.process_id is None


def test_a_refusing_database_is_told_as_such(database, remote):
    code = REPLY.format(reply="{'is_saved': False, 'error': None, 'refusal': 'database is locked'}")
    there = remote(command=scripted("import sys; sys.stdin.readline()\n" + code))
    with pytest.raises(OperationalError, match="database is locked"):
        there.analyse(1, has_ended=True)


def test_a_database_that_cannot_be_opened_right_now_is_not_the_fault_of_an_exchange(tmp_path):
    (tmp_path / "no.db").write_bytes(b"this is no database, whatever its name says" * 100)
    told = {"url": f"sqlite:///{tmp_path / 'no.db'}", "price_file": None, "has_bodies": True}
    source = io.BytesIO(json.dumps(told).encode() + b'\n{"id": 1, "has_ended": true}\n')
    sink = io.BytesIO()
    serve(source, sink)
    (reply,) = sink.getvalue().splitlines()
    assert "not a database" in json.loads(reply)["refusal"]


def test_a_reply_that_breaks_off_is_an_end(database, remote):
    store(database, *conversation(1))
    half = "import sys; sys.stdin.readline(); sys.stdin.readline(); sys.stdout.write('{\"is_sa'); sys.stdout.flush()"
    there = remote(command=scripted(half))
    assert there.analyse(1, has_ended=True)
    assert there.restarts == MAX_ATTEMPTS


def test_an_analysis_that_failed_says_why(database, remote):
    code = REPLY.format(reply="{'is_saved': True, 'error': 'ValueError: no', 'refusal': None}")
    there = remote(command=scripted("import sys; sys.stdin.readline()\n" + code))
    assert there.analyse(1, has_ended=True)
    assert str(there.error) == "ValueError: no"


def test_closed_is_closed(database, remote):
    there = remote()
    there.close()
    assert not there.analyse(1, has_ended=True)
    assert there.process_id is None


def test_it_ends_with_its_parent(database, remote):
    store(database, *conversation(1))
    there = remote()
    there.analyse(1, has_ended=True)
    process = there._process
    process.stdin.close()
    assert process.wait(timeout=120) == 0


def test_the_thread_works_with_it(database, remote, wait_until):
    store(database, *conversation(3))
    thread = AnalysisThread(database, Notices(), analyst=remote())
    thread.start()
    wait_until(lambda: thread.analysed == 3)
    thread.stop()


@pytest.mark.parametrize("has_bodies", [True, False])
def test_only_a_database_in_memory_is_analysed_here(tmp_path: Path, has_bodies):
    database = open_database(tmp_path / "a.db")
    there = open_analyst(database, None, has_bodies=has_bodies)
    assert isinstance(there, RemoteAnalyst)
    there.close()
    database.close()


def test_bodies_are_dropped_where_they_are_not_wanted(database, remote):
    store(database, *conversation(1))
    assert remote(has_bodies=False).analyse(1, has_ended=True)
    assert not Store(database).exchanges.detail(1).request_body.is_kept


def test_a_process_that_cannot_be_started_is_tried_again_later(database, remote):
    store(database, *conversation(1))
    with pytest.raises(OperationalError):
        remote(command=("/nowhere/python",)).analyse(1, has_ended=True)
    assert Store(database).exchanges.page()[0].model is None
    assert remote().analyse(1, has_ended=True)


def test_the_worker_answers_each_job(database):
    store(database, *conversation(2))
    told = {"url": database.url.render_as_string(hide_password=False), "price_file": None, "has_bodies": True}
    jobs = [{"id": 1, "has_ended": True}, {"id": 1, "has_ended": False}, {"id": 99, "has_ended": True}]
    sink = io.BytesIO()
    serve(io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in (told, *jobs))), sink)
    assert [json.loads(line) for line in sink.getvalue().splitlines()] == [
        {"is_saved": saved, "error": None, "refusal": None} for saved in (True, False, False)
    ]
