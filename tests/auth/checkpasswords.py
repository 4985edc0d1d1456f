"""A checkpassword program of the tests' own: it knows joe, and does what the password says."""

CHECKPASSWORD = """#!/usr/bin/python3 -IS
import json, os, signal, sys, time
request = b""
while True:
    piece = os.read(3, 600)
    if not piece:
        break
    request += piece
os.close(3)
fields = request.split(b"\\0")
user, password = fields[0].decode("latin-1"), fields[1].decode("latin-1")
with open(os.environ["TRACE"] if "TRACE" in os.environ else "/dev/null", "w") as trace:
    json.dump({{"argv": sys.argv, "fields": [f.decode("latin-1") for f in fields], "env": dict(os.environ),
               "fds": [fd for fd in range(64) if os.path.exists("/proc/self/fd/%d" % fd)],
               "ends": [os.readlink("/proc/self/fd/%d" % fd) for fd in (0, 1)]}}, trace)
if user != "joe" or password == "wrong":
    sys.exit(1)
if password.startswith("exit "):
    sys.exit(int(password[5:]))
if password == "killed":
    os.kill(os.getpid(), 9)
words = sys.argv[1:]
if words and words[0] == "-o":
    words = words[2:]
if password == "noise":
    os.write(1, b"+OK welcome\\0daisychain report\\0/tmp\\0x\\0")
if password == "flood":
    while True:
        os.write(1, b"x" * 4096)
if password == "half":
    os.write(1, b"\\0daisychain report\\0/tmp\\0joe\\0/bin/sh\\0")
    sys.exit(0)
if password == "forked" and os.fork():
    sys.exit(os.waitpid(-1, 0)[1] >> 8)
uid = 0 if password == "root" else {uid}
if os.geteuid() == 0:
    os.setgroups([0] if password == "rootgroup" else [{uid}, {uid} + 7])
    os.setgid({uid})
    os.setuid(uid)
home = {home!r}
os.environ.update(USER="joe@example.com" if password == "virtual" else "joe", HOME=home, SHELL="/bin/sh",
                  NAME="Joe Q", MAILDIR="./Mail", LD_PRELOAD="/nowhere", PLANTED="x")
os.chdir(home)
os.execv(words[0], words)
"""
