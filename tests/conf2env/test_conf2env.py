"""conf2env against the shells it replaces and the envdir programs that read its work."""

import os
import random
import shutil
import subprocess
import threading

import pytest

from harness.place import debian, program

SHELLS = ["dash", "bash"]
DEBIAN_FILES = ["/etc/courier/imapd", "/etc/courier/imapd-ssl", "/etc/courier/pop3d", "/etc/courier/pop3d-ssl", "/etc/courier/authdaemonrc"]


def conf2env(*args, text=None, **options):
    stdin = text.encode("latin-1") if isinstance(text, str) else text
    return subprocess.run([program("conf2env"), *map(str, args)], input=stdin, capture_output=True, **options)


def envdir(directory, reader="envdir"):
    """The environment that a program below `envdir DIRECTORY` has."""
    command = {"envdir": [debian("envdir"), directory], "chpst": [debian("chpst"), "-e", directory]}[reader]
    out = subprocess.run([*map(str, command), "/usr/bin/env", "-0"], env={}, capture_output=True, check=True).stdout
    return dict(item.split(b"=", 1) for item in out.split(b"\0") if item)


def shell(name, text, place):
    """The variables that a shell has after it read the text, without what it sets by itself."""
    path = place / "oracle.conf"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
    run = [shutil.which(name), "-c", "set -a; . \"$0\"; exec /usr/bin/env -0", str(path)]
    out = subprocess.run(run, env={}, capture_output=True, check=True, cwd=place.path).stdout
    found = dict(item.split(b"=", 1) for item in out.split(b"\0") if item)
    for own in (b"PWD", b"OLDPWD", b"SHLVL", b"_"):
        found.pop(own, None)
    return found


@pytest.mark.parametrize("sh", SHELLS)
@pytest.mark.parametrize("path", DEBIAN_FILES)
def test_every_file_that_debian_ships_reads_as_in_a_shell(place, path, sh):
    directory = place.folder("env")
    text = open(path, "rb").read()
    assert conf2env(directory, path).returncode == 0
    assert envdir(directory) == shell(sh, text, place)
    assert envdir(directory), "nothing was read"
    # As the seed's run script calls it.
    assert conf2env(directory, text=text).returncode == 0
    assert conf2env("-c", directory, path).returncode == 0


def test_the_ssl_file_behind_the_plain_one(place):
    directory = place.folder("env")
    assert conf2env(directory, *DEBIAN_FILES[:2]).returncode == 0
    both = b"".join(open(path, "rb").read() for path in DEBIAN_FILES[:2])
    assert envdir(directory) == shell("dash", both, place)
    assert envdir(directory)[b"IMAP_CAPABILITY_TLS"].endswith(b" AUTH=PLAIN")


# The 25 faults of the script that this program replaces: what must come out instead. None: refused.
ROWS = [
    ("IMAP_CAPABILITY=\"IMAP4rev1 IDLE\"\nIMAP=x\nX=\"$IMAP_CAPABILITY AUTH=PLAIN\"", "IMAP4rev1 IDLE AUTH=PLAIN"),
    ("X=\"$TLS_PROTOCOL\"", ""),
    ("X=$(touch pwned)", None),
    ("X=a;touch pwned2", None),
    ("X=`id`", None),
    ("X=\"a & b\"", "a & b"),
    ("X=x&y", None),
    ("X=x*", "x*"),
    ("X='~'", "~"),
    ("X=it's", None),
    ("X=\\\"q\\\"", "\"q\""),
    ("X=-n", "-n"),
    ("X='a\\tb'", "a\\tb"),
    ("A=/etc\nX=${A}/b", "/etc/b"),
    ("A=1\nX=pre$A", "pre1"),
    ("A=1\nX=$A.x", "1.x"),
    ("W='x&y'\nX=\"$W z\"", "x&y z"),
    ("X=\"two  spaces\"", "two  spaces"),
    ("X=a\"b\"c", "abc"),
    ("X=1 # note", "1"),
    ("X=\"a # b\"", "a # b"),
    ("export X=2", "2"),
    ("N", None),
    ("L =5", None),
    ("X=\"one\ntwo\"", "one\ntwo"),
    ("X=one\\\ntwo", "onetwo"),
    ("POP3AUTH=1\nX=\"\"", ""),
    ("X=${A:-b}${A:=c}$A", "bcc"),
    ("X=${A-'q r'}", "q r"),
    ("A=1 X=$A", "1"),
    ("X=a=b=c", "a=b=c"),
    ("X=$", "$"),
    ("X=a#b", "a#b"),
    ("\t X=5\t", "5"),
    ("X=\"\\a\\$b\\\\\"", "\\a$b\\"),
]


