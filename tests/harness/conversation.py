"""An expect-like driver: lines over a socket or over pipes, whole transcript shown where it goes wrong."""

import os
import re
import select
import socket
import time

TIMEOUT = 20.0


class Closed(Exception):
    """The other side closed the connection."""


class Conversation:
    """Bytes to and from a program, with a transcript of everything said."""

    def __init__(self, read_fd, write_fd, owner=None):
        self.read_fd, self.write_fd, self.owner = read_fd, write_fd, owner
        self.buffer = b""
        self.said = []
        self.closed = False

    @classmethod
    def connect(cls, port, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(TIMEOUT)
        sock.connect((host, port))
        sock.setblocking(True)
        return cls(sock.fileno(), sock.fileno(), sock)

    @classmethod
    def with_process(cls, process):
        return cls(process.stdout.fileno(), process.stdin.fileno(), process)

    # -- sending ----------------------------------------------------------------------------------------------

    def send(self, data):
        """Sends bytes as they are."""
        data = data.encode() if isinstance(data, str) else data
        self.said.append((b"C", data))
        view = memoryview(data)
        while view:
            _, writable, _ = select.select([], [self.write_fd], [], TIMEOUT)
            assert writable, self.transcript("nothing takes what is sent")
            view = view[os.write(self.write_fd, view):]

    def line(self, text):
        """Sends one line with its CR LF."""
        self.send((text.encode() if isinstance(text, str) else text) + b"\r\n")

    def half_close(self):
        """Ends our direction: the other side reads end of file."""
        if isinstance(self.owner, socket.socket):
            self.owner.shutdown(socket.SHUT_WR)
        else:
            self.owner.stdin.close()

    # -- receiving --------------------------------------------------------------------------------------------

    def _fill(self, deadline):
        if self.closed:
            raise Closed
        wait = deadline - time.monotonic()
        readable = select.select([self.read_fd], [], [], max(wait, 0))[0]
        assert readable, self.transcript("nothing arrives")
        try:
            data = os.read(self.read_fd, 1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            raise Closed
        self.buffer += data

    def bytes(self, count, timeout=TIMEOUT):
        """Exactly `count` bytes."""
        deadline = time.monotonic() + timeout
        while len(self.buffer) < count:
            self._fill(deadline)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        self.said.append((b"S", data))
        return data

    def read_line(self, timeout=TIMEOUT):
        """One line without its CR LF."""
        deadline = time.monotonic() + timeout
        start = 0
        while (end := self.buffer.find(b"\n", start)) < 0:
            start = len(self.buffer)
            self._fill(deadline)
        line, self.buffer = self.buffer[: end + 1], self.buffer[end + 1 :]
        self.said.append((b"S", line))
        assert line.endswith(b"\r\n"), self.transcript("a line that does not end in CR LF")
        return line[:-2]

    def rest(self, timeout=TIMEOUT):
        """Everything up to the end of the connection."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self._fill(deadline)
        except Closed:
            data, self.buffer = self.buffer, b""
            self.said.append((b"S", data))
            return data

    def silent(self, seconds):
        """True where nothing arrives for that long (the connection still open)."""
        return not self.buffer and not select.select([self.read_fd], [], [], seconds)[0]

    def response(self, timeout=TIMEOUT):
        """One IMAP response with its literals inline, without the last CR LF."""
        line = self.read_line(timeout)
        while match := re.search(rb"\{(\d+)\}$", line):
            line += b"\r\n" + self.bytes(int(match[1]), timeout)
            line += self.read_line(timeout)
        return line

    # -- scripts ----------------------------------------------------------------------------------------------

    def play(self, script):
        """Plays lines `C: text` and `S: text`; in the latter `...` stands for anything, `S* text` for any number of
        lines before one that fits, `S/ regex` for a regular expression, `C- text` for bytes without a line end."""
        for raw in script.strip().splitlines():
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            mark, text = line[:2], line[3:]
            if mark == "C:":
                self.line(text)
            elif mark == "C-":
                self.send(text)
            elif mark == "S:":
                self._expect(_pattern(text), text)
            elif mark == "S/":
                self._expect(re.compile(text.encode()), text)
            elif mark == "S*":
                pattern = _pattern(text)
                while not pattern.fullmatch(self._next(text)):
                    pass
            elif mark == "S.":
                rest = self.rest()
                assert not rest, self.transcript("more than the script expects")
            else:
                raise AssertionError(f"not a line of a script: {raw}")
        return self

    def _next(self, text):
        try:
            return self.response()
        except Closed:
            raise AssertionError(self.transcript(f"closed instead of: {text}")) from None

    def _expect(self, pattern, text):
        line = self._next(text)
        assert pattern.fullmatch(line), self.transcript(f"expected: {text}\n     got: {line.decode(errors='replace')}")

    def transcript(self, headline):
        """The whole conversation, for a failure."""
        lines = []
        for who, data in self.said[-200:]:
            text = data if len(data) < 2000 else data[:1000] + b" ... " + data[-200:]
            lines += [f"{who.decode()}: {part}" for part in text.decode(errors="replace").split("\r\n") if part]
        tail = self.buffer[:500].decode(errors="replace")
        return "\n".join([headline, "--- transcript", *lines, f"--- not read yet: {tail!r}"])

    def close(self):
        if isinstance(self.owner, socket.socket):
            self.owner.close()
        self.closed = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _pattern(text):
    return re.compile(b".*".join(re.escape(part.encode()) for part in text.split("...")), re.DOTALL)
