"""authuserdb as a module of the chain: accept, reject, fail completely, step aside; and under checkpassword's callers."""

import os
import pathlib
import subprocess
import threading

import pytest
from harness.module import Modules, checkpassword, classic
from harness.place import IS_ROOT, REPOSITORY, UID, program
from userdbs import Userdb

SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # secret
needs_root = pytest.mark.skipif(not IS_ROOT, reason="becoming an account needs root")


@pytest.fixture
def modules(place):
    return Modules(place)


@pytest.fixture
def userdb(place):
    return Userdb(place)


def golden():
    path = REPOSITORY / "crates/account/testdata/hashes"
    lines = path.read_bytes().decode("utf-8").splitlines()
    return [line.split("\t") for line in lines if "\t" in line and not line.startswith("#")]


@needs_root
def test_accept_becomes_the_account_and_says_so(modules, userdb):
    userdb.add("joe@x", SHA, gecos="Joe Q", mail="./Mail", quota="5000S,9C", options="disablepop3=1", shell="/bin/sh")
    outcome = modules.run("authuserdb", classic("joe@x", "secret"), userdb.compile().env)
    seen = outcome.seen
    assert outcome.kind == "accept", outcome
    assert (seen["uids"], seen["gids"], seen["groups"]) == ([UID] * 3, [UID] * 3, [UID])
    assert (seen["cwd"], seen["fds"], seen["fd3"]) == (str(userdb.home), [0, 1, 2], None)
    assert (seen["pid"], seen["umask"], seen["blocked"], seen["children"]) == (outcome.pid, 0o077, 0, [])
    assert seen["argv"] == [modules.probe, "next"]
    expected = {
        "AUTHENTICATED": "joe@x", "AUTHADDR": "joe@x", "AUTHFULLNAME": "Joe Q", "MAILDIR": "./Mail",
        "MAILDIRQUOTA": "5000S,9C", "OPTIONS": "disablepop3=1", "HOME": str(userdb.home), "IMAPLOGINTAG": "a1",
    }
    assert {name: seen["env"].get(name) for name in expected} == expected
    gone = [name for name in seen["env"] if name.startswith("AUTHARG") or name in ("AUTHUSER", "AUTHEXPIRE", "AUTHTRIES", "USER")]
    assert gone == [] and outcome.err == ""


@needs_root
def test_unknown_texts_are_empty_not_absent(modules, userdb):
    outcome = modules.run("authuserdb", classic("joe", "secret"), userdb.add("joe", SHA).compile().env)
    for name in ("AUTHFULLNAME", "MAILDIR", "MAILDIRQUOTA", "OPTIONS"):
        assert outcome.seen["env"][name] == ""


@pytest.mark.parametrize("request_bytes", [
    classic("joe", "wrong"), classic("nobody", "secret"), classic("JOE", "secret"), classic("1000=", "secret"),
    classic("joe", "secre"), classic("joe", "secret2"), classic("joe", "secret ", "pop3"), classic("joe", SHA),
    b"imap\ncram-md5\nPDE+\nam9l\n\n", b"imap\nlogin\n\nsecret\n\n", b"imap\nlogin\njoe\n\n\n", b"imap\nlogin\njoe",
    b"imap\nexternal\nnobody\n\n", b"imap\nexternal\n\n", b"x", b"\n\n\n", classic("joe", "x" * 8000), classic("\xff", "\xfe"),
])
def test_reject_passes_the_identical_bytes_on(modules, userdb, request_bytes):
    userdb.add("joe", SHA).compile()
    outcome = modules.run("authuserdb", request_bytes, userdb.env)
    assert outcome.kind == "reject", outcome
    seen = outcome.seen
    assert seen["fd3"].encode("latin-1") == request_bytes
    assert (seen["fds"], seen["uids"], seen["pid"], seen["children"]) == ([0, 1, 2, 3], [os.getuid()] * 3, outcome.pid, [])
    assert seen["env"]["AUTHENTICATED"] == "" and "AUTHREASON" not in seen["env"]
    kept = {name: seen["env"].get(name) for name in modules.chain_environment()}
    assert kept == modules.chain_environment()
    assert outcome.err == ""


