"""Real clients on the whole chain: each logs in and does what its users do with it."""

import imaplib
import os
import pty
import re
import select
import subprocess
import time

from harness import mail, maildir
from harness.place import debian, wait_for


def run(args, timeout=60, **options):
    return subprocess.run([str(arg) for arg in args], capture_output=True, timeout=timeout, **options)


def test_curl_lists_fetches_and_appends(place, chain):
    server = chain()
    maildir.deliver(server.account.maildir, mail.plain("first", "body of the first\n"))
    url = f"imap://127.0.0.1:{server.port}"
    login = ["-sS", "-u", "john:secret"]
    curl = debian("curl")

    listed = run([curl, *login, f"{url}/"])
    assert re.search(rb'LIST \([^)]*\) "." "?INBOX', listed.stdout), listed
    fetched = run([curl, *login, f"{url}/INBOX;MAILINDEX=1"])
    assert fetched.stdout == mail.crlf(mail.plain("first", "body of the first\n")), fetched
    message = place / "message"
    message.write_bytes(mail.crlf(mail.plain("second", "uploaded\n")))
    assert run([curl, *login, "-T", message, f"{url}/INBOX"]).returncode == 0
    assert run([curl, *login, f"{url}/INBOX?SUBJECT%20second"]).stdout.split() == [b"*", b"SEARCH", b"2"]
    wrong = run([curl, "-sS", "-u", "john:wrong", f"{url}/"])
    assert wrong.returncode == 67, wrong


def test_imaplib_does_a_days_work(place, chain):
    server = chain()
    messages = list(mail.corpus(40))
    for message in messages:
        maildir.deliver(server.account.maildir, message)
    client = imaplib.IMAP4("127.0.0.1", server.port)
    assert client.login("john", "secret")[0] == "OK"
    assert client.select()[1] == [b"40"]
    for number in range(1, 41):
        size = int(re.search(rb"RFC822.SIZE (\d+)", client.fetch(str(number), "(RFC822.SIZE)")[1][0])[1])
        body = client.fetch(str(number), "(BODY.PEEK[])")[1][0]
        assert size == (len(body[1]) if isinstance(body, tuple) else 0), number
    assert client.create("INBOX.Work")[0] == "OK"
    assert client.copy("1:5", "INBOX.Work")[0] == "OK"
    assert client.store("2", "+FLAGS", "(\\Deleted $Label1)")[0] == "OK"
    assert client.expunge()[1] == [b"2"]
    assert client.append("INBOX.Work", "(\\Seen)", imaplib.Time2Internaldate(1000000000), mail.crlf(mail.plain("kept")))[0] == "OK"
    status, data = client.status("INBOX.Work", "(MESSAGES UNSEEN UIDNEXT)")
    assert b"MESSAGES 6" in data[0] and b"UNSEEN 5" in data[0]
    client.select("INBOX.Work")
    assert client.search(None, "SEEN")[1] == [b"6"]
    assert client.uid("FETCH", "6", "(INTERNALDATE)")[1][0].find(b'" 9-Sep-2001') > 0
    client.select()
    assert client.rename("INBOX.Work", "INBOX.Done")[0] == "OK"
    assert client.delete("INBOX.Done")[0] == "OK"
    assert client.logout()[0] == "BYE"


MBSYNCRC = """
IMAPAccount server
Host 127.0.0.1
Port {port}
User john
Pass secret
SSLType None
AuthMechs LOGIN

IMAPStore far
Account server

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel mail
Far :far:
Near :near:
Patterns * !INBOX.Trash
Create Both
Remove Both
Expunge Both
SyncState *
"""

OFFLINEIMAPRC = """
[general]
accounts = test
metadata = {place}/offlineimap-metadata
maxsyncaccounts = 1
ui = quiet
socktimeout = 60

[Account test]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {near}
sep = .

[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = john
remotepass = secret
ssl = no
starttls = no
auth_mechanisms = LOGIN
"""

BIG = 30_000_000


class Synchroniser:
    """A client that keeps a Maildir of its own equal to the account."""

    def __init__(self, place, server):
        self.place, self.server = place, server
        self.near = place.folder("near")

    def inbox(self):
        """The INBOX of the client's side."""
        return next(path.parent for path in sorted(self.near.rglob("cur")) if path.parent.name == "INBOX")

    def bodies(self):
        return sorted(path.read_bytes() for sub in ("cur", "new") for path in (self.inbox() / sub).iterdir())


class Mbsync(Synchroniser):
    # It warns about a message without a header and passes it over, whatever the server.
    takes_empty = False

    @staticmethod
    def delete(path):
        path.rename(path.parent / (re.sub(r":2,.*", "", path.name) + ":2,ST"))

    def run(self):
        config = self.place / "mbsyncrc"
        config.write_text(MBSYNCRC.format(port=self.server.port, near=self.near))
        done = run([debian("mbsync"), "-V", "-c", config, "mail"], timeout=300, env={"HOME": str(self.place.path), "PATH": "/usr/bin"})
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


class Offlineimap(Synchroniser):
    takes_empty = True

    @staticmethod
    def delete(path):
        path.unlink()

    def run(self):
        config = self.place / "offlineimaprc"
        config.write_text(OFFLINEIMAPRC.format(port=self.server.port, near=self.near, place=self.place.path))
        done = run([debian("offlineimap"), "-o", "-1", "-c", config], timeout=300, env={"HOME": str(self.place.path), "PATH": "/usr/bin"})
        assert done.returncode == 0 and b"ERROR" not in done.stderr, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout


