"""Many connections: idle strangers, and thousands one after the other."""

import pathlib
import resource
import time

import pytest
from harness.place import IS_ROOT, UID, wait_for
from listener import SESSION, Client, Listener


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def test_two_hundred_idle_strangers(place):
    listener = Listener.start(place, "-maxprocs=400", "-maxperip=400")
    strangers = [listener.connect() for _ in range(200)]
    assert all(stranger.served() for stranger in strangers)
    began = time.monotonic()
    user = listener.connect(source="127.0.0.2")
    assert user.served() and time.monotonic() - began < 2
    wait_for(lambda: listener.descriptors() == 5, what="an accepted connection is the child's alone")
    assert resident(listener.process.pid) < 3000
    for stranger in strangers:
        stranger.close()
    wait_for(lambda: len(listener.children()) == 1, what="all are reaped")


def test_nothing_is_left_of_two_thousand_connections(place):
    listener = Listener.start(place, run="#!/bin/sh\nexit 3\n")
    for _ in range(100):
        Client(listener.port).rest()
    wait_for(lambda: not listener.children())
    before = resident(listener.process.pid)
    for _ in range(2000):
        Client(listener.port).rest()
    wait_for(lambda: not listener.children(), what="all are reaped")
    wait_for(lambda: listener.descriptors() == 5, what="nothing is left open")
    assert resident(listener.process.pid) <= before + 100
    assert listener.log() == ""


def test_nothing_is_left_of_children_that_prepare(place):
    listener = Listener.start(place, "-haproxy", run="#!/bin/sh\nexit 0\n")
    for number in range(300):
        client = Client(listener.port)
        client.send(b"PROXY UNKNOWN\r\n" if number % 2 else b"nonsense, and enough of it\r\n")
        client.rest()
    wait_for(lambda: not listener.children(), what="all are reaped")
    wait_for(lambda: listener.descriptors() == 5, what="all pairs are closed")


def test_without_descriptors_it_waits_and_goes_on(place):
    listener = Listener.start(place)
    resource.prlimit(listener.process.pid, resource.RLIMIT_NOFILE, (5, 1024))
    client = listener.connect()
    listener.wait_log("tcpd: warning: unable to accept: too many open files")
    spent = pathlib.Path(f"/proc/{listener.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    assert client.silent(1.2), "it waits in the queue"
    assert pathlib.Path(f"/proc/{listener.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13] == spent, "not busy"
    resource.prlimit(listener.process.pid, resource.RLIMIT_NOFILE, (1024, 1024))
    assert client.served()
    assert listener.log().count("unable to accept") == 1


@pytest.mark.skipif(not IS_ROOT, reason="root has no limit of processes, and only root can become somebody else")
@pytest.mark.parametrize("options", [[], ["-haproxy"]])
def test_without_processes_it_says_so_and_goes_on(place, options):
    uid = UID + 900 + len(options)
    listener = Listener.start(place, f"-user={uid}", f"-group={uid}", *options, run=[place.script("imaplogin", SESSION)],
                              wrap=["bash", "-c", 'ulimit -u 2; exec "$@"', "bash"])

    def client():
        connection = listener.connect()
        if options:
            connection.send(b"PROXY UNKNOWN\r\n")
        return connection

    first = client()
    assert first.served()
    assert client().line() == b"* BYE [UNAVAILABLE] Temporary failure, try again later.\r\n"
    assert listener.log().endswith(": try again\n")
    first.close()
    wait_for(lambda: not listener.children())
    assert client().served()
