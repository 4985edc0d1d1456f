"""Where a test runs: its folder, its unprivileged accounts, its ports, the programs under test."""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("DAISYCHAIN_BIN", REPOSITORY / "target" / "bin"))

# Accounts of tests are numbers without a passwd entry; one uid a test process keeps inotify limits apart.
WORKER = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "0")) or 0)
UID = 20000 + WORKER
IS_ROOT = os.geteuid() == 0


def seed():
    """The seed of a test that samples: `SEED=` of the environment, another one each time with LONG=1, else always the same,
    so that a red run means a change. Printed, that the run can be repeated."""
    number = int(os.environ.get("SEED") or (random.randrange(1 << 30) if os.environ.get("LONG") else 1))
    print("seed", number)
    return number


def program(name):
    """The full path of one of our programs."""
    path = BIN / name
    assert path.exists(), f"{path} is not built: run make"
    return str(path)


def debian(*names):
    """The full path of the first of these programs that Debian installed; the test fails where there is none."""
    for name in names:
        for folder in ("", "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/lib/courier", "/usr/lib/courier/courier"):
            path = pathlib.Path(folder, name) if folder else pathlib.Path(name)
            if path.is_absolute() and path.exists():
                return str(path)
    raise AssertionError(f"none of {names} is installed: run make test-packages")


def free_port(family=socket.AF_INET):
    """A TCP port on loopback that nobody listens on, below those that the system gives to clients: it stays free
    while a test stops and starts its server."""
    while True:
        port = random.randrange(10000, 20000)
        with socket.socket(family) as probe:
            try:
                probe.bind(("127.0.0.1" if family == socket.AF_INET else "::1", port))
                return port
            except OSError:
                pass


def wait_for(condition, seconds=10.0, what="condition"):
    """Polls until `condition()` is true and returns its value; the test fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        _pause()


def _pause():
    # A poll interval, not a guess at how long something takes.
    signal.sigtimedwait([], 0.01)


class Place:
    """A folder of one test, mode 0755, with the processes that were started in it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.processes = []

    @classmethod
    def make(cls, name):
        safe = re.sub(r"[^A-Za-z0-9]+", "-", name)[:40]
        path = tempfile.mkdtemp(prefix=f"daisychain-{safe}-")
        os.chmod(path, 0o755)
        return cls(path)

    def __truediv__(self, name):
        return self.path / name

    def folder(self, name, uid=None, mode=0o755):
        """A folder below the place, owned by `uid`."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if uid is not None and IS_ROOT:
            os.chown(path, uid, uid)
        return path

    def script(self, name, text):
        """An executable file that everybody may run."""
        path = self.path / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def popen(self, args, **options):
        """Starts a process that ends with the test at the latest."""
        process = subprocess.Popen([str(arg) for arg in args], **options)
        self.processes.append(process)
        return process

    def close(self, keep=False):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)


def as_user(uid=None):
    """Options for subprocess that become the unprivileged `uid`; nothing where we are not root."""
    if not IS_ROOT:
        return {}
    uid = UID if uid is None else uid
    return {"user": uid, "group": uid, "extra_groups": []}
