"""SEARCH: every key of RFC 3501, decoding, charsets, and what must not be found."""

import base64
import random
import re
import time

import pytest

from harness import mail, maildir
from harness.place import UID
from harness.server import logged_in


def serve(place, messages):
    """imapd on a Maildir with these messages (bytes, or bytes and flags), INBOX selected; a day between arrivals."""
    path = maildir.make(place.folder("home", UID) / "Maildir")
    for number, message in enumerate(messages, 1):
        message, flags = message if isinstance(message, tuple) else (message, "")
        maildir.deliver(path, message, flags=flags, base=f"{1000 + number}.M{number}.test", seconds=86400 * number + 3600)
    client = logged_in(place, path)
    client.select()
    return client


def search(client, text, *literals, uid=False):
    """The numbers found."""
    (line,) = client.ok(f"{'UID ' if uid else ''}SEARCH {text}", *literals).lines("SEARCH")
    return [int(number) for number in line.split()[1:]]


def check(client, table):
    found = {text: search(client, text) for text in table}
    assert found == table


def test_flags_and_keywords(place):
    client = serve(place, [(mail.plain(), flags) for flags in ("", "S", "RS", "FT", "D")])
    client.ok("STORE 2,3 +FLAGS (Work $Label)")
    check(client, {
        "ALL": [1, 2, 3, 4, 5], "SEEN": [2, 3], "UNSEEN": [1, 4, 5], "ANSWERED": [3], "UNANSWERED": [1, 2, 4, 5], "FLAGGED": [4],
        "UNFLAGGED": [1, 2, 3, 5], "DELETED": [4], "UNDELETED": [1, 2, 3, 5], "DRAFT": [5], "UNDRAFT": [1, 2, 3, 4], "KEYWORD Work": [2, 3],
        "KEYWORD WORK": [2, 3], "KEYWORD nothing": [], "UNKEYWORD work": [1, 4, 5], "UNKEYWORD nothing": [1, 2, 3, 4, 5],
        "NOT SEEN": [1, 4, 5], "OR SEEN DRAFT": [2, 3, 5], "SEEN ANSWERED": [3], "NOT (SEEN ANSWERED)": [1, 2, 4, 5],
        "OR (SEEN UNANSWERED) (OR DRAFT DELETED)": [2, 4, 5], "NOT NOT SEEN": [2, 3],
    })
    recent, old = search(client, "RECENT"), search(client, "OLD")
    assert sorted(recent + old) == [1, 2, 3, 4, 5]
    assert search(client, "NEW") == [number for number in recent if number in (1, 4, 5)]


def test_numbers_and_uids(place):
    client = serve(place, [mail.plain(number=n) for n in range(4)])
    client.ok("STORE 2 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    check(client, {"1": [1], "*": [3], "3:1": [1, 2, 3], "*:2": [2, 3], "2,9": [2], "9": [], "9:*": [3], "UID *": [3], "UID 1:2": [1],
                   "UID 3:99": [2, 3], "UID 99:*": [3], "2 UID 3": [2], "NOT 2": [1, 3], "1:* NOT UID 4": [1, 2]})
    assert search(client, "2:*", uid=True) == [3, 4]
    assert search(client, "UID 3,4", uid=True) == [3, 4]


def test_an_empty_mailbox(place):
    client = serve(place, [])
    check(client, {"ALL": [], "*": [], "1:*": [], "UID 1:*": [], "TEXT x": []})


def test_dates(place):
    dates = ["Mon, 31 Jan 2000 23:59:59 -1200", "1 Feb 2000 00:00:00 +1400", "Tue, 1 Feb 2000 (comment) 12:00 GMT", "nonsense"]
    client = serve(place, [mail.plain().replace(mail.DATE.encode(), date.encode()) for date in dates])
    check(client, {
        "ON 3-Jan-1970": [2], "BEFORE 3-Jan-1970": [1], "SINCE 3-Jan-1970": [2, 3, 4], 'ON "3-Jan-1970"': [2],
        "SENTON 1-Feb-2000": [2, 3], "SENTBEFORE 1-Feb-2000": [1], "SENTSINCE 1-feb-2000": [2, 3], "SENTSINCE 2-Feb-2000": [],
        "NOT SENTSINCE 1-Jan-1970": [4],
    })
    assert client.command("SEARCH ON 32-Jan-2000").status == b"BAD"


