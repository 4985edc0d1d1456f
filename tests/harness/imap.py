"""A plain IMAP client for tests: every response kept, literals read, nothing guessed."""

import itertools
import re

from harness.conversation import Conversation


class Answer:
    """What one command brought: the untagged responses in order and the tagged one."""

    def __init__(self, untagged, status, text):
        self.untagged, self.status, self.text = untagged, status, text

    @property
    def ok(self):
        return self.status == b"OK"

    @property
    def code(self):
        """The response code of the tagged line without its brackets, or None."""
        match = re.match(rb"\[([^\]]*)\]", self.text)
        return match[1] if match else None

    def lines(self, word):
        """The untagged responses that have `word` first or second (`EXISTS` in `3 EXISTS`)."""
        word = word.encode() if isinstance(word, str) else word
        return [line for line in self.untagged if word in line.split(b" ", 2)[:2]]

    def number(self, word):
        """The number of the last `n WORD` response."""
        return int(self.lines(word)[-1].split()[0])

    def __repr__(self):
        return f"Answer({self.status!r} {self.text!r}, {self.untagged!r})"


class Imap(Conversation):
    """A conversation that speaks IMAP commands."""

    _tags = None

    def tag(self):
        if self._tags is None:
            self._tags = itertools.count(1)
        return b"t%d" % next(self._tags)

    def greeting(self):
        return self.response()

    def command(self, text, *literals):
        """Sends a command; each of `literals` follows a `{}` in the text, sent when the server asks for it."""
        tag = self.tag()
        text = text.encode() if isinstance(text, str) else text
        pieces = text.split(b"{}")
        assert len(pieces) == len(literals) + 1
        untagged = []
        # One send a turn: a second small packet would wait for the first one's acknowledgement.
        waiting = tag + b" " + pieces[0]
        for literal, piece in zip(literals, pieces[1:]):
            self.send(waiting + b"{%d}\r\n" % len(literal))
            while not (line := self.response()).startswith(b"+"):
                if line.startswith(tag + b" "):
                    return self._tagged(tag, line, untagged)
                untagged.append(line[2:])
            waiting = literal + piece
        self.send(waiting + b"\r\n")
        return self.finish(tag, untagged)

    def finish(self, tag, untagged=None):
        """Reads up to the tagged response of `tag`."""
        untagged = [] if untagged is None else untagged
        while not (line := self.response()).startswith(tag + b" "):
            assert line.startswith((b"* ", b"+ ")), self.transcript(f"not a response: {line!r}")
            untagged.append(line[2:])
        return self._tagged(tag, line, untagged)

    @staticmethod
    def _tagged(tag, line, untagged):
        status, _, text = line[len(tag) + 1 :].partition(b" ")
        return Answer(untagged, status, text)

    def ok(self, text, *literals):
        """As `command`, and the answer must be OK."""
        answer = self.command(text, *literals)
        assert answer.ok, self.transcript(f"{text}: {answer.status} {answer.text}")
        return answer

    def login(self, user="john", password="secret"):
        assert self.greeting().startswith(b"* OK"), self.transcript("no greeting")
        return self.ok(f'LOGIN "{user}" "{password}"')

    def select(self, mailbox="INBOX"):
        return self.ok(f'SELECT "{mailbox}"')

    def append(self, message, mailbox="INBOX", extra=""):
        return self.ok(f'APPEND "{mailbox}" {extra + " " if extra else ""}{{}}', message)

    def fetch(self, items, numbers="1:*", uid=False):
        """A dictionary from number (or UID) to the text of its FETCH response."""
        answer = self.ok(f"{'UID ' if uid else ''}FETCH {numbers} {items}")
        found = {}
        for line in answer.lines("FETCH"):
            number, _, data = line.partition(b" FETCH ")
            if uid:
                number = re.search(rb"UID (\d+)", data)[1]
            found[int(number)] = data
        return found