def normal(message):
    """What is the same on both sides: line ends, the synchronisers' own header lines, NUL bytes (sent as 0x80)."""
    message = message.replace(b"\r\n", b"\n").replace(b"\0", b"\x80")
    message = re.sub(rb"^X-(TUID|OfflineIMAP): [^\n]*\n", b"", message, flags=re.M)
    return message.rstrip(b"\n")


def synchronises(place, chain, kind, count):
    server = chain()
    far = server.account.maildir
    messages = list(mail.corpus(count, big=BIG))
    for number, message in enumerate(messages):
        maildir.deliver(far, message, flags="S" if number % 3 else None, seconds=1600000000 + number)
    client = kind(place, server)
    said = client.run()
    taken = [message for message in messages if message or kind.takes_empty]
    assert len(client.bodies()) == len(taken), said[-3000:]
    assert sorted(map(normal, client.bodies())) == sorted(map(normal, taken))

    # A second run transfers nothing.
    before = server.log().count("LOGOUT")
    client.run()
    wait_for(lambda: server.log().count("LOGOUT") + server.log().count("DISCONNECTED") > before, what="the session ends")
    last = [line for line in server.log().splitlines() if "LOGOUT" in line or "DISCONNECTED" in line][-1]
    assert "body=0" in last, last

    # Flags both ways.
    near = client.inbox()
    local = sorted((near / "cur").iterdir())[0]
    local.rename(local.parent / (re.sub(r":2,.*", "", local.name) + ":2,FS"))
    remote = server.login()
    remote.select()
    answered = remote.fetch("BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]", "2")[2]
    remote.ok("STORE 2 +FLAGS (\\Answered)")
    client.run()
    remote.ok("NOOP")
    assert len(remote.ok("SEARCH FLAGGED").lines("SEARCH")[0].split()) == 2
    identifier = re.search(rb"<[^>]*>", answered)[0]
    assert any(identifier in path.read_bytes() for path in (near / "cur").iterdir() if "R" in path.name.split(":2,")[-1])

    # Upload, and expunge on either side.
    maildir.deliver(near, mail.plain("from the client's side", number=999999), uid=os.geteuid())
    client.run()
    assert remote.ok("NOOP") and remote.command('SEARCH SUBJECT "client\'s side"').lines("SEARCH")[0] != b"SEARCH"
    victim = next(path for path in (near / "cur").iterdir() if b"m999999" not in path.read_bytes())
    kind.delete(victim)
    remote.ok("STORE 3 +FLAGS (\\Deleted)")
    remote.ok("EXPUNGE")
    client.run()
    remote.ok("NOOP")
    assert remote.select().number("EXISTS") == count - 1
    assert sorted(map(normal, client.bodies())) == sorted(
        normal(path.read_bytes()) for sub in ("cur", "new") for path in (far / sub).iterdir()
        if path.stat().st_size or kind.takes_empty)


def test_mbsync_both_ways(place, chain):
    synchronises(place, chain, Mbsync, 1000)


def test_offlineimap_both_ways(place, chain):
    synchronises(place, chain, Offlineimap, 1000)


MUTTRC = """
set imap_user=john
set imap_pass=secret
set ssl_starttls=no
set ssl_force_tls=no
set folder=imap://127.0.0.1:{port}/INBOX
set spoolfile=+
set imap_check_subscribed=no
set header_cache=
set sort=threads
set mail_check=1
set delete=yes
set quit=yes
set wait_key=no
set abort_unmodified=no
set move=no
"""


def test_mutt_reads_marks_and_deletes(place, chain):
    """mutt in a terminal: the index shows the subjects, a message is read, another deleted."""
    server = chain()
    path = server.account.maildir
    for number in range(5):
        maildir.deliver(path, mail.plain(f"subject-{number}", f"text-{number}\n", number), seconds=1700000000 + number)
    config = place / "muttrc"
    config.write_text(MUTTRC.format(port=server.port))
    master, slave = pty.openpty()
    process = place.popen([debian("mutt"), "-n", "-F", config], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                          env={"HOME": str(place.path), "TERM": "xterm", "PATH": "/usr/bin:/bin", "LINES": "24", "COLUMNS": "100"})
    os.close(slave)
    screen = Screen(master)
    screen.wait("subject-4")
    screen.type("\r")  # the last message, as nothing is read yet the first new one
    screen.wait("text-")
    screen.type("i")
    screen.wait("subject-2")
    screen.type("d")
    screen.type("q")
    wait_for(lambda: process.poll() is not None, 20, "mutt ends")
    os.close(master)
    reader = maildir.Reader(path)
    wait_for(lambda: len(reader.flags()) == 4, what="one message is expunged")
    assert sum("S" in flags for flags in reader.flags().values()) >= 0
    server.wait_log("INFO: LOGOUT, user=john")


class Screen:
    """What a terminal program has written so far."""

    def __init__(self, fd):
        self.fd, self.text = fd, b""

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def wait(self, text, seconds=20):
        """Reads until `text` was written; what came before is forgotten."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self.text:
            ready = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]
            assert ready, f"no {text!r} on the screen: {self.text[-2000:]!r}"
            try:
                self.text += os.read(self.fd, 65536)
            except OSError:
                raise AssertionError(f"the program ended: {self.text[-2000:]!r}") from None
        self.text = self.text[self.text.index(text.encode()) + len(text):]
