"""Runs an authentication module with a request on descriptor 3 and a probe as every program it may become."""

import json
import os
import subprocess
import threading

from .place import program

PROBE = r"""#!/usr/bin/python3 -IS
import json, os, signal, sys

def third():
    try:
        return os.read(3, 10000).decode("latin-1")
    except OSError:
        return None

def is_open(fd):
    try:
        return bool(os.fstat(fd))
    except OSError:
        return False

fds = [fd for fd in range(256) if is_open(fd)]
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "argv": sys.argv, "env": {k.decode("latin-1"): v.decode("latin-1") for k, v in os.environb.items()},
    "uids": os.getresuid(), "gids": os.getresgid(), "groups": sorted(os.getgroups()), "pid": os.getpid(),
    "cwd": os.getcwd() if os.path.exists("/proc/self/cwd") else None, "fds": fds, "fd3": third(),
    "umask": os.umask(0o22), "blocked": int(status["SigBlk"], 16), "ignored": int(status["SigIgn"], 16),
    "children": open("/proc/self/task/%d/children" % os.getpid()).read().split(),
}))
"""


def classic(user, password, service="imap"):
    """A request of the login program."""
    return f"{service}\nlogin\n{user}\n{password}\n\n".encode()


def checkpassword(user, password, timestamp="<1.2@host>"):
    """A request of a checkpassword front end."""
    return f"{user}\0{password}\0{timestamp}\0".encode()


class Outcome:
    """What became of a request."""

    def __init__(self, process, out, err):
        self.pid, self.code, self.out, self.err = process.pid, process.returncode, out, err.decode("latin-1")
        self.seen = json.loads(out) if out.startswith(b"{") else None

    @property
    def kind(self):
        """accept, reject (the next program has the request), fail (the login program runs), or exit N."""
        if self.seen is None:
            return f"exit {self.code}"
        if self.seen["argv"][1:2] == ["login"]:
            return "fail"
        return "accept" if self.seen["env"].get("AUTHENTICATED") else "reject"

    def __repr__(self):
        return f"{self.kind}: code {self.code}, {self.out!r}, {self.err!r}"


class Modules:
    """A place to run modules in."""

    def __init__(self, place):
        self.place = place
        self.probe = place.script("probe", PROBE)

    def chain_environment(self):
        """What a login program sets."""
        return {
            "AUTHUSER": self.probe, "AUTHARGC": "3", "AUTHARGV0": "anything", "AUTHARGV1": "login", "AUTHARGV2": "two words",
            "AUTHEXPIRE": "4000000000", "AUTHENTICATED": "", "IMAPLOGINTAG": "a1", "AUTHTRIES": "1",
        }

    def run(self, module, request, env=None, words=(), next_program=None, in_chain=True, **options):
        """Runs `module words... next_program next`; `request` None means that descriptor 3 is closed."""
        path = module if module.startswith("/") else program(module)
        args = [path, *map(str, words), *(next_program or [self.probe, "next"])]
        environment = {**(self.chain_environment() if in_chain else {}), **(env or {})}
        reading, writing = os.pipe()
        inherit = options.pop("descriptors", ())

        def place_request():
            # Descriptors 4 and up are closed unless a test plants some.
            if request is None:
                os.close(3) if _is_open(3) else None
            else:
                os.dup2(reading, 3)

        feeder = None
        if request is not None:
            feeder = threading.Thread(target=_feed, args=(writing, request))
            feeder.start()
        else:
            os.close(writing)
        process = subprocess.Popen(
            args, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=(3, *inherit) if request is not None else inherit, preexec_fn=place_request, **options)
        os.close(reading)
        out, err = process.communicate(timeout=60)
        if feeder:
            feeder.join()
        return Outcome(process, out, err)


def _is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False


def _feed(writing, request):
    with os.fdopen(writing, "wb") as pipe:
        try:
            pipe.write(request)
        except BrokenPipeError:
            pass