def test_without_a_userdb_every_name_is_somebody_elses(modules, place):
    outcome = modules.run("authuserdb", classic("joe", "secret"), {"USERDB": str(place / "none")})
    assert outcome.kind == "reject" and outcome.err == ""


def break_nothing_compiled(userdb):
    (userdb.place / "userdb.dat").unlink()


def break_damaged(userdb):
    (userdb.place / "userdb.dat").write_bytes(b"x" * 3000)


def break_shadow_gone(userdb):
    (userdb.place / "userdbshadow.dat").unlink()


def break_shadow_cut(userdb):
    os.truncate(userdb.place / "userdbshadow.dat", 2050)


def break_is_a_folder(userdb):
    (userdb.place / "userdb.dat").unlink()
    (userdb.place / "userdb.dat").mkdir()


@pytest.mark.parametrize("damage", [break_nothing_compiled, break_damaged, break_shadow_gone, break_shadow_cut, break_is_a_folder])
def test_fail_completely_goes_back_to_the_login_program(modules, userdb, damage):
    userdb.add("joe", SHA).compile()
    damage(userdb)
    outcome = modules.run("authuserdb", classic("joe", "secret"), userdb.env)
    assert outcome.kind == "fail", outcome
    # The path is AUTHUSER's; the interpreter of the probe hides argv[0].
    assert outcome.seen["argv"][1:] == ["login", "two words"]
    assert (outcome.seen["fds"], outcome.seen["env"]["AUTHREASON"]) == ([0, 1, 2], "temp")
    assert outcome.err.startswith("authuserdb: warning: unable to read ") and outcome.err.count("\n") == 1


def test_a_database_that_may_not_be_read_is_no_unknown_user(modules, userdb, place):
    if not IS_ROOT:
        pytest.skip("needs root to lose a right")
    userdb.add("joe", SHA).compile()
    outcome = modules.run("authuserdb", classic("joe", "secret"), userdb.env, user=UID, group=UID, extra_groups=[])
    assert outcome.kind == "fail" and "permission denied" in outcome.err, outcome


def test_an_earlier_accept_steps_over(modules, userdb):
    env = {**userdb.env, "AUTHENTICATED": "ann", "AUTHADDR": "ann", "MAILDIR": "M"}
    outcome = modules.run("authuserdb", None, env)
    assert outcome.kind == "accept", outcome
    assert {n: outcome.seen["env"][n] for n in ("AUTHENTICATED", "AUTHADDR", "MAILDIR")} == {
        "AUTHENTICATED": "ann", "AUTHADDR": "ann", "MAILDIR": "M"}


@pytest.mark.parametrize("request_bytes", [None, b""])
def test_no_request_is_a_broken_contract(modules, userdb, request_bytes):
    outcome = modules.run("authuserdb", request_bytes, userdb.env)
    assert outcome.kind == "exit 100" and "AUTHFAILURE" in outcome.err, outcome


def test_nothing_behind_the_module(modules, userdb):
    userdb.add("joe", SHA).compile()
    outcome = modules.run("authuserdb", classic("joe", "x"), userdb.env, next_program=["/nonexistent"])
    assert outcome.kind == "exit 111" and "unable to run /nonexistent" in outcome.err, outcome


@needs_root
@pytest.mark.parametrize("ids", [{"uid": 0}, {"gid": 0}])
def test_the_super_user_is_refused_like_anybody(modules, userdb, ids):
    userdb.add("root", SHA, **ids).compile()
    outcome = modules.run("authuserdb", classic("root", "secret"), userdb.env)
    assert outcome.kind == "fail" and "AUTHREASON" not in outcome.seen["env"], outcome
    assert "never served" in outcome.err
    assert modules.run("authuserdb", classic("root", "wrong"), userdb.env).err == ""
    alone = modules.run("authuserdb", checkpassword("root", "secret"), userdb.env, in_chain=False)
    assert alone.kind == "exit 100"


@pytest.mark.parametrize("fields", [{"uid": False}, {"gid": False}, {"home": ""}, {"uid": "x"}, {"uid": "-1"}, {"uid": 2**32}])
def test_records_without_ids_or_home_are_no_accounts(modules, userdb, fields):
    fields = {**fields, **({"home": " "} if fields.get("home") == "" else {})}
    if "home" in fields:
        userdb.source.write_text(f"joe\tuid={UID}|gid={UID}|systempw={SHA}\n")
    else:
        userdb.add("joe", SHA, **fields)
    assert modules.run("authuserdb", classic("joe", "secret"), userdb.compile().env).kind == "reject"


