"""The command line, where tcpd listens, and what the program is started with."""

import os
import socket
import time

from harness.place import free_port, wait_for
from listener import Client, Listener, probe, refused, started


def test_what_cannot_be_done_is_said():
    for args, words in [
        (["-block=bl.example.org", "143", "/bin/cat"], "-block is not supported"),
        (["-allow=wl.example.org", "143", "/bin/cat"], "-allow is not supported"),
        (["-stderrlogger=/bin/cat", "143", "/bin/cat"], "-stderrlogger is not supported"),
        (["-stderrloggername=x", "143", "/bin/cat"], "-stderrloggername is not supported"),
        (["-nosuch", "143", "/bin/cat"], "unknown option -nosuch"),
        (["-maxprocs=0", "143", "/bin/cat"], "-maxprocs=0"),
        (["-maxperip=x", "143", "/bin/cat"], "-maxperip=x"),
        (["143"], "usage: tcpd"),
        (["nosuchservice", "/bin/cat"], "no port or service: nosuchservice"),
        (["0", "cat"], "a program is given by its path"),
        (["-user=nosuchuser", "127.0.0.1.0", "/bin/cat"], "no such user: nosuchuser"),
    ]:
        code, said = refused(*args)
        assert code == 100 and said.startswith("tcpd: fatal: ") and words in said and said.count("\n") == 1, (args, said)


def test_a_busy_port(place):
    first = Listener.start(place)
    code, said = refused(f"127.0.0.1.{first.port}", "/bin/cat")
    assert code == 111
    assert said == f"tcpd: fatal: unable to listen on 127.0.0.1:{first.port}: address already in use\n"


def test_many_ports_and_both_families(place):
    listener = Listener.start(place, ports="127.0.0.1.0,::1.0,127.0.0.2.0")
    assert len(listener.ports) == 3
    for host, port in zip(["127.0.0.1", "::1", "127.0.0.2"], listener.ports):
        assert listener.connect(host=host, port=port).served()


def test_without_an_address_all_are_bound(place):
    listener = Listener.start(place, "-address=0", ports="0", run=probe(place))
    six = started(listener.connect(host="::1")).environment
    four = started(listener.connect()).environment
    assert six["TCPREMOTEIP"] == "::1" and six["TCPLOCALIP"] == "::1"
    assert four["TCPREMOTEIP"] == "::ffff:127.0.0.1" and four["TCPLOCALIP"] == "::ffff:127.0.0.1"


def test_the_default_address_and_one_before_the_port(place):
    first = Listener.start(place, "-address=127.0.0.3", ports=str(free_port()))
    assert first.connect(host="127.0.0.3").served()
    try:
        first.connect(host="127.0.0.1")
        raise AssertionError("listens elsewhere too")
    except ConnectionRefusedError:
        pass
    port = first.port
    first.stop()
    second = Listener.start(place, run=[str(port), str(place / "session")], ports="127.0.0.3")
    assert second.port == port and second.connect(host="127.0.0.3").served()


def test_the_environment_is_a_new_one(place):
    planted = {f"PLANTED_{n}": "x" for n in range(500)}
    planted |= {"LD_PRELOAD": "", "AUTHENTICATED": "root", "TCPREMOTEHOST": "forged", "TCPREMOTEINFO": "forged",
                "IMAPLOGINTAG": "x", "HOME": "/root", "IMAP_CAPABILITY": "IMAP4rev1", "PROTO": "SSL", "MINE": "1",
                "PASSENV": "MINE", "LISTEN_FDS": "1", "LISTEN_PID": "1", "NOTIFY_SOCKET": ""}
    listener = Listener.start(place, run=probe(place), environment=planted)
    client = listener.connect()
    source = client.socket.getsockname()[1]
    seen = started(client).environment
    seen.pop("LC_CTYPE", None)  # Python's own doing
    assert seen == {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C", "IMAP_CAPABILITY": "IMAP4rev1", "MINE": "1",
                    "PASSENV": "MINE", "PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": str(source),
                    "TCPLOCALIP": "127.0.0.1", "TCPLOCALPORT": str(listener.port)}


def test_the_program_starts_as_from_a_shell(place):
    extra = [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
    listener = Listener.start(place, run=probe(place) + ["one", "-two=2", ""], pass_fds=extra)
    for descriptor in extra:
        os.close(descriptor)
    wait_for(lambda: listener.descriptors() == 5, what="0 to 2, the socket, the signals")
    program = started(listener.connect())
    # The fourth is the probe's own, on the folder that it lists.
    assert program.descriptors == ["0 socket", "1 socket", "2 other"]
    assert program.status["SigBlk"] == "0" * 16
    # Python ignores SIGPIPE and SIGXFSZ itself.
    assert int(program.status["SigIgn"], 16) & ~0x1001000 == 0
    assert program.value("keepalive") == "1" and program.value("nodelay") == "1" and program.value("blocking") == "1"
    assert program.value("umask") == "77"
    assert program.value("argv") == "one -two=2 "


def test_ignored_signals_are_not_passed_on(place):
    listener = Listener.start(place, wrap=["nohup"], run="#!/bin/sh\ngrep SigIgn /proc/self/status\n")
    assert listener.connect().rest() == b"SigIgn:\t0000000000000000\n"


def test_stderr_to_a_file_or_the_client(place):
    talk = "#!/bin/sh\necho out\necho err >&2\n"
    first = Listener.start(place, f"-stderr={place / 'errors'}", run=talk)
    assert first.connect().rest() == b"out\n"
    assert (place / "errors").read_text() == "err\n"
    first.stop()
    second = Listener.start(place, "-stderr=socket", run=talk)
    assert second.connect().rest() == b"out\nerr\n"


def test_a_program_that_does_not_start(place):
    listener = Listener.start(place, run=["/nonexistent/imaplogin"])
    assert listener.connect().rest() == b"* BYE [UNAVAILABLE] Temporary failure, try again later.\r\n"
    assert listener.log() == "tcpd: warning: unable to run /nonexistent/imaplogin: no such file or directory\n"
    assert listener.children() == []


def test_accepted_for_compatibility(place):
    listener = Listener.start(place, "-listen=5", "-proxy", "-warn=3", "-maxperc=4")
    assert listener.connect().served()


def test_a_log_without_a_reader_stops_nothing(place):
    read_end, write_end = os.pipe()
    listener = Listener.start(place, "-maxperip=1", wrap=["bash", "-c", f'exec "$@" 2>&{write_end}', "bash"], pass_fds=[write_end])
    os.close(write_end)
    os.close(read_end)
    first = listener.connect()
    assert first.served()
    for _ in range(20):
        assert listener.connect().rest() == b""
    first.close()
    assert listener.connect(source="127.0.0.2").served()


def test_a_full_log_stops_nothing(place):
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while os.write(write_end, b"x" * 4096):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(write_end, True)
    listener = Listener.start(place, "-maxperip=1", wrap=["bash", "-c", f'exec "$@" 2>&{write_end}', "bash"], pass_fds=[write_end])
    first = listener.connect()
    assert first.served()
    began = time.monotonic()
    for _ in range(100):
        assert listener.connect().rest() == b""
    assert time.monotonic() - began < 2
    assert listener.connect(source="127.0.0.2").served()
    os.close(read_end)
    os.close(write_end)


def test_half_open_connections_harm_nobody(place):
    listener = Listener.start(place)
    for _ in range(50):
        client = Client(listener.port)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    assert listener.connect().served()
