"""Names of addresses and IDENT, from servers of the test on loopback addresses of its own."""

import os
import socket
import struct
import threading
import time

import pytest
from harness.place import IS_ROOT
from listener import Listener, probe, started, tcprules

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="ports 53 and 113 are root's")
RESOLVER = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"


class Resolver(threading.Thread):
    """Answers from a dictionary {(name, type): [bytes of a record]}; None there is a server failure; else no such name."""

    def __init__(self, records):
        super().__init__(daemon=True)
        self.records = records
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((RESOLVER, 53))
        self.start()

    def run(self):
        while True:
            try:
                question, sender = self.socket.recvfrom(512)
            except OSError:
                return
            if not question:
                return
            end = question.index(b"\0", 12)
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1 : at + 1 + question[at]])
                at += 1 + question[at]
            kind = struct.unpack("!H", question[end + 1 : end + 3])[0]
            found = self.records.get((b".".join(labels).decode(), kind), [])
            code = 2 if found is None else 0 if found else 3
            answer = question[:2] + bytes([0x81, 0x80 | code]) + struct.pack("!HHHH", 1, len(found or []), 0, 0) + question[12 : end + 5]
            for data in found or []:
                answer += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
            self.socket.sendto(answer, sender)

    def close(self):
        # An empty datagram ends the thread.
        self.socket.sendto(b"", (RESOLVER, 53))
        self.join()
        self.socket.close()


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


@pytest.fixture
def resolver():
    servers = []

    def start(records):
        servers.append(Resolver(records))

    yield start
    for server in servers:
        server.close()


def seen(place, *options, run=None, source="127.0.0.5", environment=None):
    listener = Listener.start(place, *options, run=run or probe(place), quick=False,
                              environment={"DNSCACHEIP": RESOLVER, **(environment or {})})
    return listener, started(listener.connect(source=source)).environment


A, PTR = 1, 12


def test_a_name_that_leads_back(place, resolver):
    resolver({("5.0.0.127.in-addr.arpa", PTR): [name("other.example"), name("Client.Example")], ("client.example", A): [bytes([127, 0, 0, 5])],
              ("1.0.0.127.in-addr.arpa", PTR): [name("server.example")], ("server.example", A): [bytes([127, 0, 0, 1])]})
    _, environment = seen(place, "-noidentlookup")
    assert environment["TCPREMOTEHOST"] == "client.example" and environment["TCPLOCALHOST"] == "server.example"
    assert "TCPREMOTEINFO" not in environment


def test_a_name_that_does_not_lead_back_is_none(place, resolver):
    resolver({("5.0.0.127.in-addr.arpa", PTR): [name("client.example")], ("client.example", A): [bytes([127, 0, 0, 6])],
              ("1.0.0.127.in-addr.arpa", PTR): None})
    _, environment = seen(place, "-noidentlookup")
    assert "TCPREMOTEHOST" not in environment
    assert environment["TCPLOCALHOST"] == "softdnserr"


def test_a_resolver_that_is_not_there_does_not_hold_the_client(place):
    began = time.monotonic()
    _, environment = seen(place, "-noidentlookup")
    assert environment["TCPREMOTEHOST"] == "softdnserr"
    assert time.monotonic() - began < 10


def test_rules_for_names(place, resolver):
    resolver({("5.0.0.127.in-addr.arpa", PTR): [name("a.good.example")], ("a.good.example", A): [bytes([127, 0, 0, 5])],
              ("6.0.0.127.in-addr.arpa", PTR): [name("a.bad.example")], ("a.bad.example", A): [bytes([127, 0, 0, 6])]})
    rules = tcprules(place, '=.good.example:allow,W="good"\n=.bad.example:deny\n:deny\n')
    listener, environment = seen(place, "-noidentlookup", f"-access={rules}")
    assert environment["W"] == "good"
    assert listener.connect(source="127.0.0.6").rest() == b""
    assert listener.connect(source="127.0.0.7").rest() == b""
    listener.wait_log("INFO: DENIED, ip=[127.0.0.7]")


def test_ident(place):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.113.5", 113))
    server.listen()
    asked = []

    def answer():
        connection, _ = server.accept()
        asked.append(connection.recv(100))
        connection.sendall(asked[0].strip() + b" : USERID : UNIX : wally\r\n")
        connection.close()

    threading.Thread(target=answer, daemon=True).start()
    _, environment = seen(place, "-nodnslookup", source="127.0.113.5")
    server.close()
    assert environment["TCPREMOTEINFO"] == "wally"
    assert asked[0] == f"{environment['TCPREMOTEPORT']}, {environment['TCPLOCALPORT']}\r\n".encode()


def test_ident_has_a_deadline(place):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.113.6", 113))
    server.listen()
    began = time.monotonic()
    _, environment = seen(place, "-nodnslookup", source="127.0.113.6")
    server.close()
    assert "TCPREMOTEINFO" not in environment
    assert time.monotonic() - began < 8


def test_a_slow_look_up_does_not_hold_others(place):
    listener = Listener.start(place, "-noidentlookup", quick=False, environment={"DNSCACHEIP": "127.0.0.1 192.0.2.1"})
    clients = [listener.connect() for _ in range(15)]
    began = time.monotonic()
    assert all(client.served() for client in clients)
    assert time.monotonic() - began < 15
