"""imaplogin by itself: what a client hears, what the log says, what reaches the next program."""

import base64
import os
import random
import signal
import socket
import string
import time

import pytest

from harness.place import IS_ROOT, debian, free_port, program, wait_for
from harness.imap import Imap

from stage import PEER, Probe, start

GREETING = b"* OK [CAPABILITY "
FAILED = b"NO [AUTHENTICATIONFAILED] Login failed"
# Behind the login program: back to it, as a module that fails or an imapd without a login does.
BACK = 'exec "$AUTHUSER" "$AUTHARGV1" "$AUTHARGV2"'
TEMPORARY = 'AUTHREASON=temp exec "$AUTHUSER" "$AUTHARGV1" "$AUTHARGV2"'


def b64(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.fixture
def login(place):
    """`login(settings, over=...)` starts imaplogin before a probe; the greeting is read."""

    def begin(environment=None, over="tcp", then="exit 0", greeted=True, **options):
        probe = Probe(place, then=then)
        stage = start(place, [program("imaplogin"), probe.path, "./Maildir"], environment, over, **options)
        stage.probe = probe
        if greeted:
            greeting = stage.talk.greeting()
            assert greeting.startswith(GREETING), greeting
            stage.greeting = greeting
        return stage

    return begin


# -- before anybody logs in ----------------------------------------------------------------------------------------


def test_commands_before_login(login):
    stage = login()
    capabilities = stage.greeting.split(b"[CAPABILITY ")[1].split(b"]")[0].decode()
    stage.talk.play(f"""
        C: a1 CAPABILITY
        S: * CAPABILITY {capabilities}
        S: a1 OK ...
        C: a2 noop
        S: a2 OK ...
        C: a3 LOGOUT
        S: * BYE ...
        S: a3 OK ...
        S.
    """)
    assert stage.end() == 0
    words = capabilities.split()
    assert words[0] == "IMAP4rev1" and {"AUTH=PLAIN", "SASL-IR", "LITERAL+"} <= set(words)
    assert not {"STARTTLS", "LOGINDISABLED", "ID"} & set(words)


def test_log_of_a_connection_without_login(login):
    stage = login()
    stage.talk.line("a LOGOUT")
    said = len(stage.greeting) + 2 + len(stage.talk.rest())
    assert stage.end() == 0
    assert stage.lines() == [
        "DEBUG: Connection, ip=[10.1.2.3], port=[4711]",
        f"INFO: LOGOUT, ip=[10.1.2.3], port=[4711], rcvd=10, sent={said}",
    ]


def test_a_client_that_goes_away(login):
    stage = login()
    stage.talk.close()
    assert stage.end() == 0
    assert stage.lines()[-1].startswith("DEBUG: Disconnected, ip=[10.1.2.3], port=[4711], time=")


def test_commands_in_one_packet_are_answered_in_order(login):
    stage = login()
    stage.talk.send("a NOOP\r\nb CAPABILITY\r\nc LOGOUT\r\n")
    answers = stage.talk.rest().split(b"\r\n")
    assert [line.split()[0] for line in answers if line] == [b"a", b"*", b"b", b"*", b"c"]


def test_three_bad_commands_are_enough(login):
    stage = login()
    stage.talk.play("""
        C: a1 SELECT inbox
        S: a1 BAD ...
        C: a2 NOOP
        S: a2 OK ...
        C: (no tag)
        S: * BAD ...
        C: a3 LOGIN john
        S: a3 BAD ...
        S: * BYE ...
        S.
    """)
    assert stage.end() == 0


@pytest.mark.parametrize("text", ["STARTTLS", "AUTHENTICATE CRAM-MD5", "LOGIN \"a\x01b\" x", "LOGIN john \"\""])
def test_what_is_refused_at_once(login, text):
    stage = login()
    assert not stage.talk.command(text).ok
    assert stage.talk.ok("NOOP")


def test_id_where_it_is_on(login):
    stage = login({"IMAP_ID_FIELDS": "1"})
    assert b" ID " in stage.greeting
    answer = stage.talk.ok('ID ("name" "Thunderbird" "version" NIL)')
    assert answer.untagged[0].startswith(b'ID ("name" "daisychain" "version" ')
    assert stage.talk.ok("ID NIL").untagged == answer.untagged


def test_id_where_it_is_off(login):
    assert login().talk.command("ID NIL").status == b"NO"


# -- logging in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command, user, password", [
    ("LOGIN john secret", "john", "secret"),
    ("login john secret", "john", "secret"),
    ('LOGIN "john" "se cr\\"et\\\\"', "john", 'se cr"et\\'),
    ("LOGIN john s[e]c%r*e{t}", "john", "s[e]c%r*e{t}"),
    ("LOGIN {4+}\r\njohn {6+}\r\nsecret", "john", "secret"),
    ("LOGIN john {8+}\r\nse\" cret", "john", 'se" cret'),
    ('LOGIN "jöhn" "sëcret"', "jöhn", "sëcret"),
])
def test_login(login, command, user, password):
    stage = login()
    stage.talk.send(f"a.1 {command}\r\n")
    probe = stage.probe.wait()
    assert probe.request == f"imap\nlogin\n{user}\n{password}\n\n".encode()
    assert probe.environment["IMAPLOGINTAG"] == "a.1"
    assert probe.environment["AUTHLOGIN"] == user


