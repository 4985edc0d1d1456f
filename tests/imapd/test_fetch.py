"""FETCH: every item on well-formed, nested, broken, huge and empty messages."""

import email.policy
import os
import random
import re
import resource
import subprocess
import time

import pytest

from harness import fetch, mail, maildir
from harness.place import UID, as_user, program
from harness.server import LOGGED_IN, logged_in
from harness.imap import Imap


def wire(message):
    """What BODY[] must be for a file: LF as CR LF, a NUL as 0x80."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", message).replace(b"\0", b"\x80")


def serve(place, messages, **options):
    """imapd on a Maildir with these messages, INBOX selected."""
    path = maildir.make(place.folder("home", UID) / "Maildir")
    for number, message in enumerate(messages):
        maildir.deliver(path, message, flags="", base=f"{1000 + number}.M{number}.test", seconds=1_000_000_000 + number)
    client = logged_in(place, path, **options)
    client.select()
    return client


def one(client, items, number=1):
    """The items of the FETCH responses of one message, as a dictionary."""
    found = {}
    for line in client.ok(f"FETCH {number} {items}").lines("FETCH"):
        found.update(fetch.items(line.partition(b" FETCH ")[2]))
    return found


def section(client, name, number=1):
    return one(client, f"BODY.PEEK[{name}]", number)[f"BODY[{name}]"]


# -- well-formed messages: built from a tree that knows what must come out ------------------------------------------


class Part:
    """A part of a message to be: its header lines, its body, and the parts inside."""

    def __init__(self, header, body=b"", inside=(), boundary=None, message=None):
        self.header, self.inside, self.boundary, self.message = header, inside, boundary, message
        if message:
            body = message.bytes()
        elif boundary:
            marks = b"".join(b"\r\n--" + boundary + b"\r\n" + part.bytes() for part in inside)
            body = b"preamble" + marks + b"\r\n--" + boundary + b"--\r\nepilogue"
        self.body = body

    def head(self):
        return b"".join(line + b"\r\n" for line in self.header) + b"\r\n"

    def bytes(self):
        return self.head() + self.body

    def sections(self, prefix=""):
        """Section name to bytes of everything inside this message, by the rules of RFC 3501 section 6.4.5."""
        dot = prefix + "." if prefix else ""
        found = {f"{dot}HEADER": self.head(), f"{dot}TEXT": self.body}
        if not self.boundary:
            found[f"{dot}1"] = self.body
            if self.message:
                found.update(self.message.sections(f"{dot}1"))
            return found
        for number, part in enumerate(self.inside, 1):
            name = f"{dot}{number}"
            found[name] = part.body
            found[f"{name}.MIME"] = part.head()
            if part.boundary:
                inner = part.sections(name)
                found.update({key: value for key, value in inner.items() if key not in (f"{name}.HEADER", f"{name}.TEXT")})
            if part.message:
                found.update(part.message.sections(name))
        return found

    def structure(self):
        """BODY of this part, envelopes left out."""
        if self.boundary:
            return [*(part.structure() for part in self.inside), b"mixed"]
        kind = [b"message", b"rfc822", None] if self.message else [b"text", b"plain", [b"charset", b"us-ascii"]]
        size = [b"%d" % len(self.body)]
        lines = [b"%d" % self.body.count(b"\n")]
        if self.message:
            return [*kind, None, None, b"7BIT", *size, self.message.structure(), *lines]
        return [*kind, None, None, b"7BIT", *size, *lines]


def tree(chance, depth=0, counter=None):
    """A random message or part."""
    counter = counter if counter is not None else iter(range(1000))
    number = next(counter)
    header = [b"X-Number: %d" % number, b"Subject: part\r\n folded %d" % number]
    kind = chance.random() * (1.3 if depth == 0 else 1.0)
    if depth < 6 and kind > 0.6:
        boundary = b"=_%d" % number if chance.random() < 0.8 else b"=_"
        inside = [tree(chance, depth + 1, counter) for _ in range(chance.randint(1, 4))]
        # A boundary that an outer part has as well would end the outer part.
        if depth:
            boundary = b"=_%d" % number
        return Part([*header, b'Content-Type: multipart/mixed;\r\n boundary="%s"' % boundary], inside=inside, boundary=boundary)
    if depth < 6 and kind > 0.4:
        return Part([*header, b"Content-Type: message/rfc822"], message=tree(chance, depth + 1, counter))
    lines = [b"line %d of part %d" % (line, number) for line in range(chance.randint(0, 5))]
    return Part(header, b"\r\n".join(lines) + chance.choice([b"", b"\r\n", b"\r\n\r\n"]))


def plain(structure):
    """A structure as the tree gives it: without envelopes."""
    if isinstance(structure[0], list):
        return [*(plain(part) for part in structure[:-1]), structure[-1]]
    if structure[1] == b"rfc822":
        return [*structure[:7], plain(structure[8]), structure[9]]
    return list(structure)


def test_every_section_of_random_trees(place):
    chance = random.Random(20)
    trees = [tree(chance) for _ in range(40)]
    client = serve(place, [part.bytes().replace(b"\r\n", b"\n") for part in trees])
    for number, part in enumerate(trees, 1):
        wanted = {"": part.bytes(), **part.sections()}
        answer = one(client, "(" + " ".join(["BODY", "RFC822.SIZE", *(f"BODY.PEEK[{name}]" for name in wanted)]) + ")", number)
        for name, value in wanted.items():
            assert answer[f"BODY[{name}]"] == value, f"message {number} section {name}\n{part.bytes().decode()}"
        assert answer["RFC822.SIZE"] == b"%d" % len(part.bytes())
        assert plain(answer["BODY"]) == part.structure(), part.bytes().decode()


def test_sections_that_are_not_there_are_nil(place):
    inner = mail.plain("inside", "text\n").decode()
    client = serve(place, [mail.multipart(["\none", f"Content-Type: message/rfc822\n\n{inner}"])])
    for name in ("3", "1.1", "1.HEADER", "1.TEXT", "1.HEADER.FIELDS (X)", "2.2", "2.1.HEADER", "9.MIME", "2.1.1"):
        assert one(client, f"BODY.PEEK[{name}]") == {f"BODY[{name}]": None}, name
    assert section(client, "2.1") == b"text\r\n"
    assert section(client, "2.1.MIME") == b""


# -- items ------------------------------------------------------------------------------------------------------------


def test_all_items_of_a_plain_message(place):
    message = mail.plain(extra="In-Reply-To: <a@b>\n")
    client = serve(place, [message])
    answer = one(client, "FULL")
    wally, beaver = [[b"Wally", None, b"wally", b"example.org"]], [[None, None, b"beaver", b"example.net"]]
    assert answer == {
        "FLAGS": [b"\\Recent"] if b"\\Recent" in answer["FLAGS"] else [],
        "INTERNALDATE": b" 9-Sep-2001 01:46:40 +0000",
        "RFC822.SIZE": b"%d" % len(wire(message)),
        "ENVELOPE": [mail.DATE.encode(), b"hello", wally, wally, wally, beaver, None, None, b"<a@b>", b"<m0@example.org>"],
        "BODY": [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7BIT", b"8", b"1"],
    }
    assert one(client, "FAST").keys() == {"FLAGS", "INTERNALDATE", "RFC822.SIZE"}
    assert one(client, "ALL").keys() == {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}
    assert one(client, "BODYSTRUCTURE")["BODYSTRUCTURE"][8:] == [None, None, None, None]
    assert one(client, "RFC822.HEADER")["RFC822.HEADER"] == section(client, "HEADER")


def test_uid_fetch_always_has_the_uid(place):
    client = serve(place, [mail.plain(number=n) for n in range(3)])
    uids = [int(one(client, "UID", number)["UID"]) for number in (1, 2, 3)]
    assert uids == sorted(uids)
    answer = client.fetch("FLAGS", f"{uids[1]}:*", uid=True)
    assert sorted(answer) == uids[1:]
    assert client.ok(f"UID FETCH {uids[2] + 5} FLAGS").untagged == []
    assert len(client.ok(f"UID FETCH {uids[2] + 5}:* FLAGS").lines("FETCH")) == 1
    assert client.command("FETCH 4 FLAGS").status == b"BAD"
    assert sorted(client.fetch("(UID UID FLAGS)", "3:2")) == [2, 3]


def test_seen_is_set_and_told(place):
    client = serve(place, [mail.plain(number=n) for n in range(4)])
    for items in ("BODY.PEEK[]", "RFC822.HEADER", "ENVELOPE", "BODYSTRUCTURE", "BODY", "RFC822.SIZE"):
        assert "FLAGS" not in one(client, items, 1)
    for number, items in enumerate(("BODY[]", "RFC822", "RFC822.TEXT", "BODY[HEADER]<0.5>"), 1):
        assert b"\\Seen" not in one(client, "FLAGS", number)["FLAGS"]
        assert b"\\Seen" in one(client, items, number)["FLAGS"], items
        assert b"\\Seen" in one(client, "FLAGS", number)["FLAGS"]
        assert "FLAGS" not in one(client, items, number)
    assert all("S" in flags for flags in maildir.Reader(place / "home" / "Maildir").flags().values())


def test_examine_sets_nothing(place):
    client = serve(place, [mail.plain()])
    client.ok("EXAMINE INBOX")
    assert "FLAGS" not in one(client, "BODY[]")
    assert b"\\Seen" not in one(client, "FLAGS")["FLAGS"]


def test_header_fields_come_as_they_are_and_as_they_were_asked(place):
    message = b"To: a@b\nSubject: one\n two\nto: c@d\nX-Nul: \0\nReceived: x\n\nbody\n"
    client = serve(place, [message])
    for ask, wanted in [
        ('HEADER.FIELDS (to "SUBJECT")', b"To: a@b\r\nSubject: one\r\n two\r\nto: c@d\r\n\r\n"),
        ("HEADER.FIELDS.NOT (To X-Nul)", b"Subject: one\r\n two\r\nReceived: x\r\n\r\n"),
        ("HEADER.FIELDS (Nothing)", b"\r\n"),
        ("HEADER.FIELDS (X-NUL)", b"X-Nul: \x80\r\n\r\n"),
    ]:
        line = client.ok(f"FETCH 1 BODY.PEEK[{ask}]").lines("FETCH")[0]
        name = line.partition(b"(")[2].partition(b"]")[0].upper().replace(b'"', b"")
        assert name == b"BODY[" + ask.upper().replace('"', "").encode()
        assert line.endswith(b"{%d}\r\n%s)" % (len(wanted), wanted)), ask


def test_thousands_of_fields_by_thousands_of_names(place):
    client = serve(place, [b"X: y\n" * 500_000 + b"Last: z\n\n"])
    names = " ".join(f"Name-{number}" for number in range(4_000))
    begun = time.monotonic()
    assert client.ok(f"FETCH 1 BODY.PEEK[HEADER.FIELDS (last {names})]").lines("FETCH")[0].endswith(b"{11}\r\nLast: z\r\n\r\n)")
    assert time.monotonic() - begun < 5


def test_partial_sections(place):
    message = mail.plain(body="0123456789\n" * 10)
    client = serve(place, [message])
    whole, text = wire(message), wire(message).partition(b"\r\n\r\n")[2]
    for name, value in (("", whole), ("TEXT", text), ("HEADER", whole[: -len(text)]), ("1", text)):
        for offset, length in [(0, 1), (0, 10_000), (5, 7), (10, 3), (11, 2), (len(value) - 1, 5), (len(value), 5), (1 << 31, 5)]:
            answer = one(client, f"BODY.PEEK[{name}]<{offset}.{length}>")
            assert answer == {f"BODY[{name}]<{offset}>": value[offset : offset + length]}, (name, offset, length)
    assert client.command("FETCH 1 BODY[]<0.0>").status == b"BAD"


# -- broken messages --------------------------------------------------------------------------------------------------


ODD = {
    "empty": b"",
    "one newline": b"\n",
    "header only": b"Subject: x",
    "header without empty line": b"Subject: x\nTo: a@b\n",
    "no header": b"just some text\nmore: of it\n\nend",
    "eight bits in the header": b"Subject: gr\xfc\xdfe\nFrom: J\xf6rg <a@b>\n\n\xff\n",
    "nuls": b"Subject: a\0b\n\nc\0d\n",
    "crlf on disk": b"Subject: x\r\n\r\nbody\r\nmixed\nends\r\n",
    "bare cr": b"Subject: a\rb\n\nc\rd\r",
    "raw quotes in parameters": b'Content-Type: text/plain; name="a"b".txt"; charset=x\n\nx\n',
    "multipart without boundary": b"Content-Type: multipart/mixed\n\n--x\n\ny\n--x--\n",
    "multipart without parts": b'Content-Type: multipart/mixed; boundary="b"\n\nnothing\n',
    "unterminated": b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nx\n',
    "outer ends inner": b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\n1\n--o\n\n2\n--o--\n",
    "prefix": b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\n1\n--bb--\n--b\n\n2\n--b--\n",
    "boundary with blanks": b'Content-Type: multipart/mixed; boundary="a  b"\n\n--a  b  \n\nx\n--a  b--\n',
    "base64 message": b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKeQo=\n",
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 12_000,
    "deep": mail.nested(100),
    "deep messages": b"Content-Type: message/rfc822\n\n" * 200 + b"\nx\n",
    "addresses": b"To: " + b"a@b, " * 11_000 + b"\nFrom: @@<>;:,\"\n\n",
    "parameters": b"Content-Type: text/plain" + b";\n x*1=y" * 5_000 + b"\n\nx\n",
    "rfc 2231": b"Content-Type: text/plain; name*0*=utf-8''%e2%82; name*1*=%ac; name*2=x\n\nx\n",
    "digest": b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\nx\n--b\n\n--b--\n",
    "long line": b"Subject: " + b"x" * 200_000 + b"\n\n" + b"y" * 200_000,
    "type of nothing": b"Content-Type:\nContent-Disposition:\nContent-Language:\nContent-Transfer-Encoding:\n\nx",
    "language list": b"Content-Language: en, de\nContent-Location: a\n b\nContent-MD5: x\nContent-ID:\nContent-Description: \xff\n\nx",
}


def check_message(client, number, message, context):
    """What must hold of any message, whatever is in it."""
    answer = one(client, "(RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT])", number)
    whole = wire(message)
    assert answer["BODY[]"] == whole, context
    assert int(answer["RFC822.SIZE"]) == len(whole), context
    assert answer["BODY[HEADER]"].endswith(b"\r\n"), context
    assert whole.endswith(answer["BODY[TEXT]"]), context
    assert len(answer["ENVELOPE"]) == 10, context
    shape = [(name, body[:2], body[6]) for name, body in fetch.leaves(answer["BODYSTRUCTURE"])]
    assert shape == [(name, body[:2], body[6]) for name, body in fetch.leaves(answer["BODY"])], context
    for name, body in list(fetch.leaves(answer["BODYSTRUCTURE"]))[:30]:
        kind, subtype, parameters, _, _, encoding, size = body[:7]
        assert all(isinstance(word, bytes) for word in (kind, subtype, encoding)), context
        assert parameters is None or (len(parameters) % 2 == 0 and None not in parameters), context
        dotted = ".".join(map(str, name))
        content = section(client, dotted, number)
        assert len(content) == int(size) and content in whole, f"{context}: part {dotted}"
        if kind.lower() == b"text":
            assert int(body[7]) == content.count(b"\n"), f"{context}: part {dotted}"


@pytest.mark.parametrize("name", ODD)
def test_odd_messages(place, name):
    client = serve(place, [ODD[name]])
    check_message(client, 1, ODD[name], name)


def broken(chance):
    """A message of what breaks parsers, in any order."""
    pieces = [b"--a\n", b"--b\n", b"--ab\r\n", b"--a--\n", b"--b-- \n", b"--ab--", b"--", b"\n", b"\r\n", b"\r", b"\n\n", b" folded\n", b"text\n",
              b"no end", b"Subject: x\n", b"\0", b"\xff", b"Content-Type: multipart/mixed; boundary=a\n",
              b"Content-Type: multipart/digest; boundary=b\n\n", b"Content-Type: multipart/mixed; boundary=ab\r\n\r\n",
              b"Content-Type: multipart/x\n\n", b"Content-Type: message/rfc822\n\n", b"Content-Type: message/rfc822\n", b"Content-Type:\n",
              b"Content-Transfer-Encoding: base64\n", b"Content-Type: text/plain;\n charset=x\n\n", b"From \n", b":\n", b"To: a@b,\"\n",
              b"Content-Disposition: attachment; filename=\"a\\\"\xe4\"\n", b"Content-Language: a, b\n"]
    return b"".join(chance.choice(pieces) for _ in range(chance.randrange(40)))


def test_broken_messages(place):
    chance = random.Random(5)
    messages = [broken(chance) for _ in range(150)]
    client = serve(place, messages)
    for number, message in enumerate(messages, 1):
        check_message(client, number, message, message)


def test_the_limits_have_the_shape_they_should(place):
    client = serve(place, [ODD["many parts"], ODD["deep"], ODD["deep messages"], ODD["addresses"], ODD["base64 message"]])
    assert len(list(fetch.leaves(one(client, "BODY", 1)["BODY"]))) == 9_999
    (deep,) = fetch.leaves(one(client, "BODY", 2)["BODY"])
    assert len(deep[0]) == 20 and deep[1][:2] == [b"application", b"octet-stream"]
    assert b"--b79" in section(client, ".".join(["1"] * 20), 2)
    messages = list(fetch.leaves(one(client, "BODY", 3)["BODY"]))
    assert messages[-1][1][:2] == [b"application", b"octet-stream"]
    assert len(one(client, "ENVELOPE", 4)["ENVELOPE"][5]) == 10_000
    assert one(client, "BODY", 5)["BODY"][:2] == [b"application", b"octet-stream"]


def test_the_corpus_agrees_with_another_parser(place):
    """Python's parser as the oracle, where it keeps bytes as they are: plain and multipart mail."""
    messages = list(mail.corpus(100))
    client = serve(place, messages)
    for number, message in enumerate(messages, 1):
        check_message(client, number, message, number)
        parsed = email.message_from_bytes(mail.crlf(message), policy=email.policy.compat32)
        answer = one(client, "(BODYSTRUCTURE ENVELOPE)", number)
        types = [body[0].lower() + b"/" + body[1].lower() for _, body in fetch.leaves(answer["BODYSTRUCTURE"])]
        wanted = [part.get_content_type().encode() for part in parsed.walk() if part.get_content_maintype() != "multipart"]
        assert types == wanted
        if not any(byte >= 128 for byte in message.partition(b"\n\n")[0]):
            assert answer["ENVELOPE"][1] == (parsed["subject"].encode() if parsed["subject"] is not None else None)


