"""A disk without a free byte: old mail is served, nothing is half stored, and mail can be removed to make room."""

import subprocess

import pytest

from harness import maildir
from harness.maildir import Reader, deliver
from harness.place import IS_ROOT, UID
from harness.server import logged_in

MESSAGE = b"Subject: a\r\n\r\n" + b"x" * 5000 + b"\r\n"


@pytest.fixture
def box(place):
    """A Maildir on a file system of one megabyte."""
    disk = place.folder("disk")
    mounted = IS_ROOT and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("cannot mount")
    try:
        disk.chmod(0o777)
        box = maildir.make(disk / "Maildir", UID)
        maildir.folder(box, "Old", UID)
        for n in range(4):
            deliver(box, MESSAGE, flags="S", base=f"{1000 + n}.m", uid=UID)
            deliver(box / ".Old", MESSAGE, flags="S", base=f"{2000 + n}.m", uid=UID)
        yield box
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(box):
    with open(box.parent / "filler", "ab", buffering=0) as filler:
        for size in (65536, 4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                pass


def test_old_mail_is_served_and_removed(place, box):
    client = logged_in(place, box, UID)
    client.select("INBOX.Old")
    client.select()
    table = (box / "courierimapuiddb").read_bytes()
    # Delivered without room for its UID: renaming and linking need none.
    deliver(box, b"", base="1004.m", uid=UID)
    fill(box)
    assert client.ok("NOOP").lines("EXISTS") in ([], [b"5 EXISTS"])
    assert sorted(client.fetch("FLAGS", numbers="1:4")) == [1, 2, 3, 4]
    refused = client.command("APPEND INBOX {}", MESSAGE)
    assert refused.status == b"NO" and refused.code in (b"LIMIT", b"OVERQUOTA"), refused
    assert Reader(box).uid_table()[0] == int(table.split()[1])
    client.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    assert client.ok("EXPUNGE").lines("EXPUNGE")[0] == b"1 EXPUNGE"
    fill(box)
    client.ok("DELETE INBOX.Old")
    assert not (box / ".Old").exists()
    assert client.append(MESSAGE).code.startswith(b"APPENDUID")
    client.ok("LOGOUT")
    uids = Reader(box).uids()
    assert {uids[uid] for uid in (2, 3, 4)} == {"1001.m", "1002.m", "1003.m"} and 1 not in uids
    assert "1004.m" in Reader(box).files("cur") and not list((box / "tmp").iterdir())
