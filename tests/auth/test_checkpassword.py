"""Any checkpassword program as a module of the chain, by its adapter."""

import json
import os
import time

import pytest
from checkpasswords import CHECKPASSWORD
from harness.module import Modules, checkpassword, classic
from harness.place import IS_ROOT, UID, program

needs_root = pytest.mark.skipif(not IS_ROOT, reason="becoming an account needs root")


@pytest.fixture
def modules(place):
    modules = Modules(place)
    modules.home = str(place.folder("home", UID))
    modules.trace = str(place / "trace")
    modules.check = place.script("checkpassword", CHECKPASSWORD.format(uid=UID, home=modules.home))
    modules.env = {"PASSENV": "TRACE", "TRACE": modules.trace, "TCPREMOTEIP": "192.0.2.1"}
    return modules


def run(modules, request, words=None, **options):
    return modules.run("authcheckpassword", request, modules.env, words=words or [modules.check], **options)


def seen_by_checkpassword(modules):
    with open(modules.trace, encoding="utf-8") as trace:
        return json.load(trace)


@needs_root
@pytest.mark.parametrize("password,name", [("secret", "joe"), ("virtual", "joe@example.com"), ("noise", "joe"), ("forked", "joe")])
def test_accept_becomes_what_checkpassword_made(modules, password, name):
    outcome = run(modules, classic("joe", password))
    assert outcome.kind == "accept", outcome
    seen = outcome.seen
    assert (seen["uids"], seen["gids"], seen["groups"]) == ([UID] * 3, [UID] * 3, [UID, UID + 7])
    assert (seen["pid"], seen["cwd"], seen["fds"], seen["children"]) == (outcome.pid, modules.home, [0, 1, 2], [])
    expected = {"AUTHENTICATED": name, "AUTHADDR": name, "AUTHFULLNAME": "Joe Q", "MAILDIR": "./Mail", "HOME": modules.home}
    assert {n: seen["env"].get(n) for n in expected} == expected
    assert not {"LD_PRELOAD", "PLANTED", "AUTHUSER"} & set(seen["env"])
    assert outcome.err == ""


@needs_root
def test_what_checkpassword_is_asked(modules):
    run(modules, classic("joe", "secret"))
    asked = seen_by_checkpassword(modules)
    login, password, stamp, end = asked["fields"]
    assert (login, password, end) == ("joe", "secret", "")
    assert abs(int(stamp) - time.time()) < 60
    assert asked["argv"] == [modules.check, program("authcheckpassword"), "-report"]
    assert asked["fds"][:3] == [0, 1, 2] and asked["ends"][0] == "/dev/null" and asked["ends"][1].startswith("socket:")
    assert asked["env"]["TCPREMOTEIP"] == "192.0.2.1"


@needs_root
def test_words_of_its_own_stand_before_two_dashes(modules):
    outcome = run(modules, classic("joe", "secret"), words=[modules.check, "-o", "x", "--"])
    assert outcome.kind == "accept" and outcome.seen["argv"][1:] == ["next"], outcome
    assert seen_by_checkpassword(modules)["argv"][1:3] == ["-o", "x"]


@pytest.mark.parametrize("user,password", [("joe", "wrong"), ("nobody", "secret")])
def test_exit_1_is_a_reject(modules, user, password):
    request = classic(user, password)
    outcome = run(modules, request)
    assert outcome.kind == "reject" and outcome.seen["fd3"].encode() == request and outcome.err == "", outcome
    assert outcome.seen["children"] == []


@pytest.mark.parametrize("password", ["exit 2", "exit 111", "exit 0", "exit 100", "killed", "half", "flood"])
def test_anything_else_is_a_temporary_failure(modules, password):
    outcome = run(modules, classic("joe", password))
    assert outcome.kind == "fail" and outcome.seen["env"]["AUTHREASON"] == "temp", outcome
    # The program may have its own last words.
    said = [line for line in outcome.err.splitlines() if line.startswith("authcheckpassword: ")]
    assert len(said) == 1 and said[0].startswith(f"authcheckpassword: warning: {modules.check}: "), outcome


def test_a_missing_checkpassword_is_a_temporary_failure(modules):
    outcome = run(modules, classic("joe", "secret"), words=["/nowhere/checkpassword"])
    assert outcome.kind == "fail" and "/nowhere/checkpassword: no such file" in outcome.err, outcome


@needs_root
def test_the_super_user_is_never_served(modules):
    outcome = run(modules, classic("joe", "root"))
    assert outcome.kind == "fail" and "AUTHREASON" not in outcome.seen["env"] and "never served" in outcome.err, outcome


@needs_root
def test_root_s_group_is_no_group_of_an_account(modules):
    outcome = run(modules, classic("joe", "rootgroup"))
    assert outcome.kind == "exit 111" and "privileges" in outcome.err, outcome


@pytest.mark.parametrize("request_bytes", [
    b"imap\nexternal\njoe\n\n", b"imap\ncram-md5\na\nb\n\n", classic("joe", "x" * 600), classic("j" * 500, "secret"), b"imap\nlogin\njoe",
])
def test_what_a_checkpassword_cannot_know_is_rejected(modules, request_bytes):
    outcome = run(modules, request_bytes)
    assert outcome.kind == "reject" and not os.path.exists(modules.trace), outcome


@needs_root
def test_in_its_own_dialect_the_bytes_are_identical(modules):
    outcome = modules.run("authcheckpassword", checkpassword("joe", "secret", "<7.8@h>"), modules.env, words=[modules.check],
                          in_chain=False)
    assert outcome.kind == "accept" and outcome.seen["env"]["USER"] == "joe", outcome
    assert seen_by_checkpassword(modules)["fields"] == ["joe", "secret", "<7.8@h>", ""]


def test_steps_over_when_somebody_is_logged_in(modules):
    modules.env["AUTHENTICATED"] = "ann"
    outcome = run(modules, None)
    assert outcome.kind == "accept" and outcome.seen["env"]["AUTHENTICATED"] == "ann", outcome
    assert not os.path.exists(modules.trace)


def test_usage(modules):
    for words, next_program in (([], ["/bin/true"]), ([], [])):
        outcome = modules.run("authcheckpassword", classic("joe", "x"), modules.env, words=words, next_program=next_program or [""])
        assert outcome.kind in ("exit 100", "exit 111", "fail"), outcome


@needs_root
def test_our_modules_are_checkpassword_programs_too(modules, place):
    """authcheckpassword runs authuserdb, as qmail-popup would."""
    from userdbs import Userdb
    userdb = Userdb(place).add("ann", systempw=False, pop3pw="{MD5RAW}5ebe2294ecd0e0f08eab7690d2a6ee69").compile()
    modules.env.update(userdb.env, PASSENV="")
    outcome = run(modules, checkpassword("ann", "secret"), words=[program("authuserdb")], in_chain=False)
    assert outcome.kind == "accept" and outcome.seen["env"]["AUTHENTICATED"] == "ann", outcome
    assert run(modules, checkpassword("ann", "wrong"), words=[program("authuserdb")], in_chain=False).kind == "reject"
