"""imapd behind login programs that are not ours, and the login by hand of the djb way."""

import pytest

from harness import mail, maildir
from harness.imap import Imap
from harness.peer import Courier
from harness.place import IS_ROOT, debian, free_port, program, wait_for
from harness.server import Account, Server

# What imapfront-auth does after a login: it keeps the connection, names tag and user, and leaves the OK to the next program.
FRONT = """#!/usr/bin/python3
import os, sys
line = b""
os.write(1, b"* OK imapfront ready.\\r\\n")
while not line.endswith(b"\\n"):
    byte = os.read(0, 1)
    if not byte:
        sys.exit()
    line += byte
tag, command, user, password = line.split()
os.chdir(os.environ["ACCOUNT"])
if os.geteuid() == 0:
    uid = os.stat(".").st_uid
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
os.environ.update(IMAPLOGINTAG=tag.decode(), AUTHENTICATED=user.decode(), MAILDIR="Maildir")
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.skipif(not IS_ROOT, reason="Courier's login program becomes other accounts")
def test_behind_couriers_login_program(place):
    account = Account(place)
    maildir.deliver(account.maildir, mail.plain())
    server = Courier.start(place, account, serve=(program("imapd"), "Maildir"))
    try:
        with server.login() as client:
            assert client.select().number("EXISTS") == 1
            client.send("x1 NOOP\r\nx2 LOGOUT\r\n")
            assert client.finish(b"x1").ok and client.finish(b"x2").ok and client.rest() == b""
        server.wait_log("INFO: LOGIN, user=john, ip=[127.0.0.1], port=[")
        assert "protocol=IMAP" in server.wait_log("INFO: LOGIN, user=john")
        server.wait_log("INFO: LOGOUT, user=john")
        with server.connect() as client:
            client.greeting()
            client.send("a LOGIN john secret\r\nb CAPABILITY\r\n")
            assert client.finish(b"a").ok
    finally:
        server.stop()


def test_behind_imapfront_auth(place):
    account = Account(place)
    front, port = place.script("front", FRONT), free_port()
    with open(place / "log", "wb") as log:
        process = place.popen([debian("tcpserver"), "-vRHl0", "127.0.0.1", port, front, program("imapd")],
                              env={"PATH": "/usr/bin:/bin", "ACCOUNT": str(account.home)}, stdout=log, stderr=log)
    server = Server(process, port, place / "log", account)
    wait_for(server._listens, what="tcpserver listens")
    with Imap.connect(port) as client:
        assert client.greeting() == b"* OK imapfront ready."
        client.play("""
            C: a1 LOGIN john secret
            S: a1 OK [CAPABILITY IMAP4rev1 ...] LOGIN Ok.
            C: a2 SELECT INBOX
            S* a2 OK [READ-WRITE] ...
            C: a3 LOGOUT
            S: * BYE ...
            S: a3 OK ...
            S.
        """)
    server.wait_log("INFO: LOGOUT, user=john, ip=[127.0.0.1]")


def test_the_login_by_hand(chain):
    """The dialogue with which the djb way shows its Courier."""
    server = chain()
    for number in range(17):
        maildir.deliver(server.account.maildir, mail.plain(number=number), flags="S")
    with server.connect() as client:
        client.play("""
            S: * OK [CAPABILITY IMAP4rev1 ...
            C: a01 login john secret
            S: a01 OK ...
            C: a02 select inbox
            S: * FLAGS (\\Draft \\Answered \\Flagged \\Deleted \\Seen \\Recent)
            S: * OK [PERMANENTFLAGS (\\* \\Draft \\Answered \\Flagged \\Deleted \\Seen)] Limited
            S: * 17 EXISTS
            S/ \\* [0-9]+ RECENT
            S/ \\* OK \\[UIDVALIDITY [1-9][0-9]*\\] .*
            S* a02 OK [READ-WRITE] ...
            C: a03 logout
            S: * BYE ...
            S: a03 OK LOGOUT completed
            S.
        """)
    login, logout = server.wait_log("INFO: LOGIN,"), server.wait_log("INFO: LOGOUT,")
    assert login.startswith("INFO: LOGIN, user=john, ip=[127.0.0.1], port=[")
    assert logout.startswith("INFO: LOGOUT, user=john, ip=[127.0.0.1], port=[")


@pytest.mark.parametrize("cleared", [[], ["/usr/bin/env", "-i"]], ids=["variables", "no variables"])
def test_no_preauth_where_the_login_stage_was_left_out(place, cleared):
    """A run script that names imapd where the login program should stand."""
    account, port = Account(place), free_port()
    with open(place / "log", "wb") as log:
        process = place.popen([debian("tcpserver"), "-vRHl0", "127.0.0.1", port, *cleared, program("imapd"), account.maildir],
                              env={"PATH": "/usr/bin:/bin"}, stdout=log, stderr=log)
    server = Server(process, port, place / "log", account)
    wait_for(server._listens, what="tcpserver listens")
    with Imap.connect(port) as client:
        assert client.rest() == b""
    server.wait_log("imapd: fatal: nobody has logged in")
