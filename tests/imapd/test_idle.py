"""IDLE: the procedure by which Courier's manual verifies it, and everything around."""

import os
import re
import signal
import statistics
import subprocess
import sys
import time

import pytest

from harness import mail, maildir
from harness.place import IS_ROOT, UID, as_user
from harness.server import logged_in

OWNER = UID if IS_ROOT else None


@pytest.fixture
def box(place):
    """A Maildir with two messages, and a function that opens sessions on it, INBOX selected."""
    path = maildir.make(place / "Maildir", OWNER)
    for number in range(2):
        maildir.deliver(path, mail.plain(number=number), uid=OWNER)

    class Box:
        def __init__(self):
            self.path = path

        def session(self, **environment):
            client = logged_in(place, path, environment=environment)
            client.select()
            return client

        def idle(self, **environment):
            client = self.session(**environment)
            begin(client)
            return client

        def deliver(self, count=1):
            for number in range(count):
                maildir.deliver(path, mail.plain(number=100 + number), uid=OWNER)

    return Box()


def begin(client, mode="ENHANCED idle mode"):
    client.line("i IDLE")
    assert client.response() == f"+ entering {mode}".encode(), client.transcript("no idle mode")


def done(client):
    client.line("DONE")
    assert client.response() == b"i OK IDLE completed", client.transcript("not done")


def expect(client, *lines, timeout=2.0):
    for line in lines:
        got = client.response(timeout)
        assert re.fullmatch(line, got.decode()), client.transcript(f"expected {line}, got {got}")


def test_the_procedure_of_the_manual(box):
    watchers = [box.idle() for _ in range(3)]
    actor = box.session()
    for sign in "+-+":
        actor.ok(f"STORE 1 {sign}FLAGS (\\Deleted)")
        flags = r"\\Deleted" if sign == "+" else ""
        for watcher in watchers:
            expect(watcher, rf"\* 1 FETCH \(FLAGS \({flags}( ?\\Recent)?\)\)")
    assert actor.ok("EXPUNGE").untagged[0] == b"1 EXPUNGE"
    for watcher in watchers:
        expect(watcher, r"\* 1 EXPUNGE", r"\* 1 EXISTS", r"\* \d RECENT")
    box.deliver()
    for watcher in watchers:
        expect(watcher, r"\* 2 EXISTS", r"\* \d RECENT")
    assert actor.ok("NOOP").number("EXISTS") == 2
    recent = 0
    for watcher in watchers:
        done(watcher)
        recent += watcher.ok("FETCH 2 FLAGS").untagged[0].count(b"\\Recent")
    recent += actor.ok("FETCH 2 FLAGS").untagged[0].count(b"\\Recent")
    assert recent == 1, "one session has the new message as recent"


def test_everybody_is_woken_at_once(box):
    watcher, actor = box.idle(), box.session()
    waits = []
    for number in range(20):
        began = time.monotonic()
        actor.ok(f"STORE 2 {'-' if number % 2 else '+'}FLAGS (\\Flagged)")
        expect(watcher, r"\* 2 FETCH .*")
        waits.append(time.monotonic() - began)
        signal.sigtimedwait([], 0.06)
    assert statistics.median(waits) < 0.05, waits


@pytest.mark.parametrize("what", ["keyword", "removed", "flag by rename", "append"])
def test_what_others_do(box, what):
    watcher = box.idle()
    if what == "keyword":
        box.session().ok("STORE 1 +FLAGS (urgent)")
        expect(watcher, r"\* FLAGS \(urgent .*", r"\* OK \[PERMANENTFLAGS \(urgent \\\* .*", r"\* 1 FETCH \(FLAGS \(.*urgent\)\)")
        return
    first = sorted((box.path / "cur").iterdir())[0]
    if what == "removed":
        first.unlink()
        expect(watcher, r"\* [12] EXPUNGE", r"\* 1 EXISTS", r"\* \d RECENT")
    elif what == "flag by rename":
        first.rename(f"{first}S")
        expect(watcher, r"\* [12] FETCH \(FLAGS \(.*\\Seen.*\)\)")
    else:
        box.session().append(mail.crlf(mail.plain()))
        expect(watcher, r"\* 3 EXISTS", r"\* \d RECENT")


def test_pending_changes_come_first(box):
    client = box.session()
    box.deliver()
    client.line("i IDLE")
    expect(client, r"\* 3 EXISTS", r"\* \d RECENT", r"\+ entering ENHANCED idle mode")
    done(client)


@pytest.mark.parametrize("word", [b"DONE\r\n", b"done\r\n", b"DoNe\n"])
def test_done(box, word):
    client = box.idle()
    client.send(word)
    assert client.response() == b"i OK IDLE completed"
    client.ok("NOOP")


