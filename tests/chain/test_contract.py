"""What crosses each exec of the chain, and what does not: probes in place of the stages record how they were started.

The modules by themselves are in tests/auth; here is the chain as a whole, and its neighbours of other origin."""

import os
import pathlib
import random
import signal
import string

import pytest

from harness.peer import Courier
from harness.place import IS_ROOT, debian, program, wait_for
from harness.server import COURIER, Account, userdb

from stage import PEER, Probe, start

DANGEROUS = {
    "LD_PRELOAD": "/tmp/evil.so", "LD_LIBRARY_PATH": "/tmp", "LD_AUDIT": "/tmp/evil.so", "IFS": "/", "ENV": "/tmp/evil", "BASH_ENV": "/tmp/evil",
    "GLIBC_TUNABLES": "x=1", "MALLOC_PERTURB_": "1", "SHELLOPTS": "xtrace", "PS4": "$(id)", "PYTHONPATH": "/tmp", "PERL5OPT": "-x",
    "HOME": "/root", "USER": "root", "SHELL": "/bin/sh", "MAILDIR": "/root/Maildir", "MAILDIRQUOTA": "1S", "OPTIONS": "shared=1",
    "AUTHENTICATED": "root", "AUTHADDR": "root@x", "AUTHFULLNAME": "Root", "AUTHREASON": "temp", "AUTHTRIES": "-7", "AUTHLOGIN": "root",
    "AUTHEXPIRE": "99999999999", "AUTHARGV0": "/bin/evil", "AUTHARGV7": "x", "AUTHARGC": "0", "IMAPLOGINTAG": "evil", "PROTOCOL": "POP3",
    "SSL_CLIENT_S_DN": "CN=root", "TLS_SUBJECT_CN": "root", "TLS_CONNECTED_PROTOCOL": "TLSv9", "SSLCTLFD": "3", "UCSPITLS": "1",
    "TZ": ":/etc/shadow", "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "PATH": "/tmp/evil:/usr/bin",
    "TCPREMOTEHOST": "evil\nINFO: LOGIN, user=root", "TCP6REMOTEIP": "::1", "REMOTE_USER": "root",
}
SETTINGS = {"IMAP_KEYWORDS": "1", "IMAP_CAPABILITY": "IMAP4rev1", "AUTHSERVICE993": "imaps", "TLS_CERTFILE": "/c.pem", "MY_OWN": "x",
            "PASSENV": "MY_OWN LD_PRELOAD AUTHENTICATED IFS HOME"}
FIXED = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C"}


def planted(count=500):
    """Variables that no program of ours knows, and all that an attacker or a careless administrator might like to set."""
    chance = random.Random(7)
    names = ["".join(chance.choices(string.ascii_uppercase + "_", k=chance.randint(1, 20))) for _ in range(count)]
    return {**{f"X{name}": "x" * chance.randint(0, 100) for name in names}, **DANGEROUS}


def mistreat():
    """Runs in the new process: every signal blocked or ignored, an alarm, an open umask."""
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    signal.alarm(1000)
    os.umask(0)


@pytest.fixture
def descriptors():
    """Fifty open files that a child inherits."""
    files = [os.open("/dev/null", os.O_RDWR) for _ in range(50)]
    for file in files:
        os.set_inheritable(file, True)
    yield files
    for file in files:
        os.close(file)


def mistreated(place, args, descriptors, environment):
    return start(place, args, {**planted(), **environment}, preexec_fn=mistreat, pass_fds=descriptors)


def assert_clean(probe, request):
    """No descriptor, signal or mode has crossed that should not; the request's pipe is there or not."""
    expected = {0, 1, 2, 3} if request else {0, 1, 2}
    assert set(probe.descriptors) == expected, probe.descriptors
    assert probe.descriptors[0] == probe.descriptors[1] and probe.descriptors[0].startswith("socket:")
    if request:
        assert probe.descriptors[3].startswith("pipe:")
    # The probing shell itself waits for children: that is the one disposition it may have changed.
    assert probe.signals("SigIgn") == 0
    assert probe.signals("SigBlk") == 0
    assert probe.umask == 0o077


def way_back(login, *rest):
    arguments = [login, *map(str, rest)]
    return {"AUTHUSER": login, "AUTHARGC": str(len(arguments)), **{f"AUTHARGV{number}": arg for number, arg in enumerate(arguments)}}


