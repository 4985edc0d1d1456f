"""How imapd starts: who may be served, from where, and what stands in the way."""

import os
import socket
import subprocess

import pytest

from harness import mail, maildir
from harness.imap import Imap
from harness.place import IS_ROOT, UID, as_user, program, wait_for
from harness.server import LOGGED_IN

needs_root = pytest.mark.skipif(not IS_ROOT, reason="becomes other accounts")


class Started:
    """imapd started by hand: its conversation, exit code and log."""

    def __init__(self, place, environment=None, argument="./Maildir", stdin=None, user=None, **options):
        self.log_path = place / "stderr"
        variables = {"PATH": "/usr/bin:/bin", "IMAP_EMPTYTRASH": "", **(environment or {})}
        ends = {"stdin": stdin, "stdout": stdin} if stdin else {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        arguments = [program("imapd"), *([argument] if argument else [])]
        with open(self.log_path, "wb") as log:
            self.process = place.popen(arguments, env=variables, cwd=place / "home", stderr=log, bufsize=0,
                                       **{**ends, **(as_user() if user is None else user), **options})
        self.client = None if stdin else Imap.with_process(self.process)

    def code(self):
        return self.process.wait(20)

    def log(self):
        return self.log_path.read_text()


@pytest.fixture
def home(place):
    """A home with a Maildir: where imapd is started."""
    folder = place.folder("home", UID)
    maildir.make(folder / "Maildir", UID if IS_ROOT else None)
    return folder


# -- PREAUTH ----------------------------------------------------------------------------------------------------------


def test_a_shell_gets_preauth(place, home):
    imapd = Started(place)
    assert imapd.client.greeting().startswith(b"* PREAUTH [CAPABILITY IMAP4rev1 ")
    imapd.client.ok("LOGOUT")
    assert imapd.code() == 0
    name = UID if IS_ROOT else os.getlogin()
    assert f"INFO: LOGIN, user={name}, ip=[127.0.0.1], port=[0], protocol=IMAP\n" in imapd.log()


def test_a_local_socket_gets_preauth(place, home):
    """sshd gives its commands a pair of local sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Started(place, stdin=theirs)
        assert Imap(ours.fileno(), ours.fileno()).greeting().startswith(b"* PREAUTH ")


def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def test_a_socket_that_lost_its_variables_gets_nothing(place, home):
    client, server = tcp_pair()
    with client, server:
        imapd = Started(place, stdin=server)
        assert imapd.code() == 100
        server.close()
        assert client.recv(100) == b""
    assert imapd.log() == "imapd: fatal: nobody has logged in, and there is no login program to go back to\n"


@pytest.mark.parametrize("variables", [
    {"PROTO": "TCP"}, {"PROTO": ""}, {"TCPREMOTEIP": "127.0.0.1"}, {"TCPREMOTEIP": ""}, {"SSLREMOTEIP": "::1"}, {"XREMOTEIP": "x"},
    {"IMAPLOGINTAG": "a"}, {"IMAPLOGINTAG": ""}, {"AUTHUSER": ""}, {"AUTHENTICATED": "john", "TCPREMOTEIP": "127.0.0.1"},
    {"AUTHENTICATED": "", "IMAPLOGINTAG": "a"}, {"AUTHENTICATED": "john", "IMAPLOGINTAG": ""},
], ids=lambda variables: ",".join(f"{name}={value}" for name, value in variables.items()))
def test_a_trace_of_a_network_rules_preauth_out(place, home, variables):
    imapd = Started(place, variables)
    assert imapd.client.rest() == b""
    assert imapd.code() == 100


def test_a_refused_request_of_the_checkpassword_kind_is_exit_1(place, home):
    read, write = os.pipe()
    os.write(write, b"john\0wrong\0stamp\0")
    os.close(write)

    def as_descriptor_3():
        os.dup2(read, 3)

    imapd = Started(place, {"PROTO": "TCP"}, pass_fds=(3,), preexec_fn=as_descriptor_3)
    os.close(read)
    assert imapd.client.rest() == b""
    assert imapd.code() == 1


def test_without_a_login_it_goes_back_to_the_login_program(place, home):
    """Also as root, where it looks at nothing else: no Maildir is there."""
    login = place.script("login", "#!/bin/sh\n{ printf '%s|' back \"$@\"; echo; env; } >&2\n")
    variables = {"AUTHUSER": login, "AUTHARGC": "3", "AUTHARGV0": login, "AUTHARGV1": "mod", "AUTHARGV2": "x y", "IMAPLOGINTAG": "a7",
                 "TCPREMOTEIP": "127.0.0.1", "AUTHREASON": "temp", "LD_PRELOADX": "1"}
    imapd = Started(place, variables, argument="/nonexistent", user={})
    assert imapd.code() == 0
    assert imapd.log().startswith("back|mod|x y|\n")
    assert "IMAPLOGINTAG=a7" in imapd.log() and "AUTHREASON" not in imapd.log() and "LD_" not in imapd.log()


# -- a login ----------------------------------------------------------------------------------------------------------


def test_a_login_is_answered_with_its_tag_and_logged(place, home):
    client, server = tcp_pair()
    with client, server:
        imapd = Started(place, {**LOGGED_IN, "IMAPLOGINTAG": "A.1", "AUTHENTICATED": 'j, x"@example.org'}, stdin=server)
        server.close()
        conversation = Imap(client.fileno(), client.fileno())
        assert conversation.response().startswith(b"A.1 OK [CAPABILITY IMAP4rev1 ")
        conversation.play("""
            C: x1 NOOP
            S: x1 OK ...
            C: x2 LOGOUT
            S: * BYE ...
            S: x2 OK ...
            S.
        """)
        assert imapd.code() == 0
    user = "j\\x2c x\\x22@example.org"
    login, logout = imapd.log().splitlines()
    assert login == f"INFO: LOGIN, user={user}, ip=[127.0.0.1], port=[4711], protocol=IMAP"
    sent = sum(len(data) for who, data in conversation.said if who == b"S")
    assert logout == f"INFO: LOGOUT, user={user}, ip=[127.0.0.1], port=[4711], headers=0, body=0, rcvd=20, sent={sent}, time=0"


@pytest.mark.parametrize("variables, ip, port", [
    ({}, "127.0.0.1", None), ({"PROTO": "SSL", "SSLREMOTEIP": "10.0.0.1", "SSLREMOTEPORT": "5", "TCPREMOTEIP": "10.0.0.2"}, "10.0.0.1", "5"),
    ({"TCPREMOTEIP": "::ffff:10.0.0.3", "TCPREMOTEPORT": "6"}, "10.0.0.3", "6"), ({"REMOTE_ADDR": "::1", "REMOTE_PORT": "7"}, "::1", "7"),
], ids=["plain inetd", "PROTO", "TCP", "systemd"])
def test_who_the_peer_is(place, home, variables, ip, port):
    client, server = tcp_pair()
    with client, server:
        port = port or client.getsockname()[1]
        imapd = Started(place, {"IMAPLOGINTAG": "a", "AUTHENTICATED": "john", **variables}, stdin=server)
        assert Imap(client.fileno(), client.fileno()).finish(b"a").ok
        wait_for(lambda: f"INFO: LOGIN, user=john, ip=[{ip}], port=[{port}], protocol=IMAP\n" == imapd.log())


def test_tls_is_marked_in_the_log(place, home):
    imapd = Started(place, {**LOGGED_IN, "IMAP_TLS": "1"})
    imapd.client.finish(b"login")
    imapd.client.ok("LOGOUT")
    assert imapd.code() == 0
    login, logout = imapd.log().splitlines()
    assert login.endswith(", protocol=IMAP, starttls=1")
    assert logout.startswith("INFO: LOGOUT, user=john, ") and logout.endswith(", time=0, starttls=1")


@needs_root
@pytest.mark.parametrize("identity", [{"user": 0, "group": 0}, {"user": UID, "group": 0}, {"user": 0, "group": UID}])
def test_root_is_never_served(place, home, identity):
    imapd = Started(place, LOGGED_IN, user={**identity, "extra_groups": []})
    assert imapd.client.rest().startswith(b"* BYE [ALERT] ")
    assert imapd.code() == 100
    assert imapd.log() == "imapd: warning: refused to serve uid 0 or gid 0\n"


def test_a_sticky_home_is_a_locked_account(place, home):
    home.chmod(0o1755)
    imapd = Started(place, LOGGED_IN)
    assert imapd.client.rest().startswith(b"* BYE ")
    assert imapd.code() == 0
    assert imapd.log() == "INFO: LOCKED, user=john, ip=[127.0.0.1], port=[4711]\n"


@pytest.mark.parametrize("ruin", ["missing", "empty", "file"])
def test_a_missing_maildir_is_told_and_not_made(place, home, ruin):
    place.popen(["rm", "-r", home / "Maildir"]).wait()
    if ruin == "empty":
        place.folder("home/Maildir", UID)
    elif ruin == "file":
        (home / "Maildir").write_text("")
    imapd = Started(place, LOGGED_IN)
    assert imapd.client.rest().startswith(b"* BYE [ALERT] Fatal error: ")
    assert imapd.code() == 100
    assert imapd.log().startswith("ERR: chdir ./Maildir: ") and imapd.log().count("\n") == 1
    assert not (home / "Maildir" / "cur").exists()


@pytest.mark.parametrize("variable, argument, expected", [
    ("second", "./first", "second"), ("", "./first", "first"), (None, "first", "first"), (None, None, "Maildir"), ("", "", "Maildir"),
])
def test_which_maildir(place, home, variable, argument, expected):
    for name in ("first", "second"):
        maildir.make(home / name, UID if IS_ROOT else None)
    imapd = Started(place, LOGGED_IN if variable is None else {**LOGGED_IN, "MAILDIR": variable}, argument=argument)
    assert imapd.client.finish(b"login").ok
    assert os.readlink(f"/proc/{imapd.process.pid}/cwd") == str(home / expected)


@needs_root
def test_somebody_elses_maildir(place, home):
    os.chown(home / "Maildir", UID, UID + 1)
    imapd = Started(place, LOGGED_IN)
    assert imapd.client.rest().startswith(b"* BYE [ALERT] ")
    assert imapd.code() == 100
    imapd = Started(place, {**LOGGED_IN, "IMAP_MAILBOX_SANITY_CHECK": "0"})
    assert imapd.client.finish(b"login").ok


# -- loginexec --------------------------------------------------------------------------------------------------------


def loginexec(home, text, mode=0o700):
    path = home / "Maildir" / "loginexec"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    if IS_ROOT:
        os.chown(path, UID, UID)
    return path


def test_loginexec_runs_once(place, home):
    path = loginexec(home, "{ pwd; env; cat; } > ran; echo >&2 done")
    imapd = Started(place, {**LOGGED_IN, "SECRET": "x"})
    imapd.client.send("x1 NOOP\r\n")
    assert imapd.client.finish(b"login").ok and imapd.client.finish(b"x1").ok
    ran = (home / "Maildir" / "ran").read_text()
    assert ran.startswith(f"{home}/Maildir\n") and "AUTHENTICATED=john" in ran
    assert "SECRET" not in ran and "IMAPLOGINTAG" not in ran and "NOOP" not in ran
    assert not path.exists()
    assert "done\n" in imapd.log()


@pytest.mark.parametrize("text, mode, log", [("exit 3", 0o700, "loginexec failed"), ("exit 0", 0o600, "")])
def test_loginexec_stays(place, home, text, mode, log):
    path = loginexec(home, text, mode)
    imapd = Started(place, LOGGED_IN)
    assert imapd.client.finish(b"login").ok
    assert path.exists() and log in imapd.log()


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, tls, refused", [
    ("disableimap=1", "0", "disableimap"), ("a=b,disableimap=yes", "1", "disableimap"), ("disableimap=0", "0", None), ("disableimap", "0", None),
    ("disableinsecureimap=1", "0", "disableinsecureimap"), ("disableinsecureimap=t", "1", None), ("disablepop3=1", "0", None),
])
def test_options_of_the_account(place, home, options, tls, refused):
    imapd = Started(place, {**LOGGED_IN, "OPTIONS": options, "IMAP_TLS": tls})
    if not refused:
        assert imapd.client.finish(b"login").ok
        return
    imapd.client.play("""
        S: login NO [AUTHORIZATIONFAILED] ...
        S: * BYE [ALERT] ...
        S.
    """)
    assert imapd.code() == 0
    assert imapd.log() == f"INFO: REFUSED, user=john, ip=[127.0.0.1], port=[4711], option={refused}\n"


SHIPPED = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"


@pytest.mark.parametrize("variables, expected", [
    ({}, None), ({"IMAP_CAPABILITY": ""}, None), ({"IMAP_CAPABILITY": SHIPPED}, None),
    ({"IMAP_CAPABILITY": "IMAP4rev1 IDLE", "IMAP_CAPABILITY_TLS": SHIPPED + " AUTH=PLAIN", "IMAP_TLS": "1"}, None),
    ({"IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS IDLE"}, b"IMAP4rev1 UIDPLUS IDLE"),
    ({"IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS IDLE", "IMAP_TLS": "1"}, b"IMAP4rev1 UIDPLUS IDLE"),
    ({"IMAP_CAPABILITY": SHIPPED, "IMAP_CAPABILITY_TLS": "IMAP4rev1 AUTH=PLAIN", "IMAP_TLS": "1"}, b"IMAP4rev1"),
])
def test_capability(place, home, variables, expected):
    imapd = Started(place, {**LOGGED_IN, **variables})
    login = imapd.client.finish(b"login")
    listed = imapd.client.ok("CAPABILITY").lines("CAPABILITY")[0].partition(b" ")[2]
    assert login.code == b"CAPABILITY " + listed
    if expected:
        assert listed == expected
    else:
        words = listed.split()
        assert words[0] == b"IMAP4rev1" and {b"UIDPLUS", b"IDLE", b"LITERAL+", b"UNSELECT"} <= set(words)
        assert not [word for word in words if word.startswith(b"AUTH=")]


def test_the_trace_has_no_secrets(place, home):
    trace = home / "Maildir" / "trace"
    imapd = Started(place, {**LOGGED_IN, "IMAPDEBUGFILE": "trace"})
    imapd.client.finish(b"login")
    imapd.client.ok("LOGOUT")
    imapd.code()
    assert not trace.exists(), "only an owner who makes the file gets a trace"
    trace.write_text("")
    if IS_ROOT:
        os.chown(trace, UID, UID)
    imapd = Started(place, {**LOGGED_IN, "IMAPDEBUGFILE": "trace"})
    imapd.client.finish(b"login")
    imapd.client.command("LOGIN john hunter2")
    imapd.client.command("LOGIN john {}", b"hunter3")
    imapd.client.ok("LOGOUT")
    imapd.code()
    lines = trace.read_text().splitlines()
    assert lines[0].startswith("WRITE: login OK [CAPABILITY ")
    assert "READ: t1 LOGIN" in lines and "READ: t3 LOGOUT" in lines and "WRITE: t3 OK LOGOUT completed" in lines
    assert "hunter" not in trace.read_text()


@pytest.mark.parametrize("name", ["../trace", "link"])
def test_the_trace_stays_in_the_maildir(place, home, name):
    outside = home / "trace"
    outside.write_text("")
    if IS_ROOT:
        os.chown(outside, UID, UID)
    (home / "Maildir" / "link").symlink_to(outside)
    imapd = Started(place, {**LOGGED_IN, "IMAPDEBUGFILE": name})
    assert imapd.client.finish(b"login").ok
    imapd.client.ok("LOGOUT")
    assert outside.read_text() == ""


def test_version():
    run = subprocess.run([program("imapd"), "--version"], capture_output=True, check=True)
    assert run.stdout.startswith(b"daisychain imapd ") and not run.stderr


# -- what a session gives up ------------------------------------------------------------------------------------------


def test_the_sandbox_is_closed_before_the_client_is_heard(place, home):
    imapd = Started(place, LOGGED_IN)
    imapd.client.finish(b"login")
    with open(f"/proc/{imapd.process.pid}/status") as status:
        assert "NoNewPrivs:\t1" in status.read()
    with open(f"/proc/{imapd.process.pid}/limits") as lines:
        limits = {line[:25].strip(): line[26:].split()[:2] for line in lines}
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max open files"] == ["256", "256"]
    assert limits["Max data size"] == [str(256 << 20)] * 2


@pytest.mark.parametrize("abi", [None, "2", "1"])
def test_every_landlock_lets_mail_be_moved(place, home, abi):
    """From tmp to new to cur: the first landlock forbids that, so it is left out."""
    maildir.deliver(home / "Maildir", mail.plain(), uid=UID if IS_ROOT else None)
    imapd = Started(place, {**LOGGED_IN, **({"LANDLOCK_ABI": abi} if abi else {})})
    client = imapd.client
    client.finish(b"login")
    assert client.select().number("EXISTS") == 1
    client.append(mail.crlf(mail.plain()))
    client.ok("CREATE INBOX.other")
    client.ok("COPY 1:2 INBOX.other")
    client.ok("STORE 1 +FLAGS (\\Deleted word)")
    client.ok("EXPUNGE")
    client.ok("DELETE INBOX.other")
    assert client.ok("NOOP") and client.select().number("EXISTS") == 1


def test_it_works_under_softlimit(place, home):
    """The whole chain runs under softlimit -m5000000; its limits are never raised."""
    import resource

    def limit():
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK):
            resource.setrlimit(kind, (5_000_000, 5_000_000))

    imapd = Started(place, LOGGED_IN, preexec_fn=limit)
    assert imapd.client.finish(b"login").ok
    with open(f"/proc/{imapd.process.pid}/limits") as limits:
        assert limits.read().count("5000000") == 6
    imapd.client.ok("LOGOUT")


@pytest.mark.parametrize("how", ["closed", "full"])
def test_a_log_that_is_gone_harms_nobody(place, home, how):
    read, write = os.pipe()
    if how == "full":
        os.set_blocking(write, False)
        try:
            while True:
                os.write(write, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(write, True)
    else:
        os.close(read)
    process = place.popen([program("imapd")], env=LOGGED_IN, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=write,
                          bufsize=0, **as_user())
    client = Imap.with_process(process)
    assert client.finish(b"login").ok
    client.ok("LOGOUT")
    assert wait_for(lambda: process.poll() is not None) and process.returncode == 0
