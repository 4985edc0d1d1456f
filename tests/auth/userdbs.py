"""A userdb of a test's own, made with our tools."""

import os
import subprocess

from harness.place import UID, program


def tool(name, *args, stdin=b"", check=True, **options):
    """Runs one of our tools."""
    done = subprocess.run([program(name), *map(str, args)], input=stdin, capture_output=True, timeout=60, **options)
    assert not check or done.returncode == 0, done
    return done


class Userdb:
    """A source with its databases, and a home directory."""

    def __init__(self, place):
        self.place = place
        self.source = place / "userdb"
        self.home = place.folder("home", UID)
        self.source.touch(0o600)

    def add(self, address, systempw=None, uid=UID, gid=UID, home=None, **fields):
        if systempw is not None:
            fields["systempw"] = systempw
        pairs = {"uid": uid, "gid": gid, "home": home or self.home, **fields}
        line = "|".join(f"{name}={value}" for name, value in pairs.items() if value is not False)
        with open(self.source, "a", encoding="latin-1") as file:
            file.write(f"{address}\t{line}\n")
        return self

    def compile(self):
        tool("makeuserdb", "-f", self.source)
        return self

    @property
    def env(self):
        return {"USERDB": os.fspath(self.source)}
