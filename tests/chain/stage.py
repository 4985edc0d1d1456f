"""One stage of the chain by itself: a program under test on a connection, with probes in place of its neighbours."""

import os
import re
import socket
import subprocess

from harness.imap import Imap
from harness.place import wait_for

# What a probe was started with, as the kernel knows it: before any shell or interpreter has changed a thing.
PROBE = """#!/bin/sh
exec 9>{out}.tmp
printf '%s\\0' "$0" "$@" >{out}.argv
cat /proc/$$/environ >{out}.environ
cat /proc/self/status >{out}.status
cat /proc/$$/limits >{out}.limits
(ls -l /proc/$$/fd >{out}.fd)
umask >{out}.umask
readlink /proc/$$/cwd >{out}.cwd
echo $$ >{out}.pid
{{ cat <&3; }} >{out}.request 2>/dev/null
mv {out}.tmp {out}
exec 9>&-
{then}
"""


class Probe:
    """A program that records how it was started, then does `then` (a line of sh)."""

    def __init__(self, place, name="probe", then="exit 0", where=None):
        folder = where or place.folder(f"record-{name}", mode=0o1777)
        os.chmod(folder, 0o1777)
        self.out = folder / "seen"
        self.path = place.script(name, PROBE.format(out=self.out, then=then))

    def wait(self):
        wait_for(self.out.exists, what="the probe is reached")
        return self

    def _text(self, kind):
        return self.out.with_suffix(f".{kind}").read_bytes()

    @property
    def argv(self):
        return [os.fsdecode(arg) for arg in self._text("argv").split(b"\0")[:-1]]

    @property
    def environment(self):
        pairs = [entry.split(b"=", 1) for entry in self._text("environ").split(b"\0") if entry]
        assert len({name for name, _ in pairs}) == len(pairs), f"a name twice: {pairs}"
        return {os.fsdecode(name): os.fsdecode(value) for name, value in pairs}

    @property
    def request(self):
        return self._text("request")

    @property
    def descriptors(self):
        """Number to target; without those that the probing shell opened itself."""
        found = {}
        for number, target in re.findall(r" (\d+) -> (.*)", self._text("fd").decode()):
            if int(number) < 9:
                found[int(number)] = target
        return found

    def status(self, key):
        return re.search(rf"^{key}:[ \t]*(.*)$", self._text("status").decode(), re.M)[1].split()

    @property
    def ids(self):
        """(uids, gids, supplementary groups)"""
        return [[int(number) for number in self.status(key)] for key in ("Uid", "Gid", "Groups")]

    def signals(self, key):
        return int(self.status(key)[0], 16)

    def limit(self, name):
        return re.search(rf"^Max {name}\s+(\S+)\s+(\S+)", self._text("limits").decode(), re.M).groups()

    @property
    def umask(self):
        return int(self._text("umask"), 8)

    @property
    def cwd(self):
        return self._text("cwd").decode().strip()

    @property
    def pid(self):
        return int(self._text("pid"))


class Stage:
    """A running program with its connection (`talk`) and its log."""

    def __init__(self, process, talk, log):
        self.process, self.talk, self.log_path = process, talk, log

    def log(self):
        return self.log_path.read_text(errors="replace")

    def lines(self):
        return self.log().splitlines()

    def wait_log(self, text):
        return wait_for(lambda: next((line for line in self.lines() if text in line), None), what=f"log line {text!r}")

    def end(self):
        return self.process.wait(20)

    def children(self):
        """Ids of the processes that the program has forked."""
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        return [int(pid) for pid in listed.stdout.split()]


PEER = {"PROTO": "TCP", "TCPREMOTEIP": "10.1.2.3", "TCPREMOTEPORT": "4711", "TCPLOCALIP": "10.1.2.4", "TCPLOCALPORT": "143"}


def tcp_pair():
    """A client's socket and the server's end of the same TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return client, server


def start(place, args, environment=None, over="tcp", peer=PEER, stderr=None, **options):
    """Starts `args` on a connection: over tcp, unix (a local socket) or pipe."""
    log = place / "log"
    variables = {"PATH": "/usr/bin:/bin", "LOGIN_DELAY": "0", **sandbox(), **peer, **(environment or {})}
    if over == "pipe":
        ends, client = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}, None
    else:
        client, server = tcp_pair() if over == "tcp" else socket.socketpair()
        client.settimeout(20)
        client.setblocking(True)
        ends = {"stdin": server, "stdout": server}
    with open(log, "ab") as file:
        process = place.popen(args, env=variables, stderr=file if stderr is None else stderr, **ends, **options)
    if over == "pipe":
        return Stage(process, Imap.with_process(process), log)
    server.close()
    return Stage(process, Imap(client.fileno(), client.fileno(), client), log)


def sandbox():
    """The suite is also run with other sandboxes: SECCOMP_ACTION=trap, LANDLOCK_ABI=2."""
    return {name: os.environ[name] for name in ("SECCOMP_ACTION", "LANDLOCK_ABI") if name in os.environ}


__all__ = ["PEER", "Probe", "Stage", "start", "tcp_pair"]
