"""Slots, limits for an address and a netblock, and what a refused client and the log are told."""

import time

from harness.place import wait_for
from listener import SESSION, Listener, compiled


def imap(place):
    return [place.script("imaplogin", SESSION)]


def test_one_address(place):
    listener = Listener.start(place, "-maxperip=2", run=imap(place))
    first, second = listener.connect(), listener.connect()
    assert first.served() and second.served()
    assert listener.connect().rest() == b"* BYE [UNAVAILABLE] Too many connections from your address.\r\n"
    other = listener.connect(source="127.0.0.2")
    assert other.served()
    assert listener.log() == "ALERT: Maximum connection limit reached for 127.0.0.1\n"
    first.close()
    wait_for(lambda: len(listener.children()) == 2)
    assert listener.connect().served()


def test_an_entry_overrides_the_limit(place):
    access = compiled(place, "127.0.0.1\tallow,MAXCPERIP=3\n127.0.0.2\tallow,MAXCPERIP=1\n")
    listener = Listener.start(place, "-maxperip=2", f"-access={access}", run=imap(place))
    for source, count in [("127.0.0.1", 3), ("127.0.0.2", 1), ("127.0.0.3", 2)]:
        clients = [listener.connect(source=source) for _ in range(count)]
        assert all(client.served() for client in clients)
        assert listener.connect(source=source).rest().startswith(b"* BYE")


def test_one_netblock(place):
    listener = Listener.start(place, "-maxperc=2", run=[place.script("pop3login", SESSION)])
    clients = [listener.connect(source=f"127.0.7.{n}") for n in (1, 2)]
    assert all(client.served() for client in clients)
    assert listener.connect(source="127.0.7.3").rest() == b"-ERR [SYS/TEMP] Too many connections from your network.\r\n"
    assert listener.connect(source="127.0.8.3").served()
    assert "limit reached for the network of 127.0.7.3\n" in listener.log()


def test_when_all_slots_are_taken_clients_wait(place):
    listener = Listener.start(place, "-maxprocs=2", "-maxperip=9")
    first, second = listener.connect(), listener.connect()
    assert first.served() and second.served()
    third = listener.connect()
    assert third.silent()
    assert "ALERT: 2 maximum active connections.\n" in listener.log()
    first.close()
    assert third.served()


def test_a_warning_before_that(place):
    listener = Listener.start(place, "-maxprocs=5", "-warn=3")
    clients = []
    for count in range(1, 4):
        assert "WARN" not in listener.log()
        clients.append(listener.connect())
        assert clients[-1].served()
    assert listener.log() == "WARN: 3 active connections.\n"


def test_reserved_slots_are_for_those_who_logged_in(place):
    listener = Listener.start(place, "-maxprocs=4", "-reserve=2", "-loginlimit=1", "-maxperip=9", run=imap(place))
    friend = listener.connect(source="127.0.0.9")
    assert friend.served()
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 2.1, what="a long session")
    friend.close()
    wait_for(lambda: not listener.children())
    strangers = [listener.connect() for _ in range(2)]
    assert all(client.served() for client in strangers)
    assert listener.connect().rest() == b"* BYE [UNAVAILABLE] Too many connections, try again later.\r\n"
    assert listener.connect(source="127.0.0.8").rest().startswith(b"* BYE")
    friends = [listener.connect(source="127.0.0.9") for _ in range(2)]
    assert all(client.served() for client in friends)
    waiting = listener.connect(source="127.0.0.9")
    assert waiting.silent(), "not even for a friend"
    assert "ALERT: Maximum connection limit reached but for reserved slots, refused 127.0.0.8" in listener.log()


def test_nothing_is_said_where_tls_is_expected(place):
    run = [place.script("sslwrap", SESSION), "/x/imaplogin"]
    listener = Listener.start(place, "-maxperip=1", run=run)
    first = listener.connect()
    assert first.served()
    assert listener.connect().rest() == b""


def test_a_flood_is_no_flood_of_lines(place):
    listener = Listener.start(place, "-maxperip=1", run=imap(place))
    first = listener.connect()
    assert first.served()
    began = time.monotonic()
    for _ in range(200):
        assert listener.connect().rest().startswith(b"* BYE")
    seconds = time.monotonic() - began
    assert len(listener.log().splitlines()) <= 11 * (seconds + 2)
    wait_for(lambda: listener.connect().rest() and "lines left out" in listener.log(), what="the count")
