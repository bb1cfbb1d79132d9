"""What a process that forwards other people's bytes, or draws, asks of its interpreter: short turns and no long pauses.

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
"""The same while forwarding. What an exchange leaves goes by itself (`proxy_core.lean_layers`); on mitmproxy's own path it is
circles that hold its body: with 20,000 these came to 15 MB more, and each collection took longer."""
DRAWING_THRESHOLDS = (5_000, 10, 3)
"""The same while drawing. A line that was drawn refers to itself once it was cut (Textual keeps that), so none goes before it
is collected: with few collections of what is old, 50 new requests a second made 5 MB a minute."""


def load_quickly() -> None:
    """Keep the collector from going through what is being loaded again and again: a tenth of the time until Assay listens."""
    gc.set_threshold(*LOADING_THRESHOLDS)


def favour_latency(thresholds: tuple[int, int, int] = FORWARDING_THRESHOLDS) -> None:
    """Set the interpreter up for short turns; call it when everything is loaded, so that it is never looked through again.

    What loading left behind is not collected before: that would hold up the first answers, and it is little.

    Args:
        thresholds: For forwarding, or `DRAWING_THRESHOLDS`.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()
    gc.set_threshold(*thresholds)
