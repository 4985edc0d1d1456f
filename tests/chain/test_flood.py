"""Strangers: silent, slow, endless and broken. Memory stays bounded, and who has an account logs in all the while."""

import pathlib
import time

import pytest

from harness.conversation import Closed
from harness.imap import Imap
from harness.place import wait_for

STRANGERS = 200
HONEST = 2.0


@pytest.fixture
def server(chain):
    return chain(front="tcpd", options=["-nodnslookup", "-noidentlookup", "-maxprocs=400", "-maxperip=400", "-maxperc=400"])


def children(pid):
    """The processes below one, at any depth."""
    try:
        below = [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [process for child in below for process in (child, *children(child))]


def kilobytes(pid, file, *names):
    """A figure of a process; 0 where it ended meanwhile."""
    try:
        text = pathlib.Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return sum(int(lines[name].split()[0]) for name in names if name in lines)


def honest_login(server):
    begin = time.monotonic()
    client = server.login()
    client.ok("NOOP")
    client.ok("LOGOUT")
    assert time.monotonic() - begin < HONEST
    client.close()


def test_silent_strangers_cost_little_and_shut_nobody_out(server):
    strangers = [Imap.connect(server.port) for _ in range(STRANGERS)]
    for stranger in strangers:
        stranger.greeting()
    login = children(server.process.pid)
    assert len(login) >= STRANGERS
    for pid in login:
        assert kilobytes(pid, "smaps_rollup", "Private_Clean", "Private_Dirty") <= 400
        assert kilobytes(pid, "status", "VmPeak") < 5000
    for _ in range(5):
        honest_login(server)
    for stranger in strangers:
        stranger.close()
    wait_for(lambda: len(children(server.process.pid)) == 0, what="the strangers' processes end")


BROKEN = {
    "a line of 8 MB": b"a LOGIN " + b"x" * (8 << 20) + b"\r\n",
    "a line without an end": b"y" * (1 << 20),
    "NULs": b"\0" * 100000 + b"\r\n",
    "a literal that never ends": b"a LOGIN {4294967295+}\r\n" + b"z" * (1 << 20),
    "a literal larger than 64 bits": b"a LOGIN {99999999999999999999}\r\n",
    "a negative literal": b"a LOGIN {-1}\r\nb NOOP\r\n\r\n\r\n",
    "many empty lines": b"\r\n" * 100000,
    "parentheses": b"a " + b"(" * 60000 + b"\r\n",
    "TLS": bytes.fromhex("160301020001000001fc0303") + b"\1" * 512,
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_input_gets_a_clear_answer_and_an_end(server, kind):
    client = Imap.connect(server.port)
    client.greeting()
    try:
        client.send(BROKEN[kind])
        client.half_close()
    except (BrokenPipeError, ConnectionResetError, OSError):
        pass
    for pid in children(server.process.pid):
        assert kilobytes(pid, "status", "VmPeak") < 5000
    answer = client.rest()
    for line in filter(None, answer.split(b"\r\n")):
        assert line.startswith((b"* BAD ", b"* BYE ", b"a BAD ", b"a NO ", b"b OK", b"b BAD", b"+ ", b"GET BAD ", b"Host: BAD", b"Host:")), line
    honest_login(server)


def test_half_open_connections_end(server):
    client = Imap.connect(server.port)
    client.greeting()
    client.send(b"a LOGIN john")
    client.half_close()
    assert client.rest() == b""
    wait_for(lambda: not children(server.process.pid), what="the process ends")


def test_slow_and_fast_strangers_together(server):
    strangers = [Imap.connect(server.port) for _ in range(100)]
    for number, stranger in enumerate(strangers):
        stranger.greeting()
        stranger.send(b"a LOGIN "[: number % 8])
    for _ in range(3):
        honest_login(server)
        for stranger in strangers[::2]:
            try:
                stranger.send(b"b")
            except (Closed, OSError):
                pass
    for stranger in strangers:
        stranger.close()
