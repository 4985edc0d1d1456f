"""A Maildir as files: made, delivered to and read without any code of the server."""

import itertools
import os
import pathlib
import re
import socket
import time

from harness.place import IS_ROOT, UID

_unique = itertools.count()


def make(path, uid=None):
    """A Maildir (or a folder in one) with its three directories."""
    path = pathlib.Path(path)
    uid = UID if uid is None else uid
    for directory in (path, path / "tmp", path / "new", path / "cur"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        own(directory, uid)
    return path


def folder(maildir, name, uid=None):
    """A folder `.name` of a Maildir, as Courier makes it."""
    path = make(pathlib.Path(maildir) / f".{name}", uid)
    (path / "maildirfolder").touch(mode=0o600)
    own(path / "maildirfolder", uid)
    return path


def own(path, uid=None):
    if IS_ROOT:
        uid = UID if uid is None else uid
        os.chown(path, uid, uid)


def name(seconds=None):
    """A base name in the usual manner."""
    seconds = int(time.time()) if seconds is None else seconds
    return f"{seconds}.M{next(_unique)}P{os.getpid()}.{socket.gethostname() or 'localhost'}"


def deliver(maildir, message, flags=None, base=None, seconds=None, uid=None):
    """Delivers as an MTA does: into `new`, or into `cur` where flags are given. Returns the base name."""
    maildir = pathlib.Path(maildir)
    base = base or name(seconds)
    temporary = maildir / "tmp" / base
    temporary.write_bytes(message)
    if seconds is not None:
        os.utime(temporary, (seconds, seconds))
    own(temporary, uid)
    target = maildir / "new" / base if flags is None else maildir / "cur" / f"{base}:2,{flags}"
    temporary.rename(target)
    return base


class Reader:
    """What stands on disk in one folder, read by rules of its own: base names, flags, UIDs, keywords."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def files(self, directory):
        """Base name to full file name."""
        return {entry.split(":")[0]: entry for entry in os.listdir(self.path / directory) if not entry.startswith(".")}

    def flags(self):
        """Base name to the flag letters of each message in `cur`."""
        return {base: (entry.split(":2,") + [""])[1] for base, entry in self.files("cur").items()}

    def uid_table(self):
        """(UIDVALIDITY, NEXTUID, {base name: UID}) of courierimapuiddb."""
        lines = (self.path / "courierimapuiddb").read_bytes().split(b"\n")
        version, validity, following = lines[0].split()
        assert version == b"1", f"version of the UID table: {lines[0]!r}"
        uids = {}
        for line in filter(None, lines[1:]):
            uid, base = line.split(b" ", 1)
            assert base.decode() not in uids, f"two lines of one base name: {line!r}"
            uids[base.decode()] = int(uid)
        return int(validity), int(following), uids

    def uids(self):
        """UID to base name of the messages that are there."""
        present = self.files("cur")
        return {uid: base for base, uid in self.uid_table()[2].items() if base in present}

    def keywords(self):
        """Base name to the set of its keywords: `:list`, overlaid by update files."""
        directory = self.path / "courierimapkeywords"
        found = {}
        try:
            table, _, rest = (directory / ":list").read_bytes().partition(b"\n\n")
        except FileNotFoundError:
            table, rest = b"", b""
        words = table.decode().split("\n") if table else []
        for line in filter(None, rest.decode().split("\n")):
            base, _, numbers = line.rpartition(":")
            found[base] = {words[int(number)] for number in numbers.split()}
        aged = {}
        if directory.is_dir():
            for entry in directory.iterdir():
                if entry.name == ":list" or entry.name.startswith(".tmp"):
                    continue
                match = re.fullmatch(r"\.(\d+)\.(.*)", entry.name)
                base, age = (match[2], int(match[1])) if match else (entry.name, 1 << 62)
                if age >= aged.get(base, -1):
                    aged[base] = age
                    found[base] = set(entry.read_text().split("\n")) - {""}
        present = {**self.files("cur"), **self.files("new")}
        return {base: words for base, words in found.items() if words and base in present}
