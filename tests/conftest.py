"""Fixtures of the black-box tests. Every test has a folder and ports of its own; order does not matter."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.place import Place  # noqa: E402


@pytest.fixture
def place(request):
    """A folder of the test's own that unprivileged users can reach; kept where the test failed."""
    place = Place.make(request.node.name)
    yield place
    failed = getattr(request.node, "failed", False)
    place.close(keep=failed or bool(os.environ.get("KEEP")))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        item.failed = True


@pytest.fixture
def chain(place):
    """A running server of this test: `chain()` starts tcpserver, our login program, authuserdb and imapd.
    With UNDER_TEST=courier it starts Debian's Courier in their place, for behaviour that is Courier's."""
    from harness.peer import Courier
    from harness.server import Server

    servers = []

    def start(**settings):
        courier = os.environ.get("UNDER_TEST") == "courier"
        server = Courier.start(place, **settings) if courier else Server.start(place, **settings)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