def test_literals_are_asked_for(login):
    stage = login()
    stage.talk.play("""
        C: a LOGIN {4}
        S: + OK
        C- john
        C:  {6}
        S: + OK
        C: secret
    """)
    assert stage.probe.wait().request == b"imap\nlogin\njohn\nsecret\n\n"


@pytest.mark.parametrize("script", [
    "C: a AUTHENTICATE PLAIN {plain}",
    "C: a authenticate plain\nS: + \nC: {plain}",
    "C: a AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: {user}\nS: + UGFzc3dvcmQ6\nC: {password}",
    "C: a AUTHENTICATE LOGIN {user}\nS: + UGFzc3dvcmQ6\nC: {password}",
])
def test_authenticate(login, script):
    stage = login()
    words = {"plain": b64("\0john\0secret"), "user": b64("john"), "password": b64("secret")}
    for line in script.format(**words).split("\n"):
        if line.startswith("C: "):
            stage.talk.line(line[3:])
        else:
            assert stage.talk.read_line() == line[3:].encode()
    assert stage.probe.wait().request == b"imap\nlogin\njohn\nsecret\n\n"


@pytest.mark.parametrize("answer", ["*", "no base64!", "=", b64("\0john") + "A"])
def test_authenticate_cancelled_or_senseless(login, answer):
    stage = login()
    stage.talk.play(f"""
        C: a AUTHENTICATE PLAIN
        S: + ...
        C: {answer}
        S: a BAD ...
        C: b NOOP
        S: b OK ...
    """)


@pytest.mark.parametrize("message", ["", "john", "\0john", "\0\0secret", "\0john\0", "\0jo\nhn\0x", "\0john\0se\0cret"])
def test_plain_that_no_account_could_pass(login, message):
    stage = login()
    stage.talk.line(f"a AUTHENTICATE PLAIN {b64(message) or '='}")
    assert stage.talk.response() == b"a " + FAILED
    assert stage.talk.ok("NOOP")


def test_long_authenticate_answer(login):
    stage = login()
    password = "x" * 5000
    stage.talk.play(f"C: a AUTHENTICATE PLAIN\nS: + ...\nC: {b64(chr(0) + 'john' + chr(0) + password)}")
    assert stage.probe.wait().request == f"imap\nlogin\njohn\n{password}\n\n".encode()


