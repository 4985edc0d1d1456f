"""userdb, userdbpw, makeuserdb, pw2userdb, authtest, authenumerate."""

import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import threading

import pytest
from harness.place import IS_ROOT, UID, debian, program
from userdbs import Userdb, tool

SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # secret
needs_root = pytest.mark.skipif(not IS_ROOT, reason="becoming an account needs root")


def read_cdb(path):
    """An independent reader: all records in order, and each key found by its hash."""
    data = path.read_bytes()
    end = min(struct.unpack_from("<I", data, slot * 8)[0] for slot in range(256))
    at, records = 2048, []
    while at < end:
        klen, dlen = struct.unpack_from("<II", data, at)
        records.append((data[at + 8:at + 8 + klen], data[at + 8 + klen:at + 8 + klen + dlen]))
        at += 8 + klen + dlen
    assert at == end
    for key, value in records:
        h = 5381
        for byte in key:
            h = (h * 33 & 0xffffffff) ^ byte
        table, slots = struct.unpack_from("<II", data, (h & 255) * 8)
        for probe in range(slots):
            found, where = struct.unpack_from("<II", data, table + ((h >> 8) + probe) % slots * 8)
            assert where, key
            klen, dlen = struct.unpack_from("<II", data, where)
            if found == h and data[where + 8:where + 8 + klen] == key:
                assert data[where + 8 + klen:where + 8 + klen + dlen] == value
                break
        else:
            raise AssertionError(key)
    return [(key.decode("latin-1"), value.decode("latin-1")) for key, value in records]


def compiled(source):
    return dict(read_cdb(source.with_name(source.name + ".dat"))), dict(read_cdb(source.with_name(source.name + "shadow.dat")))


def mode(path):
    return oct(path.stat().st_mode & 0o7777)


@pytest.fixture
def source(place):
    return place / "userdb"


def userdb(source, *args, stdin=b"", check=True):
    return tool("userdb", *args, stdin=stdin, check=check, env={"USERDB": os.fspath(source)})


# --- userdb ---


def test_set_unset_del_show(source):
    userdb(source, "joe@x", "set", "uid=1000", "gid=100", "home=/h")
    assert (source.read_text(), mode(source)) == ("joe@x\tuid=1000|gid=100|home=/h\n", "0o600")
    userdb(source, "ann", "set", "uid=7")
    userdb(source, "joe@x", "set", "mail=M", "uid=2=3", "gid=")
    assert source.read_text() == "joe@x\tuid=2=3|gid=|home=/h|mail=M\nann\tuid=7\n"
    assert userdb(source, "-show").stdout == b"joe@x\nann\n"
    assert userdb(source, "-show", "joe@x").stdout == b"uid=2=3\ngid=\nhome=/h\nmail=M\n"
    userdb(source, "joe@x", "unset", "gid", "none")
    userdb(source, "ann", "del")
    userdb(source, "nobody", "del")
    userdb(source, "nobody", "unset", "x")
    userdb(source, "nobody", "set")
    assert source.read_text() == "joe@x\tuid=2=3|home=/h|mail=M\n"
    assert sorted(os.listdir(source.parent)) == [".lock.userdb", "userdb"]


def test_what_is_not_a_record_stays(source):
    source.write_text("# c\n\nbob\tx=1|bare|y=2\nno tab\n# end")
    source.chmod(0o640)
    userdb(source, "bob", "set", "z=3")
    assert (source.read_text(), mode(source)) == ("# c\n\nbob\tx=1|bare|y=2|z=3\nno tab\n# end\n", "0o640")


