"""Waiting for what must happen, with a deadline and a reason."""

import os
import time

# On a machine that is busy with other things every deadline can be made so many times longer.
PATIENCE = float(os.environ.get("FERNWERK_PATIENCE", "1"))


def until(condition, seconds, what, pause=0.05):
    """Returns the first true value of condition(); fails with `what` (text or callable) at the deadline."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * PATIENCE:.0f} s: {what() if callable(what) else what}")
        time.sleep(pause)
