"""What a worker process that streams records wants of Python's garbage collector."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 100)  # records come and go in polls of thousands; Python's is 700


def settle_heap() -> None:
    """Take what is there by now for permanent, and look for cycles less often.

    Call it once where a worker starts, after its imports. Nothing is switched off: cycles are
    still found, and whatever no cycle holds is freed at once as ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