def test_from_the_login_program_to_the_first_module(place, descriptors):
    probe = Probe(place)
    login = program("imaplogin")
    stage = mistreated(place, [login, probe.path, "authuserdb", "imapd", "./Maildir"], descriptors, SETTINGS)
    stage.talk.greeting()
    stage.talk.line("a.7 LOGIN john secret")
    probe.wait()
    assert_clean(probe, request=True)
    assert probe.limit("core file size") == ("0", "0")
    assert probe.argv == [probe.path, "authuserdb", "imapd", "./Maildir"]
    assert probe.request == b"imap\nlogin\njohn\nsecret\n\n"
    environment = probe.environment
    assert int(environment.pop("AUTHEXPIRE")) > 0
    assert environment == {
        **FIXED, **SETTINGS, **PEER, **way_back(login, probe.path, "authuserdb", "imapd", "./Maildir"),
        "AUTHENTICATED": "", "AUTHTRIES": "1", "AUTHLOGIN": "john", "IMAPLOGINTAG": "a.7", "PROTOCOL": "IMAP", "LOGIN_DELAY": "0",
        **{name: os.environ[name] for name in ("SECCOMP_ACTION", "LANDLOCK_ABI") if name in os.environ},
    }


def test_a_way_back_that_was_given(place):
    """AUTHUSER of the environment is where the chain comes back to, as for a login program that is started by a bare name."""
    probe = Probe(place)
    stage = start(place, ["imaplogin", probe.path], {"AUTHUSER": program("imaplogin")}, executable=program("imaplogin"))
    stage.talk.greeting()
    stage.talk.line("a LOGIN john secret")
    environment = probe.wait().environment
    assert (environment["AUTHUSER"], environment["AUTHARGV0"]) == (program("imaplogin"), "imaplogin")


def test_through_all_modules_to_the_last_program(place, descriptors):
    """john is known to the last of three modules: the first two pass the same bytes on, the third becomes him."""
    account = Account(place, quota="1000S", options="disableshared=1")
    source = userdb(place, account)
    probe = Probe(place, where=place.folder("record", mode=0o1777))
    modules = [program(name) for name in ("authpwd", "authshadow", "authuserdb")]
    stage = mistreated(place, [program("imaplogin"), *modules, probe.path, "./Maildir"], descriptors, {**SETTINGS, "USERDB": source})
    stage.talk.greeting()
    stage.talk.send("a LOGIN john secret\r\nb SELECT inbox\r\n")
    probe.wait()
    assert_clean(probe, request=False)
    assert probe.argv == [probe.path, "./Maildir"]
    assert probe.pid == stage.process.pid
    assert probe.cwd == str(account.home)
    uids, gids, groups = probe.ids
    assert uids == [account.uid] * 4 and gids == [account.uid] * 4
    if IS_ROOT:
        assert groups == [account.uid]
    environment = probe.environment
    assert environment.pop("MAILDIRQUOTA") == "1000S"
    assert environment == {
        **FIXED, **SETTINGS, **PEER, "USERDB": str(source), "LOGIN_DELAY": "0", "IMAPLOGINTAG": "a", "PROTOCOL": "IMAP",
        "AUTHENTICATED": "john", "AUTHADDR": "john", "AUTHFULLNAME": "", "MAILDIR": "", "OPTIONS": "disableshared=1", "HOME": str(account.home),
        **{name: os.environ[name] for name in ("SECCOMP_ACTION", "LANDLOCK_ABI") if name in os.environ},
    }


def test_nobody_is_known(place, descriptors):
    """Behind the last module the request is the one that the login program wrote, and nobody is authenticated."""
    source = userdb(place, Account(place))
    probe = Probe(place)
    modules = [program(name) for name in ("authpwd", "authshadow", "authuserdb", "authuserdb")]
    stage = mistreated(place, [program("imaplogin"), *modules, probe.path, "./Maildir"], descriptors, {**SETTINGS, "USERDB": source})
    stage.talk.greeting()
    stage.talk.line("a LOGIN john wrong")
    probe.wait()
    assert_clean(probe, request=True)
    assert probe.request == b"imap\nlogin\njohn\nwrong\n\n"
    assert probe.environment["AUTHENTICATED"] == ""
    assert probe.ids[0] == [os.geteuid()] * 4


def test_back_to_the_login_program(place, descriptors):
    """imapd without a login executes the login program with its own arguments; a module that fails says why."""
    account = Account(place)
    source = userdb(place, account)
    login = Probe(place, "login")
    variables = {**SETTINGS, "USERDB": source, **way_back(login.path, "one", "two words"), "AUTHEXPIRE": "77", "AUTHTRIES": "2",
                 "AUTHLOGIN": "john", "IMAPLOGINTAG": "a", "AUTHENTICATED": "", "AUTHREASON": "old"}
    for args, reason in (([program("imapd"), "./Maildir"], None), ([program("authuserdb"), "/nonexistent"], "temp")):
        source.with_suffix(".dat").write_bytes(b"no database") if reason else None
        request, pipe = os.pipe()
        os.write(pipe, b"imap\nlogin\njohn\nsecret\n\n")
        os.close(pipe)
        stage = start(place, args, {**planted(), **variables}, preexec_fn=lambda: (mistreat(), os.dup2(request, 3)), pass_fds=(*descriptors, 3))
        os.close(request)
        login.wait()
        assert_clean(login, request=False)
        assert login.argv == [login.path, "one", "two words"]
        environment = login.environment
        assert environment.get("AUTHREASON") == reason
        for name in ("AUTHARGC", "AUTHEXPIRE", "AUTHTRIES", "AUTHLOGIN", "IMAPLOGINTAG"):
            assert environment[name] == variables[name]
        assert not set(environment) & (set(DANGEROUS) - set(variables) - set(FIXED) - {"PROTOCOL", "AUTHARGV7"})
        assert not any(name.startswith("X") for name in environment)
        stage.end()
        login.out.unlink()