@pytest.mark.parametrize("args", [
    [], ["joe"], ["joe", "frob"], ["-f"], ["-f", "x"], ["-show", "a", "b", "c"], ["joe", "del", "x"], ["", "set", "a=1"], ["-x", "joe", "del"],
    ["joe", "set", "a=b|c"], ["joe", "set", "a=b\nc"], ["joe", "unset", "a|b"], ["jo|e", "set", "a=1"], ["jo\ne", "set", "a=1"],
    ["jo\te", "set", "a=1"], ["joe", "set", "=x"], ["../joe", "set", "a=1"], ["x/../../joe", "set", "a=1"], ["joe", "set", "a b=1"],
])
def test_wrong_words_change_nothing(source, args):
    source.write_text("joe\ta=0\n")
    done = userdb(source, *args, check=False)
    assert (done.returncode, source.read_text(), done.stdout) == (1, "joe\ta=0\n", b"")
    assert done.stderr.startswith(b"userdb: fatal: ") and done.stderr.count(b"\n") == 1
    if any("|" in arg or "\n" in arg for arg in args):
        assert b"Invalid field or value." in done.stderr


def test_values_from_standard_input(source):
    userdb(source, "joe", "set", "systempw", "imappw", "mail=M", stdin=b"one secret\ntwo=2\nrest")
    assert source.read_text() == "joe\tsystempw=one secret|imappw=two=2|mail=M\n"
    for stdin in (b"", b"a|b\n"):
        assert userdb(source, "joe", "set", "systempw", stdin=stdin, check=False).returncode == 1
    assert "one secret" in source.read_text()


def test_directories_files_and_links(place):
    source = place.folder("userdb", mode=0o700)
    (source / "sub").mkdir(0o700)
    userdb(source, "sub/file/joe", "set", "a=1")
    userdb(source, "/top/ann", "set", "b=2")
    assert ((source / "sub/file").read_text(), (source / "top").read_text()) == ("joe\ta=1\n", "ann\tb=2\n")
    assert userdb(source, "-show", "sub/file").stdout == b"joe\n"
    assert userdb(source, "-show", "sub/file", "joe").stdout == userdb(source, "-show", "sub/file/joe").stdout == b"a=1\n"
    for args in (["joe", "set", "a=1"], ["sub/joe", "set", "a=1"], ["-show"]):
        done = userdb(source, *args, check=False)
        assert done.returncode == 1 and b"not a file" in done.stderr
    file = place / "elsewhere"
    file.write_text("")
    (place / "link").symlink_to("elsewhere")
    userdb(source, "-f", place / "link", "zoe", "set", "c=3")
    assert file.read_text() == "zoe\tc=3\n" and (place / "link").is_symlink()
    (source / "inside").symlink_to(file)
    userdb(source, "inside/zoe", "set", "d=4")
    assert file.read_text() == "zoe\tc=3|d=4\n" and (source / "inside").is_symlink()
    (place / "linked").symlink_to(source)
    assert b"symbolic link" in userdb(place / "linked", "top/ann", "set", "a=1", check=False).stderr


@needs_root
def test_owner_is_kept(source):
    source.write_text("joe\ta=1\n")
    os.chown(source, UID, UID)
    userdb(source, "joe", "set", "b=2")
    assert (source.stat().st_uid, source.read_text()) == (UID, "joe\ta=1|b=2\n")


def test_twenty_at_once_lose_nothing(source):
    """Ours, and Courier's among them where it is installed: it takes the same lock."""
    tools = [program("userdb"), shutil.which("userdb", path="/usr/sbin:/usr/bin") or program("userdb")]
    running = [subprocess.Popen([tools[n % 2], "-f", source, f"u{n % 5}", "set", f"f{n}={n}"]) for n in range(20)]
    assert [process.wait() for process in running] == [0] * 20
    lines = dict(line.split("\t") for line in source.read_text().splitlines())
    fields = {field for record in lines.values() for field in record.split("|")}
    assert (len(lines), fields) == (5, {f"f{n}={n}" for n in range(20)})


