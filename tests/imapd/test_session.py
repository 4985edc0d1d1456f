"""The dialogue: framing, limits, bad input, time limits, signals, how a session ends."""

import os
import signal
import socket
import subprocess
import time

import pytest

from harness import maildir
from harness.imap import Imap
from harness.place import UID, IS_ROOT, as_user, program, wait_for
from harness.server import LOGGED_IN


class Session(Imap):
    """A logged-in imapd on a TCP socket, with its process and log."""

    @classmethod
    def start(cls, place, environment=None, pipes=False):
        home = place.folder("home", UID)
        if not (home / "Maildir").exists():
            maildir.make(home / "Maildir", UID if IS_ROOT else None)
        log = place / "stderr"
        options = {"env": {**LOGGED_IN, "IMAP_EMPTYTRASH": "", **(environment or {})}, "cwd": home, "bufsize": 0, **as_user()}
        with open(log, "wb") as stderr:
            if pipes:
                process = place.popen([program("imapd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, **options)
                session = cls.with_process(process)
            else:
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    client = socket.create_connection(listener.getsockname())
                    server = listener.accept()[0]
                with server:
                    process = place.popen([program("imapd")], stdin=server, stdout=server, stderr=stderr, **options)
                session = cls(client.fileno(), client.fileno(), client)
        session.process, session.log_path = process, log
        assert session.finish(b"login").ok
        return session

    def code(self):
        return self.process.wait(20)

    def log(self):
        return self.log_path.read_text()

    def memory_kb(self):
        """Memory that is this process's alone: not what it shares with its like."""
        with open(f"/proc/{self.process.pid}/smaps_rollup") as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:"))


@pytest.fixture(params=["socket", "pipes"])
def session(place, request):
    with Session.start(place, pipes=request.param == "pipes") as session:
        yield session


# -- lines and literals -----------------------------------------------------------------------------------------------


def test_the_dialogue_of_the_framing(session):
    session.play("""
        C: a noop
        S: a OK ...
        C:
        C:
        C: b NoOp
        S: b OK ...
        C: *
        S: * BAD ...
        C: +a NOOP
        S: * BAD ...
        C: lonely
        S: lonely BAD ...
        C: c FROBNICATE x
        S: c BAD ...
        C: d NOOP x
        S: d BAD ...
        C: e FETCH 1 ALL
        S: e BAD ...
        C: f LOGIN john secret
        S: f BAD ...
        C: g AUTHENTICATE PLAIN
        S: g BAD ...
        C: h STARTTLS
        S: h BAD ...
        C: i UID FROB 1
        S: i BAD ...
        C: j ENABLE CONDSTORE X-FOO
        S: * ENABLED
        S: j OK ...
        C: k LOGOUT
        S: * BYE ...
        S: k OK ...
        S.
    """)
    assert session.code() == 0


def test_a_bare_lf_ends_a_line_and_a_bare_cr_does_not(session):
    session.send("a NOOP\nb NO\rOP\r\nc NOOP\n")
    session.play("""
        S: a OK ...
        S: b BAD ...
        S: c OK ...
    """)


def test_nul_and_high_bytes_are_bad(session):
    session.send(b"a NOOP\0\r\nb STATUS \"\xff\" (MESSAGES)\r\nc \0\r\n\0\r\nd STATUS \"a\0b\" (MESSAGES)\r\ne STATUS {3}\r\na\0b (MESSAGES)\r\nz NOOP\r\n")
    answers = [session.response() for _ in range(8)]
    assert b"z OK NOOP completed" == answers[-1], session.transcript("no way back")
    assert [answer.split()[1] for answer in answers if not answer.startswith(b"+")] == [b"BAD"] * 6 + [b"OK"]


def test_literals_are_asked_for(session):
    session.play("""
        C: a STATUS {5}
        S: + ...
        C- INBOX
        C:  ({8}
        S: + ...
        C: MESSAGES)
        S* a ...
        C: b STATUS {5+}
        C: INBOX (MESSAGES)
        S* b ...
        C: c NOOP
        S: c OK ...
    """)


@pytest.mark.parametrize("size", [70_000, 4294967297, 18446744073709551615])
def test_a_literal_that_is_too_long_is_refused_before_it_comes(session, size):
    session.play(f"""
        C: a STATUS {{{size}}}
        S: a BAD [TOOBIG] ...
        C: b NOOP
        S: b OK ...
    """)


@pytest.mark.parametrize("size", ["18446744073709551616", "99999999999999999999999999"])
def test_a_size_beyond_64_bits(session, size):
    session.line(f"a STATUS {{{size}}}")
    assert session.response().startswith(b"a BAD ")
    session.line(f"b STATUS {{{size}+}}")
    assert session.rest().startswith(b"* BYE ")
    assert session.code() == 0


@pytest.mark.parametrize("size", ["-1", "x", "", "0x10", "1 "])
def test_a_size_that_is_none(session, size):
    session.play(f"""
        C: a STATUS {{{size}}}
        S: a BAD ...
        C: b NOOP
        S: b OK ...
    """)


def test_a_literal_that_comes_unasked_is_read_over(place):
    """100 MB, and the session holds none of it."""
    with Session.start(place) as session:
        session.send("a STATUS {100000000+}\r\n")
        for _ in range(100):
            session.send(b"x\r\n y LOGOUT\r\n" * 71428 + b"z" * 8)
        session.send("\r\nb NOOP\r\n")
        answers = [session.response(60), session.response()]
        assert answers[0].startswith(b"a BAD [TOOBIG] ") and answers[1].startswith(b"b OK "), session.transcript("lost")
        assert session.memory_kb() < 400


def test_an_endless_literal_ends_the_session(session):
    session.line("a STATUS {18446744073709551615+}")
    assert session.rest().startswith(b"* BYE ")
    assert session.code() == 0


def test_a_line_of_8_megabytes(place):
    with Session.start(place) as session:
        for filling in (b"a NOOP ", b"\"" * 7, b"((((((("):
            session.send(filling)
            for _ in range(8):
                session.send(b"(" * (1 << 20))
            session.send("\r\nb NOOP\r\n")
            answer = session.response(60)
            assert answer.split()[1] == b"BAD", session.transcript("not refused")
            assert session.response().startswith(b"b OK ")
        assert session.memory_kb() < 400


def test_a_line_without_an_end_is_bounded(place):
    with Session.start(place) as session:
        for _ in range(32):
            session.send(b"x" * (1 << 20))
        assert session.memory_kb() < 400
        session.half_close()
        session.rest()
        assert session.code() == 0


def test_the_longest_line_that_is_taken(session):
    line = b"a STATUS " + b"x" * (65536 - 9 - 13) + b" (MESSAGES)\r\n"
    assert len(line) == 65536
    session.send(line)
    assert session.response().startswith((b"a NO ", b"a OK "))
    session.send(line.replace(b"x", b"xx", 1))
    assert session.response().startswith(b"a BAD ")


def test_a_hundred_commands_in_one_packet(session):
    session.send("".join(f"p{number} NOOP\r\n" for number in range(100)))
    for number in range(100):
        assert session.response() == b"p%d OK NOOP completed" % number


def test_one_byte_at_a_time(session):
    for byte in b"a NOOP\r\nb CAPABILITY\r\n":
        session.send(bytes([byte]))
    session.play("""
        S: a OK ...
        S: * CAPABILITY ...
        S: b OK ...
    """)


def test_twenty_bad_commands_in_a_row(session):
    for number in range(19):
        assert session.command("FROB").status == b"BAD"
    session.ok("NOOP")
    for number in range(19):
        assert session.command("FROB").status == b"BAD"
    session.line("x FROB")
    session.play("""
        S: x BAD ...
        S: * BYE ...
        S.
    """)
    assert session.code() == 0 and "INFO: DISCONNECTED, user=john, " in session.log()


# -- ends -------------------------------------------------------------------------------------------------------------


def test_end_of_file(session):
    session.send("a NOOP\r\nb NOO")
    session.half_close()
    assert session.rest() == b"a OK NOOP completed\r\n"
    assert session.code() == 0
    assert session.log().splitlines()[1].startswith("INFO: DISCONNECTED, user=john, ip=[127.0.0.1], port=[4711], headers=0, body=0, rcvd=13, sent=")


def test_a_client_that_is_gone(place):
    with Session.start(place) as session:
        session.send("a CAPABILITY\r\n" * 1000)
        session.owner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        session.close()
        assert session.code() == 0
        assert session.log().splitlines()[1].startswith("INFO: DISCONNECTED, user=john, ")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals(session, signal_number):
    session.process.send_signal(signal_number)
    assert session.rest() == b"* BYE [UNAVAILABLE] Server shutting down\r\n"
    assert session.code() == 0
    line = session.log().splitlines()[1]
    assert line.startswith("NOTICE: Disconnected during shutdown by signal, user=john, ip=[127.0.0.1], port=[4711], headers=0, body=0, rcvd=0, sent=")


def test_silence(place):
    with Session.start(place, {"IMAP_TIMEOUT": "1"}) as session:
        began = time.monotonic()
        assert session.rest() == b"* BYE [UNAVAILABLE] Disconnected for inactivity\r\n"
        assert session.code() == 0 and 0.9 < time.monotonic() - began < 5
        assert session.log().splitlines()[1].startswith("INFO: TIMEOUT, user=john, ip=[127.0.0.1], port=[4711], headers=0, body=0, rcvd=0, sent=")
        assert session.log().endswith(", time=1\n")


def test_a_literal_that_stops_coming(place):
    with Session.start(place, {"IMAP_LITERAL_TIMEOUT": "1"}) as session:
        session.line("a STATUS {20}")
        session.response()
        session.send("abc")
        assert session.rest().startswith(b"* BYE ")
        assert session.code() == 0 and "INFO: TIMEOUT, user=john" in session.log()


def test_a_client_that_takes_nothing(place):
    """Its replies fill the socket; a signal still ends the session, and so does the time limit."""
    for environment, end in (({}, "shutdown by signal"), ({"IMAP_TIMEOUT": "1"}, "TIMEOUT")):
        with Session.start(place, environment) as session:
            session.owner.setblocking(False)
            try:
                while True:
                    os.write(session.write_fd, b"a CAPABILITY\r\n" * 1000)
                    wait_for(lambda: session_is_stuck(session) or os.write(session.write_fd, b""), 0.001)
            except (BlockingIOError, AssertionError):
                pass
            if not environment:
                wait_for(lambda: session_is_stuck(session), what="stuck in poll")
                session.process.terminate()
            assert session.code() == 0
            assert end in session.log(), session.log()


def session_is_stuck(session):
    with open(f"/proc/{session.process.pid}/wchan") as wchan:
        return "poll" in wchan.read()


# -- what a session costs -----------------------------------------------------------------------------------------------


def test_an_idle_session_is_small(place):
    with Session.start(place) as session:
        session.ok("NOOP")
        assert session.memory_kb() < 150
