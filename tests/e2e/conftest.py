"""Makes lib importable, its fixtures and marks known."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

from lib.fixtures import demo, screen  # noqa: E402,F401


def pytest_configure(config):
    config.addinivalue_line("markers", "shipped: shows the sanitizers nothing that others here do not; scripts/check runs"
                                       " it with the programs as they are shipped only")