def test_sizes(place):
    message = mail.plain(body="0123\n" * 10)
    size = len(mail.crlf(message))
    client = serve(place, [message, mail.plain(body="x" * 10_000)])
    check(client, {f"LARGER {size}": [2], f"LARGER {size - 1}": [1, 2], f"SMALLER {size}": [], f"SMALLER {size + 1}": [1]})


def test_header_fields(place):
    client = serve(place, [
        b"From: =?utf-8?q?J=C3=B6rg?= Doe <joerg@example.org>\nSubject: =?utf-8?b?R3I=?=\n =?utf-8?b?w7zDn2U=?=\n\nx\n",
        b"From: \"Doe, Jane\" <jane@example.org>\nSubject:\nReceived: one\nReceived: two\n\nSubject: not this\n",
        b"To: Friends: a@b, C D <c@d>;\nCc: e@f (comment)\nBcc: hidden@x\nSubject: folded\n\tline\n\nx\n",
        b"Subject: 8-bit \xe4\xf6\n\nx\n", b"",
    ])
    check(client, {
        "FROM doe": [1, 2], "FROM EXAMPLE.org": [1, 2], "FROM joerg@": [1], 'FROM "doe, jane"': [2], "FROM nobody": [], 'SUBJECT ""': [1, 2, 3, 4],
        'HEADER Subject ""': [1, 2, 3, 4], "HEADER received two": [2], 'HEADER Received ""': [2], "HEADER X-None x": [], "TO friends": [3],
        "TO c@d": [3], "CC comment": [3], "BCC hidden": [3], 'NOT HEADER subject ""': [5], "SUBJECT this": [], 'SUBJECT "8-bit"': [4],
        "SUBJECT FOLDED": [3], 'SUBJECT "folded\tline"': [3], "TEXT received": [2], "FROM doe NOT FROM jane": [1],
    })
    for text in ("grüße", "GRÜSSE"):
        assert search(client, "CHARSET UTF-8 SUBJECT {}", text.encode()) == [1]
    assert search(client, "CHARSET ISO-8859-1 SUBJECT {}", "GRÜ".encode("latin-1")) == [1]
    assert search(client, "CHARSET UTF-8 SUBJECT {} FROM {}", "ü".encode(), "JÖRG".encode()) == [1]
    assert search(client, "CHARSET UTF-8 SUBJECT {}", "äö".encode()) == [4]


def test_bodies_are_decoded(place):
    def encoded(text, charset, how):
        data = text.encode(charset)
        body = base64.encodebytes(data).decode() if how == "base64" else "".join(f"={byte:02X}" if byte > 126 or byte == 61 else chr(byte) for byte in data)
        return f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {how}\n\n{body}"

    inner = mail.plain("=?utf-8?q?inn=65r?=", "the deep text\n").decode()
    client = serve(place, [
        mail.multipart([encoded("Grüße aus Köln", "iso-8859-1", "quoted-printable"), encoded("привет мир", "koi8-r", "base64")]),
        mail.multipart([encoded("こんにちは世界", "iso-2022-jp", "base64"), "Content-Type: text/html\n\n<b>bold</b>\n"]),
        mail.multipart([f"Content-Type: message/rfc822\n\n{inner}", "Content-Type: image/png; name=picture\nContent-Transfer-Encoding: base64\n\nc2VjcmV0\n"]),
        mail.plain(body="split soft=\n"), mail.plain(body="NUL \0 here and then\n"), mail.plain(body="no newline"),
    ])
    for text, found in {"GRÜSSE AUS": [1], "ПРИВЕТ": [1], "世界": [2], "Köl": [1]}.items():
        assert search(client, "CHARSET UTF-8 BODY {}", text.encode()) == found
        assert search(client, "CHARSET UTF-8 TEXT {}", text.encode()) == found
    check(client, {
        "BODY bold": [2], "BODY inner": [3], 'BODY "deep text"': [3], "BODY secret": [], "BODY c2Vj": [], "BODY picture": [], "BODY preamble": [],
        "BODY hello": [], "TEXT hello": [4, 5, 6], 'BODY "then"': [5], 'BODY ""': [1, 2, 3, 4, 5, 6], "BODY newline": [6],
        "BODY bold TEXT parts": [2], "OR BODY bold BODY newline": [2, 6],
    })


