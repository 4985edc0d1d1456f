"""The checker itself: it accepts what is whole and names what is not."""

import pathlib
import re
import sys

import pytest

from harness import maildir
from harness.maildir import Reader
from harness.place import UID

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from checker import Illegal, Model  # noqa: E402
from faultsweep import Session, parse  # noqa: E402
from paths import mail  # noqa: E402


@pytest.fixture
def account(place):
    """A Maildir of three messages, the second with a keyword, and its model."""
    path = maildir.make(place.folder("home", UID) / "Maildir")
    for number, flags in enumerate(["S", "F", ""]):
        maildir.deliver(path, mail(f"m{number}"), flags=flags, base=f"{1000 + number}.m")
    with Session(place, path, UID) as client:
        client.select()
        client.ok("UID STORE 2 +FLAGS (Old)")
        client.ok("SUBSCRIBE INBOX")
    return path, Model.of(path, ["INBOX"], ["INBOX"])


def table(path, pattern, replacement):
    file = path / "courierimapuiddb"
    text, count = re.subn(pattern, replacement, file.read_bytes(), count=1, flags=re.M)
    assert count
    file.write_bytes(text)


def unlink(path, number):
    (path / "cur" / Reader(path).files("cur")[f"{1000 + number}.m"]).unlink()


DAMAGE = {
    "lost Subject: m1": lambda path: unlink(path, 1),
    "UID 1 and has 9|had UID 1": lambda path: (table(path, rb"^1 (\d+) \d+$", rb"1 \1 0000000010"), table(path, rb"^1 1000", b"9 1000")),
    "UIDVALIDITY": lambda path: table(path, rb"^1 \d+", b"1 77"),
    "lost flags": lambda path: (path / "cur/1000.m:2,S").rename(path / "cur/1000.m:2,"),
    "strange flags": lambda path: (path / "cur/1002.m:2,").rename(path / "cur/1002.m:2,R"),
    "lost keywords": lambda path: [file.unlink() for file in (path / "courierimapkeywords").iterdir()],
    "nobody sent": lambda path: maildir.deliver(path, mail("stranger"), flags=""),
    "one message twice": lambda path: maildir.deliver(path, mail("m0"), flags="S"),
    "at or above NEXTUID": lambda path: table(path, rb"^(1 \d+) \d+$", rb"\1 0000000003"),
}


@pytest.mark.parametrize("words", DAMAGE)
def test_damage_on_disk_is_named(account, words):
    path, model = account
    model.judge_disk(path)
    DAMAGE[words](path)
    with pytest.raises(Illegal, match=words):
        model.judge_disk(path)


def test_a_session_is_judged(place, account):
    path, model = account
    with Session(place, path, UID) as client:
        model.judge_session(path, client)
    with Session(place, path, UID) as client, pytest.raises(Illegal, match="after the fault|nobody sent"):
        model.judge_session(path, client)
    model.folders["INBOX"].messages.pop()
    model.subscribed = set()
    with Session(place, path, UID) as client, pytest.raises(Illegal):
        model.judge_session(path, client)


def test_literals_are_not_lines():
    untagged, answers = parse(b"* 1 FETCH (BODY[] {9}\r\na OK b\r\n.)\r\na OK done\r\n")
    assert untagged == [b"1 FETCH (BODY[] {9}\r\na OK b\r\n.)"]
    assert answers[b"a"].ok and answers[b"a"].text == b"done"
    with pytest.raises(Illegal, match="half a response"):
        parse(b"a OK")
