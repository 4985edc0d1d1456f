"""Senseless input: no command, however mutilated, may do more than be refused."""

import random

import pytest

from harness import mail, maildir
from harness.conversation import Closed
from harness.place import IS_ROOT, UID
from harness.server import logged_in

OWNER = UID if IS_ROOT else None

COMMANDS = [
    b"NOOP", b"CAPABILITY", b"IDLE\r\nDONE", b"SELECT INBOX", b"EXAMINE {5+}\r\nINBOX", b"CREATE INBOX.a&AOQ-", b"DELETE INBOX.x", b"RENAME INBOX.a INBOX.b",
    b'LIST "" (INBOX *%*)', b'LIST "" "*"', b'LSUB "" %', b"SUBSCRIBE INBOX.a", b"UNSUBSCRIBE INBOX.a", b"STATUS INBOX (MESSAGES UIDNEXT UNSEEN RECENT)",
    b'APPEND INBOX (\\Seen word) "01-Jan-2004 00:00:00 +0100" {10+}\r\nFrom: a\r\n\r\n', b"CHECK", b"CLOSE", b"UNSELECT", b"EXPUNGE", b"UID EXPUNGE 1:*",
    b"SEARCH OR (SEEN NOT (DELETED)) HEADER Subject {3+}\r\nabc", b"UID SEARCH CHARSET UTF-8 BEFORE 1-Jan-2020 LARGER 5", b"FETCH 1:* FULL",
    b"UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To)]<0.100> BODYSTRUCTURE)", b"FETCH 1 (BODY[1.2.MIME] RFC822.SIZE BINARY[1])",
    b"STORE 1:* +FLAGS.SILENT (\\Deleted word)", b"UID STORE 1 -FLAGS (\\Seen)", b"COPY 1:2 INBOX", b"UID COPY 1:* INBOX.x", b"NAMESPACE",
    b'ID ("name" "x" "version" NIL)', b"ENABLE UTF8=ACCEPT", b"LOGIN a b", b"AUTHENTICATE PLAIN =",
]
SPICE = [b"(", b")", b"[", b"]", b"<", b">", b'"', b"\\", b"{", b"}", b"*", b":", b",", b"+", b"-", b"%", b"&", b"~", b"\0", b"\xff", b"\r", b" ", b"0",
         b"4294967295", b"4294967296", b"99999999999999999999", b"NIL", b"{0}", b"{5+}", b"(((((((((", b"1:*,", b"BODY[", b"\\Recent"]


def mutilated(chance):
    command = bytearray(chance.choice(COMMANDS))
    for _ in range(chance.choice([0, 1, 1, 2, 5])):
        at = chance.randrange(len(command) + 1)
        what = chance.randrange(4)
        if what == 0:
            command[at:at] = chance.choice(SPICE)
        elif what == 1:
            del command[at : at + chance.randrange(1, 6)]
        elif what == 2 and at < len(command):
            command[at] = chance.randrange(256)
        else:
            other = chance.choice(COMMANDS)
            command[at:] = other[chance.randrange(len(other)) :]
    return bytes(command)


@pytest.mark.parametrize("seed", range(12))
def test_rubbish_ends_no_session_badly(place, seed):
    chance = random.Random(seed)
    path = maildir.make(place / "Maildir", OWNER)
    for message in mail.corpus(12):
        maildir.deliver(path, message, uid=OWNER)
    sessions = 0
    commands = iter([mutilated(chance) for _ in range(400)])
    left = True
    while left:
        client = logged_in(place, path)
        sessions += 1
        try:
            client.select()
            while (command := next(commands, None)) is not None:
                # Literals that nobody asked for end in lines of their own: whatever comes, a NOOP is answered in the end.
                client.send(b"r " + command + b"\r\n" + b"\r\nDONE\r\n" * 2)
                client.send(b"x NOOP\r\n")
                while not (line := client.read_line(10)).startswith((b"x ", b"* BYE")):
                    if line.startswith(b"+ ") and b"idle" not in line:
                        # Asked for what was no literal to us: fill it, a line's end at a time.
                        client.send(b"\r\nx NOOP\r\n" * 40)
                if line.startswith(b"* BYE"):
                    raise Closed
                client.send(b"y%d NOOP\r\n" % sessions)
                while not client.read_line(10).startswith(b"y%d " % sessions):
                    pass
            left = False
        except (Closed, BrokenPipeError):
            pass
        client.half_close()
        client.rest(10)
        assert client.owner.wait(10) == 0, client.transcript(f"seed {seed}: a bad end")
    log = (place / "log-preauth").read_text()
    assert "internal error" not in log and "fatal" not in log, log
