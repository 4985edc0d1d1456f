#!/usr/bin/python3
"""Every system call of imapd's paths that touches files fails once, fails from then on, or is the last before the
process dies; then the files and a fresh session are judged by what was acknowledged.

    faultsweep.py [--seed N] [--path NAME]... [--errno E]... [--site CALL:N] [--sample N] [--jobs N]

All of it takes a while; `--sample` takes that many of all faults, chosen by the seed. Each failure ends with the command
that shows it again.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

from checker import Illegal, Model, directory, literal, on_disk, require  # noqa: E402
from harness import maildir  # noqa: E402
from harness.conversation import Closed  # noqa: E402
from harness.imap import Answer  # noqa: E402
from harness.place import UID, Place, as_user, program  # noqa: E402
from harness.server import LOGGED_IN, logged_in  # noqa: E402
from paths import FOLDERS, PATHS, SUBSCRIBED, mail  # noqa: E402

CALLS = ["open", "openat", "openat2", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat",
         "rmdir", "read", "pread64", "write", "writev", "pwrite64", "fsync", "fdatasync", "getdents64", "stat", "lstat", "fstat",
         "newfstatat", "statx", "ftruncate", "chmod", "fchmod", "utimensat", "fcntl"]
ERRORS = ["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EACCES", "EROFS", "ESTALE", "EINTR"]
# No kernel interrupts every call for ever: EINTR comes once.
FAULTS = ["KILL", *ERRORS, *(f"{error}+" for error in ERRORS if error != "EINTR")]

# What no refusal may say here: all mailboxes named are there, or are not.
LIES = [b"NONEXISTENT", b"TRYCREATE", b"ALREADYEXISTS", b"EXPUNGEISSUED", b"CANNOT"]

# Longer than the wait for a lock, and an answer must come.
PATIENCE = 45


class Sweep:
    """An account that is set up anew for each fault, with a model of what it holds."""

    def __init__(self, place, uid=UID):
        self.place, self.uid, self.models, self.templates, self.sites = place, uid, {}, {}, {}
        home = place.folder("home", uid)
        self.path = home / "Maildir"
        self.trace = place / "trace"
        self.trace.touch()
        self.trace.chmod(0o666)
        for delivered in (False, True):
            self._prepare(delivered)

    def _prepare(self, delivered):
        """Six messages with UIDs, flags and keywords, two of them marked as deleted; folders; two more delivered."""
        shutil.rmtree(self.path, ignore_errors=True)
        maildir.make(self.path, self.uid)
        for number, flags in enumerate(["S", "", "F", "RS", "T", "ST"]):
            maildir.deliver(self.path, mail(f"m{number}"), flags=flags, base=f"{1000 + number}.m", uid=self.uid)
        for name in FOLDERS[1:]:
            folder = maildir.folder(self.path, name.partition(".")[2], self.uid)
            for number in range(2):
                maildir.deliver(folder, mail(f"{name} {number}"), flags="S", base=f"{2000 + number}.m", uid=self.uid)
        with self.session() as client:
            for name in FOLDERS:
                client.select(name)
            client.select("INBOX")
            client.ok("UID STORE 2,4 +FLAGS (Old)")
            for name in SUBSCRIBED:
                client.ok(f"SUBSCRIBE {name}")
        if delivered:
            for number in (6, 7):
                maildir.deliver(self.path, mail(f"m{number}"), base=f"{1000 + number}.m", uid=self.uid)
        template = self.templates[delivered] = self.place / f"template-{delivered}"
        subprocess.run(["cp", "-a", self.path, template], check=True)
        self.models[delivered] = Model.of(self.path, FOLDERS, SUBSCRIBED)

    def session(self):
        return Session(self.place, self.path, self.uid)

    def run(self, name, inject=None):
        """One dialogue; returns the output, what was said on stderr, and what strace saw."""
        path = PATHS[name]
        shutil.rmtree(self.path, ignore_errors=True)
        subprocess.run(["cp", "-a", self.templates[path.delivered], self.path], check=True)
        self.trace.write_bytes(b"")
        calls = inject[0] if inject else ",".join("?" + call for call in CALLS)
        args = ["strace", "-f", "-s", "40", "-o", str(self.trace), "-e", f"trace={calls}"]
        if inject:
            args += ["-e", "inject={}:{}:when={}".format(*inject)]
        said = b"".join(b"%b %b\r\n" % line for line in path.dialogue)
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "IMAP_EMPTYTRASH": "", **LOGGED_IN}
        try:
            done = subprocess.run([*args, program("imapd"), str(self.path)], input=said, env=environment, capture_output=True,
                                  timeout=PATIENCE, **as_user(self.uid))
        except subprocess.TimeoutExpired as late:
            raise Illegal(f"no end after {PATIENCE} s; so far {late.stdout!r}") from late
        return done.stdout, done.stderr, self.trace.read_text(errors="replace")

    def sites_of(self, name):
        """[(call, first number after login, how many)] of an undisturbed run."""
        if name not in self.sites:
            out, _, trace = self.run(name)
            answers = parse(out)[1]
            assert all(answers[tag].ok for tag, _ in PATHS[name].dialogue), out
            before, total, serving = {}, {}, False
            for call in re.findall(r"^\d+ +(\w+\([^,)]*)", trace, re.M):
                call, _, first = call.partition("(")
                total[call] = total.get(call, 0) + 1
                # The first read of the client's bytes ends the start.
                serving = serving or (call == "read" and first == "0")
                if not serving:
                    before[call] = before.get(call, 0) + 1
            found = [(call, before.get(call, 0), total[call] - before.get(call, 0)) for call in CALLS if call in total]
            self.sites[name] = [(call, first, count) for call, first, count in found if count]
        return self.sites[name]

    def faults(self, name, errors=FAULTS):
        """Every fault of an undisturbed run's calls, in order."""
        return [(name, call, number, fault)
                for call, _, count in self.sites_of(name) for number in range(1, count + 1) for fault in errors]

    def attempt(self, name, call, number, fault):
        """One fault and the verdicts; returns whether the fault came to pass. Raises Illegal."""
        before = next((first for site, first, _ in self.sites_of(name) if site == call), 0)
        what = "signal=KILL" if fault == "KILL" else "error=" + fault.rstrip("+")
        out, err, trace = self.run(name, (call, what, f"{before + number}{'+' if fault.endswith('+') else ''}"))
        hits = re.findall(r"^.*(?:INJECTED|killed by SIGKILL).*$", trace, re.M)
        try:
            self.judge(name, out, err, hits, fault)
        except (Illegal, AssertionError, Closed) as problem:
            lines = [str(problem) or repr(problem), "--- injected", *hits[:5], "--- answers", out.decode(errors="replace"),
                     "--- stderr", err.decode(errors="replace"), "--- again", again(name, call, number, fault)]
            raise Illegal("\n".join(lines)) from problem
        return bool(hits)

    def judge(self, name, out, err, hits, fault):
        require(b"panic" not in err, "a panic")
        path = PATHS[name]
        # A connection that breaks may end at any place.
        broken = fault == "KILL" or any(re.search(r"(?:read|write|writev|fcntl)\([012],", hit) for hit in hits)
        untagged, answers = parse(out, whole=not broken)
        judge_answers(path, untagged, answers, broken)
        before = self.models[path.delivered]
        judge_view(name, before, out)
        if name == "status" and b"b" in answers and answers[b"b"].ok:
            listed = {line.rsplit(b" ", 1)[1].strip(b'"').decode() for line in untagged if line.startswith(b"LIST ")}
            require(listed == set(before.folders), f"listed: {sorted(listed)}")
        model = before.copy()
        path.judge(model, answers)
        model.judge_disk(self.path)
        judge_rivals(model, self.path)
        with self.session() as client:
            model.judge_session(self.path, client)


