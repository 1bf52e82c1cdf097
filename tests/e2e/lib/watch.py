"""Watching viewers in the background: how long their cards stood still while something else was done."""

import threading
import time


class Watch:
    """`with Watch(one, other) as watch:` looks at the frame numbers of viewers (number()) until its end."""

    def __init__(self, *viewers):
        self.viewers = viewers
        self.longest = dict.fromkeys(viewers, 0.0)
        self.blanks = dict.fromkeys(viewers, 0)  # looks that saw no card at all
        self.moved = dict.fromkeys(viewers, 0)
        self.faults = []

    def __enter__(self):
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._look, args=[viewer], daemon=True) for viewer in self.viewers]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a viewer could not be looked at for 30 s"
        if self.faults:  # who has not looked has seen no pause either
            raise self.faults[0]

    def _look(self, viewer):
        try:
            self._look_on(viewer)
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(fault)

    def _look_on(self, viewer):
        last, since = viewer.number(), time.monotonic()
        while not self.done.is_set():
            number = viewer.number()
            now = time.monotonic()
            self.longest[viewer] = max(self.longest[viewer], now - since)
            if number is None:
                self.blanks[viewer] += 1
            elif number != last:
                self.moved[viewer] += 1
                last, since = number, now
            time.sleep(0.03)


def pauses(seconds, *viewers):
    """Each viewer's longest pause in the next seconds."""
    with Watch(*viewers) as watch:
        time.sleep(seconds)
    return [watch.longest[viewer] for viewer in viewers]
