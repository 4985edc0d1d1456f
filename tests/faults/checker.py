"""What a Maildir must hold after a fault: a model made of what was there and what was acknowledged, and verdicts of what
stands on disk (read without the server's code) and of what a fresh session shows against it."""

import re
from dataclasses import dataclass, field, replace

from harness.maildir import Reader

LETTERS = {b"\\Seen": "S", b"\\Flagged": "F", b"\\Answered": "R", b"\\Draft": "D", b"\\Deleted": "T"}

# Whether something is there: it must be, it may be, it must not be.
MUST, MAY, NOT = "must", "may", "must not"


class Illegal(Exception):
    """A state that no crash and no error explains."""


def require(condition, words):
    if not condition:
        raise Illegal(words)


@dataclass
class Message:
    """A message, known by its content. `flags` and `keywords` are there for certain, those in `perhaps` may be."""

    content: bytes
    uid: int = None
    flags: frozenset = frozenset()
    keywords: frozenset = frozenset()
    perhaps: frozenset = frozenset()
    presence: str = MUST

    def marked(self, *marks, certain):
        """The same message after a STORE +FLAGS of flag letters or keywords."""
        if not certain:
            return replace(self, perhaps=self.perhaps | set(marks))
        letters = {mark for mark in marks if mark in LETTERS.values()}
        return replace(self, flags=self.flags | letters, keywords=self.keywords | (set(marks) - letters))

    def judge(self, where, uid, flags, keywords):
        name = f"{where}: {self.content.splitlines()[0].decode()}"
        require(self.presence != NOT, f"{name} is there and must not be")
        require(self.uid is None or uid is None or uid == self.uid, f"{name} had UID {self.uid} and has {uid}")
        for kind, certain, found in (("flags", self.flags, flags), ("keywords", self.keywords, keywords)):
            require(certain <= found, f"{name} lost {kind}: {sorted(certain)} became {sorted(found)}")
            require(found <= certain | self.perhaps, f"{name} has strange {kind}: {sorted(found)} of {sorted(certain)}")


@dataclass
class Folder:
    """A folder: its UIDVALIDITY (None: any), the lowest UID that a new message may have, its messages."""

    validity: int
    next_uid: int
    messages: list = field(default_factory=list)
    presence: str = MUST

    def copy(self):
        return replace(self, messages=[replace(message) for message in self.messages])

    def judge(self, where, found):
        """`found`: (UIDVALIDITY or None, list of (content, UID or None, flags, keywords))."""
        validity, messages = found
        require(None in (validity, self.validity) or validity == self.validity, f"{where}: UIDVALIDITY {self.validity} became {validity}")
        expected = {message.content: message for message in self.messages}
        seen, uids = set(), set()
        for content, uid, flags, keywords in messages:
            require(content in expected, f"{where}: a message that nobody sent: {content[:60]!r}")
            require(content not in seen, f"{where}: one message twice: {content[:60]!r}")
            require(uid is None or uid not in uids, f"{where}: UID {uid} twice")
            message = expected[content]
            message.judge(where, uid, flags, keywords)
            require(message.uid or uid is None or uid >= self.next_uid, f"{where}: UID {uid} was another message's")
            seen.add(content)
            uids.add(uid)
        for content, message in expected.items():
            if message.presence == MUST:
                require(content in seen, f"{where}: lost {content.splitlines()[0].decode()}")


def directory(maildir, name):
    """The directory of a folder: `INBOX` or `INBOX.a.b`."""
    return maildir / name.removeprefix("INBOX") if name != "INBOX" else maildir


def on_disk(path):
    """What stands in a folder's directory; a message without a line in the UID table has UID None."""
    reader = Reader(path)
    try:
        validity, following, uids = reader.uid_table()
    except FileNotFoundError:
        validity, following, uids = None, None, {}
    require(following is None or all(uid < following for uid in uids.values()), f"{path.name}: a UID at or above NEXTUID")
    require(len(set(uids.values())) == len(uids), f"{path.name}: one UID for two messages in the table")
    flags, keywords = reader.flags(), reader.keywords()
    # A name in both is one message (a power cut can leave that).
    files = {**{base: path / "new" / name for base, name in reader.files("new").items()},
             **{base: path / "cur" / name for base, name in reader.files("cur").items()}}
    return validity, [
        (file.read_bytes(), uids.get(base), frozenset(flags.get(base, "")), frozenset(keywords.get(base, ())))
        for base, file in files.items()
    ]


def shown(data):
    """Flag letters and keywords of a FETCH response."""
    words = set(re.search(rb"FLAGS \(([^)]*)\)", data)[1].split()) - {b"\\Recent"}
    return frozenset(LETTERS[word] for word in words & set(LETTERS)), frozenset(word.decode() for word in words - set(LETTERS))


