"""Fixtures of e2e and fault tests alike: a demo for a module, a screen for a test."""

import pytest

from lib.demo import Demo
from lib.screen import Screen


@pytest.fixture(scope="module")
def demo(request):
    """A demo with the module's OPTIONS, for all its tests."""
    with Demo(**getattr(request.module, "OPTIONS", {})) as running:
        yield running


@pytest.fixture
def screen(request):
    """An X server with the module's keyboard LAYOUT, German unless it says otherwise."""
    with Screen(1500, 1024, layout=getattr(request.module, "LAYOUT", "de")) as shown:
        yield shown
