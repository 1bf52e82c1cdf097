"""Makes lib importable, and its fixtures known."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

from lib.fixtures import demo, screen  # noqa: E402,F401
