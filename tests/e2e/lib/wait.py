"""Waiting for what must happen, with a deadline and a reason."""

import time


def until(condition, seconds, what, pause=0.05):
    """Returns the first true value of condition(); fails with `what` (text or callable) at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)
