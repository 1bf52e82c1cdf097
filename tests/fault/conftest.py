"""The fault tests use the end-to-end tests' library."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../e2e"))

from lib.fixtures import demo, screen  # noqa: E402,F401