@pytest.mark.parametrize("word", ["", "NOOP", "DONE x", "x NOOP", "DON", "(" * 100_000])
def test_anything_but_done(box, word):
    client = box.idle()
    client.line(word)
    client.line("z NOOP")
    if len(word) > 65536:
        assert client.rest().startswith(b"* BYE ")
    else:
        assert client.response().startswith(b"i BAD ")
        assert client.response() == b"z OK NOOP completed"


def test_all_in_one_packet(box):
    client = box.session()
    client.send("a IDLE\r\nDONE\r\nb IDLE\r\ndone\r\nc NOOP\r\nd IDLE\r\nDO")
    client.play("""
        S: + ...
        S: a OK ...
        S: + ...
        S: b OK ...
        S: c OK ...
        S: + ...
        C- NE
        C:
        S: d OK ...
    """)


def test_without_a_mailbox(place, box):
    client = logged_in(place, box.path)
    client.play("""
        C: a IDLE
        S: + entering idle mode
        C: DONE
        S: a OK ...
    """)


def test_a_second_idle_still_watches(box):
    client = box.idle()
    done(client)
    begin(client)
    box.deliver()
    expect(client, r"\* 3 EXISTS", r"\* \d RECENT")
    done(client)


def test_a_burst_is_told_together(box):
    client = box.idle()
    box.deliver(200)
    lines = []
    while not lines or lines[-1] != b"* 202 EXISTS":
        lines.append(client.response(5))
    assert len(lines) < 60, lines
    counts = [int(line.split()[1]) for line in lines if line.endswith(b"EXISTS")]
    assert counts == sorted(counts)


# -- without notification -----------------------------------------------------------------------------------------------

HOG = """
import ctypes, sys
libc = ctypes.CDLL(None)
count = 0
while libc.inotify_init() >= 0:
    count += 1
print(count, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def no_inotify(place):
    """Somebody has all inotify instances of the account."""
    import resource

    def many_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))

    with open("/proc/sys/fs/inotify/max_user_instances") as limit:
        if int(limit.read()) > 10_000:
            pytest.skip("too many inotify instances to use up")
    hog = place.popen([sys.executable, "-c", HOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=many_files, **as_user())
    assert int(hog.stdout.readline()) > 0


def test_the_129th_idle_polls(box, no_inotify):
    client, actor = box.session(IMAP_IDLE_TIMEOUT="1"), box.session()
    begin(client, "idle mode")
    actor.ok("STORE 1 +FLAGS (\\Deleted)")
    expect(client, r"\* 1 FETCH \(FLAGS \(\\Deleted.*\)\)", timeout=5)
    actor.ok("EXPUNGE")
    expect(client, r"\* 1 EXPUNGE", r"\* 1 EXISTS", r"\* \d RECENT", timeout=5)
    box.deliver()
    expect(client, r"\* 2 EXISTS", r"\* \d RECENT", timeout=5)
    done(client)


# -- time and ends --------------------------------------------------------------------------------------------------------


def test_signs_of_life(box):
    client = box.idle(IMAP_IDLE_KEEPALIVE="1")
    expect(client, r"\* OK Still here", r"\* OK Still here", timeout=3)
    quiet = box.idle(IMAP_IDLE_KEEPALIVE="0")
    assert quiet.silent(1.2)


def test_a_silent_client_is_let_go(box):
    client = box.idle(IMAP_TIMEOUT="2", IMAP_IDLE_KEEPALIVE="1")
    expect(client, r"\* OK Still here", timeout=3)
    assert client.rest(5).endswith(b"* BYE [UNAVAILABLE] Disconnected for inactivity\r\n")
    assert client.owner.wait(10) == 0


@pytest.mark.parametrize("end", ["signal", "eof"])
def test_the_end_of_a_session_in_idle(box, end):
    client = box.idle()
    if end == "signal":
        client.owner.terminate()
        assert client.rest() == b"* BYE [UNAVAILABLE] Server shutting down\r\n"
    else:
        client.half_close()
        assert client.rest() == b""
    assert client.owner.wait(10) == 0


@pytest.mark.parametrize("after", ["nothing", "a delivery", "a keyword"])
def test_idling_costs_nothing(box, after):
    client = box.idle()
    if after == "a delivery":
        box.deliver()
        expect(client, r"\* 3 EXISTS", r"\* \d RECENT")
    elif after == "a keyword":
        box.session().ok("STORE 1 +FLAGS (urgent)")
        expect(client, r"\* FLAGS .*", r"\* OK .*", r"\* 1 FETCH .*")
    # What it writes itself wakes it once more.
    assert client.silent(0.3)

    def ticks():
        with open(f"/proc/{client.owner.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def switches():
        with open(f"/proc/{client.owner.pid}/status") as status:
            return int(re.search(r"voluntary_ctxt_switches:\t(\d+)", status.read())[1])

    before = ticks(), switches()
    assert client.silent(1)
    assert (ticks(), switches()) == before, "woken without a reason"