@needs_root
def test_a_missing_home_is_a_temporary_failure(modules, userdb, place):
    userdb.add("joe", SHA, home=place / "nowhere").compile()
    outcome = modules.run("authuserdb", classic("joe", "secret"), userdb.env)
    assert outcome.kind == "fail" and "nowhere" in outcome.err, outcome


@needs_root
def test_service_passwords_come_first(modules, userdb):
    md5 = "{MD5RAW}" + "5ebe2294ecd0e0f08eab7690d2a6ee69"
    userdb.add("joe", "{MD5RAW}" + "0" * 32, imappw=md5, pop3pw="{MD5RAW}" + "1" * 32).add("ann", md5).compile()
    kinds = {(user, service): modules.run("authuserdb", classic(user, "secret", service), userdb.env).kind
             for user in ("joe", "ann") for service in ("imap", "pop3", "login")}
    assert kinds == {("joe", "imap"): "accept", ("joe", "pop3"): "reject", ("joe", "login"): "reject",
                     ("ann", "imap"): "accept", ("ann", "pop3"): "accept", ("ann", "login"): "accept"}


@needs_root
def test_external_is_a_look_up_without_a_password(modules, userdb):
    userdb.add("joe").compile()
    assert modules.run("authuserdb", b"imap\nexternal\njoe\n\n", userdb.env).kind == "accept"
    assert modules.run("authuserdb", classic("joe", "x"), userdb.env).kind == "reject"


@needs_root
def test_every_scheme(modules, userdb):
    """Also what musl's crypt(3) does not know: cryptcheck beside the module knows it."""
    seen = {}
    for number, (password, stored) in enumerate(golden()):
        seen[f"u{number}"] = (password, stored)
        userdb.add(f"u{number}", stored)
    userdb.compile()
    # One of each kind by the real module; the unit tests check them all.
    kinds = {}
    for user, (password, stored) in seen.items():
        kinds.setdefault((stored[:4].lower(), len(password) > 20), (user, password, stored))
    assert len(kinds) > 25
    for user, password, stored in kinds.values():
        request = f"imap\nlogin\n{user}\n{password}\n\n".encode()
        assert modules.run("authuserdb", request, userdb.env).kind == "accept", stored
        wrong = f"imap\nlogin\n{user}\nz{password}\n\n".encode()
        assert modules.run("authuserdb", wrong, userdb.env).kind == "reject", stored


def test_stored_words_that_are_no_hashes(modules, userdb):
    for number, stored in enumerate(["", "x", "*", "!", "!!", "secret", "{PLAIN}secret", "{SHA}", "$y$", "$y$j9T$$", "$6$"]):
        userdb.add(f"u{number}", stored)
    userdb.compile()
    for number in range(11):
        for password in ("x", "secret", "*", "{SHA}"):
            assert modules.run("authuserdb", classic(f"u{number}", password), userdb.env).kind == "reject"


YESCRYPT = "$y$j9T$LftgBr4ueQM2lIVVaB0NF0$BbrO7H0bPfF15BPqAa./C.mhreDP5Q2SfhvK/fM7M57"


@needs_root
def test_yescrypt_under_a_soft_limit_of_5_mb(modules, userdb, place):
    """softlimit -m5000000 lowers the soft limits; cryptcheck raises its own to the hard ones."""
    limited = place.script("limited", f'#!/bin/sh\nulimit -S -v 4882 && exec {program("authuserdb")} "$@"\n')
    # Python needs more than the module, so the limit ends before the probe.
    free = place.script("free", f'#!/bin/sh\nulimit -S -v unlimited && exec {modules.probe} "$@"\n')
    userdb.add("joe", YESCRYPT).compile()
    outcome = modules.run(limited, classic("joe", "secret"), userdb.env, next_program=[free, "next"])
    assert outcome.kind == "accept", outcome
    assert modules.run(limited, classic("joe", "wrong"), userdb.env, next_program=[free, "next"]).kind == "reject"