@pytest.mark.parametrize("settings, user, expected", [
    ({"DEFDOMAIN": "@example.com"}, "john", b"imap\nlogin\njohn@example.com\n"),
    ({"DEFDOMAIN": "@example.com"}, "john@example.org", b"imap\nlogin\njohn@example.org\n"),
    ({"DEFDOMAIN": "@example.com", "DOMAINSEP": "@%"}, "john%x", b"imap\nlogin\njohn%x\n"),
    ({"AUTHSERVICE143": "imap-intern"}, "john", b"imap-intern\nlogin\njohn\n"),
    ({"AUTHSERVICE143": "no", "TCPLOCALPORT": "993", "AUTHSERVICE993": "imaps"}, "john", b"imaps\nlogin\njohn\n"),
    ({"AUTHSERVICE143": "default", "TCPLOCALPORT": ""}, "john", b"default\nlogin\njohn\n"),
])
def test_names_and_services(login, settings, user, expected):
    stage = login(settings, peer={**PEER, **settings})
    stage.talk.line(f"a LOGIN {user} secret")
    assert stage.probe.wait().request.startswith(expected)


def test_without_local_port_it_is_143(login):
    stage = login({"AUTHSERVICE143": "x"}, over="unix", peer={"TCPREMOTEIP": "1.2.3.4"})
    stage.talk.line("a LOGIN john secret")
    assert stage.probe.wait().request.startswith(b"x\n")


@pytest.mark.parametrize("over", ["tcp", "unix", "pipe"])
def test_no_byte_behind_the_login_is_taken(login, over):
    stage = login(over=over, then="exec cat")
    stage.talk.send("a LOGIN john {6+}\r\nsecret\r\nb SELECT inbox\r\nc FETCH 1 ALL\r\n")
    stage.talk.half_close()
    assert stage.talk.rest() == b"b SELECT inbox\r\nc FETCH 1 ALL\r\n"
    assert stage.probe.request == b"imap\nlogin\njohn\nsecret\n\n"


@pytest.mark.parametrize("over", ["tcp", "pipe"])
def test_byte_by_byte(login, over):
    stage = login(over=over, then="exec cat")
    for byte in b"a AUTHENTICATE PLAIN\r\n" + b64("\0john\0secret").encode() + b"\r\nnext\r\n":
        stage.talk.send(bytes([byte]))
    stage.talk.half_close()
    assert stage.talk.rest() == b"+ \r\nnext\r\n"
    assert stage.probe.request == b"imap\nlogin\njohn\nsecret\n\n"


def test_the_process_id_stays(login):
    stage = login()
    stage.talk.line("a LOGIN john secret")
    assert stage.probe.wait().pid == stage.process.pid


# -- failures ------------------------------------------------------------------------------------------------------


def test_failures_up_to_the_third(login):
    stage = login(then=BACK)
    stage.talk.play("""
        C: a1 LOGIN john wrong
        S: a1 NO [AUTHENTICATIONFAILED] Login failed
        C: a2 NOOP
        S: a2 OK ...
        C: a3 AUTHENTICATE PLAIN AHBhdWwAd3Jvbmc=
        S: a3 NO [AUTHENTICATIONFAILED] Login failed
        C: a4 LOGIN john wrong
        S: a4 NO [AUTHENTICATIONFAILED] Login failed
        S: * BYE ...
        S.
    """)
    assert stage.end() == 0
    where = "ip=[10.1.2.3], port=[4711]"
    assert stage.lines()[:4] == [
        f"DEBUG: Connection, {where}",
        f"INFO: LOGIN FAILED, user=john, {where}",
        f"INFO: LOGIN FAILED, user=paul, {where}",
        f"INFO: LOGIN FAILED, user=john, {where}",
    ]
    assert stage.probe.environment["AUTHTRIES"] == "3"


def test_temporary_failure(login):
    stage = login(then=TEMPORARY)
    stage.talk.line("a LOGIN john secret")
    assert stage.talk.response().startswith(b"a NO [UNAVAILABLE] ")
    assert "ERR: authentication error: temporary failure, user=john, ip=[10.1.2.3], port=[4711]" in stage.lines()
    stage.talk.line("b LOGIN john secret")
    assert stage.talk.response().startswith(b"b NO [UNAVAILABLE] ")


def test_the_delay_is_slept(login):
    stage = login({"LOGIN_DELAY": "1"}, then=BACK)
    begin = time.monotonic()
    stage.talk.line("a LOGIN john wrong")
    assert stage.talk.response() == b"a " + FAILED
    assert time.monotonic() - begin >= 1
    # While it sleeps, no half is there that could hold a secret.
    stage.talk.line("b LOGIN john wrong")
    stage.wait_log("LOGIN FAILED")
    assert stage.talk.response() == b"b " + FAILED