# -- the whole chain -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("front", ["tcpserver", "tcpd"])
def test_the_main_job(chain, front):
    server = chain(front=front, modules=("authpwd", "authshadow", "authuserdb"))
    client = server.connect()
    client.play("""
        S: * OK [CAPABILITY IMAP4rev1 ...
        C: a1 login john wrong
        S: a1 NO [AUTHENTICATIONFAILED] Login failed
        C: a2 login john secret
        S: a2 OK ...
        C: a3 select inbox
        S* a3 OK [READ-WRITE] ...
        C: a4 logout
        S: * BYE ...
        S: a4 OK ...
        S.
    """)
    assert server.wait_log("INFO: LOGIN FAILED, user=john, ip=[127.0.0.1], port=[")
    assert server.wait_log("INFO: LOGIN, user=john, ip=[127.0.0.1], port=[")
    assert server.wait_log("INFO: LOGOUT, user=john")


def test_pipelined_commands_are_imapds(chain):
    client = chain().connect()
    client.greeting()
    client.send("a LOGIN john {6+}\r\nsecret\r\nb SELECT INBOX\r\nc NOOP\r\nd LOGOUT\r\n")
    tagged = [line.split()[0:2] for line in client.rest().split(b"\r\n") if line and not line.startswith(b"*")]
    assert tagged == [[b"a", b"OK"], [b"b", b"OK"], [b"c", b"OK"], [b"d", b"OK"]]


def test_unknown_user_and_wrong_password_are_the_same(chain):
    server = chain()
    answers = set()
    for user, password in (("john", "wrong"), ("nobody-here", "secret"), ("root", "x"), ("john", "")):
        client = server.connect()
        client.greeting()
        client.line(f'a LOGIN "{user}" "{password}"')
        answers.add(client.response())
        client.close()
    assert answers == {b"a NO [AUTHENTICATIONFAILED] Login failed"}


def test_a_broken_database_is_no_wrong_password(chain):
    server = chain()
    pathlib.Path(server.account.home.parent / "userdb.dat").write_bytes(b"no database")
    client = server.connect()
    client.greeting()
    answer = client.command("LOGIN john secret")
    assert answer.code == b"UNAVAILABLE"
    assert server.wait_log("ERR: authentication error: temporary failure, user=john")


def test_a_module_that_is_a_script(chain, place):
    """The two lines of daisychain-chain(7): such a module lets nobody in, and hands the very same request on."""
    server = chain(modules=(place.script("module", '#!/bin/sh\nexec "$@"\n'), "authuserdb"))
    assert server.login().ok("NOOP")


# -- neighbours of other origin ------------------------------------------------------------------------------------


def test_courier_s_imapd_at_the_end_of_our_chain(chain):
    server = chain(serve=[debian("/usr/bin/imapd"), "Maildir"], environment=COURIER)
    client = server.login()
    assert client.select().lines("EXISTS")
    assert client.ok("LOGOUT")
    line = server.wait_log("INFO: LOGIN, user=john, ip=[127.0.0.1], port=[")
    assert line.endswith("], protocol=IMAP")


def test_courier_s_imapd_serves_nobody_without_a_login(chain):
    """It knows no way back; what counts is that a refused client is not served."""
    server = chain(serve=[debian("/usr/bin/imapd"), "Maildir"], environment=COURIER)
    client = server.connect()
    client.greeting()
    client.send("a LOGIN john wrong\r\nb SELECT INBOX\r\nc LIST \"\" *\r\n")
    said = client.rest()
    assert b"a OK" not in said and b"b OK" not in said and b"LIST" not in said, said


@pytest.mark.skipif(not IS_ROOT, reason="Courier as a whole needs root")
def test_our_imapd_behind_courier_s_login(place):
    server = Courier.start(place, serve=(program("imapd"), "Maildir"))
    try:
        client = server.login()
        assert client.select().lines("EXISTS")
        client.ok("LOGOUT")
        wait_for(lambda: "INFO: LOGOUT, user=john" in server.log(), what="our imapd's log line")
    finally:
        server.stop()