def test_charsets(place):
    client = serve(place, [mail.plain()])
    answer = client.command("SEARCH CHARSET X-UNKNOWN SUBJECT hello")
    assert answer.status == b"NO" and re.match(rb"\[BADCHARSET \((\"?US-ASCII\"? \"?UTF-8\"?)\)\]", answer.text)
    for charset in ("US-ASCII", "utf-8", '"UTF-8"'):
        assert search(client, f"CHARSET {charset} SUBJECT HELLO") == [1]


def test_long_texts_and_hits_at_any_place(place):
    """A hit may lie across whatever pieces the text is read in."""
    chance = random.Random(1)
    messages, where = [], []
    for _ in range(12):
        text = bytearray(b"abcdefg hij\n" * 40_000)
        at = chance.choice([0, 16_384 - 200, 65_536 - 150, 81_920 - 160, chance.randrange(len(text))]) + chance.randrange(20)
        text[at : at + 6] = b"needle"
        messages.append(mail.plain(body=text.decode()))
        where.append(at)
    client = serve(place, [*messages, mail.plain(body="abc\n" * 100_000)])
    assert search(client, "BODY NEEDLE") == list(range(1, 13)), where
    assert search(client, "TEXT abc NOT BODY needle") == [13]


def test_deep_and_many_keys(place):
    client = serve(place, [mail.plain(), (mail.plain(), "S")])
    assert search(client, "OR " * 500 + "SEEN " * 500 + "UNSEEN") == [1, 2]
    assert search(client, " ".join(["SEEN"] * 1000)) == [2]
    assert search(client, "(" * 30 + "SEEN" + ")" * 30) == [2]
    assert client.command("SEARCH " + "(" * 5000 + "SEEN" + ")" * 5000).status in (b"OK", b"BAD")
    assert client.command("SEARCH " + "NOT (OR SEEN (" * 3000 + "SEEN" + "))" * 3000).status == b"BAD"
    assert client.command("SEARCH " + " ".join(["SEEN"] * 1001)).status in (b"BAD", b"NO")
    client.ok("NOOP")


def test_messages_that_go_or_cannot_be_read(place):
    client = serve(place, [mail.plain(number=n) for n in range(3)])
    files = sorted((place / "home" / "Maildir" / "cur").iterdir())
    files[0].unlink()
    assert search(client, "SUBJECT hello") == [2, 3]
    files[1].unlink()
    files[1].mkdir()
    answer = client.command("SEARCH SUBJECT hello")
    assert answer.status in (b"NO", b"OK") and (answer.status == b"OK" or not answer.lines("SEARCH"))
    assert search(client, "3 SUBJECT hello")[-1:] != []


@pytest.mark.parametrize("body", ["=?utf-8?q?" * 200_000, "=" * 2_000_000, "Content-Type: multipart/mixed; boundary=b\n--b\n" * 40_000],
                         ids=["words", "escapes", "parts"])
def test_hostile_texts_cost_little_time(place, body):
    client = serve(place, [mail.plain(body=body), f"Subject: {body[:900_000].replace(chr(10), ' ')}\n\n".encode()])
    begun = time.monotonic()
    search(client, "TEXT nothing-like-this")
    assert time.monotonic() - begun < 5