def test_the_log_may_leave_names_out(login):
    stage = login({"LOG_FAILED_NAMES": "0"}, then=BACK)
    stage.talk.line("a LOGIN oops-my-password x")
    assert stage.talk.response() == b"a " + FAILED
    assert "INFO: LOGIN FAILED, user=, ip=[10.1.2.3], port=[4711]" in stage.lines()
    assert "oops" not in stage.log()


def test_a_name_cannot_forge_a_log_line(login):
    stage = login(then=BACK)
    stage.talk.line('a LOGIN "x, ip=[6.6.6.6], port=[1]" wrong')
    assert stage.talk.response() == b"a " + FAILED
    assert r"INFO: LOGIN FAILED, user=x\x2c ip=[6.6.6.6]\x2c port=[1], ip=[10.1.2.3], port=[4711]" in stage.lines()


@pytest.mark.parametrize("expire, seconds", [("1", 0), ("99999999999", 60), ("rubbish", 60)])
def test_the_time_is_kept_over_the_rerun(login, expire, seconds):
    stage = login(then=f"AUTHEXPIRE={expire} {BACK}")
    stage.talk.line("a LOGIN john wrong")
    assert stage.talk.response() == b"a " + FAILED
    if seconds:
        stage.talk.line("b LOGIN john wrong")
        assert stage.talk.response() == b"b " + FAILED
        left = int(stage.probe.environment["AUTHEXPIRE"]) - time.time()
        assert 50 < left <= seconds
    else:
        assert stage.talk.response().startswith(b"* BYE ")
        assert stage.end() == 0


@pytest.mark.parametrize("setting, word", [("LOGIN_TIMEOUT", b"over"), ("LOGIN_IDLE", b"Idle")])
def test_time_limits(login, setting, word):
    stage = login({setting: "1"})
    begin = time.monotonic()
    bye = stage.talk.response()
    assert bye.startswith(b"* BYE ") and word in bye
    assert 0.9 < time.monotonic() - begin < 3
    assert stage.talk.rest() == b""
    assert stage.end() == 0
    assert stage.lines()[-1].startswith("INFO: TIMEOUT, ip=[10.1.2.3], port=[4711], rcvd=0, sent=")


def test_commands_do_not_prolong_the_time(login):
    stage = login({"LOGIN_TIMEOUT": "1"})
    begin = time.monotonic()
    while stage.talk.silent(0.1):
        stage.talk.line("a NOOP")
        if not stage.talk.response().startswith(b"a OK"):
            break
    assert time.monotonic() - begin < 3


# -- settings ------------------------------------------------------------------------------------------------------


def test_login_refused_without_tls(login):
    stage = login({"IMAP_TLS_REQUIRED": "1"})
    assert b" LOGINDISABLED" in stage.greeting and b"AUTH=PLAIN" not in stage.greeting
    for command in ("LOGIN john secret", "LOGIN john secret", f"AUTHENTICATE PLAIN {b64('x')}", "LOGIN john secret"):
        assert stage.talk.command(command).code == b"PRIVACYREQUIRED"
    assert not stage.probe.out.exists()
    assert login({"IMAP_TLS_REQUIRED": "1", "IMAP_TLS": "1"}).greeting.count(b"LOGINDISABLED") == 0


def test_debug_login_never_tells_a_password(login):
    stage = login({"DEBUG_LOGIN": "2"})
    stage.talk.send("a NOOP\r\nb LOGIN john hidden-word\r\n")
    stage.probe.wait()
    assert stage.lines()[1:] == [
        "DEBUG: LOGIN: ip=[10.1.2.3], command=NOOP",
        "DEBUG: LOGIN: ip=[10.1.2.3], command=LOGIN",
        "DEBUG: LOGIN: ip=[10.1.2.3], username=john",
    ]
    assert "hidden" not in stage.log()


