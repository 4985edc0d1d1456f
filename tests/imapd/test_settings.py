"""Settings whose effect is in the Maildir or in the log."""

import os
import re
import signal
import subprocess

import pytest

from harness import mail, maildir
from harness.place import IS_ROOT, UID, debian, wait_for
from harness.server import logged_in

OWNER = UID if IS_ROOT else None


@pytest.fixture
def path(place):
    return maildir.make(place / "Maildir", OWNER)


def test_hostname_is_in_the_names_of_new_messages(place, path):
    logged_in(place, path, environment={"HOSTNAME": "mail/1:x.example.org"}).append(mail.crlf(mail.plain()))
    name, = os.listdir(path / "cur")
    assert re.match(r"\d+\.M[^.]*\.mail\\0571\\072x\.example\.org(,S=\d+)?:2,$", name), name


def test_deletions_are_logged_where_the_administrator_wants_it(place, path):
    for environment, lines in (({}, 0), ({"IMAP_LOG_DELETIONS": "1"}, 2), ({"IMAP_LOG_DELETIONS": "0"}, 0)):
        bases = [maildir.deliver(path, mail.plain(number=number), flags="T", uid=OWNER) for number in range(2)]
        client = logged_in(place, path, environment=environment)
        client.select()
        client.ok("EXPUNGE")
        client.ok("LOGOUT")
        client.owner.wait(10)
        found = re.findall(r"INFO: EXPUNGED, user=john, ip=\[127\.0\.0\.1\], port=\[4711\], old_name=(.*)\n", (place / "log-preauth").read_text())
        assert len(found) == lines
        if lines:
            assert sorted(found) == sorted(f"{base}:2,T" for base in bases)
            (place / "log-preauth").write_text("")


@pytest.mark.parametrize("durable, append, store", [("all", True, True), ("", True, True), ("append", True, False), ("none", False, False)])
def test_durable(place, path, durable, append, store):
    """Before the OK: messages and flags are on the disk, or messages alone, or only what keeps UIDs unique."""
    client = logged_in(place, path, environment={"DURABLE": durable})
    client.append(mail.crlf(mail.plain()))
    client.select()
    trace = place / "trace"
    tracer = place.popen([debian("strace"), "-y", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", trace, "-p", client.owner.pid], stderr=subprocess.PIPE)
    assert b"attached" in tracer.stderr.readline()
    client.append(mail.crlf(mail.plain(number=1)))
    appended = trace.read_text()
    client.ok("STORE 1 +FLAGS (\\Flagged)")
    stored = trace.read_text()[len(appended):]
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    assert "courierimapuiddb" in appended, "UIDs are always made to last"
    message = re.search(r"Maildir/(tmp|cur|new)", appended)
    assert bool(message) == append, appended
    assert ("sync(" in stored) == store, stored


def test_what_is_expunged_can_be_kept_in_the_trash(place, path):
    maildir.deliver(path, mail.plain(), flags="T", uid=OWNER)
    client = logged_in(place, path, environment={"IMAP_MOVE_EXPUNGE_TO_TRASH": "1", "IMAP_TRASHFOLDERNAME": "Bin"})
    client.command("CREATE INBOX.Bin")
    client.select()
    client.ok("EXPUNGE")
    assert not os.listdir(path / "cur") and len(os.listdir(path / ".Bin" / "cur")) == 1


def test_the_trash_is_emptied_by_age(place, path):
    trash = maildir.folder(path, "Trash", OWNER)
    maildir.deliver(trash, mail.plain(), flags="S", uid=OWNER)
    # By ctime, which no test can set back: a message of today stays, whatever its name and mtime say.
    old = maildir.deliver(trash, mail.plain(), flags="S", seconds=1_000_000_000, uid=OWNER)
    client = logged_in(place, path, environment={"IMAP_EMPTYTRASH": "Trash:1"})
    client.ok("LOGOUT")
    assert wait_for(lambda: client.owner.poll() is not None)
    assert any(name.startswith(old) for name in os.listdir(trash / "cur"))
