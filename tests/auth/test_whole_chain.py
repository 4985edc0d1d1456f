"""Logins through the whole chain, from the socket to imapd."""

import subprocess

import pytest
from checkpasswords import CHECKPASSWORD
from harness.place import IS_ROOT, UID, debian, program
from harness.server import Account, Server

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="becoming an account needs root")
YESCRYPT = "$y$j9T$LftgBr4ueQM2lIVVaB0NF0$BbrO7H0bPfF15BPqAa./C.mhreDP5Q2SfhvK/fM7M57"  # secret


@pytest.fixture
def start(place):
    servers = []

    def run(**options):
        servers.append(Server.start(place, **options))
        return servers[-1]

    yield run
    for server in servers:
        server.stop()


def refusal(server, user, password):
    """The tagged answer to one failed login."""
    client = server.connect()
    return client.command(f'LOGIN "{user}" "{password}"')


def test_any_checkpassword_program_stands_in_the_chain(start, place):
    account = Account(place, "joe")
    check = place.script("checkpassword", CHECKPASSWORD.format(uid=UID, home=str(account.home)))
    # Its MAILDIR is ./Mail.
    account.maildir.rename(account.home / "Mail")
    server = start(account=account, modules=("authcheckpassword", check))
    client = server.login("joe", "virtual")
    assert client.select().number("EXISTS") == 0
    client.ok("LOGOUT")
    assert "user=joe@example.com, " in server.wait_log("INFO: LOGIN, ")
    wrong, unknown, failed = (refusal(server, *pair) for pair in (("joe", "wrong"), ("nobody", "x"), ("joe", "exit 111")))
    assert not wrong.ok and wrong.text == unknown.text and b"UNAVAILABLE" not in wrong.text
    assert not failed.ok and b"UNAVAILABLE" in failed.text
    assert "authcheckpassword: warning: " in server.wait_log("exit 111")


def test_yescrypt_under_softlimit(start, place):
    """As the shipped service runs it: softlimit -m5000000 around everything."""
    account = Account(place, systempw=YESCRYPT)
    softlimit = place.script("limited", f'#!/bin/sh\nexec {debian("softlimit")} -m5000000 {program("imaplogin")} "$@"\n')
    server = start(account=account, login=softlimit)
    server.login().ok("LOGOUT")
    assert not refusal(server, "john", "wrong").ok


def test_a_module_behind_others(start):
    server = start(modules=("authpwd", "authshadow", "authuserdb"))
    server.login().ok("LOGOUT")
    wrong, unknown = refusal(server, "john", "wrong"), refusal(server, "nobodyhere", "secret")
    assert not wrong.ok and wrong.text == unknown.text
    assert "user=nobodyhere, " in server.wait_log("user=nobodyhere")


def test_a_damaged_userdb_is_unavailable_not_wrong(start, place):
    server = start()
    (place / "userdb.dat").write_bytes(b"damage")
    answer = refusal(server, "john", "secret")
    assert not answer.ok and b"UNAVAILABLE" in answer.text
    server.wait_log("authuserdb: warning: unable to read")


def test_a_userdb_changes_under_a_running_service(start, place):
    server = start()
    subprocess.run([program("userdb"), "-f", place / "userdb", "ann", "set", f"uid={UID}", f"gid={UID}", "systempw"],
                   input=b"{MD5RAW}5ebe2294ecd0e0f08eab7690d2a6ee69\n", check=True)
    subprocess.run([program("userdb"), "-f", place / "userdb", "ann", "set", f"home={server.account.home}"], check=True)
    assert not refusal(server, "ann", "secret").ok
    subprocess.run([program("makeuserdb"), "-f", place / "userdb"], check=True)
    server.login("ann", "secret").ok("LOGOUT")