# -- who is there --------------------------------------------------------------------------------------------------


def test_plain_inetd_tells_nothing(login):
    stage = login(peer={})
    port = stage.talk.owner.getsockname()[1]
    assert stage.lines() == [f"DEBUG: Connection, ip=[127.0.0.1], port=[{port}]"]
    stage.talk.line("a LOGIN john secret")
    environment = stage.probe.wait().environment
    assert environment["TCPREMOTEIP"] == "127.0.0.1" and environment["TCPREMOTEPORT"] == str(port)


@pytest.mark.parametrize("over", ["unix", "pipe"])
def test_no_peer_is_no_failure(login, over):
    stage = login(over=over, peer={"PROTO": "UNIX", "UNIXREMOTEPID": "1"})
    stage.talk.line("a LOGIN john secret")
    environment = stage.probe.wait().environment
    assert (environment["TCPREMOTEIP"], environment["TCPREMOTEPORT"]) == ("127.0.0.1", "N/A")
    assert environment["UNIXREMOTEPID"] == "1"


def test_other_protocols_names(login):
    peer = {"PROTO": "SSL", "SSLREMOTEIP": "::ffff:10.9.8.7", "SSLREMOTEPORT": "5", "SSLLOCALPORT": "993"}
    stage = login({"AUTHSERVICE993": "imaps"}, peer=peer)
    assert stage.lines() == ["DEBUG: Connection, ip=[10.9.8.7], port=[5]"]
    stage.talk.line("a LOGIN john secret")
    probe = stage.probe.wait()
    assert probe.request.startswith(b"imaps\n")
    assert probe.environment["TCPREMOTEIP"] == "::ffff:10.9.8.7"


# -- the wrong use -------------------------------------------------------------------------------------------------


def test_nothing_to_run(place):
    stage = start(place, [program("imaplogin")])
    assert stage.end() == 100
    assert stage.log() == "AUTHFAILURE\n"


def test_no_way_back(place):
    stage = start(place, ["imaplogin", "/bin/true"], executable=program("imaplogin"))
    assert stage.end() == 100
    assert stage.log() == "imaplogin: fatal: AUTHUSER is not initialized to a complete path\n"


@pytest.mark.parametrize("path, reason", [("/nonexistent/module", "no such file or directory"), ("relative", "not a full path")])
def test_a_module_that_is_not_there(place, path, reason):
    stage = start(place, [program("imaplogin"), path])
    stage.talk.greeting()
    stage.talk.line("a LOGIN john secret")
    assert stage.talk.rest() == b""
    assert stage.end() == 111
    assert stage.lines()[-1] == f"imaplogin: fatal: unable to run {path}: {reason}"


# -- bad input -----------------------------------------------------------------------------------------------------


def test_a_long_line_is_refused_and_the_next_is_heard(login):
    stage = login()
    stage.talk.send(b"a LOGIN john " + b"x" * 20000 + b"\r\n")
    assert stage.talk.response() == b"a BAD Command too long"
    assert stage.talk.ok("NOOP")


def test_eight_megabytes_in_one_line(login):
    stage = login()
    try:
        for _ in range(128):
            stage.talk.send(b"x" * 65536)
    except (BrokenPipeError, ConnectionResetError, AssertionError):
        pass
    assert stage.end() == 0
    assert stage.lines()[-1].startswith("DEBUG: Disconnected")


def test_last_words_are_heard_by_a_client_that_says_too_much(login):
    """To close a socket with unread bytes in it resets the connection, and takes back what was said."""
    stage = login()
    stage.talk.send(b"x" * 100_000)
    assert stage.talk.response().endswith(b" BAD Command too long")
    assert stage.talk.response().startswith(b"* BYE")
    assert stage.talk.rest() == b""


@pytest.mark.parametrize("literal, answer", [
    ("{99999999}", b"a BAD"),
    ("{4294967297}", b"a BAD"),
    ("{99999999999999999999999999}", b"a BAD"),
    ("{-1}", b"a BAD"),
    ("{8191}", b"a BAD"),
])
def test_literals_too_large_to_ask_for(login, literal, answer):
    stage = login()
    stage.talk.line(f"a LOGIN {literal}")
    assert stage.talk.response().startswith(answer)
    assert stage.talk.ok("NOOP")


