"""SELECT, EXAMINE, CLOSE, UNSELECT and CHECK: what they say, and what they leave behind."""

import os
import re
import subprocess

import pytest

from harness import mail, maildir
from harness.place import as_user, debian
from harness.server import logged_in


def words(answer):
    """The untagged responses of SELECT by what they are about, in order."""
    names = []
    for line in answer.untagged:
        match = re.match(rb"OK \[(\w+)", line)
        names.append((match[1] if match else line.split()[1 if line.split()[0].isdigit() else 0]).decode())
    return names


@pytest.fixture
def path(place):
    return maildir.make(place / "Maildir")


def test_answer_order_and_codes(place, path):
    maildir.deliver(path, mail.plain(number=1), flags="S", seconds=1000)
    maildir.deliver(path, mail.plain(number=2), flags="", seconds=1001)
    maildir.deliver(path, mail.plain(number=3), seconds=1002)
    answer = logged_in(place, path).select()
    assert words(answer) == ["FLAGS", "PERMANENTFLAGS", "EXISTS", "RECENT", "UIDVALIDITY", "UIDNEXT", "UNSEEN"]
    assert answer.number("EXISTS") == 3 and answer.number("RECENT") == 3
    assert b"OK [UIDNEXT 4]" in b"\n".join(answer.untagged)
    assert b"OK [UNSEEN 2]" in b"\n".join(answer.untagged)
    five = {rb"\Draft", rb"\Answered", rb"\Flagged", rb"\Deleted", rb"\Seen"}
    assert set(answer.lines("FLAGS")[0][7:-1].split()) == five | {rb"\Recent"}
    permanent = re.search(rb"PERMANENTFLAGS \((.*)\)\]", b"\n".join(answer.untagged))[1]
    assert set(permanent.split()) == five | {rb"\*"}
    assert answer.code == b"READ-WRITE"


def test_empty_folder_has_no_unseen(place, path):
    answer = logged_in(place, path).select()
    assert "UNSEEN" not in words(answer)
    assert answer.number("EXISTS") == 0 and answer.number("RECENT") == 0
    assert b"OK [UIDNEXT 1]" in b"\n".join(answer.untagged)


def test_all_seen_has_no_unseen(place, path):
    maildir.deliver(path, mail.plain(), flags="S")
    assert "UNSEEN" not in words(logged_in(place, path).select())


def test_failed_select_leaves_no_mailbox(place, path):
    maildir.deliver(path, mail.plain(), flags="S")
    client = logged_in(place, path)
    client.select()
    answer = client.command("SELECT INBOX.nowhere")
    assert (answer.status, answer.code) == (b"NO", b"NONEXISTENT")
    assert client.command("FETCH 1 FLAGS").status in (b"BAD", b"NO")
    assert not client.command("CHECK").ok


def test_recent_goes_to_one_session_once(place, path):
    maildir.deliver(path, mail.plain())
    first, second = logged_in(place, path), logged_in(place, path)
    assert first.ok("EXAMINE INBOX").number("RECENT") == 1
    assert first.ok("STATUS INBOX (RECENT)").untagged[-1].endswith(b"(RECENT 1)")
    assert first.select().number("RECENT") == 1
    assert second.select().number("RECENT") == 0
    assert second.fetch("FLAGS")[1] == b"(FLAGS ())"
    assert first.fetch("FLAGS")[1] == rb"(FLAGS (\Recent))"
    assert first.select().number("RECENT") == 0


def test_examine_changes_nothing_a_client_sees(place, path):
    maildir.deliver(path, mail.plain())
    maildir.deliver(path, mail.plain(), flags="T")
    client = logged_in(place, path)
    answer = client.ok("EXAMINE INBOX")
    assert answer.code == b"READ-ONLY"
    assert b"OK [PERMANENTFLAGS ()]" in b"\n".join(answer.untagged)
    for refused in (r"STORE 1 +FLAGS (\Seen)", "EXPUNGE", "UID EXPUNGE 1:*"):
        assert client.command(refused).status == b"NO"
    client.ok("FETCH 1 BODY[]")
    client.ok("CLOSE")
    reader = maildir.Reader(path)
    assert sorted(reader.flags().values()) == ["", "T"]
    assert client.select().number("EXISTS") == 2


