"""maildirmake beside Debian's: the same trees, the same exit codes."""

import os
import stat
import subprocess

import pytest

from harness.place import IS_ROOT, UID, debian, program

OURS = ("courierimapuiddb", "daisychain-uidvalidity")


@pytest.fixture(params=["ours", "courier"])
def maildirmake(request, place):
    """Runs one of the two programs in the test's folder; returns exit code and message."""
    path = program("maildirmake") if request.param == "ours" else debian("/usr/bin/maildirmake.courier", "/usr/bin/maildirmake")

    def run(*args):
        done = subprocess.run([path, *args], cwd=place.path, capture_output=True, text=True, umask=0o077)
        return done.returncode, done.stderr

    run.is_ours = request.param == "ours"
    return run


def tree(path):
    """Every name below with its mode; what only we keep is left out."""
    found = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            if name not in OURS:
                entry = os.path.join(folder, name)
                found[os.path.relpath(entry, path)] = stat.filemode(os.stat(entry).st_mode)
    return found


EMPTY = {name: "drwx------" for name in ("tmp", "new", "cur")}


def test_a_maildir(place, maildirmake):
    assert maildirmake("M")[0] == 0
    assert tree(place / "M") == EMPTY
    assert maildirmake("M")[0] == 1
    assert maildirmake("a/b/c")[0] == 1
    (place / "file").write_text("")
    assert maildirmake("file")[0] == 1


def test_a_folder(place, maildirmake):
    maildirmake("M")
    assert maildirmake("-f", "Lists.Bücher", "M")[0] == 0
    folder = {f".Lists.Bücher/{name}": mode for name, mode in EMPTY.items()}
    assert tree(place / "M") == {**EMPTY, ".Lists.Bücher": "drwx------", **folder, ".Lists.Bücher/maildirfolder": "-rw-------"}
    assert maildirmake("-f", "Lists.Bücher", "M")[0] == 1
    for name in (".x", "x/y"):
        assert maildirmake("-f", name, "M")[0] == 1
    assert maildirmake("-f", "x", "none")[0] == 1


def test_a_quota(place, maildirmake):
    assert maildirmake("-q", "1000S,10C", "M")[0] == 0
    assert (place / "M/maildirsize").read_text() == "1000S,10C\n           0            0\n"
    (place / "M/cur/1000.a:2,S").write_text("12345")
    (place / "M/new/1000.b,S=7").write_text("1234567")
    (place / "M/cur/1000.c:2,T").write_text("12345")
    assert maildirmake("-q", "2000S", "M")[0] == 0
    assert (place / "M/maildirsize").read_text() == "2000S\n          12            2\n"


def test_shared(place, maildirmake):
    assert maildirmake("-S", "M")[0] == 0
    assert stat.S_IMODE((place / "M").stat().st_mode) == 0o755
    for mode, folder, inside in (("read", 0o755, 0o755), ("write", 0o1755, 0o1777), ("read,group", 0o750, 0o750)):
        assert maildirmake("-s", mode, "-f", mode, "M")[0] == 0
        modes = {stat.S_IMODE((place / "M" / f".{mode}" / name).stat().st_mode) for name in ("tmp", "new", "cur")}
        assert modes == {inside}, mode
        assert stat.S_IMODE((place / "M" / f".{mode}").stat().st_mode) == folder, mode


def test_what_makes_no_sense(maildirmake):
    for args in ((), ("-z", "M"), ("-q",), ("-f",)):
        assert maildirmake(*args)[0] == 1, args


def test_our_own_refusals(place, maildirmake):
    if not maildirmake.is_ours:
        return
    maildirmake("M")
    for name in ("x.", "x..y", "cur", "new", "tmp", "a" * 255):
        code, message = maildirmake("-f", name, "M")
        assert code == 1 and message.startswith("maildirmake: fatal: "), name
    code, message = maildirmake("-q", "many", "M")
    assert code == 1 and "usage" in message
    assert tree(place / "M") == EMPTY


def test_root_becomes_the_owner(place, maildirmake):
    if not maildirmake.is_ours or not IS_ROOT:
        return
    maildirmake("M")
    for folder, folders, files in os.walk(place / "M"):
        os.chown(folder, UID, UID)
    place.path.chmod(0o700)
    assert maildirmake("-f", "Sent", "-q", "1000S", "M") == (0, "")
    owners = {os.stat(os.path.join(folder, name)).st_uid for folder, a, b in os.walk(place / "M") for name in a + b}
    assert owners == {UID}
