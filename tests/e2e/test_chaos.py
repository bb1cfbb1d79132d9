"""A bounded part of `make chaos`: processes die and hang, wires break, disks are full; nothing promised is lost.

The grace for what must be safe is longer here than the promise: tests run beside others on machines that are busy.
"""

import pytest

from benchmarks.chaos.__main__ import TRIALS, run_trial

GRACE_S = 4.0
QUICK = ("kill everything", "kill main", "kill recording", "leaving clients", "newer database")


@pytest.mark.e2e
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in TRIALS if name != "idle connections"],
)
def test_what_is_promised_holds(tmp_path, name):
    broken, notes = run_trial(TRIALS[name], tmp_path, seed=1, rounds=2, grace_s=GRACE_S)
    assert broken is None, (broken, notes)
