"""Kill -9 at random moments: what was promised is there, what was running is kept as interrupted, the database opens clean.

`ASSAY_KILLS` sets how often (20 by default), `ASSAY_GRACE_S` how long after its delivery an exchange must be safe: 0.1 is the
promise, on a machine that is not overloaded. So that one that is does not count against us, that time is counted in beats of
the killed process itself. What the writer said to be stored is safe at once.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proxy_core.exchange import ExchangeState, Side
from storage.database import open_database
from storage.store import Store
from storage.verify import verify_database
from storage.writer import StorageWriter
from tests.storage.conftest import ListFeed

KILLS = int(os.environ.get("ASSAY_KILLS", "20"))
GRACE_S = float(os.environ.get("ASSAY_GRACE_S", "2.0"))
BEAT_S = 0.01
ROOT = Path(__file__).parents[2]
VICTIM = """
import os, sys, threading, time
from storage.database import open_database
from storage.writer import StorageWriter
from storage.analyser import AnalysisThread
from proxy_core.exchange import BodyGrew, Side
from tests import factories
from tests.storage.conftest import ListFeed
from tests.storage.recorded_traffic import analyst, conversation

def say(word, value):
    os.write(1, f"{word} {value}\\n".encode())

def beat():
    while True:
        time.sleep(0.01)
        say("beat", 0)

first, path = int(sys.argv[1]), sys.argv[2]
database = open_database(path)
feed = ListFeed()
writer = StorageWriter(database, feed)
analysis = AnalysisThread(database, writer.notices, analyst=analyst(database))
analysis.start()
writer.start()
writer.notices.subscribe(lambda notice: notice.what == "finished" and say("stored", notice.id))
running = factories.exchange_id(first + 900)
feed.put(factories.exchange_started(exchange_id=running))
threading.Thread(target=beat, daemon=True).start()
for start in range(first, first + 800, 20):
    for event in conversation(20, session=str(start), first=start):
        feed.put(event, BodyGrew(exchange_id=running, side=Side.RESPONSE, data=b"x" * 100))
        say("delivered", event.exchange_id)
        time.sleep(0.004)
"""


def kill_one(path: Path, first: int, moment: random.Random) -> tuple[dict[str, int], list[int]]:
    """Let a recording process run and kill it; returns what had to be safe (for how many beats), what it said was stored."""
    command = [sys.executable, "-c", VICTIM, str(first), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    time.sleep(moment.uniform(0.0, 2 * GRACE_S))
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    said = [line.split() for line in lines if line.endswith("\n") and len(line.split()) == 2]
    beats, promised = 0, {}
    for word, value in reversed(said):
        beats += word == "beat"
        if word == "delivered" and beats > GRACE_S / BEAT_S:
            promised[value] = beats
    return promised, [int(value) for word, value in said if word == "stored"]


def all_of(exchanges):
    before = None
    while page := exchanges.page(1000, before_id=before):
        yield from page
        before = page[-1].id


@pytest.mark.slow
@pytest.mark.timeout(60 + 20 * KILLS)
def test_a_killed_process_loses_nothing_that_was_promised(tmp_path):
    path = tmp_path / "assay.db"
    moment = random.Random(os.environ.get("ASSAY_SEED", "1"))
    promised: dict[str, int] = {}
    stored: list[int] = []
    for number in range(KILLS):
        delivered, said = kill_one(path, 1 + number * 1000, moment)
        promised |= delivered
        stored += said
    database = open_database(path)
    writer = StorageWriter(database, ListFeed())
    writer.start()
    writer.stop()
    exchanges = Store(database).exchanges
    for row_id in stored:
        assert exchanges.summary(row_id).state is ExchangeState.COMPLETE
    everything = list(all_of(exchanges))
    complete = {one.exchange_id for one in everything if one.state is ExchangeState.COMPLETE}
    assert {exchange_id: beats for exchange_id, beats in promised.items() if exchange_id not in complete} == {}
    running = [one for one in everything if one.state is not ExchangeState.COMPLETE]
    assert {one.state for one in running} <= {ExchangeState.INTERRUPTED}
    for one in running:
        assert set(exchanges.body(one.id, Side.RESPONSE) or b"") <= set(b"x")
    report = verify_database(database)
    assert report.is_sound, (report.problems, report.damage)
    assert stored
    database.close()
