"""One Maildir served in turn by Debian's Courier and by us: UIDs, flags, keywords, folders and subscriptions agree."""

import os
import random
import re

import pytest

from harness import maildir
from harness.maildir import Reader, deliver
from harness.place import IS_ROOT, UID, seed
from harness.server import courier, logged_in

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="Courier's imapd wants to be started as another uid")

# A session of Courier's takes seconds where its uid has no passwd entry; LONG=1 tries everything.
LONG = bool(os.environ.get("LONG"))

WORDS = ["$Forwarded", "Work", "NonJunk", "$Label1", "later"]


@pytest.fixture
def box(place):
    """A Maildir of an unprivileged uid."""
    return maildir.make(place.folder("home", UID) / "Maildir", UID)


@pytest.fixture
def ours(place, box):
    return lambda: logged_in(place, box, UID)


@pytest.fixture
def theirs(place, box):
    return lambda: courier(place, box, UID)


def state(client, mailbox="INBOX"):
    """UIDVALIDITY, and for each UID its message's subject, flags and keywords."""
    answer = client.ok(f'SELECT "{mailbox}"')
    validity = next(re.search(rb"UIDVALIDITY (\d+)", line)[1] for line in answer.untagged if b"UIDVALIDITY" in line)
    found = {}
    if answer.number("EXISTS"):
        for uid, data in client.fetch("(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])", uid=True).items():
            flags = re.search(rb"FLAGS \(([^)]*)\)", data)[1].decode().split()
            subject = re.search(rb"Subject: (\S+)", data)[1].decode()
            found[uid] = (subject, frozenset(flag for flag in flags if flag != r"\Recent"))
    return int(validity), found


def once(connect, work=state):
    client = connect()
    result = work(client)
    client.ok("LOGOUT")
    return result


def message(n):
    return b"From: a@example.org\nSubject: m%d\n\nbody %d\n" % (n, n)


def put(box, n, **options):
    return deliver(box, message(n), base=f"{1700000000 + n}.M{n}P1.host", uid=UID, **options)


def test_uids_stay_with_their_messages(box, ours, theirs):
    for n in range(5):
        put(box, n)
    first = once(ours)
    assert sorted(first[1]) == [1, 2, 3, 4, 5]
    assert once(theirs) == first
    put(box, 7)
    second = once(theirs)
    assert second[0] == first[0] and second[1][6][0] == "m7"
    assert once(ours) == second
    put(box, 6)
    third = once(ours)
    assert third[1][7][0] == "m6"
    assert once(theirs) == third


def test_courier_reads_a_padded_next_uid_and_appended_lines(box, ours, theirs):
    put(box, 0)
    once(ours)
    table = box / "courierimapuiddb"
    inode = table.stat().st_ino
    put(box, 1)
    shown = once(ours)
    assert table.stat().st_ino == inode, "appended in place"
    assert re.match(rb"1 \d+ 0000000003\n", table.read_bytes())
    assert once(theirs) == shown
    assert Reader(box).uid_table()[1] == 3


def test_a_table_cut_at_every_byte(box, ours, theirs):
    for n in range(3):
        put(box, n, flags="S")
    whole = once(ours)
    table = box / "courierimapuiddb"
    text = table.read_bytes()
    ends = range(len(text) + 1) if LONG else [0, 1, 13, text.index(b"\n"), text.index(b"\n") + 1, len(text) - 30, len(text) - 1]
    for end in ends:
        table.write_bytes(text[:end])
        maildir.own(table, UID)
        repaired = once(ours)
        if repaired[0] == whole[0]:
            assert all(uid > 3 or whole[1][uid] == seen for uid, seen in repaired[1].items()), f"cut at {end}"
        else:
            assert repaired[0] > whole[0], f"cut at {end}"
        assert once(theirs) == repaired, f"cut at {end}"


def test_a_crash_between_next_uid_and_the_lines(box, ours, theirs):
    for n in range(2):
        put(box, n, flags="S")
    before = once(ours)
    table = box / "courierimapuiddb"
    # NEXTUID was raised for two more messages, and then the power went.
    raised = re.sub(rb"0000000003\n", b"0000000005\n", table.read_bytes(), count=1)
    for tail in (b"", b"3 1700", b"3 1700000002.M2P1.host\n4 17000"):
        table.write_bytes(raised + tail)
        maildir.own(table, UID)
        for n in (2, 3):
            if not any(f.startswith(f"{1700000000 + n}.") for f in Reader(box).files("cur")):
                put(box, n, flags="S")
        for first, second in ((theirs, ours), (ours, theirs)):
            table.write_bytes(raised + tail)
            maildir.own(table, UID)
            shown = once(first)
            assert once(second) == shown
            assert shown[0] == before[0] and {uid: shown[1][uid] for uid in (1, 2)} == before[1]
            assert len(shown[1]) == 4 and all(uid >= 3 for uid in set(shown[1]) - {1, 2})


