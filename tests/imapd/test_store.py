"""STORE, EXPUNGE and UID EXPUNGE."""

import os
import re

import pytest

from harness import mail, maildir
from harness.server import logged_in


@pytest.fixture
def path(place):
    path = maildir.make(place / "Maildir")
    for number in range(4):
        maildir.deliver(path, mail.plain(number=number), flags="", seconds=1000 + number)
    return path


@pytest.fixture
def client(place, path):
    client = logged_in(place, path)
    client.select()
    return client


def flags(answer):
    """Number to the set of flags of each FETCH line, \\Recent left out."""
    found = {}
    for line in answer.lines("FETCH"):
        inside = re.search(rb"FLAGS \(([^)]*)\)", line)[1]
        found[int(line.split()[0])] = set(inside.decode().split()) - {r"\Recent"}
    return found


def letters(path):
    return [maildir.Reader(path).flags()[base] for base in sorted(maildir.Reader(path).flags())]


def test_replace_add_remove(client, path):
    assert flags(client.ok(r"STORE 1:2 FLAGS (\Seen \Flagged)")) == {n: {r"\Seen", r"\Flagged"} for n in (1, 2)}
    assert flags(client.ok(r"STORE 1 +FLAGS \Answered")) == {1: {r"\Seen", r"\Flagged", r"\Answered"}}
    assert flags(client.ok(r"STORE 2 -FLAGS (\Seen)")) == {2: {r"\Flagged"}}
    assert flags(client.ok(r"STORE 2 FLAGS ()")) == {2: set()}
    assert letters(path) == ["FRS", "", "", ""]


def test_silent_says_nothing_and_does_it(client, path):
    assert not client.ok(r"STORE 1:* +FLAGS.SILENT (\Draft)").untagged
    assert letters(path) == ["D"] * 4


def test_uid_form_gives_uids(client):
    answer = client.ok(r"UID STORE 2,4,99 +FLAGS (\Seen)")
    assert [re.search(rb"UID (\d+)", line)[1] for line in answer.lines("FETCH")] == [b"2", b"4"]
    assert not client.ok(r"UID STORE 77:88 +FLAGS (\Seen)").untagged


@pytest.mark.parametrize("bad", [
    r"STORE 1 +FLAGS (\Recent)", r"STORE 1 +FLAGS (\Strange)", r"STORE 0 +FLAGS (\Seen)", r"STORE 5 +FLAGS (\Seen)",
    r"STORE 1:9 +FLAGS (\Seen)", r"STORE 4294967296 +FLAGS (\Seen)", "STORE 1 +FLAGS (a]b)", "STORE 1 FLAGS", "STORE 1",
])
def test_bad_ones_change_nothing(client, path, bad):
    assert client.command(bad).status == b"BAD"
    assert letters(path) == [""] * 4


def test_each_message_answers_once(client):
    answer = client.ok(r"STORE 3:1,2,*,4:* +FLAGS (\Seen)")
    assert sorted(int(line.split()[0]) for line in answer.lines("FETCH")) == [1, 2, 3, 4]


def test_empty_folder_ends(place):
    client = logged_in(place, maildir.make(place / "Empty"))
    client.select()
    for command in (r"UID STORE 1:* +FLAGS (\Seen)", r"STORE * +FLAGS (\Seen)", "UID EXPUNGE 1:*", "UID COPY 1:* INBOX", "EXPUNGE"):
        assert not client.ok(command).untagged
    assert client.command(r"STORE 1 +FLAGS (\Seen)").status == b"BAD"


def test_keywords_live_on(place, client, path):
    answer = client.ok(r"STORE 1 +FLAGS ($Work \Seen NIL)")
    assert answer.lines("FLAGS"), "new words are announced"
    assert flags(answer) == {1: {"$Work", r"\Seen", "NIL"}}
    client.ok("STORE 2 +FLAGS ($WORK)")
    many = [f"word{n}" for n in range(60)]
    client.ok(f"STORE 3 +FLAGS.SILENT ({' '.join(many)})")
    client.ok("STORE 3 -FLAGS.SILENT (WORD7)")
    other = logged_in(place, path)
    other.select()
    seen = flags(other.ok("FETCH 1:* FLAGS"))
    assert seen[1] == {"$Work", r"\Seen", "NIL"} and seen[2] == {"$Work"}
    assert seen[3] == set(many) - {"word7"} and seen[4] == set()
    assert {frozenset(words) for words in maildir.Reader(path).keywords().values()} == {
        frozenset({"$Work", "NIL"}), frozenset({"$Work"}), frozenset(seen[3])}