@pytest.mark.parametrize("text,expected", ROWS)
def test_the_faults_of_the_old_script(place, text, expected):
    directory = place.folder("env")
    result = conf2env(directory, text=text, cwd=place.path)
    if expected is None:
        assert result.returncode == 100, result
        assert result.stderr.startswith(b"conf2env: fatal: stdin:1: ") and result.stderr.count(b"\n") == 1
        assert os.listdir(directory) == []
    else:
        assert result.returncode == 0, result
        assert envdir(directory)[b"X"] == expected.encode()
        for sh in SHELLS:
            assert shell(sh, text, place)[b"X"] == expected.encode()
    assert not (place / "pwned").exists() and not (place / "pwned2").exists()


def test_lenient_reading(place):
    directory = place.folder("env")
    text = "L =5\nM= 6\nN = 7 # seven\nO=\nP='x '\n"
    assert conf2env(directory, text=text).returncode == 100
    result = conf2env("-k", directory, text=text)
    assert result.returncode == 0 and result.stderr.count(b"conf2env: warning: ") == 5
    assert envdir(directory) == {b"L": b"5", b"M": b"6", b"N": b"7", b"O": b"", b"P": b"x"}


def test_values_that_envdir_cannot_carry(place):
    directory = place.folder("env")
    result = conf2env(directory, text="P='x\t'\n")
    assert (result.returncode, result.stderr.count(b"P: envdir takes the blanks")) == (100, 1)
    result = conf2env(directory, text="P=" + "x" * 5000)
    assert (result.returncode, result.stderr.count(b"s6-envdir")) == (0, 1)
    assert b"NUL" in conf2env(directory, text="P=\0").stderr


def test_random_values_come_back(place):
    directory = place.folder("env")
    chance = random.Random(7)
    values = {}
    for number in range(200):
        value = bytes(chance.choices(range(1, 256), k=chance.randrange(60)))
        values[b"K%d" % number] = value.rstrip(b" \t")
    text = b"".join(key + b"='" + value.replace(b"'", b"'\\''") + b"'\n" for key, value in values.items())
    assert conf2env(directory, text=text).returncode == 0
    assert envdir(directory) == values
    assert shell("dash", text, place) == values


def test_nothing_changed_nothing_written(place):
    directory = place.folder("env")
    conf2env(directory, text="A=1\nB=2\n")
    before = {entry.name: entry.stat().st_ino for entry in os.scandir(directory)}, os.stat(directory).st_mtime_ns
    assert conf2env(directory, text="B=2\nA=1\n").returncode == 0
    assert before == ({entry.name: entry.stat().st_ino for entry in os.scandir(directory)}, os.stat(directory).st_mtime_ns)


def test_a_removed_setting_disappears_and_check_tells(place):
    directory = place.folder("env")
    (directory / ".keep").write_text("not ours")
    conf2env(directory, text="A=1\nB=2\n")
    assert conf2env("-c", directory, text="A=1\n").returncode == 1
    assert sorted(os.listdir(directory)) == [".keep", "A", "B"]
    assert conf2env(directory, text="A=1\n").returncode == 0
    assert sorted(os.listdir(directory)) == [".keep", "A"]
    assert conf2env("-c", directory, text="A=1\n").returncode == 0


def test_modes_and_owner_follow_the_directory(place):
    for mode, expected in ((0o700, 0o600), (0o750, 0o640)):
        directory = place.folder(f"env{mode:o}", 20077, mode)
        assert conf2env(directory, text="A=1\n").returncode == 0
        stat = (directory / "A").stat()
        assert (stat.st_mode & 0o777, stat.st_uid) == (expected, 20077)


def test_symbolic_links_and_directories_in_the_envdir(place):
    directory = place.folder("env")
    victim = place / "victim"
    victim.write_text("untouched")
    (directory / "A").symlink_to(victim)
    (directory / ".new-A").symlink_to(victim)
    assert conf2env(directory, text="A=1\n").returncode == 0
    assert victim.read_text() == "untouched" and not (directory / "A").is_symlink()
    (directory / "sub").mkdir()
    result = conf2env(directory, text="A=2\n")
    assert result.returncode == 111 and b"is a directory" in result.stderr
    assert (directory / "A").read_text() == "1\n"


def test_what_cannot_be_opened_is_temporary(place):
    result = conf2env(place / "missing", text="A=1\n")
    assert result.returncode == 111 and result.stderr.count(b"\n") == 1
    assert result.stderr.startswith(b"conf2env: fatal: unable to open ")
    directory = place.folder("env")
    assert conf2env(directory, place / "no-such-file").returncode == 111