def test_keywords_both_ways(box, ours, theirs):
    for n in range(3):
        put(box, n)
    for writer, reader in ((ours, theirs), (theirs, ours)):
        def write(client):
            client.select()
            client.ok(r"STORE 1 +FLAGS (Work $Forwarded)")
            client.ok(r"STORE 2 FLAGS (\Seen later)")
            client.ok(r"STORE 1 -FLAGS (work)")
            return state(client)

        written = once(writer, write)
        assert written[1][1][1] >= {"$Forwarded"} and "Work" not in written[1][1][1]
        assert once(reader) == written
        assert once(writer) == written
        once(reader, lambda client: (client.select(), client.ok("STORE 1:2 FLAGS ()")))
        assert all(not flags for _, flags in once(writer)[1].values())


def test_subscriptions_both_ways(box, ours, theirs):
    def subscribed(client):
        lines = client.ok('LSUB "" "*"').untagged
        # Courier tells the levels above too.
        return sorted({line.rsplit(b" ", 1)[1].strip(b'"') for line in lines} - {b"INBOX", b"INBOX.a"})

    name = b"INBOX.Entw&APw-rfe"
    for writer, reader in ((ours, theirs), (theirs, ours)):
        once(writer, lambda client: (client.ok(b'SUBSCRIBE "' + name + b'"'), client.ok('SUBSCRIBE "INBOX.a.b"')))
        assert (box / "courierimapsubscribed").read_text() == "INBOX.Entwürfe\nINBOX.a.b\n"
        assert once(reader, subscribed) == [name, b"INBOX.a.b"]
        once(reader, lambda client: (client.ok(b'UNSUBSCRIBE "' + name + b'"'), client.ok('UNSUBSCRIBE "INBOX.a.b"')))
        assert once(writer, subscribed) == []


@pytest.mark.parametrize("name", ["Entw&APw-rfe", "A&-B", "&U,BTFw-", "a b", "x'(y)"])
def test_folder_names(box, ours, theirs, name):
    for maker, reader in ((ours, theirs), (theirs, ours)):
        once(maker, lambda client: client.ok(f'CREATE "INBOX.{name}"'))
        listed = once(reader, lambda client: client.ok('LIST "" "INBOX.%"').untagged)
        assert any(line.endswith(f'"INBOX.{name}"'.encode()) for line in listed), listed
        once(reader, lambda client: (client.append(message(1), f"INBOX.{name}"), client.ok(f'DELETE "INBOX.{name}"')))


def test_a_name_that_courier_cannot_show(box, ours, theirs):
    # Beyond the first 65,536 characters Debian's 5.0.13 refuses CREATE. With such a folder there it lists nothing.
    refused = once(theirs, lambda client: client.command('CREATE "INBOX.&2D3eAA-"'))
    assert not refused.ok
    listed = once(ours, lambda client: (client.ok('CREATE "INBOX.&2D3eAA-"'), client.ok('LIST "" "INBOX.%"').untagged))[1]
    assert any(b"&2D3eAA-" in line for line in listed)
    assert (box / ".😀").is_dir()


def test_rounds_of_changes(box, ours, theirs):
    chance = random.Random(seed())
    count = 0
    for round_ in range(20 if LONG else 2):
        for connect in chance.sample([ours, theirs], 2):
            for _ in range(chance.randrange(3)):
                put(box, count)
                count += 1
            before = once(connect)
            assert {uid: seen for uid, seen in before[1].items()}.keys() == before[1].keys()

            def change(client):
                exists = client.select().number("EXISTS")
                for _ in range(chance.randrange(4)):
                    if not exists:
                        break
                    number, sign = chance.randint(1, exists), chance.choice(["", "+", "-"])
                    flags = chance.sample([r"\Seen", r"\Flagged", r"\Answered", r"\Draft", *WORDS], chance.randrange(1, 4))
                    client.ok(f"STORE {number} {sign}FLAGS ({' '.join(flags)})")
                if exists and chance.random() < 0.3:
                    client.ok(rf"STORE {chance.randint(1, exists)} +FLAGS (\Deleted)")
                    client.ok("EXPUNGE")
                if chance.random() < 0.4:
                    nonlocal count
                    client.append(message(count), extra=f"(\\Seen {chance.choice(WORDS)})")
                    count += 1
                return state(client)

            after = once(connect, change)
            assert after[0] == before[0]
            for uid in before[1].keys() & after[1].keys():
                assert before[1][uid][0] == after[1][uid][0], f"round {round_}: UID {uid} is another message"
            assert once(theirs) == after, f"round {round_}"
            assert once(ours) == after, f"round {round_}"
