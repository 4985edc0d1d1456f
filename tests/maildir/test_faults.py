"""Each system call fails once, or is the last before the process dies: nothing acknowledged is lost, no UID changes.

LONG=1 goes through every call; otherwise every seventh, from a seed that is printed.
"""

import os
import random
import re
import shutil
import subprocess

import pytest

from harness import maildir
from harness.maildir import Reader
from harness.place import IS_ROOT, UID, as_user, program, seed
from harness.server import LOGGED_IN

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="no strace")

LONG = bool(os.environ.get("LONG"))
CALLS = ["openat", "openat2", "rename", "renameat", "renameat2", "linkat", "unlinkat", "fsync", "fdatasync", "pwrite64", "write",
         "getdents64", "newfstatat", "fstat", "read", "pread64", "mkdirat", "utimensat", "fcntl", "ftruncate", "close"]
FAULTS = ["signal=KILL", "error=ENOSPC", "error=EIO", "error=EMFILE"]
MESSAGE = b"Subject: a\r\n\r\nhello\r\n"
APPEND = b'a APPEND INBOX (\\Seen Work) {%d+}\r\n%b\r\n' % (len(MESSAGE), MESSAGE)
DIALOGUES = {
    "select": b"a SELECT INBOX\r\nb UID FETCH 1:* FLAGS\r\n",
    "append": APPEND,
    "store": b"a SELECT INBOX\r\nb STORE 1:* +FLAGS (\\Flagged Work)\r\n",
    "expunge": b"a SELECT INBOX\r\nb STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\nc EXPUNGE\r\n",
    "copy": b"a SELECT INBOX\r\nb COPY 1:2 INBOX.Sent\r\n",
}


class Box:
    """A Maildir that is set up anew for each fault: three known messages, two delivered, one folder."""

    def __init__(self, place):
        self.place, self.path, self.trace = place, place.folder("home", UID) / "Maildir", place / "trace"
        self.template = place.folder("template", UID) / "Maildir"
        maildir.make(self.template, UID)
        maildir.folder(self.template, "Sent", UID)
        for n in range(3):
            maildir.deliver(self.template, MESSAGE, flags="S", base=f"{1000 + n}.m", uid=UID)
        self.path = self.template
        self.talk(b"a SELECT INBOX\r\n")
        for n in range(3, 5):
            maildir.deliver(self.template, MESSAGE, base=f"{1000 + n}.m", uid=UID)
        self.path = place / "home" / "Maildir"
        self.validity, _, self.uids = Reader(self.template).uid_table()

    def renew(self):
        shutil.rmtree(self.path, ignore_errors=True)
        subprocess.run(["cp", "-a", self.template, self.path], check=True)

    def talk(self, dialogue, fault=None):
        """Runs imapd on a whole dialogue; returns its answers, and whether the fault came to pass."""
        args = [program("imapd"), str(self.path)]
        if fault:
            call, what, when = fault
            args = ["strace", "-f", "-o", str(self.trace), "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={when}", *args]
            self.trace.touch(mode=0o666)
            self.trace.chmod(0o666)
        environment = {"PATH": "/usr/bin:/bin", "IMAP_EMPTYTRASH": "", **LOGGED_IN}
        done = subprocess.run(args, input=dialogue, env=environment, capture_output=True, timeout=60, **as_user(UID))
        assert b"panic" not in done.stderr, done.stderr
        traced = self.trace.read_text(errors="replace") if fault else ""
        return done.stdout, "INJECTED" in traced or "killed by SIGKILL" in traced

    def listing(self, mailbox="INBOX"):
        """UIDVALIDITY and UID to (base name, flags) as the next session has them, by way of the disk."""
        out, _ = self.talk(b"a SELECT %b\r\n" % mailbox.encode())
        assert re.search(rb"^a OK", out, re.M) and b"* NO" not in out, out
        reader = Reader(self.path if mailbox == "INBOX" else self.path / mailbox.replace("INBOX", "", 1))
        flags = reader.flags()
        return reader.uid_table()[0], {uid: (base, flags[base]) for uid, base in reader.uids().items()}, reader.keywords()


def check(box, name, out):
    """What must hold after any fault."""
    validity, messages, keywords = box.listing()
    bases = [base for base, _ in messages.values()]
    assert validity == box.validity
    assert len(set(bases)) == len(bases), "one message twice"
    expunged = name == "expunge"
    for base, uid in box.uids.items():
        assert messages.get(uid, (None,))[0] == base or (expunged and uid not in messages), f"UID {uid}"
    for n in range(5):
        assert f"{1000 + n}.m" in bases or (expunged and n < 2), f"message {n} is lost"
    for uid, flags in re.findall(rb"FETCH \(UID (\d+) FLAGS \(([^)]*)\)\)", out):
        assert int(uid) in messages, f"UID {uid} was shown"
    if (done := re.search(rb"^a OK \[APPENDUID (\d+) (\d+)\]", out, re.M)):
        base, flags = messages[int(done[2])]
        assert (int(done[1]), flags, keywords.get(base)) == (validity, "S", {"Work"})
    if name == "store" and re.search(rb"^b OK", out, re.M):
        # Messages that could not get UIDs were hidden from this session.
        shown = int(re.search(rb"^\* (\d+) EXISTS", out, re.M)[1])
        for base, flags in [messages[uid] for uid in sorted(messages)][:shown]:
            assert "F" in flags and keywords.get(base) == {"Work"}, base
    if name == "expunge" and re.search(rb"^c OK", out, re.M) and re.search(rb"^b OK", out, re.M):
        assert not {1, 2} & set(messages)
    if name == "copy":
        sent = box.listing("INBOX.Sent")[1]
        if (done := re.search(rb"^b OK \[COPYUID (\d+) \S+ (\d+):(\d+)\]", out, re.M)):
            assert {int(done[2]), int(done[3])} <= set(sent)
        elif re.search(rb"^b NO", out, re.M):
            assert not sent, "all or none"


@pytest.mark.skipif(not IS_ROOT, reason="the account is another uid")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", DIALOGUES)
def test_every_call_fails_once(place, name, fault):
    chance = random.Random(seed())
    box = Box(place)
    count = 0
    for call in CALLS:
        when, came = 0, True
        while came:
            when += 1 if LONG else chance.randint(1, 13)
            box.renew()
            out, came = box.talk(DIALOGUES[name], (call, fault, when))
            if came:
                count += 1
                try:
                    check(box, name, out)
                except AssertionError as problem:
                    line = next((line for line in box.trace.read_text(errors="replace").splitlines() if "INJECTED" in line), "")
                    raise AssertionError(f"{call} {fault} when={when}: {problem}\n{line}\n{out.decode(errors='replace')}") from problem
    assert count > 5
