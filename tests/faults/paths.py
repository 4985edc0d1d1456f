"""The paths of the fault sweep: what each says to imapd, and what the answers promise about what is on disk."""

import re
from dataclasses import dataclass
from typing import Callable

from checker import MAY, MUST, NOT, Folder, Message, require

FOLDERS = ["INBOX", "INBOX.Away", "INBOX.Away.sub", "INBOX.Sent"]
SUBSCRIBED = ["INBOX.Sent"]


def mail(name):
    """A message that is told from all others by its first line; as on disk."""
    return b"Subject: %b\n\nhello\n" % name.encode()


def sent(message, flags=""):
    """Its flags and literal in an APPEND."""
    data = message.replace(b"\n", b"\r\n")
    return b"(%b) {%d+}\r\n%b" % (flags.encode(), len(data), data)


@dataclass
class Path:
    """`dialogue`: (tag, command); `judge`: (model to change, answers by tag). `delivered`: with mail in `new`."""

    dialogue: list
    judge: Callable = lambda model, answers: None
    delivered: bool = False


def settle(messages, answer, done=MUST, refused=NOT):
    """The presence of messages that a command makes or removes: done, refused, or nobody knows."""
    for message in messages:
        message.presence = MAY if answer is None else done if answer.ok else refused


def uids_of(code, pattern):
    match = re.fullmatch(pattern, code or b"")
    require(match, f"a response code without UIDs: {code!r}")
    uids = []
    for part in match[1].split(b","):
        first, _, last = part.partition(b":")
        uids += range(int(first), int(last or first) + 1)
    return uids


def appended(names, flags, keywords):
    def judge(model, answers):
        inbox = model.folders["INBOX"]
        new = [Message(mail(name), flags=frozenset(flags), keywords=frozenset(keywords)) for name in names]
        settle(new, answers.get(b"a"))
        if b"a" in answers and answers[b"a"].ok:
            uids = uids_of(answers[b"a"].code, rb"APPENDUID %d (\S+)" % inbox.validity)
            for message, uid in zip(new, uids, strict=True):
                require(uid >= inbox.next_uid, f"APPENDUID {uid} was another message's")
                message.uid = uid
        inbox.messages += new

    return judge


def copied(model, answers):
    inbox, target = model.folders["INBOX"], model.folders["INBOX.Sent"]
    sources = [message for message in inbox.messages if message.uid in (1, 2, 3)]
    sources.sort(key=lambda message: message.uid)
    new = [Message(message.content, None, message.flags, message.keywords) for message in sources]
    answer = answers.get(b"b")
    settle(new, answer)
    if answer and answer.ok:
        for message, uid in zip(new, uids_of(answer.code, rb"COPYUID %d \S+ (\S+)" % target.validity), strict=True):
            message.uid = uid
    target.messages += new


def marked(*marks):
    def judge(model, answers):
        answer = answers.get(b"b")
        inbox = model.folders["INBOX"]
        inbox.messages = [
            message.marked(*marks, certain=bool(answer and answer.ok)) if message.uid in (1, 2, 3) else message
            for message in inbox.messages
        ]

    return judge


def expunged(model, answers):
    doomed = [message for message in model.folders["INBOX"].messages if "T" in message.flags]
    answer = answers.get(b"b")
    settle(doomed, answer if answer and answer.ok else None, done=NOT)


def created(model, answers):
    # Taking it back could take somebody's delivery with it.
    fresh = Folder(None, 1)
    settle([fresh], answers.get(b"a"), refused=MAY)
    model.folders["INBOX.Fresh"] = fresh


def deleted(model, answers):
    settle([model.folders["INBOX.Away"]], answers.get(b"a"), done=NOT, refused=MUST)


def renamed(model, answers):
    for name in ("Away", "Away.sub"):
        old = model.folders[f"INBOX.{name}"]
        new = model.folders[f"INBOX.{name.replace('Away', 'Elsewhere')}"] = old.copy()
        settle([old], answers.get(b"a"), done=NOT, refused=MUST)
        settle([new], answers.get(b"a"), done=MUST, refused=NOT)
        old.rival, new.rival = new, old


def emptied(model, answers):
    """RENAME INBOX moves messages: on its way each may be in both, never in none."""
    answer = answers.get(b"a")
    inbox = model.folders["INBOX"]
    target = model.folders["INBOX.Old"] = Folder(None, 1, presence=MUST if answer and answer.ok else MAY)
    target.messages = [Message(message.content, None, message.flags, message.keywords) for message in inbox.messages]
    done = bool(answer and answer.ok)
    settle(target.messages, answer if done else None)
    settle(inbox.messages, answer if done else None, done=NOT)
    model.somewhere = ["INBOX", "INBOX.Old"], {message.content for message in inbox.messages}


def subscribed(name, wanted):
    def judge(model, answers):
        answer = answers.get(b"a")
        model.subscribed.discard(name)
        if not (answer and answer.ok):
            model.perhaps_subscribed.add(name)
        elif wanted:
            model.subscribed.add(name)

    return judge


SELECT = (b"a", b"SELECT INBOX")
NOOP = (b"y", b"NOOP")

PATHS = {
    "append": Path([(b"a", b"APPEND INBOX " + sent(mail("one"), "\\Seen Work")), NOOP], appended(["one"], "S", ["Work"])),
    "multiappend": Path(
        [(b"a", b"APPEND INBOX " + b" ".join(sent(mail(name), "\\Flagged") for name in ("one", "two", "three"))), NOOP],
        appended(["one", "two", "three"], "F", []),
    ),
    "copy": Path([SELECT, (b"b", b"UID COPY 1:3 INBOX.Sent"), NOOP], copied),
    "flags": Path([SELECT, (b"b", b"UID STORE 1:3 +FLAGS (\\Answered)"), NOOP], marked("R")),
    "keyword": Path([SELECT, (b"b", b"UID STORE 1:3 +FLAGS (Work)"), NOOP], marked("Work")),
    "expunge": Path([SELECT, (b"b", b"EXPUNGE"), NOOP], expunged),
    "new": Path([SELECT, (b"b", b"UID FETCH 1:* (FLAGS)"), NOOP], delivered=True),
    "create": Path([(b"a", b"CREATE INBOX.Fresh"), NOOP], created),
    "delete": Path([(b"a", b"DELETE INBOX.Away"), NOOP], deleted),
    "rename": Path([(b"a", b"RENAME INBOX.Away INBOX.Elsewhere"), NOOP], renamed),
    "rename-inbox": Path([(b"a", b"RENAME INBOX INBOX.Old"), NOOP], emptied),
    "subscribe": Path([(b"a", b"SUBSCRIBE INBOX.Away"), NOOP], subscribed("INBOX.Away", True)),
    "unsubscribe": Path([(b"a", b"UNSUBSCRIBE INBOX.Sent"), NOOP], subscribed("INBOX.Sent", False)),
    "fetch": Path([SELECT, (b"b", b"UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])"), (b"c", b"NOOP"),
                   (b"d", b"UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)"), NOOP]),
    "status": Path([(b"a", b"STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"), (b"b", b'LIST "" "*"'), NOOP], delivered=True),
}
