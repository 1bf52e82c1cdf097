"""Waiting for what must happen, with a deadline and a reason."""

import os
import time

# Deadlines are written as a quiet machine needs them and made so many times longer: waiting longer costs nothing where
# all is well. What a test measures and judges is not stretched by this.
PATIENCE = float(os.environ.get("FERNWERK_PATIENCE", "3"))


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