@pytest.mark.parametrize("literal", ["{99999999+}", "{18446744073709551615+}", "{99999999999999999999999999+}"])
def test_literals_too_large_that_come_unasked(login, literal):
    stage = login()
    stage.talk.line(f"a LOGIN {literal}")
    assert stage.talk.response().startswith(b"a BAD")
    assert stage.talk.response().startswith(b"* BYE")
    assert stage.talk.rest() == b""
    assert stage.end() == 0


def test_endless_literals(login):
    stage = login()
    stage.talk.line("a LOGIN {4000+}")
    for _ in range(40):
        try:
            stage.talk.send(b"x" * 4000 + b" {4000+}\r\n")
        except (BrokenPipeError, ConnectionResetError):
            break
    assert stage.end() == 0


def test_a_literal_cannot_become_commands(login):
    """A line that is too long behind a literal: where the next command begins cannot be known."""
    stage = login()
    stage.talk.send(b"a LOGIN {40}\r\n")
    assert stage.talk.response() == b"+ OK"
    stage.talk.send(b"x LOGIN john secret\r\n" + b"y" * 19 + b" " + b"z" * 9000 + b"\r\n")
    assert stage.talk.response().startswith(b"a BAD")
    assert stage.talk.response().startswith(b"* BYE")
    assert stage.end() == 0
    assert not stage.probe.out.exists()


@pytest.mark.parametrize("data", [b"\0" * 4096 + b"\r\n", b"a LOGIN \0 x\r\n", b"a LOGIN {1+}\r\n\0 x\r\n", b"\r\r\r\n", b"\n", b"\xff\xfe\r\n",
                                  b"a AUTHENTICATE\r\n", b"a ((((((((((((((\r\n", b"* OK\r\n", b"+ x\r\n"])
def test_rubbish(login, data):
    stage = login()
    stage.talk.send(data)
    assert b" BAD " in stage.talk.response() + b" "
    assert stage.talk.ok("NOOP")


def test_sixty_four_kilobytes_are_enough(login):
    stage = login()
    answers = []
    while not answers or answers[-1].startswith(b"a OK"):
        stage.talk.line("a NOOP" + " " * 1000)
        answers.append(stage.talk.response())
    assert 60 < len(answers) < 70
    assert answers[-1].startswith(b"* BYE")
    assert stage.end() == 0


def test_a_client_that_reads_nothing(login):
    """The answers fill every buffer; the time limit still holds."""
    stage = login({"LOGIN_TIMEOUT": "2"})
    try:
        stage.talk.send(b"a CAPABILITY\r\n" * 4500)
    except (BrokenPipeError, ConnectionResetError, AssertionError):
        pass
    assert stage.end() == 0


def test_half_open(login):
    """A client that says its last word and closes its direction is logged in all the same."""
    stage = login(then="echo welcome")
    stage.talk.send("a LOGIN john secret\r\n")
    stage.talk.half_close()
    assert stage.talk.rest() == b"welcome\n"


@pytest.mark.parametrize("over", ["tcp", "unix", "pipe"])
def test_half_open_and_refused(login, over):
    """The answer comes, after the delay, though the client has closed its direction."""
    stage = login({"LOGIN_DELAY": "1"}, over=over, then=BACK)
    stage.talk.send("a LOGIN john wrong\r\n")
    stage.talk.half_close()
    assert stage.talk.rest() == b"a " + FAILED + b"\r\n"
    assert stage.end() == 0


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_a_client_that_is_gone_is_not_waited_for(login, over):
    stage = login({"LOGIN_DELAY": "30"}, over=over, then=BACK)
    stage.talk.send("a LOGIN john wrong\r\n")
    stage.wait_log("LOGIN FAILED")
    stage.talk.owner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    stage.talk.close()
    assert stage.end() == 0