def test_keyword_limits(client, path):
    assert client.command(f"STORE 1 +FLAGS ({'k' * 101})").status == b"NO"
    assert client.ok(f"STORE 1 +FLAGS ({'k' * 100})")
    for start in range(0, 990, 90):
        client.ok(f"STORE 1 +FLAGS.SILENT ({' '.join(f'w{n}' for n in range(start, start + 90))})")
    answer = client.command(f"STORE 2 +FLAGS.SILENT ({' '.join(f'x{n}' for n in range(90))})")
    assert (answer.status, answer.code) == (b"NO", b"LIMIT")
    assert len(flags(client.ok("FETCH 1 FLAGS"))[1]) == 991


def test_letters_of_others_are_kept(place, path):
    base = maildir.deliver(path, mail.plain(), base="2000.letters", flags="Sabz")
    client = logged_in(place, path)
    client.select()
    client.ok(r"STORE 5 +FLAGS (\Flagged)")
    client.ok(r"STORE 5 -FLAGS (\Seen)")
    assert maildir.Reader(path).flags()[base] == "Fabz"


def test_a_message_renamed_by_another_program_is_found(client, path):
    for name in os.listdir(path / "cur"):
        os.rename(path / "cur" / name, path / "cur" / (name + "F"))
    answer = client.ok(r"STORE 1:* +FLAGS (\Seen)")
    assert flags(answer) == {n: {r"\Seen", r"\Flagged"} for n in range(1, 5)}
    assert letters(path) == ["FS"] * 4


def test_silent_still_tells_what_others_changed(client, path):
    name = sorted(os.listdir(path / "cur"))[0]
    os.rename(path / "cur" / name, path / "cur" / (name + "F"))
    answer = client.ok(r"STORE 1:2 +FLAGS.SILENT (\Seen)")
    assert flags(answer) == {1: {r"\Seen", r"\Flagged"}}


def test_expunge(client, path):
    client.ok(r"STORE 1,3 +FLAGS.SILENT (\Deleted)")
    answer = client.ok("EXPUNGE")
    left = [1, 2, 3, 4]
    for line in answer.lines("EXPUNGE"):
        del left[int(line.split()[0]) - 1]
    assert left == [2, 4]
    assert len(os.listdir(path / "cur")) == 2
    assert sorted(client.fetch("FLAGS", uid=True)) == [2, 4]
    assert not client.ok("EXPUNGE").untagged


def test_uid_expunge_takes_only_its_set(client, path):
    client.ok(r"STORE 1:3 +FLAGS.SILENT (\Deleted)")
    answer = client.ok("UID EXPUNGE 2:77")
    assert len(answer.lines("EXPUNGE")) == 2
    assert sorted(client.fetch("FLAGS", uid=True)) == [1, 4]


def test_uids_are_never_given_again(place, client, path):
    client.ok(r"STORE 4 +FLAGS.SILENT (\Deleted)")
    client.ok("EXPUNGE")
    client.ok("LOGOUT")
    maildir.deliver(path, mail.plain())
    again = logged_in(place, path)
    again.select()
    assert sorted(again.fetch("FLAGS", uid=True)) == [1, 2, 3, 5]


def test_expunge_to_the_trash(place, path):
    client = logged_in(place, path, environment={"IMAP_MOVE_EXPUNGE_TO_TRASH": "1", "IMAP_TRASHFOLDERNAME": "Trash"})
    client.select()
    client.ok(r"STORE 2 +FLAGS (\Deleted \Seen)")
    assert len(client.ok("EXPUNGE").lines("EXPUNGE")) == 1
    assert list(maildir.Reader(path / ".Trash").flags().values()) == ["S"]
    client.select("INBOX.Trash")
    client.ok(r"STORE 1 +FLAGS (\Deleted)")
    client.ok("EXPUNGE")
    assert not os.listdir(path / ".Trash" / "cur")
