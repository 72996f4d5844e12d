"""How much processor a call takes at its best: what a bound on input has to hold, whatever else the machine does."""

import gc
import time
from collections.abc import Callable

TRIES = 5


def cpu_seconds(call: Callable[[], object]) -> float:
    """The least of five: seconds of this thread's processor time one `call()` takes, the collector kept out.

    A suite's heap is large and its machine shared, so that any single try may pay for others.
    """
    taken = []
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(TRIES):
            begun = time.thread_time()
            call()
            taken.append(time.thread_time() - begun)
    finally:
        if enabled:
            gc.enable()
    return min(taken)