def literal(data):
    """The message of a FETCH response with BODY[], as it stands on disk."""
    match = re.search(rb"BODY\[\] \{(\d+)\}\r\n", data)
    return data[match.end() : match.end() + int(match[1])].replace(b"\r\n", b"\n")


def in_session(client, name):
    """What a session shows of a folder, in the form of `on_disk`."""
    answer = client.command(f'SELECT "{name}"')
    require(answer.ok, f"{name}: the next session's SELECT: {answer.text!r}")
    require(not answer.lines("NO"), f"{name}: the next session's SELECT complains: {answer.lines('NO')}")
    validity = int(re.search(rb"UIDVALIDITY (\d+)", b"\n".join(answer.untagged))[1])
    found = client.fetch("(FLAGS BODY.PEEK[])", uid=True)
    require(len(found) == answer.number("EXISTS"), f"{name}: {len(found)} of {answer.number('EXISTS')} messages are shown")
    return validity, [(literal(data), uid, *shown(data)) for uid, data in found.items()]


class Model:
    """A whole account: folders by name, who is subscribed (`perhaps_subscribed`: may be or not)."""

    def __init__(self, folders, subscribed):
        self.folders, self.subscribed, self.perhaps_subscribed = folders, set(subscribed), set()

    @classmethod
    def of(cls, maildir, names, subscribed):
        """The model of what is there before the fault; messages without a UID yet get any."""
        folders = {}
        for name in names:
            validity, messages = on_disk(directory(maildir, name))
            following = Reader(directory(maildir, name)).uid_table()[1]
            folders[name] = Folder(validity, following, [Message(*message) for message in messages])
        return cls(folders, subscribed)

    def copy(self):
        model = Model({name: folder.copy() for name, folder in self.folders.items()}, self.subscribed)
        model.perhaps_subscribed = set(self.perhaps_subscribed)
        return model

    def judge_disk(self, maildir):
        """The verdict on the files, before any server looks at them again."""
        for name, folder in self.folders.items():
            path = directory(maildir, name)
            there = path.is_dir()
            require(there or folder.presence != MUST, f"{name} is lost")
            require(not there or folder.presence != NOT, f"{name} is there and must not be")
            if there and (path / "cur").is_dir() and (path / "new").is_dir():
                folder.judge(f"{name} on disk", on_disk(path))

    def judge_session(self, maildir, client):
        """The verdict on a fresh session, which must be quite normal: it reads, lists and appends."""
        answer = client.ok('LIST "" "*"')
        listed = {line.rsplit(b" ", 1)[1].strip(b'"').decode() for line in answer.lines("LIST") if b"\\Noselect" not in line}
        for name, folder in self.folders.items():
            require(name in listed or folder.presence != MUST, f"{name} is not listed")
            require(name not in listed or folder.presence != NOT, f"{name} is listed")
            if name in listed:
                view = in_session(client, name)
                folder.judge(f"{name} in a session", view)
                require(sorted(view[1]) == sorted(on_disk(directory(maildir, name))[1]), f"{name}: shown and stored differ")
            else:
                self._judge_new_life(client, name, folder)
        require(listed <= set(self.folders), f"strange folders: {listed - set(self.folders)}")
        lines = client.ok('LSUB "" "*"').lines("LSUB")
        subscribed = {line.rsplit(b" ", 1)[1].strip(b'"').decode() for line in lines if b"\\Noselect" not in line}
        require(self.subscribed <= subscribed <= self.subscribed | self.perhaps_subscribed,
                f"subscribed: {sorted(self.subscribed)} became {sorted(subscribed)}")
        self._judge_append(client)

    @staticmethod
    def _judge_new_life(client, name, folder):
        """A folder that is gone can be made again, and its UIDs are not those of the old one."""
        answer = client.command(f'CREATE "{name}"')
        require(answer.ok, f"{name}: cannot be made again: {answer.text!r}")
        validity, messages = in_session(client, name)
        require(validity > (folder.validity or 0), f"{name}: made again, UIDVALIDITY {folder.validity} became {validity}")
        require(not messages, f"{name}: made again, and not empty")

    def _judge_append(self, client):
        answer = client.append(b"Subject: after the fault\r\n\r\n.\r\n")
        validity, uid = map(int, re.match(rb"APPENDUID (\d+) (\d+)", answer.code).groups())
        inbox = self.folders["INBOX"]
        require(validity == inbox.validity, f"APPENDUID of another UIDVALIDITY: {answer.code}")
        known = [inbox.next_uid - 1, *(message.uid or 0 for message in inbox.messages)]
        require(uid > max(known), f"UID {uid} was another message's")