def test_uids_are_on_disk_when_shown(place, path):
    bases = [maildir.deliver(path, mail.plain(number=n), seconds=2000 + n) for n in range(5)]
    client = logged_in(place, path)
    client.select()
    assert sorted(client.fetch("FLAGS", uid=True)) == [1, 2, 3, 4, 5]
    reader = maildir.Reader(path)
    assert not reader.files("new")
    assert [reader.uids()[uid] for uid in range(1, 6)] == bases
    assert b"UIDNEXT 6" in client.ok("STATUS INBOX (UIDNEXT)").untagged[0]


def test_close_expunges_silently_and_unselect_does_not(place, path):
    maildir.deliver(path, mail.plain(), flags="T")
    client = logged_in(place, path)
    client.select()
    client.ok("UNSELECT")
    assert client.select().number("EXISTS") == 1
    assert not client.ok("CLOSE").untagged
    assert not maildir.Reader(path).files("cur")
    assert client.select().number("EXISTS") == 0


def test_check_tells_the_news(place, path):
    client = logged_in(place, path)
    client.select()
    maildir.deliver(path, mail.plain())
    answer = client.ok("CHECK")
    assert answer.number("EXISTS") == 1 and answer.number("RECENT") == 1


def test_keywords_are_in_flags(place, path):
    maildir.deliver(path, mail.plain(), flags="S")
    client = logged_in(place, path)
    client.select()
    client.ok("STORE 1 +FLAGS ($Label1 work)")
    answer = client.select()
    assert {b"$Label1", b"work"} < set(answer.lines("FLAGS")[0][7:-1].split())
    permanent = next(line for line in answer.untagged if b"PERMANENTFLAGS" in line)
    assert b"$Label1" in permanent and rb"\*" in permanent


def test_strange_things_in_cur_do_no_harm(place, path):
    """Links, fifos, directories and odd names: never followed, never waited for, never a crash."""
    secret = place / "secret"
    secret.write_text("Subject: secret\n\nsecret\n")
    os.symlink(secret, path / "cur" / "1000.link:2,S")
    os.mkfifo(path / "cur" / "1001.fifo:2,S")
    (path / "cur" / "1002.directory:2,S").mkdir()
    maildir.deliver(path, mail.plain(), flags="S", base="1003.plain")
    long = "1004." + "x" * 240
    maildir.deliver(path, mail.plain(), base=long, flags="")
    control = path / "cur" / "1005.new\nline:2,S"
    control.write_bytes(mail.plain())
    maildir.own(control)
    client = logged_in(place, path)
    count = client.select().number("EXISTS")
    assert count >= 2
    for number in range(1, count + 1):
        answer = client.command(f"FETCH {number} (UID FLAGS BODY.PEEK[])")
        assert b"secret" not in b"".join(answer.untagged)
    for number in range(1, count + 1):
        client.command(f"STORE {number} +FLAGS (\\Flagged)")
    assert client.ok("NOOP") and client.ok("EXPUNGE")
    lines = (path / "courierimapuiddb").read_bytes().split(b"\n")
    assert all(re.match(rb"\d+ \S", line) for line in lines if line)


def test_a_folder_that_vanishes_ends_the_session_or_says_no(place, path):
    other = maildir.folder(path, "gone")
    maildir.deliver(other, mail.plain(), flags="S")
    client, second = logged_in(place, path), logged_in(place, path)
    client.select("INBOX.gone")
    assert second.ok("DELETE INBOX.gone")
    client.line("x1 NOOP")
    line = client.response()
    assert line.startswith((b"* BYE", b"x1 NO", b"x1 OK", b"* 1 EXPUNGE")), line


