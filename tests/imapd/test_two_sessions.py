"""Two sessions on one folder, and other programs beside them."""

import os
import random
import re
import subprocess
import time

import pytest

from harness import mail, maildir
from harness.server import logged_in


@pytest.fixture
def path(place):
    path = maildir.make(place / "Maildir")
    for number in range(6):
        maildir.deliver(path, mail.plain(number=number), flags="", seconds=1000 + number)
    return path


@pytest.fixture
def two(place, path):
    sessions = [logged_in(place, path), logged_in(place, path)]
    for session in sessions:
        session.select()
    return sessions


def test_expunge_is_told_at_noop_only(two):
    first, second = two
    first.ok(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    first.ok("EXPUNGE")
    assert not second.ok("FETCH 1:* FLAGS").lines("EXPUNGE")
    assert not second.ok(r"STORE 1 +FLAGS (\Seen)").lines("EXPUNGE")
    assert not second.ok("SEARCH ALL").lines("EXPUNGE")
    answer = second.ok("NOOP")
    assert answer.lines("EXPUNGE") == [b"2 EXPUNGE"] and answer.number("EXISTS") == 5
    assert sorted(second.fetch("FLAGS", uid=True)) == [1, 3, 4, 5, 6]


def test_flags_of_the_other_are_told_once(two):
    first, second = two
    first.ok(r"STORE 3 +FLAGS (\Flagged word)")
    answer = second.ok("NOOP")
    assert [line for line in answer.lines("FETCH")] and b"\\Flagged" in answer.lines("FETCH")[0] and b"word" in answer.lines("FETCH")[0]
    assert not second.ok("NOOP").lines("FETCH")
    assert not first.ok("NOOP").lines("FETCH")


def test_new_mail_is_told_before_its_data(two, path):
    maildir.deliver(path, mail.plain(number=77))
    answers = [session.ok("NOOP") for session in two]
    assert [answer.number("EXISTS") for answer in answers] == [7, 7]
    assert sum(answer.number("RECENT") == 1 or answer.number("RECENT") == 7 for answer in answers) == 1


def test_no_flag_is_lost_between_two(two, path):
    """Each sets a flag and a keyword of its own on every message, by turns and without looking at the other."""
    first, second = two
    for number in range(1, 7):
        first.line(f"a{number} STORE {number} +FLAGS.SILENT (\\Seen one)")
        second.line(f"a{number} STORE {number} +FLAGS.SILENT (\\Flagged two)")
    for number in range(1, 7):
        assert first.finish(b"a%d" % number).ok and second.finish(b"a%d" % number).ok
    reader = maildir.Reader(path)
    assert set(reader.flags().values()) == {"FS"}
    assert all(words == {"one", "two"} for words in reader.keywords().values()) and len(reader.keywords()) == 6


def test_a_message_expunged_elsewhere(two):
    first, second = two
    first.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    first.ok("EXPUNGE")
    assert b"UID 1 " in second.ok("FETCH 1 (UID FLAGS)").lines("FETCH")[0]
    answer = second.command("FETCH 1 BODY[]")
    assert answer.ok or answer.code == b"EXPUNGEISSUED"
    answer = second.command(r"STORE 1 +FLAGS (\Seen)")
    assert answer.ok or answer.code == b"EXPUNGEISSUED"
    assert second.command("COPY 1 INBOX").code == b"EXPUNGEISSUED"
    assert second.ok("NOOP").lines("EXPUNGE") == [b"1 EXPUNGE"]


def test_two_expunge_the_same(two):
    first, second = two
    first.ok(r"STORE 1:3 +FLAGS.SILENT (\Deleted)")
    second.ok("NOOP")
    first.line("x EXPUNGE")
    second.line("x EXPUNGE")
    for session in two:
        assert session.finish(b"x").ok
        session.ok("NOOP")
        assert sorted(session.fetch("FLAGS", uid=True)) == [4, 5, 6]


class Mirror:
    """A client's own idea of the folder, kept by what the server says and checked for legality: a list of UIDs by
    number, None where it was not told yet."""

    def __init__(self, client):
        self.client, self.uids, self.gone = client, [], set()
        self.take(client.select(), expunges=False)
        self.learn()

    def learn(self):
        self.take(self.client.ok("UID FETCH 1:* (FLAGS)"), expunges=True)

    def take(self, answer, expunges):
        for line in answer.untagged:
            words = line.split()
            if words[1:2] == [b"EXPUNGE"]:
                assert expunges and 1 <= int(words[0]) <= len(self.uids), self.client.transcript(f"illegal {line}")
                self.gone.add(self.uids.pop(int(words[0]) - 1))
            elif words[1:2] == [b"EXISTS"]:
                assert int(words[0]) >= len(self.uids), self.client.transcript(f"illegal {line}")
                self.uids += [None] * (int(words[0]) - len(self.uids))
            elif words[1:2] == [b"FETCH"]:
                number, uid = int(words[0]), re.search(rb"UID (\d+)", line)
                assert 1 <= number <= len(self.uids), self.client.transcript(f"illegal {line}")
                if uid:
                    assert self.uids[number - 1] in (None, int(uid[1])), self.client.transcript(f"another UID {line}")
                    assert int(uid[1]) not in self.gone, self.client.transcript(f"a UID came back: {line}")
                    self.uids[number - 1] = int(uid[1])
        known = [uid for uid in self.uids if uid]
        assert known == sorted(set(known)), self.client.transcript("UIDs do not rise")

    @property
    def count(self):
        return len(self.uids)

    def act(self, chance):
        number = chance.randint(1, self.count) if self.count else 1
        flag = chance.choice([r"\Seen", r"\Deleted", r"\Flagged", "word", "other"])
        command = chance.choice([f"STORE {number} {chance.choice('+-')}FLAGS ({flag})", "EXPUNGE", "NOOP", "APPEND", f"COPY {number} INBOX",
                                 f"FETCH {number} (UID FLAGS)", "CHECK"])
        if command == "APPEND":
            answer = self.client.command("APPEND INBOX {}", mail.crlf(mail.plain()))
        else:
            answer = self.client.command(command)
        self.take(answer, expunges=command.split()[0] not in ("STORE", "FETCH"))


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_are_legal(place, path, seed):
    chance = random.Random(seed)
    mirrors = [Mirror(logged_in(place, path)) for _ in range(2)]
    for _ in range(150):
        chance.choice(mirrors).act(chance)
        if chance.random() < 0.1:
            maildir.deliver(path, mail.plain(number=chance.randrange(10**6)))
        if chance.random() < 0.1:
            names = os.listdir(path / "cur")
            if names:
                name = chance.choice(names)
                os.rename(path / "cur" / name, path / "cur" / (name.split(":")[0] + chance.choice([":2,", ":2,S", ":2,F"])))
        if chance.random() < 0.1:
            chance.choice(mirrors).learn()
    for mirror in mirrors:
        mirror.take(mirror.client.ok("NOOP"), expunges=True)
        mirror.learn()
    assert mirrors[0].uids == mirrors[1].uids
    assert sorted(maildir.Reader(path).uids()) == mirrors[0].uids
    views = [{uid: set(re.search(rb"FLAGS \((.*)\)\)", data)[1].split()) - {rb"\Recent"}
              for uid, data in mirror.client.fetch("FLAGS", uid=True).items()} for mirror in mirrors]
    assert views[0] == views[1]


@pytest.mark.parametrize("count", [200, 2000])
def test_a_renamer_causes_no_false_expunge(place, count):
    """A program toggles flags by rename at full speed; nothing is ever deleted, so nothing may ever be told gone."""
    path = maildir.make(place / "Busy")
    for number in range(count):
        maildir.deliver(path, mail.plain(number=number), flags="", base=f"{1000 + number}.busy")
    client = logged_in(place, path)
    client.select()
    renamer = place.popen(["/usr/bin/python3", "-c", RENAMER, path / "cur"], stdin=subprocess.PIPE)
    deadline = time.monotonic() + 3
    looks, worst = 0, 0
    while time.monotonic() < deadline:
        start = time.monotonic()
        answer = client.ok("NOOP")
        worst = max(worst, time.monotonic() - start)
        assert not answer.lines("EXPUNGE") and not answer.lines("EXISTS"), client.transcript("a false EXPUNGE or EXISTS")
        looks += 1
        if looks % 5 == 0:
            client.ok(f"STORE {1 + looks % count} +FLAGS.SILENT (\\Flagged)")
    renamer.stdin.close()
    renamer.wait(10)
    assert worst < 2 and looks > 3
    assert not client.ok("NOOP").lines("EXPUNGE")
    assert sorted(client.fetch("UID", uid=True)) == list(range(1, count + 1))
    validity, following, uids = maildir.Reader(path).uid_table()
    assert following == count + 1 and len(uids) == count
    other = logged_in(place, path)
    assert other.select().number("EXISTS") == count
    assert b"\\Flagged" in other.fetch("FLAGS")[6]


RENAMER = """
import os, select, sys
cur = sys.argv[1]
names = os.listdir(cur)
while not select.select([0], [], [], 0)[0]:
    for at, name in enumerate(names):
        base, _, letters = name.partition(":2,")
        letters = letters.replace("S", "") if "S" in letters else "".join(sorted(letters + "S"))
        try:
            os.rename(f"{cur}/{name}", f"{cur}/{base}:2,{letters}")
            names[at] = f"{base}:2,{letters}"
        except FileNotFoundError:
            names[at] = next((n for n in os.listdir(cur) if n.startswith(base + ":")), name)
"""