# -- files that go, change, or are large ----------------------------------------------------------------------------------


def files(place):
    return sorted((place / "home" / "Maildir" / "cur").iterdir())


def test_a_message_that_is_gone(place):
    client = serve(place, [mail.plain(number=n) for n in range(3)])
    files(place)[1].unlink()
    answer = client.command("FETCH 1:3 BODY.PEEK[HEADER]")
    assert (answer.status, answer.code) == (b"NO", b"EXPUNGEISSUED")
    assert [line.split()[0] for line in answer.lines("FETCH")] == [b"1", b"3"]
    assert client.ok("NOOP").lines("EXPUNGE") == [b"2 EXPUNGE"]


def test_a_message_renamed_by_another_program_is_found(place):
    client = serve(place, [mail.plain(number=n) for n in range(3)])
    for path in files(place):
        path.rename(path.with_name(path.name + "FS"))
    assert len(client.fetch("BODY.PEEK[]")) == 3


def test_a_message_that_cannot_be_read(place):
    client = serve(place, [mail.plain(number=n) for n in range(2)])
    path = files(place)[0]
    path.unlink()
    path.mkdir()
    answer = client.command("FETCH 1:2 BODY.PEEK[]")
    assert answer.status == b"NO"
    assert [line.split()[0] for line in answer.lines("FETCH")] == [b"2"]
    client.ok("NOOP")


