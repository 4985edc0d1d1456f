"""authpwd and authshadow, with passwd and shadow files of the test's own in a mount namespace of its own."""

import crypt
import os
import subprocess

import pytest
from harness.module import Modules, classic
from harness.place import UID, program

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0 or subprocess.call(["unshare", "-m", "true"], stderr=subprocess.DEVNULL) != 0,
                       reason="mount namespaces need root"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SHA = crypt.crypt("secret", "$6$rounds=1000$abcdefgh$")
YESCRYPT = crypt.crypt("secret", "$y$j75$abcdefgh$")
TODAY = int(__import__("time").time()) // 86400


class System:
    """A machine's account files."""

    def __init__(self, place):
        self.place, self.modules = place, Modules(place)
        self.passwd = ["root:x:0:0:root:/root:/bin/sh", "daemon:*:1:1::/:/bin/false"]
        self.shadow = ["root:*:19000:0:99999:7:::"]
        self.group = ["root:x:0:", f"extra:x:{UID + 500}:joe,ann", f"users:x:{UID}:"]
        self.home = place.folder("home", UID)

    def add(self, name, hashed, uid=UID, gecos="Joe Q,Room 1,,", in_passwd=False, days="19000:0:99999:7:::"):
        self.passwd.append(f"{name}:{hashed if in_passwd else 'x'}:{uid}:{UID}:{gecos}:{self.home}:/bin/zsh")
        if not in_passwd:
            self.shadow.append(f"{name}:{hashed}:{days}")
        return self

    def run(self, module, request, **options):
        mounts = ""
        for name in ("passwd", "shadow", "group"):
            path = self.place / name
            path.write_text("\n".join(getattr(self, name)) + "\n")
            path.chmod(0o600 if name == "shadow" else 0o644)
            mounts += f"mount --bind {path} /etc/{name} && "
        script = self.place.script("mounted", f'#!/bin/sh\n{mounts} exec {program(module)} "$@"\n')
        outer = self.place.script("outer", f'#!/bin/sh\nexec unshare -m {script} "$@"\n')
        return self.modules.run(outer, request, **options)


@pytest.fixture
def system(place):
    return System(place)


@pytest.mark.parametrize("hashed", [SHA, YESCRYPT, crypt.crypt("secret", "ab"), crypt.crypt("secret", "$2b$04$abcdefghijklmnopqrstuu")])
def test_shadow_accepts(system, hashed):
    system.add("joe", hashed)
    outcome = system.run("authshadow", classic("joe", "secret"))
    assert outcome.kind == "accept", outcome
    seen = outcome.seen
    assert (seen["uids"], seen["gids"], seen["groups"]) == ([UID] * 3, [UID] * 3, [UID, UID + 500])
    expected = {"AUTHENTICATED": "joe", "AUTHFULLNAME": "Joe Q", "HOME": str(system.home), "MAILDIR": "", "OPTIONS": ""}
    assert {name: seen["env"].get(name) for name in expected} == expected
    assert (seen["cwd"], seen["fds"]) == (str(system.home), [0, 1, 2])
    assert system.run("authshadow", classic("joe", "wrong")).kind == "reject"
    assert system.run("authpwd", classic("joe", "secret")).kind == "reject"


def test_passwd_accepts_what_stands_in_passwd(system):
    system.add("joe", SHA, in_passwd=True)
    outcome = system.run("authpwd", classic("joe", "secret"))
    assert (outcome.kind, outcome.seen["groups"]) == ("accept", [UID, UID + 500]), outcome
    assert system.run("authpwd", classic("joe", "wrong")).kind == "reject"
    assert system.run("authshadow", classic("joe", "secret")).kind == "reject"


def test_external_needs_no_password(system):
    system.add("joe", "!")
    for module in ("authpwd", "authshadow"):
        assert system.run(module, b"imap\nexternal\njoe\n\n").kind == "accept"


@pytest.mark.parametrize("days,kind", [
    ("19000:0:99999:7:::", "accept"), ("::::::", "accept"), (f"{TODAY}:0:1:7:::", "accept"),
    (f"{TODAY - 10}:0:9:7:::", "reject"), (f"19000:0:99999:7::{TODAY - 1}:", "reject"), (f"19000:0:99999:7::{TODAY + 2}:", "accept"),
    ("19000:0:99999:7::0:", "accept"), ("19000:0:99999:7::1:", "reject"),
])
def test_expiry(system, days, kind):
    system.add("joe", SHA, days=days)
    assert system.run("authshadow", classic("joe", "secret")).kind == kind
    assert system.run("authshadow", classic("joe", "wrong")).kind == "reject"


@pytest.mark.parametrize("hashed", ["", "*", "!", "!!", "!" + SHA, "x", "secret", "NP", "*LK*"])
def test_locked_and_empty(system, hashed):
    system.add("joe", hashed).add("ann", hashed, in_passwd=True)
    for module, user in (("authshadow", "joe"), ("authpwd", "ann")):
        for password in ("secret", "x", "!"):
            assert system.run(module, classic(user, password)).kind == "reject"


@pytest.mark.parametrize("user", ["nobodyhere", "JOE", "joe ", "../joe", "joe:x", "\xff\xfe", "x" * 4000])
def test_unknown_names(system, user):
    system.add("joe", SHA)
    for module in ("authshadow", "authpwd"):
        outcome = system.run(module, classic(user, "secret"))
        assert outcome.kind == "reject" and outcome.err == "", outcome


def test_the_super_user_is_never_served(system):
    system.add("toor", SHA, uid=0)
    outcome = system.run("authshadow", classic("toor", "secret"))
    assert outcome.kind == "fail" and "AUTHREASON" not in outcome.seen["env"] and "never served" in outcome.err
    assert system.run("authshadow", classic("toor", "wrong")).kind == "reject"


def test_a_shadow_file_that_may_not_be_read_is_no_refusal(system):
    system.add("joe", SHA)
    for name in ("passwd", "shadow", "group"):
        (system.place / name).touch()
    outcome = system.run("authshadow", classic("joe", "secret"), words=[])
    assert outcome.kind == "accept"
    unprivileged = system.modules.run("authshadow", classic("daemon", "secret"), user=UID, group=UID, extra_groups=[])
    assert unprivileged.kind == "fail" and "shadow" in unprivileged.err, unprivileged


def test_an_unknown_user_costs_what_a_wrong_password_costs(system):
    for number in range(3):
        system.add(f"u{number}", crypt.crypt("secret", "$6$rounds=60000$abcdefgh$"))
    costs = {}
    for _ in range(7):
        for user in ("u1", "nobodyhere"):
            before = os.times()
            system.run("authshadow", classic(user, "wrong"), next_program=["/bin/true"])
            after = os.times()
            spent = after.children_user - before.children_user + after.children_system - before.children_system
            costs.setdefault(user, []).append(spent)
    known, unknown = (sorted(costs[user])[3] for user in ("u1", "nobodyhere"))
    assert abs(known - unknown) <= 0.35 * known + 0.01, costs