def random_command(chance):
    """A command that makes sense before login, in one of its many forms."""
    words = ["NOOP", "capability", "ID NIL", 'ID ("name" {4+}\r\nmutt)', "NOOP ", "CAPABILITY"]
    return f"{chance.choice(['a', 'A.1', 'x-9', '0'])} {chance.choice(words)}{chance.choice([chr(13) + chr(10), chr(10)])}".encode()


def random_login(chance, password):
    forms = [
        b"t LOGIN john " + password, b't login "john" "' + password + b'"', b"t LOGIN {4+}\r\njohn {%d+}\r\n%s" % (len(password), password),
        b"t AUTHENTICATE PLAIN " + base64.b64encode(b"\0john\0" + password),
        b"t AUTHENTICATE PLAIN\r\n" + base64.b64encode(b"\0john\0" + password),
        b"t AUTHENTICATE LOGIN\n" + base64.b64encode(b"john") + b"\r\n" + base64.b64encode(password),
    ]
    return chance.choice(forms) + chance.choice([b"\r\n", b"\n"])


@pytest.mark.parametrize("over", ["tcp", "unix", "pipe"])
def test_exactly_the_bytes_behind_the_login_are_left(place, over):
    """Any commands, any form of login, any bytes behind it, cut into packets anywhere: the next program reads the rest."""
    for seed in range(40):
        chance = random.Random(seed)
        password = bytes(chance.choices(string.ascii_letters.encode(), k=chance.randint(1, 2000)))
        before = b"".join(random_command(chance) for _ in range(chance.randint(0, 5))) + random_login(chance, password)
        behind = b"BEHIND" + chance.randbytes(chance.randint(0, 5000))
        stage = start(place, [program("imaplogin"), "/bin/cat"], {"IMAP_ID_FIELDS": "0"}, over)
        said = before + behind
        while said:
            length = min(len(said), chance.choice([1, 2, 3, 10, 100, 5000]) if len(before) < 500 else 5000)
            stage.talk.send(said[:length])
            said = said[length:]
        stage.talk.half_close()
        heard = stage.talk.rest()
        assert heard.endswith(behind), f"seed {seed}: {before!r}\n{heard[-200:]!r}"
        assert b"BEHIND" not in heard[: -len(behind)] and b" BAD " not in heard[: -len(behind)]
        assert stage.end() == 0


def test_a_log_that_is_full_holds_nobody_up(place):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writing, True)
    probe = Probe(place)
    stage = start(place, [program("imaplogin"), probe.path], stderr=writing)
    stage.talk.greeting()
    stage.talk.line("a LOGIN john secret")
    probe.wait()
    os.close(reading)
    os.close(writing)


def test_a_log_that_is_gone_kills_nobody(place):
    reading, writing = os.pipe()
    os.close(reading)
    probe = Probe(place)
    stage = start(place, [program("imaplogin"), probe.path], stderr=writing)
    os.close(writing)
    stage.talk.greeting()
    stage.talk.line("a LOGIN john secret")
    probe.wait()


# -- the half without rights ---------------------------------------------------------------------------------------


def half_of(stage):
    return wait_for(stage.children, what="the conversation half")[0]


def status_of(pid, key):
    with open(f"/proc/{pid}/status") as status:
        return next(line.split(":", 1)[1].split() for line in status if line.startswith(key + ":"))


def confined_half(stage):
    """The half, once it waits for the client's first byte."""
    half = half_of(stage)
    wait_for(lambda: status_of(half, "Seccomp") == ["2"], what="seccomp")
    return half


@pytest.mark.skipif(not IS_ROOT, reason="only root can look at a process that may not be looked at")
def test_the_half_has_no_rights(login):
    stage = login()
    half = confined_half(stage)
    assert status_of(half, "NoNewPrivs") == ["1"]
    assert sorted(os.listdir(f"/proc/{half}/fd")) == ["0", "1", "3"]
    with open(f"/proc/{half}/limits") as file:
        limits = file.read()
    for name, value in [("open files", 64), ("data size", 4 << 20), ("core file size", 0), ("processes", 0)]:
        assert f"Max {name}".ljust(26) + str(value).ljust(21) + str(value) in limits
    assert status_of(half, "Uid") == ["65534"] * 4 and status_of(half, "Gid") == ["65534"] * 4
    assert status_of(half, "Groups") == ["65534"]
    assert status_of(half, "CapEff") == ["0000000000000000"]
    assert os.readlink(f"/proc/{half}/root").endswith("/fdinfo")
    assert status_of(stage.process.pid, "Seccomp") == ["0"]


