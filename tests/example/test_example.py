"""The example of `make run`: as root and as an ordinary user, twice, and stopped."""

import os
import shutil
import subprocess

import pytest

from harness.imap import Imap
from harness.place import BIN, IS_ROOT, REPOSITORY, UID, as_user, free_port, wait_for


def example(place, verb, port, bin, **user):
    """Runs a script of the example in a copy that the user can read."""
    scripts = place / "example"
    if not scripts.exists():
        shutil.copytree(REPOSITORY / "services" / "example", scripts)
    words = [scripts / verb] + ([bin] if verb == "start" else [])
    variables = {"PATH": "/usr/bin:/bin", "EXAMPLE": str(place / "run"), "EXAMPLE_PORT": str(port), "HOME": "/"}
    return subprocess.run(words, env=variables, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd="/", **user)

def started_anew(place, port, bin, daemon, user):
    """Starts until the daemon that was told to stop has gone and another runs."""
    assert example(place, "start", port, bin, **user).returncode == 0
    return (place / "run" / "pid").read_text() != daemon


@pytest.mark.parametrize("who", ["root", "user"])
def test_the_example_starts_goes_on_and_stops(place, who):
    if who == "root" and not IS_ROOT:
        pytest.skip("not root")
    user = {} if who == "root" else as_user()
    bin = shutil.copytree(BIN, place / "bin")
    if user:
        os.chown(place.path, UID, UID)
    port = free_port()
    started = example(place, "start", port, bin, **user)
    assert started.returncode == 0, started
    line = next(line for line in started.stdout.splitlines() if line.startswith("log in:"))
    try:
        # The printed line is the one that works.
        listed = subprocess.run(["/bin/sh", "-c", line.removeprefix("log in:")], capture_output=True, text=True)
        assert listed.stdout.startswith("* SEARCH 1 2 3"), (listed, (place / "run" / "log").read_text())
        with Imap.connect(port) as client:
            client.login("wally", "beaver")
            assert client.select().number("EXISTS") == 11
            client.ok("STORE 1 +FLAGS (\\Flagged)")
            client.ok("LOGOUT")
        daemon = (place / "run" / "pid").read_text()
        assert example(place, "start", port, bin, **user).returncode == 0
        assert (place / "run" / "pid").read_text() == daemon, "a second daemon was started"
    finally:
        stopped = example(place, "stop", port, bin, **user)
    assert stopped.returncode == 0 and "stopped" in stopped.stdout, stopped
    assert example(place, "stop", port, bin, **user).returncode == 0

    # The next start goes on where the first was.
    wait_for(lambda: started_anew(place, port, bin, daemon, user), what="the example starts again")
    try:
        with Imap.connect(port) as client:
            client.login("wally", "beaver")
            client.select()
            assert client.ok("SEARCH FLAGGED").lines("SEARCH") == [b"SEARCH 1"]
    finally:
        example(place, "stop", port, bin, **user)
    owner = (place / "run" / "home" / "wally" / "Maildir" / "cur").stat().st_uid
    assert owner != 0