@pytest.mark.parametrize("args", [[], ["-x", "env"], ["-s", "env"], ["-s", "1=2", "env"], ["-e", "file"], ["-e", "--", "true"], ["-ce", "f", "--", "true"]])
def test_wrong_usage(place, args):
    result = conf2env(*args, text="", cwd=place.path)
    assert result.returncode == 100 and result.stderr.startswith(b"conf2env: fatal: usage: ")


def test_presets_are_looked_up_and_not_written(place):
    directory = place.folder("env")
    assert conf2env("-s", "prefix=/usr", "-s", "P=a=b", directory, text="A=${prefix}/x\nB=$P\nP=own\nC=$P\n").returncode == 0
    assert envdir(directory) == {b"A": b"/usr/x", b"B": b"a=b", b"C": b"own", b"P": b"own"}


def test_the_environment_is_not_looked_up(place):
    directory = place.folder("env")
    conf2env(directory, text="A=x$HOME\n", env={"HOME": "/root"})
    assert envdir(directory)[b"A"] == b"x"


def test_exec_without_a_directory(place):
    path = place / "conf"
    path.write_text("A='1 2'\nB=$A\n")
    other = place / "more"
    other.write_text("B=3\n")
    result = conf2env("-e", path, other, "--", "/bin/sh", "-c", 'read line; echo "$A/$B/$C/$line/$1"', "sh", "-k",
                      text="stdin\n", env={"C": "kept", "A": "old"})
    assert result.stdout == b"1 2/3/kept/stdin/-k\n"
    missing = conf2env("-e", path, "--", place / "nowhere")
    assert missing.returncode == 111 and b"unable to run" in missing.stderr
    # SIGPIPE has its default again: the writer dies quietly.
    piped = subprocess.run(f"{program('conf2env')} -e {path} -- /bin/sh -c 'trap' | wc -c", shell=True, capture_output=True)
    assert piped.stdout.strip() == b"0"


@pytest.mark.parametrize("text,line,words", [
    ("##NAME: x:1\nA=1\nif true\n", 3, "no '='"),
    ("A='x\ny'\nB=(1)\n", 3, "unquoted ("),
    ("MYSQL_SERVER\tlocalhost\n", 1, "no '='"),
    ("A=\"x\n\n", 3, "not closed"),
    ("LD_PRELOAD=/x\n", 1, "LD_*"),
    ("A=1\n" + "N" * 256 + "=1\n", 2, "255"),
])
def test_refusals_name_file_and_line(place, text, line, words):
    path = place / "conf"
    path.write_text(text)
    result = conf2env(place.folder("env"), path)
    assert result.returncode == 100
    assert result.stderr.decode().startswith(f"conf2env: fatal: {path}:{line}: ") and words in result.stderr.decode()


def test_carriage_returns(place):
    directory = place.folder("env")
    result = conf2env(directory, text="A=1\r\nB='x\r\ny'\r\n# c\r\n\r\n")
    assert result.returncode == 0 and result.stderr.count(b"carriage") == 1
    assert envdir(directory) == {b"A": b"1", b"B": b"x\r\ny"}


def test_large_input_is_linear(place):
    directory = place.folder("env")
    assert conf2env(directory, text="A='" + "x" * (1 << 20) + "'\n").returncode == 0
    many = "".join(f"K{number}=${{K{number - 1}}}v\n" if number % 100 else f"K{number}=v\n" for number in range(10000))
    assert conf2env(directory, text=many).returncode == 0
    assert len(os.listdir(directory)) == 10000
    assert (directory / "K1").read_text() == "vv\n"


def test_a_reader_during_updates_finds_every_setting_whole(place):
    directory = place.folder("env")
    texts = ["".join(f"K{key}={value * 50}\n" for key in range(20)) for value in "abc"]
    conf2env(directory, text=texts[0])
    done = threading.Event()

    def rewrite():
        for turn in range(60):
            conf2env(directory, text=texts[turn % 3])
        done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    reads = 0
    while not done.is_set():
        found = envdir(directory)
        assert sorted(found) == sorted(b"K%d" % key for key in range(20))
        assert all(len(value) == 50 and len(set(value)) == 1 for value in found.values())
        reads += 1
    writer.join()
    assert reads > 5


def test_runit_reads_the_same(place):
    directory = place.folder("env")
    conf2env(directory, "/etc/courier/imapd")
    assert envdir(directory, "chpst") == envdir(directory)