def test_yescrypt_without_the_memory_it_needs_is_a_temporary_failure(modules, userdb, place):
    limited = place.script("limited", f'#!/bin/sh\nulimit -v 12000 && exec {program("authuserdb")} "$@"\n')
    back = place.script("back", '#!/bin/sh\necho "$1 $AUTHREASON"\n')
    userdb.add("joe", YESCRYPT).compile()
    outcome = modules.run(limited, classic("joe", "secret"), {**userdb.env, "AUTHUSER": back}, next_program=["/bin/false"])
    assert (outcome.code, outcome.out) == (0, b"login temp\n"), outcome
    assert outcome.err == "cryptcheck: fatal: out of memory in crypt: raise the limit\n"


def test_a_missing_cryptcheck_is_a_temporary_failure(modules, userdb, place):
    alone = place.folder("bin") / "authuserdb"
    alone.write_bytes(pathlib.Path(program("authuserdb")).read_bytes())
    alone.chmod(0o755)
    outcome = modules.run(str(alone), classic("joe", "secret"), userdb.add("joe", YESCRYPT).compile().env)
    assert outcome.kind == "fail" and "cryptcheck: no such file or directory" in outcome.err, outcome


@needs_root
def test_nothing_unexpected_crosses(modules, userdb):
    """500 planted variables and 50 open descriptors."""
    userdb.add("joe", SHA).compile()
    planted = {f"PLANTED_{n}": "x" for n in range(480)}
    dangerous = ["LD_PRELOAD", "LD_LIBRARY_PATH", "IFS", "ENV", "BASH_ENV", "MALLOC_CHECK_", "GLIBC_TUNABLES", "HOME", "MAILDIR",
                 "OPTIONS", "USER", "SHELL", "AUTHADDR", "AUTHFULLNAME", "MAILDIRQUOTA", "SSL_CLIENT_S_DN", "AUTHX"]
    kept = {"TCPREMOTEIP": "192.0.2.1", "IMAP_CAPABILITY": "IMAP4rev1", "DEBUG_LOGIN": "0"}
    env = {**planted, **{name: "/nowhere" for name in dangerous}, **kept, **userdb.env}
    descriptors = [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
    try:
        for password, fds in (("secret", [0, 1, 2]), ("wrong", [0, 1, 2, 3])):
            outcome = modules.run("authuserdb", classic("joe", password), env, descriptors=descriptors)
            seen = outcome.seen["env"]
            assert outcome.seen["fds"] == fds
            assert {name: seen.get(name) for name in kept} == kept
            own = {"HOME", "MAILDIR", "OPTIONS", "AUTHADDR", "AUTHFULLNAME", "MAILDIRQUOTA"} if password == "secret" else set()
            wrong = [n for n in seen if n in planted or (n in dangerous and n not in own) or "/nowhere" in seen[n]]
            assert wrong == [], wrong
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


@needs_root
def test_signals_and_mask_are_reset(modules, userdb, place):
    userdb.add("joe", SHA).compile()
    ignoring = place.script("ignoring", """#!/usr/bin/python3 -IS
import os, signal, sys
for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGALRM})
os.set_inheritable(3, True)
os.execv(sys.argv[1], sys.argv[1:])
""")
    for password in ("secret", "wrong"):
        outcome = modules.run(ignoring, classic("joe", password), userdb.env, words=[program("authuserdb")])
        # Python itself ignores SIGPIPE and SIGXFSZ.
        assert outcome.seen["blocked"] == 0
        assert outcome.seen["ignored"] & ~(1 << 12 | 1 << 24) == 0, hex(outcome.seen["ignored"])


@needs_root
def test_cryptcheck_answers_though_a_caller_ignores_its_children(modules, userdb, place):
    ignoring = place.script("ignoring", f"""#!/usr/bin/python3 -IS
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.set_inheritable(3, True)
os.execv({program("authuserdb")!r}, [{program("authuserdb")!r}, *sys.argv[1:]])
""")
    userdb.add("joe", YESCRYPT).compile()
    assert modules.run(ignoring, classic("joe", "secret"), userdb.env).kind == "accept"


@needs_root
def test_debug_says_courier_s_words_and_no_password(modules, userdb):
    userdb.add("joe", SHA, gecos="Joe, Q").compile()
    env = {**userdb.env, "DEBUG_LOGIN": "2"}
    accepted = modules.run("authuserdb", classic("joe", "secret"), env).err.splitlines()
    assert accepted == [
        "DEBUG: received auth request, service=imap, authtype=login",
        "DEBUG: authuserdb: trying this module",
        f"DEBUG: Authenticated: sysusername=<null>, sysuserid={UID}, sysgroupid={UID}, homedir={userdb.home}, address=joe, "
        "fullname=Joe\\x2c Q, maildir=<null>, quota=<null>, options=<null>",
    ]
    assert modules.run("authuserdb", classic("joe", "hush"), env).err.splitlines()[-1] == "DEBUG: authuserdb: REJECT - try next module"


@needs_root
def test_an_ordinary_user_serves_itself_and_nobody_else(modules, userdb, place):
    """Everything as one unprivileged account, which keeps the groups it has."""
    userdb.add("joe", SHA).add("ann", SHA, uid=UID + 1).add("ben", SHA, gid=UID + 1).compile()
    for name in ("userdb.dat", "userdbshadow.dat"):
        os.chown(place / name, UID, UID)
    who = {"user": UID, "group": UID, "extra_groups": [UID, 27]}
    outcome = modules.run("authuserdb", classic("joe", "secret"), userdb.env, **who)
    assert outcome.kind == "accept" and outcome.seen["groups"] == [27, UID], outcome
    for user in ("ann", "ben"):
        outcome = modules.run("authuserdb", classic(user, "secret"), userdb.env, **who)
        assert outcome.kind in ("exit 111", "fail") and "privileges" in outcome.err, outcome


# --- homes from a skeleton ---


@needs_root
def test_a_first_login_makes_the_home_from_the_skeleton(modules, userdb, place):
    skeleton = place.folder("skel", mode=0o750)
    for name in ("Maildir/cur", "Maildir/new", "Maildir/tmp"):
        place.folder(f"skel/{name}", mode=0o700)
    (skeleton / "note").write_text("welcome")
    (skeleton / "note").chmod(0o4640)
    (skeleton / "link").symlink_to("/etc/passwd")
    os.mkfifo(skeleton / "fifo")
    home = place.folder("homes") / "joe"
    userdb.add("joe", SHA, home=home).compile()
    env = {**userdb.env, "AUTH_MKHOMEDIR_SKEL": str(skeleton)}
    assert modules.run("authuserdb", classic("joe", "wrong"), env).kind == "reject" and not home.exists()
    running = [threading.Thread(target=lambda: kinds.append(modules.run("authuserdb", classic("joe", "secret"), env).kind))
               for _ in range(6)]
    kinds = []
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert kinds == ["accept"] * 6
    modes = {str(path.relative_to(home)): oct(path.lstat().st_mode & 0o7777) for path in [home, *home.rglob("*")]}
    assert modes == {".": "0o750", "Maildir": "0o755", "Maildir/cur": "0o700", "Maildir/new": "0o700", "Maildir/tmp": "0o700",
                     "note": "0o640", "link": "0o777"}
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in [home, *home.rglob("*")]} == {(UID, UID)}
    assert (home / "note").read_text() == "welcome" and os.readlink(home / "link") == "/etc/passwd"
    (home / "note").write_text("mine")
    assert modules.run("authuserdb", classic("joe", "secret"), env).kind == "accept"
    assert (home / "note").read_text() == "mine" and os.listdir(place / "homes") == ["joe"]


