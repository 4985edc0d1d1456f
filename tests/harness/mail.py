"""Mail for tests: plain messages and a mixed corpus that is the same in every run."""

import base64
import random
from email.header import Header

HEADER = "From: Wally <wally@example.org>\nTo: beaver@example.net\nSubject: {}\nDate: {}\nMessage-ID: <{}@example.org>\n"
DATE = "Mon, 27 Jan 2004 10:11:12 +0100"


def plain(subject="hello", body="a line\n", number=0, extra=""):
    """A short message with LF line ends."""
    return (HEADER.format(subject, DATE, f"m{number}") + extra + "\n" + body).encode("utf-8", "surrogateescape")


def crlf(message):
    """The message as it goes over the wire."""
    return message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def multipart(parts, subtype="mixed", boundary="=_b", number=0, subject="parts"):
    """A multipart message of ready parts (header and body each)."""
    extra = f'MIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary="{boundary}"\n'
    body = "".join(f"--{boundary}\n{part}\n" for part in parts) + f"--{boundary}--\n"
    return plain(subject, body, number, extra)


def attachment(size, seed=0, filename="data.bin"):
    """A base64 part of about `size` bytes."""
    data = base64.encodebytes(random.Random(seed).randbytes(size * 3 // 4)).decode()
    return f'Content-Type: application/octet-stream; name="{filename}"\nContent-Transfer-Encoding: base64\n\n{data}'


def nested(depth, number=0):
    """multipart in multipart, `depth` deep."""
    part = "Content-Type: text/plain\n\ninnermost\n"
    for level in range(depth):
        boundary = f"b{level}"
        part = f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n--{boundary}\n{part}\n--{boundary}--\n'
    return plain("nested", "", number)[:-1] + b"MIME-Version: 1.0\n" + part.encode()


def corpus(count, seed=1, big=0):
    """`count` mixed messages: plain, nested multiparts, 8-bit, RFC 2047 and 2231, embedded messages, empty, NUL bytes;
    `big` > 0 puts one attachment of that many bytes among them."""
    chance = random.Random(seed)
    for number in range(count):
        subject = f"message {number} of the corpus"
        kind = number % 10
        if big and number == count // 2:
            yield multipart(["Content-Type: text/plain\n\nsee the attachment\n", attachment(big, seed)], number=number)
        elif kind == 0:
            yield nested(1 + number % 6, number)
        elif kind == 1:
            yield plain(Header(f"Grüße Nummer {number} aus Köln", "utf-8").encode(), "Schöne Grüße\n", number,
                        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n")
        elif kind == 2:
            yield multipart(["Content-Type: text/plain\nContent-Disposition: attachment;\n filename*0*=utf-8''na%C3%AF;\n"
                             " filename*1=ve.txt\n\ntext\n", attachment(400, number)], number=number)
        elif kind == 3:
            yield plain(f"8-bit {number} \udce4\udcf6", "latin \udce4\udcf6\udcfc\n", number)
        elif kind == 4:
            inner = plain("inside", "the inner body\n", number + 100000).decode()
            yield multipart([f"Content-Type: message/rfc822\n\n{inner}", "\nlast\n"], number=number)
        elif kind == 5 and number % 50 == 5:
            yield b""
        elif kind == 6 and number % 20 == 6:
            yield plain(subject, "a NUL: \0 here\n", number)
        elif kind == 7:
            yield plain(subject, "no newline at the end", number)
        else:
            words = " ".join(chance.choices(["alpha", "beta", "gamma", "delta", "mail", "dir"], k=40))
            yield plain(subject, (words + "\n") * (1 + number % 30), number)