def test_a_killed_userdb_leaves_the_old_file_and_no_obstacle(source):
    source.write_text("joe\ta=1\n" + "".join(f"u{n}\tx={'y' * 60}\n" for n in range(20000)))
    before = source.read_text()
    for delay in (0.001, 0.004, 0.01, 0.02):
        process = subprocess.Popen([program("userdb"), "-f", source, "joe", "set", "a=2"])
        signal.sigtimedwait([], delay)
        process.kill()
        process.wait()
        assert source.read_text() in (before, before.replace("a=1", "a=2", 1))
    userdb(source, "joe", "set", "a=3")
    assert source.read_text() == before.replace("a=1", "a=3", 1)


def on_terminal(args, answers, env=None):
    """Runs a program on a terminal; types each answer after its prompt. Gives what the terminal showed, and the code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(args[0], list(map(str, args)), {**os.environ, **(env or {})})
    shown = b""
    for prompt, answer in [*answers, (None, b"")]:
        while prompt is None or not shown.endswith(prompt):
            ready, _, _ = select.select([terminal], [], [], 20)
            assert ready, shown
            try:
                piece = os.read(terminal, 1000)
            except OSError:
                piece = b""
            if not piece:
                break
            shown += piece
        if prompt is not None:
            os.write(terminal, answer)
    os.close(terminal)
    return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_prompts_on_a_terminal(source):
    env = {"USERDB": os.fspath(source)}
    shown, code = on_terminal([program("userdb"), "joe", "set", "systempw", "home"],
                              [(b"joe.systempw: ", b"hush\n"), (b"joe.home: ", b"/h\n")], env)
    assert (code, source.read_text()) == (0, "joe\tsystempw=hush|home=/h\n")
    assert b"hush" not in shown and b"/h" in shown


# --- userdbpw ---


def test_stored_passwords(place):
    def made(*args, stdin=b"secret\n"):
        return tool("userdbpw", *args, stdin=stdin).stdout.decode()

    assert made("-hmac-md5") == "cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56\n"
    assert made("-hmac-sha1").startswith("091e0f4c6cb5277e") and len(made("-hmac-sha256")) == 129
    for args, start, length in (((), "", 13), (("-md5",), "$1$", 34), (("-sha512",), "$6$", 106)):
        first, second = made(*args).strip(), made(*args).strip()
        assert first != second and first.startswith(start) and len(first) == length
        for stored in (first, second):
            checked = subprocess.run([program("cryptcheck")], input=f"secret\0{stored}\0".encode())
            assert checked.returncode == 0, stored
    assert made("-hmac-md5", stdin=b"secret") == made("-hmac-md5")
    courier = shutil.which("userdbpw", path="/usr/sbin:/usr/bin")
    if courier:
        for option in ("-hmac-md5", "-hmac-sha1", "-hmac-sha256"):
            theirs = subprocess.run([courier, option], input=b"p\xe4ss word\n", capture_output=True).stdout.decode()
            assert theirs.strip() == made(option, stdin=b"p\xe4ss word\n").strip()
    for args, stdin in ((("-foo",), b"x\n"), ((), b""), ((), b"\n"), (("-md5", "x"), b"x\n"), (("md5",), b"x\n")):
        done = tool("userdbpw", *args, stdin=stdin, check=False)
        assert (done.returncode, done.stdout) == (1, b"")


def test_a_password_is_typed_twice():
    prompts = [b"Password: ", b"Reenter password: "]
    shown, code = on_terminal([program("userdbpw"), "-hmac-md5"], list(zip(prompts, [b"secret\n", b"secret\n"])))
    assert code == 0 and b"cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56" in shown and b"secret" not in shown
    shown, code = on_terminal([program("userdbpw")], list(zip(prompts, [b"secret\n", b"other\n"])))
    assert code == 1 and b"differ" in shown


# --- makeuserdb ---


def test_records_and_modes(source):
    source.write_text("# c\n\njoe@x\tuid=1000|gid=100|systempw=a=b|imappw=q|extra|own=|_=mine\n1000=\tjoe@x\nUPPER\tx=1\nempty\t\n1=\tapw")
    source.chmod(0o600)
    tool("makeuserdb", "-f", source)
    accounts, secrets = compiled(source)
    assert accounts == {"joe@x": "uid=1000|gid=100|extra|own=|_=", "1000=": "joe@x|_=", "UPPER": "x=1|_=", "empty": "_=", "1=": "apw|_="}
    assert secrets == {"joe@x": "systempw=a=b|imappw=q"}
    names = {name: mode(source.parent / name) for name in os.listdir(source.parent)}
    assert names == {"userdb": "0o600", "userdb.dat": "0o644", "userdbshadow.dat": "0o600", "userdb.lock": "0o600"}


def test_the_same_records_as_courier_s(place):
    """Courier's makeuserdb on the same source, its GDBM dumped, gives the same keys and fields."""
    gdbm = pytest.importorskip("dbm.gnu", reason="python3-gdbm is not installed")
    ours, theirs = place / "ours", place / "theirs"
    text = "joe@x\tuid=1|gid=2|home=/h|systempw=a=b|mail=M|pop3pw=x|gecos=A B\n1=\tjoe@x\nann\tuid=2|bare\nempty\t\n"
    for path in (ours, theirs):
        path.write_text(text)
        path.chmod(0o600)
    tool("makeuserdb", "-f", ours)
    subprocess.run([debian("makeuserdb"), "-f", theirs], check=True)
    for end in (".dat", "shadow.dat"):
        with gdbm.open(f"{theirs}{end}", "r") as database:
            records = {key.decode(): database[key].decode() for key in database.keys()}
        # With -f theirs writes some tail of the path into the last field.
        records = {key: re.sub(r"\|?_=.*/$", lambda found: found[0].split("_=")[0] + "_=", value) for key, value in records.items()}
        assert dict(read_cdb(place / f"ours{end}")) == records


