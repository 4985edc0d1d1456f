"""COPY and APPEND: what is stored, what is answered, what is left behind where it fails."""

import os
import re

import pytest

from harness import mail, maildir
from harness.server import logged_in


@pytest.fixture
def path(place):
    path = maildir.make(place / "Maildir")
    maildir.folder(path, "target")
    return path


@pytest.fixture
def client(place, path):
    client = logged_in(place, path)
    client.select()
    return client


def left_in_tmp(path):
    return [name for name in os.listdir(path / "tmp")]


def test_append_answers_and_stores(client, path):
    message = mail.crlf(mail.plain(body="one\ntwo\n"))
    answer = client.append(message, "INBOX.target", r'(\Seen \Flagged work) "17-Jul-1996 02:44:25 -0700"')
    validity, uid = re.fullmatch(rb"APPENDUID (\d+) (\d+)", answer.code).groups()
    assert uid == b"1" and not answer.lines("EXISTS")
    reader = maildir.Reader(path / ".target")
    assert reader.uid_table()[0] == int(validity)
    base = reader.uids()[1]
    assert reader.flags()[base] == "FS" and reader.keywords()[base] == {"work"}
    client.select("INBOX.target")
    data = client.fetch("(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
    assert b'"17-Jul-1996 09:44:25 +0000"' in data or b"17-Jul-1996" in data
    assert b"RFC822.SIZE %d" % len(message) in data and message in data
    assert not left_in_tmp(path / ".target")


def test_append_to_the_selected_mailbox_shows_it_first(client):
    answer = client.append(mail.crlf(mail.plain()), "INBOX")
    assert answer.number("EXISTS") == 1
    assert client.fetch("FLAGS", uid=True)[1]


@pytest.mark.parametrize("message", [
    b"Subject: x\r\n\r\nbody\r\n", b"Subject: x\r\n\r\nno end", b"\r\n", b"x", b"a\r\rb\r\r\n", b"bare\nlf\n", b"cr\r", b"\r\r\n\n\r",
    "Subject: ü\r\n\r\n8-bit ö\r\n".encode("latin-1"), b"x" * 5000 + b"\r\n", b"mixed\r\nlines\nand\r\r\nmore\r",
    b"\r\n" * 40000, b"head\r\n\r\n" + b"0123456789\r\n" * 60000,
])
def test_content_comes_back_identical(client, message):
    client.append(message, "INBOX")
    line = client.ok("FETCH 1 (RFC822.SIZE BODY.PEEK[])").lines("FETCH")[0]
    size = int(re.search(rb"RFC822.SIZE (\d+)", line)[1])
    got = re.search(rb"BODY\[\] (?:\{\d+\}\r\n(.*)|\"(.*)\")\)$", line, re.DOTALL)
    got = got[1] if got[1] is not None else got[2]
    assert size == len(got)
    # A bare LF cannot be told from a line end on disk; everything else is as it was sent.
    wanted = re.sub(rb"(?<!\r)\n", b"\r\n", message)
    assert got in (wanted, wanted + b"\r\n")


def test_append_errors_consume_the_literal(client, path):
    message = mail.crlf(mail.plain())
    answer = client.command("APPEND INBOX.nowhere {}", message)
    assert (answer.status, answer.code) == (b"NO", b"TRYCREATE")
    for bad in ('APPEND INBOX "32-Jul-1996 02:44:25 -0700" {}', r"APPEND INBOX (\Strange) {}"):
        client.line(b"b1 " + bad.replace("{}", "{%d+}" % len(message)).encode())
        client.send(message + b"\r\n")
        assert client.finish(b"b1").status == b"BAD"
    assert client.ok("NOOP")
    assert not left_in_tmp(path) and not os.listdir(path / "cur")


def test_append_of_nothing_is_refused(client):
    assert client.command("APPEND INBOX {}", b"").status in (b"NO", b"BAD")
    assert client.ok("NOOP")


def test_too_large_is_refused_before_it_is_asked_for(place, path):
    client = logged_in(place, path, environment={"IMAP_APPENDLIMIT": "1000"})
    client.send(b"a1 APPEND INBOX {1001}\r\n")
    line = client.response()
    assert line.startswith(b"a1 NO [TOOBIG]"), line
    client.send(b"a2 APPEND INBOX {1001+}\r\n" + b"x" * 1001 + b"\r\n")
    assert client.finish(b"a2").code == b"TOOBIG"
    assert client.append(b"x: y\r\n\r\n" + b"z" * 900, "INBOX").ok


def test_a_broken_off_append_leaves_nothing(place, client, path):
    client.send(b"a1 APPEND INBOX {5000}\r\n")
    assert client.response().startswith(b"+")
    client.send(b"x" * 2000)
    client.half_close()
    client.rest()
    client.owner.wait(10)
    assert not left_in_tmp(path) and not os.listdir(path / "cur") and not os.listdir(path / "new")


def test_append_is_recent_for_the_next(place, client, path):
    client.append(mail.crlf(mail.plain()), "INBOX.target")
    assert client.ok("STATUS INBOX.target (RECENT)").untagged[0].endswith(b"(RECENT 1)")
    assert client.select("INBOX.target").number("RECENT") == 1
    other = logged_in(place, path)
    assert other.select("INBOX.target").number("RECENT") == 0


def test_copy(client, path):
    for number in range(4):
        client.append(mail.crlf(mail.plain(number=number)), "INBOX", f'(\\Seen word{number}) "0{number + 1}-Feb-2001 00:00:00 +0000"')
    before = client.fetch("(FLAGS INTERNALDATE BODY.PEEK[])", uid=True)
    answer = client.ok("UID COPY 4,2:3,2 INBOX.target")
    validity, source, target = re.fullmatch(rb"COPYUID (\d+) (\S+) (\S+)", answer.code).groups()
    assert (source, target) == (b"2:4", b"1:3")
    client.select("INBOX.target")
    after = client.fetch("(FLAGS INTERNALDATE BODY.PEEK[])", uid=True)
    for uid in (2, 3, 4):
        plain = lambda data, n: data.replace(rb" \Recent", b"").replace(b"UID %d " % n, b"")
        assert plain(before[uid], uid) == plain(after[uid - 1], uid - 1)
    assert not left_in_tmp(path / ".target")


def test_copy_to_itself(client, path):
    client.append(mail.crlf(mail.plain()), "INBOX")
    answer = client.ok("COPY * INBOX")
    assert answer.number("EXISTS") == 2 and answer.code.endswith(b" 1 2")
    assert sorted(client.fetch("FLAGS", uid=True)) == [1, 2]
    assert len(set(maildir.Reader(path).flags())) == 2


def test_copy_of_nothing_and_to_nowhere(client):
    assert client.ok("UID COPY 1:* INBOX.target").code is None
    client.append(mail.crlf(mail.plain()), "INBOX")
    assert client.ok("UID COPY 7:9 INBOX.target").code is None
    assert client.command("COPY 1 INBOX.nowhere").code == b"TRYCREATE"
    assert client.command("COPY 1 wrong").status == b"NO"
    assert client.command("COPY 2 INBOX.target").status == b"BAD"


def test_copy_is_all_or_nothing(client, path):
    for number in range(3):
        client.append(mail.crlf(mail.plain(number=number)), "INBOX")
    gone = maildir.Reader(path).uids()[2]
    os.unlink(next(entry for entry in (path / "cur").iterdir() if entry.name.startswith(gone)))
    answer = client.command("COPY 1:3 INBOX.target")
    assert (answer.status, answer.code) == (b"NO", b"EXPUNGEISSUED")
    assert not os.listdir(path / ".target" / "cur") and not left_in_tmp(path / ".target")


def quota(path, line):
    (path / "maildirsize").write_text(line + "\n")
    maildir.own(path / "maildirsize")


def test_quota_is_kept(place, path):
    quota(path, "2000S")
    client = logged_in(place, path)
    client.select()
    client.append(mail.crlf(mail.plain(body="x" * 70 + "\n")), "INBOX")
    big = mail.crlf(mail.plain(body=("x" * 70 + "\n") * 50))
    answer = client.command("APPEND INBOX {}", big)
    assert (answer.status, answer.code) == (b"NO", b"OVERQUOTA")
    size = sum(entry.stat().st_size for entry in (path / "cur").iterdir())
    for _ in range(2000 // size - 1):
        client.ok("COPY 1 INBOX.target")
    answer = client.command("COPY 1 INBOX.target")
    assert (answer.status, answer.code) == (b"NO", b"OVERQUOTA")
    assert not left_in_tmp(path)
    client.ok(r"STORE 1:* +FLAGS.SILENT (\Deleted)")
    client.ok("EXPUNGE")
    assert client.ok("COPY 1:* INBOX.target") if client.ok("NOOP").lines("EXISTS") else True
    client.append(mail.crlf(mail.plain(body="x" * 70 + "\n")), "INBOX")
