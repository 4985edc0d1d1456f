"""The whole chain behind tcpd."""

import pathlib
import time

from harness.imap import Imap
from harness.place import wait_for
from harness.server import Server


def below(pid):
    """All processes below this one."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        try:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # gone meanwhile
        found += map(int, children)
        todo += map(int, children)
    return found


def private(pid):
    """Private memory of a process in kB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def test_two_hundred_idle_strangers_keep_no_user_out(place):
    options = ["-nodnslookup", "-noidentlookup", "-maxprocs=400", "-maxperip=300", "-maxperc=400"]
    server = Server.start(place, front="tcpd", options=options)
    strangers = [Imap.connect(server.port) for _ in range(200)]
    for stranger in strangers:
        assert stranger.greeting().startswith(b"* OK")
    began = time.monotonic()
    client = server.login()
    client.select()
    assert time.monotonic() - began < 2
    login_stage = [pid for pid in below(server.process.pid) if "imaplogin" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()]
    assert len(login_stage) >= 200
    assert max(map(private, login_stage[:20])) <= 400
    client.ok("LOGOUT")
    for stranger in strangers:
        stranger.close()
    wait_for(lambda: not below(server.process.pid), what="all are gone")
    server.stop()


def test_a_stranger_too_many_is_told(place):
    options = ["-nodnslookup", "-noidentlookup", "-maxperip=2"]
    server = Server.start(place, front="tcpd", options=options)
    kept = [server.login(), server.login()]
    third = server.connect()
    assert third.response() == b"* BYE [UNAVAILABLE] Too many connections from your address."
    server.wait_log("ALERT: Maximum connection limit reached for 127.0.0.1")
    kept[0].ok("LOGOUT")
    wait_for(lambda: len(below(server.process.pid)) == 1)
    server.login().ok("LOGOUT")
    server.stop()


def test_the_end_of_tcpd_is_not_the_end_of_a_session(place):
    server = Server.start(place, front="tcpd")
    client = server.login()
    server.stop()
    client.select()
    client.ok("LOGOUT")
    assert "INFO: LOGOUT, user=john, ip=[127.0.0.1]" in server.wait_log("INFO: LOGOUT")