@pytest.mark.parametrize("prepare,code,words", [
    (lambda p: p.chmod(0o640), 255, "group or world"),
    (lambda p: p.chmod(0o604), 255, "group or world"),
    (lambda p: (p.rename(p.with_name("real")), p.symlink_to("real")), 255, "symbolic link"),
    (lambda p: p.unlink(), 2, "no such file"),
    (lambda p: p.write_text("joe\ta=1\nann\tb=1\njoe\tc=1\n"), 1, "duplicate record for joe"),
    (lambda p: p.write_text("1=\ta\n1=\tb\n"), 1, "duplicate record for 1="),
])
def test_refusals_leave_the_databases(source, prepare, code, words):
    source.write_text("joe\told=1|systempw=x\n")
    source.chmod(0o600)
    tool("makeuserdb", "-f", source)
    before = compiled(source)
    prepare(source)
    done = tool("makeuserdb", "-f", source, check=False)
    assert done.returncode == code and words in done.stderr.decode() and done.stderr.count(b"\n") == 1, done
    assert compiled(source) == before
    assert not [name for name in os.listdir(source.parent) if name.endswith("tmp")]


def test_a_tree(place):
    source = place.folder("userdb", mode=0o700)
    for name in ("a", "sub/b", "sub/deep/c", ".hidden", "back~", "x.dist", "sub/.git/d"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(f"{name.replace('/', '-')}\tuid=5\n")
    (source / "loop").symlink_to(".")
    os.utime(source / "x.dist", (1, 1))
    (source / "x").write_text("x\tuid=6\n")
    tool("makeuserdb", "-f", source)
    linked = place.folder("linked")
    (linked / "e").write_text("e\tuid=5\n")
    (source / "sub/to").symlink_to(linked)
    tool("makeuserdb", "-f", source)
    assert compiled(source)[0].pop("e") == "uid=5|_=sub/to/e/"
    (source / "sub/nowhere").symlink_to("missing")
    assert b"sub/nowhere: no such file" in tool("makeuserdb", "-f", source, check=False).stderr
    (source / "sub/nowhere").unlink()
    (source / "sub/to").unlink()
    tool("makeuserdb", "-f", source)
    assert compiled(source)[0] == {"a": "uid=5|_=a/", "sub-b": "uid=5|_=sub/b/", "sub-deep-c": "uid=5|_=sub/deep/c/", "x": "uid=6|_=x/"}
    (source / "sub/again").write_text("a\tuid=7\n")
    done = tool("makeuserdb", "-f", source, check=False)
    assert done.returncode == 1 and b"sub/again: duplicate record for a, first in" in done.stderr
    (source / "sub/again").unlink()
    for name in ("y.rpmsave", "y.rpmnew", "y.dpkg-old", "y.dpkg-dist", "y.dist", "a.dist"):
        (source / name).write_text("z\ta=1\n")
        done = tool("makeuserdb", "-f", source, check=False)
        assert done.returncode == 100 and name.encode() in done.stderr
        (source / name).unlink()
    source.chmod(0o750)
    assert tool("makeuserdb", "-f", source, check=False).returncode == 255


def test_the_field_of_the_file_is_what_userdb_wants(place):
    source = place.folder("userdb", mode=0o700)
    (source / "sub").mkdir()
    (source / "sub/b").write_text("joe\tuid=5\n")
    tool("makeuserdb", "-f", source)
    prefix = compiled(source)[0]["joe"].split("_=")[1]
    userdb(source, f"{prefix}joe", "set", "gid=6")
    assert (source / "sub/b").read_text() == "joe\tuid=5|gid=6\n"


def test_lines_without_a_tab_are_left_out_aloud(source):
    source.write_text("joe uid=1\nann\tuid=2\n")
    source.chmod(0o600)
    done = tool("makeuserdb", "-f", source)
    assert b"userdb: line 1: " in done.stderr and list(compiled(source)[0]) == ["ann"]


def test_readers_see_the_old_or_the_new(source):
    """Two compile without end, a third is killed at odd moments; every read is whole."""
    source.write_text("".join(f"u{n}\tuid={n}|systempw=p{n}\n" for n in range(300)))
    source.chmod(0o600)
    tool("makeuserdb", "-f", source)
    stop = threading.Event()

    def compile_on():
        while not stop.is_set():
            tool("makeuserdb", "-f", source)

    threads = [threading.Thread(target=compile_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for round_number in range(60):
            accounts, secrets = compiled(source)
            assert len(accounts) == len(secrets) == 300
            killed = subprocess.Popen([program("makeuserdb"), "-f", source])
            signal.sigtimedwait([], 0.0005 * (round_number % 12))
            killed.kill()
            killed.wait()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    tool("makeuserdb", "-f", source)
    assert not [name for name in os.listdir(source.parent) if name.endswith("tmp")]


# --- pw2userdb ---

PASSWD = "root:x:0:0:Root Person,Room,1:/root:/bin/sh\njoe:x:1000:100:Joe Q,,,:/home/joe:/bin/sh\nann:$1$abc$def:1001:100::/home/ann:\n" \
    "dup:x:1000:101:a|b:/home/dup:/bin/sh\nlocked:!:1002:100:X:/home/l:/bin/false\n"
SHADOW = "joe:$6$xx$yy:1:2:3:::\nann:*:1::::\nlocked:!$6$a$b:1::::\n"


@pytest.mark.parametrize("options", [
    [], ["--noshadow"], ["--nouid"], ["--noshadow", "--domain=example.com", "--nouid"],
])
def test_pw2userdb_prints_courier_s_lines(place, options):
    passwd, shadow = place / "passwd", place / "shadow"
    passwd.write_text(PASSWD)
    shadow.write_text(SHADOW)
    options = [f"--passwd={passwd}", *([] if "--noshadow" in options else [f"--shadow={shadow}"]), *options]
    ours = tool("pw2userdb", *options).stdout.decode().splitlines()
    theirs = subprocess.run([debian("pw2userdb"), *options], capture_output=True, text=True, check=True).stdout.splitlines()
    # Theirs names every account of a shared user id in an entry of its own, which makeuserdb then refuses.
    assert sorted(set(theirs) - {"1000=\tdup", "1000=\tjoe"}) == sorted(set(ours) - {"1000=\tjoe"})
    assert [line for line in ours if line.startswith("1000=")] == ([] if "--nouid" in options else ["1000=\tjoe"])
    source = place / "userdb"
    source.write_text("\n".join(ours) + "\n")
    source.chmod(0o600)
    tool("makeuserdb", "-f", source)


def test_pw2userdb_failures(place):
    assert tool("pw2userdb", "--frob", check=False).returncode == 255
    done = tool("pw2userdb", f"--passwd={place / 'none'}", check=False)
    assert done.returncode == 111 and b"no such file" in done.stderr
    (place / "passwd").write_text(PASSWD)
    done = tool("pw2userdb", f"--passwd={place / 'passwd'}", "--noshadow", "--vpopuid", check=False)
    assert done.returncode in (0, 100)


# --- authtest, authenumerate ---


@pytest.fixture
def site(place):
    site = Userdb(place)
    site.add("joe", SHA, mail="Mail", quota="5000S", options="disableshared=1,group=x", gecos="Joe Q")
    site.add("ann", "{SHA}x", imappw=SHA).add("broken", SHA, uid=False)
    return site.compile()


def authtest(site, *args, stdin=b"", **env):
    return tool("authtest", *args, stdin=stdin, check=False, env={**site.env, **env})


@needs_root
def test_authtest_shows_whom_the_chain_makes(site):
    done = authtest(site, "-m", "authuserdb", "joe", "secret")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == f"""Authentication succeeded.

     Authenticated: joe  (uid {UID}, gid {UID})
    Home Directory: {site.home}
           Maildir: Mail
             Quota: 5000S
Encrypted Password: (not shown)
Cleartext Password: (not shown)
           Options: disableshared=1,group=x
         Full Name: Joe Q
"""
    look_up = authtest(site, "ann", AUTHMODULES="authuserdb")
    assert look_up.returncode == 0 and b"Authenticated: ann" in look_up.stdout and b"Maildir: (none)" in look_up.stdout


@needs_root
def test_authtest_with_the_default_modules_and_services(site):
    assert authtest(site, "joe", "secret").returncode == 0
    assert authtest(site, "-s", "imap", "ann", "-", stdin=b"secret\n").returncode == 0
    assert authtest(site, "-simap", "-m", f"authpwd {program('authuserdb')}", "ann", "secret").returncode == 0
    for args in (["ann", "secret"], ["joe", "wrong"], ["nobodyhere"], ["broken", "secret"], ["joe", "a\nb"]):
        done = authtest(site, *args)
        assert done.returncode == 1 and b"Authentication FAILED" in done.stdout + done.stderr, done


def test_authtest_tells_a_temporary_failure(site):
    (site.place / "userdb.dat").write_bytes(b"damage")
    done = authtest(site, "-m", "authuserdb", "joe", "secret")
    assert done.returncode == 1 and b"a module failed" in done.stdout and b"userdb.dat" in done.stderr
    assert authtest(site, "-m", "/nowhere/auth", "joe", "secret").returncode == 111
    for args in ([], ["-s"], ["-x", "joe"], ["a", "b", "c", "d"]):
        assert authtest(site, *args).returncode == 1


@needs_root
def test_authtest_changes_a_password(site):
    md5 = tool("userdbpw", "-hmac-md5", stdin=b"secret\n").stdout.decode().strip()
    site.add("zoe", SHA, **{"hmac-md5pw": md5, "imap-hmac-md5pw": md5, "hmac-sha1pw": "0" * 80}).compile()
    assert authtest(site, "-m", "authuserdb", "zoe", "wrong", "new").returncode == 1
    assert authtest(site, "-m", "authuserdb", "zoe", "secret", "").returncode == 1
    done = authtest(site, "-m", "authuserdb", "zoe", "-", "-", stdin=b"secret\nnew pass\n")
    assert done.returncode == 0, done
    assert authtest(site, "-m", "authuserdb", "zoe", "secret").returncode == 1
    assert authtest(site, "-m", "authuserdb", "zoe", "new pass").returncode == 0
    fields = dict(line.split("=", 1) for line in userdb(site.source, "-show", "zoe").stdout.decode().splitlines())
    context = tool("userdbpw", "-hmac-md5", stdin=b"new pass\n").stdout.decode().strip()
    assert fields["systempw"].startswith("$1$") and fields["hmac-sha1pw"] == "0" * 80
    assert fields["hmac-md5pw"] == fields["imap-hmac-md5pw"] == context
    # A service's own password is the one that changes, and a strong one stays strong.
    strong = tool("userdbpw", "-sha512", stdin=b"secret\n").stdout.decode().strip()
    userdb(site.source, "ann", "set", f"imappw={strong}")
    site.compile()
    assert authtest(site, "-s", "imap", "-m", "authuserdb", "ann", "secret", "new").returncode == 0
    shown = userdb(site.source, "-show", "ann").stdout.decode()
    assert "imappw=$6$" in shown and "systempw={SHA}x" in shown


def test_authenumerate(site):
    def lines(*args, check=True):
        return tool("authenumerate", *args, check=check, env=site.env).stdout.decode().splitlines()

    joe, ann = f"joe\t{UID}\t{UID}\t{site.home}\tMail", f"ann\t{UID}\t{UID}\t{site.home}\t"
    assert lines("-m", "authuserdb") == [joe, ann]
    assert lines("-o", "-m", "authuserdb") == [joe + "\tdisableshared=1,group=x", ann + "\t"]
    assert lines("-so", "-mauthuserdb") == [ann + "\t"]
    assert lines()[-2:] == [joe, ann]
    people = [line for line in lines("-m", "authpwd authshadow") if line]
    expected = [row.split(":") for row in open("/etc/passwd") if 1000 <= int(row.split(":")[2]) < 65534]
    assert [line.split("\t")[0] for line in people] == [row[0] for row in expected]
    assert tool("authenumerate", "-m", "authuserdb /x/authldap", check=False, env=site.env).returncode == 1
    assert tool("authenumerate", "x", check=False, env=site.env).returncode == 100
    (site.place / "userdb.dat").write_bytes(b"damage")
    assert tool("authenumerate", check=False, env=site.env).returncode == 1


def test_a_control_c_at_the_prompt_changes_nothing(source):
    shown, code = on_terminal([program("userdb"), "joe", "set", "systempw"], [(b"joe.systempw: ", b"se\x03\n")],
                              {"USERDB": os.fspath(source)})
    assert code == 1 and not source.exists(), shown


@pytest.mark.skipif(not IS_ROOT or subprocess.call(["unshare", "-m", "true"], stderr=subprocess.DEVNULL) != 0,
                    reason="a small file system needs root and a mount namespace")
def test_a_full_disk_leaves_what_was_there(place):
    script = f"""
set -e
mount -t tmpfs -o size=128k none {place.path}
cd {place.path}
umask 077
printf 'joe\\tuid=1|systempw=x\\n' > userdb
{program("makeuserdb")} -f userdb
cp userdb.dat old.dat; cp userdbshadow.dat oldshadow.dat; cp userdb old
i=0; while [ $i -lt 900 ]; do echo "user$i	home=/var/mail/user$i|systempw=$i"; i=$((i+1)); done >> userdb
cp userdb grown
set +e
{program("makeuserdb")} -f userdb; echo "makeuserdb $?"
{program("userdb")} -f grown joe set a=1; echo "userdb $?"
set -e
cmp userdb.dat old.dat; cmp userdbshadow.dat oldshadow.dat; cmp userdb grown
ls -A
"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert "makeuserdb 111" in done.stdout and "userdb 111" in done.stdout, done
    assert done.stderr.count("no space left on device") == 2 and "tmp" not in done.stdout, done