def limit_files(client, count):
    """The number of descriptors that the server may have, set by its own user: root may lack the right."""
    subprocess.run([debian("prlimit"), f"--nofile={count}:", "--pid", str(client.owner.pid)], check=True, **as_user())


@pytest.mark.parametrize("spare", range(0, 14))
def test_no_descriptors_no_answer_and_no_harm(place, path, spare):
    """A look that fails tells nothing, changes nothing on disk, and keeps what the client knows."""
    bases = [maildir.deliver(path, mail.plain(number=n), flags="", seconds=1000 + n) for n in range(5)]
    client = logged_in(place, path)
    client.select()
    maildir.deliver(path, mail.plain(number=9), seconds=2000)
    used = max(int(entry) for entry in os.listdir(f"/proc/{client.owner.pid}/fd")) + 1
    limit_files(client, used + spare)
    answer = client.command("NOOP")
    assert not answer.lines("EXPUNGE")
    if not answer.ok:
        assert answer.code in (b"UNAVAILABLE", b"SERVERBUG") and not answer.lines("EXISTS")
    assert len(client.fetch("FLAGS")) >= 5
    answer = client.command("EXAMINE INBOX")
    if answer.ok:
        assert answer.number("EXISTS") >= 5
    else:
        assert answer.code in (b"UNAVAILABLE", b"SERVERBUG"), answer
    limit_files(client, 200)
    assert client.select().number("EXISTS") == 6
    assert sorted(client.fetch("FLAGS", uid=True)) == [1, 2, 3, 4, 5, 6]
    assert [maildir.Reader(path).uids()[uid] for uid in range(1, 6)] == bases
    assert maildir.Reader(path).uid_table()[1] == 7


@pytest.mark.parametrize("known", [True, False], ids=["known before", "never opened"])
def test_a_maildir_that_cannot_be_written_is_read_only(place, path, known):
    bases = [maildir.deliver(path, mail.plain(number=n), flags="", seconds=1000 + n) for n in range(3)]
    if known:
        logged_in(place, path).select()
    directories = [path, path / "cur", path / "new", path / "tmp"]
    for directory in directories:
        directory.chmod(0o500)
    try:
        client = logged_in(place, path)
        answer = client.select()
        assert answer.code == b"READ-ONLY" or known, answer
        assert answer.number("EXISTS") == 3
        assert len(client.fetch("(FLAGS BODY.PEEK[])")) == 3
        for refused in (r"STORE 1 +FLAGS (\Seen)", "COPY 1 INBOX"):
            assert client.command(refused).code == b"NOPERM"
        assert client.command("APPEND INBOX {}", mail.crlf(mail.plain())).code == b"NOPERM"
        assert client.ok("NOOP")
    finally:
        for directory in directories:
            directory.chmod(0o700)
    assert sorted(maildir.Reader(path).flags()) == sorted(bases)


def test_a_damaged_table_costs_a_higher_uidvalidity_and_one_log_line(place, path):
    bases = {maildir.deliver(path, mail.plain(number=number), flags="S") for number in range(3)}
    with logged_in(place, path) as client:
        client.select()
        client.ok("LOGOUT")
    before = maildir.Reader(path).uid_table()[0]
    table = path / "courierimapuiddb"
    table.write_bytes(b"\xff" + table.read_bytes()[1:])
    with logged_in(place, path) as client:
        assert client.select().number("EXISTS") == 3
        client.ok("LOGOUT")
    after, _, uids = maildir.Reader(path).uid_table()
    assert after > before and set(uids) == bases
    assert len(list(path.glob("daisychain-damaged.*"))) == 1
    log = (place / "log-preauth").read_text().splitlines()
    lines = [line for line in log if "courierimapuiddb" in line]
    assert len(lines) == 1 and lines[0].startswith("imapd: warning: ") and "all messages have new UIDs" in lines[0], log
