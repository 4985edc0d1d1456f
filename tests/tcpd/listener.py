"""A tcpd of one test, and clients of it that come from addresses of their own."""

import os
import signal
import socket
import subprocess

from harness.place import program, wait_for

QUICK = ("-nodnslookup", "-noidentlookup")

# Says where it is and stays until the client closes.
SESSION = "#!/bin/sh\necho session $$\nexec cat\n"

# Writes down what it was started with, in lines that `Listener.started` reads.
PROBE = r"""#!/usr/bin/python3 -I
import os, socket, stat
out = []
for name, value in os.environb.items():
    out.append(b"env " + name + b"=" + value)
for number in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    out.append(b"fd %d %s" % (number, b"socket" if stat.S_ISSOCK(mode) else b"other"))
for line in open("/proc/self/status", "rb"):
    if line.startswith((b"Sig", b"Uid", b"Gid", b"Groups")):
        out.append(b"status " + b" ".join(line.split()))
sock = socket.socket(fileno=os.dup(0))
out.append(b"keepalive %d" % sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
out.append(b"nodelay %d" % sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
out.append(b"blocking %d" % os.get_blocking(0))
mask = os.umask(0)
out.append(b"umask %o" % mask)
out.append(b"argv " + b" ".join(os.fsencode(a) for a in __import__("sys").orig_argv[3:]))
os.write(1, b"\n".join(out) + b"\nend\n")
"""


class Listener:
    """A running tcpd; `port` is the one it told."""

    def __init__(self, process, ports, log):
        self.process, self.ports, self.port, self.log_path = process, ports, ports[0], log

    @classmethod
    def start(cls, place, *options, ports="127.0.0.1.0", run=None, environment=None, wrap=(), quick=True, **popen):
        """Starts tcpd with `run`, a list or the text of a script, and waits until it listens."""
        run = [place.script("session", SESSION)] if run is None else run
        run = [place.script("program", run)] if isinstance(run, str) else run
        log = place / "log"
        args = [*wrap, program("tcpd"), "-1", *(QUICK if quick else ()), *options, ports, *run]
        with open(log, "ab") as stderr:
            process = place.popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                  env={"PATH": "/usr/bin:/bin", **(environment or {})}, **popen)
        first = process.stdout.readline()
        assert first, log.read_text()
        os.set_blocking(process.stdout.fileno(), False)
        rest = process.stdout.read() or b""
        return cls(process, [int(line) for line in (first + rest).split()], log)

    def connect(self, source=None, host="127.0.0.1", port=None):
        return Client(port or self.port, source, host)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_log(self, text, seconds=10):
        return wait_for(lambda: next((line for line in self.log().splitlines() if text in line), None), seconds, f"log line {text!r}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in open(path).read().split()]

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


class Client:
    """A plain socket."""

    def __init__(self, port, source=None, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(20)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """One line, or what came before the end."""
        data = b""
        while not data.endswith(b"\n"):
            byte = self.socket.recv(1)
            if not byte:
                break
            data += byte
        return data

    def rest(self):
        """All up to the end."""
        data = b""
        try:
            while more := self.socket.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        return data

    def served(self):
        """True where the session says hello; False where the connection ends instead."""
        return self.line().startswith(b"session")

    def silent(self, seconds=0.3):
        """True where nothing comes for that long, not even the end."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(20)

    def close(self):
        self.socket.close()


class Started:
    """What the probe wrote down."""

    def __init__(self, text):
        assert text.endswith(b"end\n"), text
        self.lines = text.decode().splitlines()
        self.environment = dict(line[4:].split("=", 1) for line in self.lines if line.startswith("env "))
        self.descriptors = [line[3:] for line in self.lines if line.startswith("fd ")]
        self.status = dict(line[7:].split(": ", 1) for line in self.lines if line.startswith("status ") and ": " in line)

    def value(self, word):
        return next(line.split(" ", 1)[1] for line in self.lines if line.startswith(word + " "))


def probe(place):
    return [place.script("probe", PROBE)]


def started(client):
    return Started(client.rest())


def compiled(place, text, name="access", cidr=False):
    """An access database of ours from text."""
    (place / name).write_text(text)
    subprocess.run([program("makeimapaccess"), *(["-cidr"] if cidr else []), place / name], check=True)
    return place / f"{name}.dat"


def tcprules(place, text, name="rules.cdb"):
    """An access database by Debian's tcprules."""
    subprocess.run(["tcprules", place / name, place / f"{name}.tmp"], input=text.encode(), check=True)
    return place / name


def refused(*args):
    """Runs tcpd that is not to start; gives its exit code and its words."""
    done = subprocess.run([program("tcpd"), *map(str, args)], capture_output=True, text=True, timeout=20,
                          env={"PATH": "/usr/bin:/bin"})
    return done.returncode, done.stderr