class Session:
    """A fresh session; its process is gone when it ends."""

    def __init__(self, place, path, uid):
        self.place = place
        self.client = logged_in(place, path, uid)

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        process = self.client.owner
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
        self.place.processes.remove(process)


def parse(out, whole=True):
    """The untagged responses and the tagged answers of a whole output."""
    untagged, answers = [], {}
    while out:
        end = 0
        while True:
            end = out.find(b"\r\n", end) + 2
            if end < 2:
                require(not whole, f"half a response: {out!r}")
                return untagged, answers
            size = re.search(rb"\{(\d+)\}\r\n$", out[:end])
            if not size:
                break
            end += int(size[1])
        line, out = out[: end - 2], out[end:]
        tag, _, rest = line.partition(b" ")
        if tag in (b"*", b"+"):
            untagged.append(rest)
        else:
            status, _, text = rest.partition(b" ")
            answers[tag] = Answer([], status, text)
    return untagged, answers


def judge_answers(path, untagged, answers, broken):
    """Every command has its answer, every refusal its code."""
    ended = broken or any(line.startswith(b"BYE") for line in untagged)
    selected = None
    for tag, command in path.dialogue:
        answer = answers.get(tag)
        if answer is None:
            require(ended, f"{tag.decode()}: no answer")
            return
        if command.startswith(b"SELECT"):
            selected = answer.ok
        unselected = selected is False and answer.status == b"BAD"
        require(answer.ok or unselected or (answer.status == b"NO" and answer.code), f"{tag.decode()}: refused with {answer.text!r}")
        require(answer.code not in LIES, f"{tag.decode()}: refused with {answer.code!r}")


