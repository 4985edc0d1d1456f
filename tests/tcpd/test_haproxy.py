"""Behind a proxy: both versions of its header, where it is believed, and limits and rules for the real client."""

import os
import socket
import struct

from harness.place import free_port, wait_for
from listener import SESSION, Listener, compiled, probe, started

ECHO = "#!/bin/sh\necho $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEINFO\nexec cat\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version1(source="192.0.2.1", port=4711):
    return f"PROXY TCP4 {source} 192.0.2.99 {port} 143\r\n".encode()


def version2(source="192.0.2.1", extension=b""):
    addresses = socket.inet_aton(source) + socket.inet_aton("192.0.2.99") + struct.pack("!HH", 4711, 143) + extension
    return SIGNATURE + b"\x21\x11" + struct.pack("!H", len(addresses)) + addresses


def test_both_versions(place):
    listener = Listener.start(place, "-haproxy", run=ECHO)
    six = socket.inet_pton(socket.AF_INET6, "2001:db8::1") + socket.inet_pton(socket.AF_INET6, "2001:db8::2") + struct.pack("!HH", 1, 2)
    told = b"PROXY 127.0.0.1 %d\n" % listener.port
    for header, answer in [
        (version1(), b"192.0.2.1 4711 192.0.2.99 143 " + told),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", b"2001:db8::1 1 2001:db8::2 2 " + told),
        (version2(), b"192.0.2.1 4711 192.0.2.99 143 " + told),
        (version2(extension=b"\x04\0\x03abc"), b"192.0.2.1 4711 192.0.2.99 143 " + told),
        (SIGNATURE + b"\x21\x21\0\x24" + six, b"2001:db8::1 1 2001:db8::2 2 " + told),
    ]:
        client = listener.connect()
        client.send(header + b"what follows\n")
        assert client.line() == answer
        assert client.line() == b"what follows\n", "not one byte more is taken"


def test_a_header_may_come_in_pieces(place):
    listener = Listener.start(place, "-haproxy", run=ECHO)
    for header in (version1(), version2()):
        client = listener.connect()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header:
            client.send(bytes([byte]))
        assert client.line().startswith(b"192.0.2.1 4711 ")


def test_a_proxy_that_speaks_for_itself(place):
    listener = Listener.start(place, "-haproxy", run=ECHO)
    for header in (b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"):
        client = listener.connect(source="127.0.0.7")
        client.send(header)
        assert client.line().startswith(b"127.0.0.7 ")


def test_the_program_finds_a_blocking_socket(place):
    listener = Listener.start(place, "-haproxy", run=probe(place))
    client = listener.connect()
    client.send(version1())
    program = started(client)
    assert program.value("blocking") == "1" and program.descriptors == ["0 socket", "1 socket", "2 other"]
    assert program.status["SigBlk"] == "0" * 16 and program.value("umask") == "77"


def test_nonsense_is_refused(place):
    listener = Listener.start(place, "-haproxy", run=ECHO)
    for header in [b"a login john secret\r\n", b"PROXY TCP4 1.2.3.4 nonsense 1 2\r\n", b"PROXY TCP4 " + b"1" * 400,
                   SIGNATURE + b"\x31\x11\0\x0c" + bytes(12), SIGNATURE + b"\x21\x11\xff\xff", b"PROXY UNKNOWN"]:
        client = listener.connect()
        client.send(header)
        try:
            client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused already
        assert client.rest() == b"", header
    wait_for(lambda: listener.log().count("haproxy: ") == 6, what="a line for each")
    assert all("ip=[127.0.0.1]" in line for line in listener.log().splitlines())


def test_silence_ends(place):
    listener = Listener.start(place, "-haproxy=1", run=ECHO)
    silent, slow = listener.connect(), listener.connect()
    slow.send(b"PROXY TCP4 192.0.2.1")
    assert silent.rest() == b"" and slow.rest() == b""
    listener.wait_log("haproxy: no PROXY header in time, ip=[127.0.0.1]")


def test_only_where_it_is_configured(place):
    first, second = free_port(), free_port()
    listener = Listener.start(place, f"-haproxy=5/port=127.0.0.1.{first}", ports=f"127.0.0.1.{first},127.0.0.1.{second}", run=ECHO)
    client = listener.connect(port=second)
    client.send(version1())
    assert client.line().startswith(b"127.0.0.1 "), "a forged header is data"
    assert client.line() == version1()
    client = listener.connect(port=first)
    client.send(version1())
    assert client.line().startswith(b"192.0.2.1 ")


def test_limits_hold_for_the_client(place):
    listener = Listener.start(place, "-haproxy", "-maxperip=2", run=[place.script("imaplogin", SESSION)])

    def client(source):
        connection = listener.connect()
        connection.send(version1(source))
        return connection

    kept = [client("192.0.2.1"), client("192.0.2.1"), client("192.0.2.2")]
    assert all(connection.served() for connection in kept)
    assert client("192.0.2.1").rest() == b"* BYE [UNAVAILABLE] Too many connections from your address.\r\n"
    listener.wait_log("ALERT: Maximum connection limit reached for 192.0.2.1")
    kept[0].close()
    wait_for(lambda: len(listener.children()) == 2)
    assert client("192.0.2.1").served()


def test_rules_hold_for_the_client(place):
    access = compiled(place, "192.0.2.1\tdeny\n192.0.2\tallow,MAXCPERIP=1\n127\tdeny\n")
    listener = Listener.start(place, "-haproxy", f"-access={access}", run=[place.script("imaplogin", SESSION)])

    def client(source):
        connection = listener.connect()
        connection.send(version2(source))
        return connection

    assert client("192.0.2.1").rest() == b"* BYE [NOPERM] Access denied.\r\n"
    first = client("192.0.2.2")
    assert first.served()
    assert client("192.0.2.2").rest().startswith(b"* BYE [UNAVAILABLE]")
    listener.wait_log("INFO: DENIED, ip=[192.0.2.1], port=[4711]")


def test_those_who_send_nothing_hold_no_more_than_their_slots(place):
    listener = Listener.start(place, "-haproxy=1", "-maxprocs=5", run=ECHO)
    silent = [listener.connect() for _ in range(5)]
    client = listener.connect()
    client.send(version1())
    assert client.line().startswith(b"192.0.2.1 "), "served when the first wait is over"
    assert all(other.rest() == b"" for other in silent)


def test_the_port_is_free_while_a_child_still_waits(place):
    listener = Listener.start(place, "-haproxy", ports=f"127.0.0.1.{free_port()}", run=ECHO)
    waiting = listener.connect()
    # 0 to 2, the connection, the way to the server, the signals.
    wait_for(lambda: [len(os.listdir(f"/proc/{pid}/fd")) for pid in listener.children()] == [6])
    assert listener.stop() == 0
    again = Listener.start(place, "-haproxy", ports=f"127.0.0.1.{listener.port}", run=ECHO)
    client = again.connect()
    client.send(version1())
    assert client.line().startswith(b"192.0.2.1 ")
    waiting.close()