@needs_root
def test_a_skeleton_that_cannot_be_copied_is_a_temporary_failure(modules, userdb, place):
    home = place.folder("homes") / "joe"
    userdb.add("joe", SHA, home=home).add("ann", SHA, home=place / "no/such/ann").compile()
    for user, skeleton in (("joe", place / "nowhere"), ("ann", place.folder("skel"))):
        outcome = modules.run("authuserdb", classic(user, "secret"), {**userdb.env, "AUTH_MKHOMEDIR_SKEL": str(skeleton)})
        assert outcome.kind == "fail" and "unable to create" in outcome.err, outcome
    assert os.listdir(place / "homes") == []


# --- under checkpassword's callers ---


@needs_root
def test_checkpassword_dialect_accepts(modules, userdb):
    userdb.add("joe", "{SHA}x", pop3pw=SHA, shell="/bin/zsh", mail="M").compile()
    outcome = modules.run("authuserdb", checkpassword("joe", "secret"), userdb.env, in_chain=False)
    assert outcome.kind == "accept", outcome
    expected = {"AUTHENTICATED": "joe", "USER": "joe", "HOME": str(userdb.home), "SHELL": "/bin/zsh", "MAILDIR": "M"}
    assert {name: outcome.seen["env"].get(name) for name in expected} == expected
    imap = modules.run("authuserdb", checkpassword("joe", "secret"), {**userdb.env, "PROTOCOL": "IMAP"}, in_chain=False)
    assert imap.kind == "reject"