def test_a_mark_is_told_though_the_message_cannot_be_read(place):
    client = serve(place, [mail.plain()])
    path = files(place)[0]
    path.unlink()
    path.mkdir()
    answer = client.command("FETCH 1 BODY[]")
    assert answer.status == b"NO"
    told = [line for line in answer.lines("FETCH") if b"\\Seen" in line]
    assert bool(told) == any(name.name.endswith("S") for name in files(place))


def test_a_wrong_size_in_the_name_does_no_harm(place):
    path = maildir.make(place.folder("home", UID) / "Maildir")
    message = mail.plain(body="text\n" * 100)
    maildir.deliver(path, message, flags="", base="1.M1.test,S=7,W=3")
    maildir.deliver(path, message, flags="", base="2.M2.test,S=99999999")
    client = logged_in(place, path)
    client.select()
    for number in (1, 2):
        check_message(client, number, message, number)


def limited(place, path, memory=5_000_000):
    """imapd as under softlimit -m5000000."""
    options = as_user()
    start = options.pop("preexec_fn", None)

    def limit():
        if start:
            start()
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    with open(place / "log-limited", "ab") as stderr:
        process = place.popen([program("imapd"), path], env=LOGGED_IN, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=stderr, bufsize=0, preexec_fn=limit, **options)
    client = Imap.with_process(process)
    assert client.finish(b"login").ok
    return client