def judge_view(name, before, out):
    """What the session itself showed: no message gone but those expunged, no UID that is another's."""
    untagged, _ = parse(out, whole=False)
    inbox = before.folders["INBOX"]
    marked = sum("T" in message.flags for message in inbox.messages)
    vanished = sum(line.endswith(b" EXPUNGE") for line in untagged)
    require(vanished <= (marked if name == "expunge" else 0), f"{vanished} messages reported as expunged")
    known = {message.uid: message.content for message in inbox.messages if message.uid}
    for line in untagged:
        if b" FETCH (" not in line:
            continue
        uid = re.search(rb"[( ]UID (\d+)", line)
        if uid and b"BODY[] {" in line:
            require(known.get(int(uid[1]), literal(line)) == literal(line), f"UID {int(uid[1])} shows another message")


def judge_rivals(model, path):
    """Of two names of one folder exactly one is there; a message that moves is somewhere."""
    for name, folder in model.folders.items():
        rival = getattr(folder, "rival", None)
        if rival and name.startswith("INBOX.Away"):
            other = name.replace("Away", "Elsewhere")
            count = directory(path, name).is_dir() + directory(path, other).is_dir()
            require(count == 1, f"{name} and {other}: {count} of them are there")
    names, contents = getattr(model, "somewhere", ([], set()))
    there = [directory(path, name) for name in names if directory(path, name).is_dir()]
    lost = contents - {message[0] for place in there for message in on_disk(place)[1]}
    require(not lost, f"lost from {names}: {sorted(lost)}")


def again(name, call, number, fault):
    return f"python3 tests/faults/faultsweep.py --path {name} --errno {fault} --site {call}:{number}"


def work(share):
    """A worker's share of the faults, in order; returns how many came to pass and what was illegal."""
    worker, faults = share
    place = Place.make(f"faultsweep-{worker}")
    came, illegal = 0, []
    try:
        sweep = Sweep(place, UID + 100 + worker)
        for fault in faults:
            try:
                came += sweep.attempt(*fault)
            except Illegal as problem:
                illegal.append((fault, str(problem)))
    finally:
        place.close()
    return came, illegal


def chosen(options):
    """The faults of these options, in order."""
    place = Place.make("faultsweep")
    try:
        sweep = Sweep(place)
        errors = [fault for fault in FAULTS if not options.errno or fault in options.errno]
        faults = [fault for name in options.path or PATHS for fault in sweep.faults(name, errors)]
    finally:
        place.close()
    if options.site:
        call, _, number = options.site.partition(":")
        faults = [fault for fault in faults if fault[1] == call and (not number or fault[2] == int(number))]
    if options.sample and options.sample < len(faults):
        picked = sorted(random.Random(options.seed).sample(range(len(faults)), options.sample))
        faults = [faults[index] for index in picked]
    return faults


def main():
    parser = argparse.ArgumentParser(description="Inject faults into every file system call of imapd's paths.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--path", action="append", choices=PATHS, help="only this path (may be repeated)")
    parser.add_argument("--errno", action="append", choices=FAULTS, help="only this fault; E+ is from then on, KILL is SIGKILL")
    parser.add_argument("--site", help="only CALL, or CALL:N, its N-th after login")
    parser.add_argument("--sample", type=int, help="as many of all faults, chosen by the seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    faults = chosen(options)
    print(f"seed {options.seed}, {len(faults)} faults", flush=True)
    size = -(-len(faults) // (options.jobs * 16)) or 1
    shares = [(index, faults[start : start + size]) for index, start in enumerate(range(0, len(faults), size))]
    came, failed = 0, 0
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for count, illegal in pool.map(work, shares):
            came += count
            failed += len(illegal)
            for fault, problem in illegal:
                print("FAILED", *fault, "\n" + problem + "\n", flush=True)
    print(f"{came} of {len(faults)} faults came to pass, {failed} failed")
    return 1 if failed or not came else 0


if __name__ == "__main__":
    sys.exit(main())
