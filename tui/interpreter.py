"""What a process that forwards other people's bytes asks of its interpreter: short turns, no long pauses for garbage.

Measured with the proxy, the dashboard and the writer in one process: a full collection took 80 to 90 ms with everything loaded,
and with turns of 5 ms a parsing thread delayed every answer by as much.
"""

import gc
import sys

SWITCH_INTERVAL_S = 0.0005
"""How long one thread may keep the interpreter while another waits; Python's default is 0.005."""
LOADING_THRESHOLDS = (20_000, 50, 100)
"""Allocations, and younger collections, before each generation is collected; far more than by default."""
FORWARDING_THRESHOLDS = (5_000, 100, 100)
"""The same while forwarding. An exchange leaves circles that hold its body: with 20,000 these came to 15 MB more, and each
collection took longer."""


def load_quickly() -> None:
    """Keep the collector from going through what is being loaded again and again: a tenth of the time until Assay listens."""
    gc.set_threshold(*LOADING_THRESHOLDS)


def favour_latency() -> None:
    """Set the interpreter up for forwarding; call it when everything is loaded, so that it is never looked through again.

    What loading left behind is not collected before: that would hold up the first answers, and it is little.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()
    gc.set_threshold(*FORWARDING_THRESHOLDS)
