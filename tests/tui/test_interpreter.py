"""The interpreter is set up for forwarding, and only that."""

import gc
import sys

import pytest

from tui.interpreter import (
    DRAWING_THRESHOLDS,
    FORWARDING_THRESHOLDS,
    LOADING_THRESHOLDS,
    SWITCH_INTERVAL_S,
    favour_latency,
    load_quickly,
)


@pytest.mark.parametrize("wanted", [FORWARDING_THRESHOLDS, DRAWING_THRESHOLDS])
def test_turns_are_short_and_collections_rare(wanted: tuple[int, int, int]) -> None:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    try:
        favour_latency(wanted)
        assert abs(sys.getswitchinterval() - SWITCH_INTERVAL_S) < 1e-6
        assert gc.get_threshold() == wanted
        assert gc.get_freeze_count() > 0
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)


def test_loading_is_not_held_up_by_the_collector() -> None:
    thresholds = gc.get_threshold()
    try:
        load_quickly()
        assert gc.get_threshold() == LOADING_THRESHOLDS
        assert gc.isenabled()
    finally:
        gc.set_threshold(*thresholds)