@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody")
@pytest.mark.parametrize("uid, gid", [("4242", "4243"), ("0", "0"), ("rubbish", "-1")])
def test_the_half_is_whom_envuidgid_says(login, uid, gid):
    stage = login({"UID": uid, "GID": gid})
    half = confined_half(stage)
    expected = (uid, gid) if uid == "4242" else ("65534", "65534")
    assert (status_of(half, "Uid"), status_of(half, "Gid")) == ([expected[0]] * 4, [expected[1]] * 4)


def test_the_half_dies_with_the_other(login):
    stage = login()
    half = confined_half(stage)
    stage.process.kill()
    stage.process.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{half}") or status_of(half, "State")[0] == "Z", what="the half is gone")


def test_a_half_that_is_killed_is_reported(login):
    stage = login()
    os.kill(confined_half(stage), signal.SIGUSR1)
    assert stage.talk.rest() == b""
    assert stage.end() == 111
    assert stage.lines()[-1] == "imaplogin: fatal: conversation ended by signal 10"


def test_a_half_that_hangs_is_killed_when_the_time_is_over(login):
    stage = login({"LOGIN_TIMEOUT": "1"})
    half = confined_half(stage)
    os.kill(half, signal.SIGSTOP)
    assert stage.talk.rest() == b""
    assert stage.end() == 0
    assert not os.path.exists(f"/proc/{half}")
    assert stage.lines()[-1].startswith("INFO: TIMEOUT, ")


def test_the_half_is_gone_before_the_module_runs(login):
    stage = login(then="cat")
    half = confined_half(stage)
    stage.talk.line("a LOGIN john secret")
    stage.probe.wait()
    assert not os.path.exists(f"/proc/{half}")


def memory(pid):
    """Kilobytes of its own (not the program's file, which all share), and the greatest address space in kilobytes."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        private = sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))
    return private, int(status_of(pid, "VmPeak")[0])


@pytest.mark.skipif(not IS_ROOT, reason="only root can look at a process that may not be looked at")
def test_memory_of_a_stranger(login):
    stage = login()
    half = confined_half(stage)
    stage.talk.send(b"a LOGIN john " + b"x" * 7000)
    wait_for(lambda: memory(half)[0] > 0, what="the half's memory")
    private, peaks = zip(memory(stage.process.pid), memory(half))
    print(f"private {private} kB, address space {peaks} kB")
    assert sum(private) <= 400
    assert max(peaks) < 5000


def test_under_softlimit(place):
    probe = Probe(place)
    stage = start(place, [debian("softlimit"), "-m5000000", program("imaplogin"), probe.path])
    assert stage.talk.greeting().startswith(GREETING)
    stage.talk.send(b"a LOGIN john {7000+}\r\n" + b"x" * 7000 + b"\r\n")
    assert len(probe.wait().request) > 7000


def test_two_hundred_idle_strangers(place):
    probe = Probe(place, then="echo welcome")
    port = free_port()
    with open(place / "log", "ab") as log:
        server = place.popen([debian("tcpserver"), "-vRHl0", "-c300", "127.0.0.1", port, program("imaplogin"), probe.path],
                             env={"PATH": "/usr/bin:/bin"}, stderr=log)
    wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)), what="tcpserver listens")
    strangers = [Imap.connect(port) for _ in range(200)]
    for stranger in strangers:
        assert stranger.greeting().startswith(GREETING)
    begin = time.monotonic()
    honest = Imap.connect(port)
    honest.greeting()
    honest.line("a LOGIN john secret")
    assert honest.rest() == b"welcome\n"
    assert time.monotonic() - begin < 2
    for stranger in strangers:
        stranger.close()
    assert server.poll() is None
