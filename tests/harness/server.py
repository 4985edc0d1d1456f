"""A server of one test: a super-server, the login program, the modules, imapd, with an account that has a Maildir."""

import base64
import hashlib
import os
import signal
import socket
import subprocess

from harness import maildir
from harness.imap import Imap
from harness.place import IS_ROOT, UID, as_user, debian, free_port, program, wait_for

SETTINGS = {
    "PATH": "/usr/bin:/bin",
    "IMAP_EMPTYTRASH": "",
    "LOGIN_DELAY": "0",
}


def hashed(password):
    """A password as userdb keeps it."""
    return "{SHA256}" + base64.b64encode(hashlib.sha256(password.encode()).digest()).decode()


class Account:
    """A mail account of the test: a name, a password, a home with a Maildir."""

    def __init__(self, place, name="john", password="secret", uid=None, **fields):
        self.name, self.password, self.fields = name, password, fields
        self.uid = (UID if uid is None else uid) if IS_ROOT else os.geteuid()
        self.home = place.folder(f"home-{name}", self.uid, 0o700)
        self.maildir = maildir.make(self.home / "Maildir", self.uid)

    def record(self):
        """The account's line of a userdb source."""
        fields = {"uid": self.uid, "gid": self.uid, "home": self.home, "systempw": hashed(self.password), **self.fields}
        return f"{self.name}\t" + "|".join(f"{key}={value}" for key, value in fields.items()) + "\n"


def userdb(place, *accounts):
    """A compiled userdb of these accounts; returns the path of its source."""
    source = place / "userdb"
    source.write_text("".join(account.record() for account in accounts))
    source.chmod(0o600)
    subprocess.run([program("makeuserdb"), "-f", source], check=True)
    return source


class Server:
    """A running super-server; `connect()` gives a conversation, `login()` one that is logged in."""

    def __init__(self, process, port, log, account):
        self.process, self.port, self.log_path, self.account = process, port, log, account

    @classmethod
    def start(cls, place, account=None, accounts=(), front="tcpserver", login="imaplogin", modules=("authuserdb",),
              serve=None, environment=None, options=None, port=None):
        """Starts `front` (tcpserver or tcpd) with the chain. `modules` and `serve` take names of our programs or full
        paths; `options` replaces the front's own options."""
        account = account or Account(place)
        source = userdb(place, account, *accounts)
        port = port or free_port()
        full = [item if str(item).startswith("/") else program(item) for item in (login, *modules)]
        serve = serve or [program("imapd"), "./Maildir"]
        variables = {**SETTINGS, "USERDB": str(source), **(environment or {})}
        log = place / "log"
        if front == "tcpserver":
            options = ["-vRHl0", "-c100"] if options is None else options
            args = [debian("tcpserver"), *options, "127.0.0.1", port, *full, *serve]
        else:
            options = ["-nodnslookup", "-noidentlookup", "-maxprocs=100", "-maxperip=100", "-maxperc=100"] if options is None else options
            args = [program("tcpd"), *options, f"127.0.0.1.{port}", *full, *serve]
        with open(log, "ab") as stderr:
            process = place.popen(args, env=variables, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
        server = cls(process, port, log, account)
        wait_for(server._listens, what="the server listens")
        return server

    def _listens(self):
        assert self.process.poll() is None, self.log()
        probe = socket.socket()
        try:
            probe.connect(("127.0.0.1", self.port))
        except ConnectionRefusedError:
            return False
        finally:
            probe.close()
        return True

    def connect(self):
        return Imap.connect(self.port)

    def login(self, user=None, password=None):
        client = self.connect()
        client.login(user or self.account.name, password or self.account.password)
        return client

    def log(self):
        """What the chain has written to its log so far."""
        return self.log_path.read_text(errors="replace")

    def wait_log(self, text, seconds=10):
        """The first line of the log that holds `text`."""
        return wait_for(lambda: next((line for line in self.log().splitlines() if text in line), None), seconds, f"log line {text!r}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()


def preauth(place, path, uid=None, imapd=None, environment=None, cwd=None):
    """imapd as from a shell: pipes, no variables. `imapd` may be Debian's Courier (`debian("imapd")`)."""
    variables = {"PATH": "/usr/bin:/bin", "HOME": "/", "IMAP_EMPTYTRASH": "", **(environment or {})}
    with open(place / "log-preauth", "ab") as stderr:
        process = place.popen([imapd or program("imapd"), path], env=variables, cwd=cwd or "/",
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, bufsize=0, **as_user(uid))
    return Imap.with_process(process)


# What the last stage of the chain finds after a login of `john` (the exec contract: AUTHENTICATED and IMAPLOGINTAG).
LOGGED_IN = {"IMAPLOGINTAG": "login", "AUTHENTICATED": "john", "AUTHADDR": "john", "AUTHFULLNAME": "", "OPTIONS": "", "MAILDIR": "",
             "MAILDIRQUOTA": "", "PROTOCOL": "IMAP", "PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "4711"}

# Debian's shipped settings of Courier's imapd.
COURIER = {"IMAP_KEYWORDS": "1", "IMAP_ACL": "1", "IMAP_USELOCKS": "1", "IMAP_TRASHFOLDERNAME": "Trash",
           "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"}


def logged_in(place, path, uid=None, imapd=None, environment=None):
    """imapd as the last stage of a chain, on pipes, the tagged OK of the login already read."""
    client = preauth(place, path, uid, imapd, {**LOGGED_IN, **(environment or {})})
    answer = client.finish(b"login")
    assert answer.ok, client.transcript("no login")
    return client


def courier(place, path, uid=None, environment=None):
    """Debian's Courier imapd on a Maildir, logged in. (From a shell it would want a passwd entry for the uid.)"""
    return logged_in(place, path, uid, debian("/usr/bin/imapd"), {**COURIER, **(environment or {})})