@pytest.mark.skipif("musl" not in os.environ.get("DAISYCHAIN_TARGET", "musl"), reason="only a static program fits in 5 MB")
def test_large_and_hostile_messages_fit_in_5_mb(place):
    path = maildir.make(place.folder("home", UID) / "Maildir")
    attachment = mail.multipart(["\nsee below\n", mail.attachment(30_000_000)])
    hostile = [ODD["many parts"], ODD["addresses"], b"To: " + b'"a" <b@c>,' * 100_000 + b"\n\n", b"X: y\n" * 1_000_000 + b"\n",
               b"Content-Type: text/plain; x=" + b"y" * 5_000_000 + b"\n\n", b"Subject: " + b"s" * 3_000_000 + b"\n\n"]
    for number, message in enumerate([attachment, *hostile]):
        maildir.deliver(path, message, flags="S", base=f"{number}.M{number}.test")
    client = limited(place, path)
    client.select()
    for number in range(1, 8):
        one(client, "(ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])", number)
    assert section(client, "2", 1).startswith(mail.crlf(mail.attachment(30_000_000).partition("\n\n")[2].encode())[:1000])
    assert len(section(client, "HEADER", 5)) == 6_000_002
    assert client.ok("SEARCH BODY nothing-like-this").lines("SEARCH") == [b"SEARCH"]


def test_a_large_message_in_pieces(place):
    message = mail.multipart(["\nsee below\n", mail.attachment(3_000_000)])
    client = serve(place, [message])
    whole, got, offset = wire(message), b"", 0
    while piece := one(client, f"BODY.PEEK[]<{offset}.65536>")[f"BODY[]<{offset}>"]:
        got += piece
        offset += len(piece)
    assert got == whole