def test_checkpassword_dialect_passes_the_identical_bytes_on(modules, userdb):
    userdb.add("joe", SHA).compile()
    request = checkpassword("joe", "wrong", "a stamp")
    outcome = modules.run("authuserdb", request, userdb.env, in_chain=False)
    assert outcome.kind == "reject" and outcome.seen["fd3"].encode() == request


def test_checkpassword_dialect_codes(modules, userdb):
    assert modules.run("authuserdb", None, userdb.env, in_chain=False).kind == "exit 2"
    assert modules.run("authuserdb", b"", userdb.env, in_chain=False).kind == "exit 2"
    assert modules.run("authuserdb", b"joe\0secret\0" + b"x" * 600 + b"\0", userdb.env, in_chain=False).kind == "exit 2"
    (userdb.place / "userdb.dat").write_bytes(b"damage")
    assert modules.run("authuserdb", checkpassword("joe", "x"), userdb.env, in_chain=False).kind == "exit 111"


QMAIL_POPUP = r"""#!/usr/bin/python3 -IS
# As qmail-popup: one attempt, three fields on descriptor 3, every exit but 0 is "authorization failed".
import os, sys
user, password = sys.argv[1:3]
reading, writing = os.pipe()
child = os.fork()
if not child:
    os.close(writing)
    os.dup2(reading, 3)
    os.set_inheritable(3, True)
    os.execv(sys.argv[3], sys.argv[3:])
os.close(reading)
os.write(writing, f"{user}\0{password}\0<{os.getpid()}.1@host>\0".encode())
os.close(writing)
status = os.waitpid(child, 0)[1]
print("+OK" if status == 0 else f"-ERR {status >> 8}", flush=True)
"""


@needs_root
def test_under_a_qmail_popup_like_caller(modules, userdb, place):
    userdb.add("joe", SHA).compile()
    popup = place.script("popup", QMAIL_POPUP)
    server = place.script("pop3d", '#!/bin/sh\n[ -n "$AUTHENTICATED" ] || exit 1\necho "serving $USER in $PWD"\n')
    def log_in(user, password):
        args = [popup, user, password, program("authuserdb"), server, "Maildir"]
        return subprocess.run(args, env=userdb.env, capture_output=True, text=True, timeout=30).stdout

    assert log_in("joe", "secret") == f"serving joe in {userdb.home}\n+OK\n"
    assert log_in("joe", "wrong") == log_in("nobody", "secret") == "-ERR 1\n"
    (place / "userdb.dat").write_bytes(b"damage")
    assert log_in("joe", "secret") == "-ERR 111\n"


# --- time ---


def test_an_unknown_user_costs_what_a_wrong_password_costs(modules, userdb):
    """Medians of CPU time with a hash of some 20 ms, so that start-up is a small part."""
    import crypt
    hashed = crypt.crypt("secret", "$6$rounds=40000$abcdefgh$")
    for number in range(20):
        userdb.add(f"u{number}", hashed)
    userdb.add("locked", "!" + hashed).add("nopw").compile()
    true = ["/bin/true"]
    costs = {}
    for _ in range(9):
        for user in ("u7", "nobody", "locked", "nopw"):
            before = os.times()
            modules.run("authuserdb", classic(user, "wrong"), userdb.env, next_program=true)
            after = os.times()
            spent = after.children_user - before.children_user + after.children_system - before.children_system
            costs.setdefault(user, []).append(spent)
    median = {user: sorted(values)[4] for user, values in costs.items()}
    assert all(abs(value - median["u7"]) <= 0.35 * median["u7"] + 0.01 for value in median.values()), median
