"""One Maildir opened in turn by Debian's courier-imap and by ours: both must see the same, always."""

import random
import re

import pytest

from harness import mail, maildir
from harness.server import courier, logged_in

FOLDERS = ["INBOX", "INBOX.work", "INBOX.grüße"]
WORDS = ["alpha", "beta", "$Label1", "gamma"]


def wire(name):
    return name.replace("üß", "&APwA3w-")


def state(client):
    """Per folder UIDVALIDITY and, per UID, flags and keywords; then the subscriptions."""
    found = {}
    for folder in FOLDERS:
        answer = client.select(wire(folder))
        validity = re.search(rb"UIDVALIDITY (\d+)", b"\n".join(answer.untagged))[1]
        found[folder] = validity, {
            uid: frozenset(re.search(rb"FLAGS \(([^)]*)\)", data)[1].split()) - {rb"\Recent"}
            for uid, data in client.fetch("FLAGS", uid=True).items()
        }
    lines = client.ok('LSUB "" "*"').lines("LSUB")
    found["subscribed"] = sorted(line.rsplit(b" ", 1)[1].strip(b'"') for line in lines if rb"\Noselect" not in line)
    return found


def change(client, chance):
    """One random change; what becomes of it is for the comparison to see."""
    folder = wire(chance.choice(FOLDERS))
    client.select(folder)
    count = client.ok("NOOP") and len(client.fetch("FLAGS"))
    number = chance.randint(1, count) if count else 0
    kind = chance.choice(["flags", "keywords", "append", "copy", "expunge", "subscribe"])
    if kind == "append" or not number:
        client.append(mail.crlf(mail.plain(number=chance.randrange(10**6))), folder, r"(\Seen)" if chance.random() < 0.5 else "")
    elif kind == "flags":
        flags = " ".join(chance.sample([r"\Seen", r"\Flagged", r"\Answered", r"\Draft", r"\Deleted"], 2))
        client.ok(f"STORE {number} {chance.choice(['', '+', '-'])}FLAGS ({flags})")
    elif kind == "keywords":
        client.ok(f"STORE {number} {chance.choice('+-')}FLAGS ({' '.join(chance.sample(WORDS, 2))})")
    elif kind == "copy":
        client.ok(f"COPY {number} {wire(chance.choice(FOLDERS))}")
    elif kind == "expunge":
        client.ok(rf"STORE {number} +FLAGS.SILENT (\Deleted)")
        client.ok("EXPUNGE")
    else:
        client.ok(f"{chance.choice(['SUBSCRIBE', 'UNSUBSCRIBE', 'SUBSCRIBE'])} {wire(chance.choice(FOLDERS))}")


def courier_alone(place, path):
    """Courier without its lock: it is alone while it runs, and its lock asks a gamin that knows no nameless accounts."""
    return courier(place, path, environment={"IMAP_USELOCKS": "0"})


@pytest.mark.parametrize("seed", range(3))
def test_ten_rounds_in_turn(place, seed):
    chance = random.Random(seed)
    path = maildir.make(place / "Maildir")
    for folder in FOLDERS[1:]:
        maildir.folder(path, folder.partition(".")[2])
    for number in range(12):
        maildir.deliver(path, mail.plain(number=number), seconds=1000 + number)
    last = None
    for _ in range(10):
        for start in (courier_alone, logged_in):
            client = start(place, path)
            if last is not None:
                assert state(client) == last, client.transcript(f"another view than the one before, seed {seed}")
            for _ in range(12):
                change(client, chance)
            maildir.deliver(chance.choice([path, path / ".work"]), mail.plain(number=chance.randrange(10**6)))
            last = state(client)
            client.ok("LOGOUT")
            client.owner.wait(10)


def test_courier_reads_what_we_append_while_it_watches(place):
    path = maildir.make(place / "Maildir")
    theirs, ours = courier(place, path), logged_in(place, path)
    theirs.select()
    ours.select()
    for number in range(10):
        (ours if number % 2 else theirs).append(mail.crlf(mail.plain(number=number)), "INBOX", r"(\Seen)")
        for client in (theirs, ours):
            client.ok("NOOP")
    assert theirs.fetch("(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])").keys() == ours.fetch("UID").keys()
    bodies = [client.fetch("BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]", uid=True) for client in (theirs, ours)]
    message_ids = [{uid: re.search(rb"<.*>", data)[0] for uid, data in body.items()} for body in bodies]
    assert message_ids[0] == message_ids[1]
