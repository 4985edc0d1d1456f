"""The grammar on the wire: tags, strings, literals, limits, sequence sets. What is refused leaves the session in step."""

import time

import pytest

from harness import mail, maildir
from harness.place import UID
from harness.server import logged_in


@pytest.fixture
def box(place):
    return maildir.make(place.folder("home", UID) / "Maildir")


@pytest.fixture
def imap(place, box):
    return logged_in(place, box)


def in_step(client):
    """The next command is answered, and nothing stands before its answer."""
    assert client.ok("NAMESPACE").untagged[0].startswith(b"NAMESPACE"), client.transcript("out of step")


def bad(client, command, *literals):
    answer = client.command(command, *literals)
    assert answer.status == b"BAD", client.transcript(f"{command}: {answer}")
    return answer


def test_words_have_no_case(imap):
    imap.ok("eXaMiNe iNbOx")
    imap.ok("uid SeArCh uNsEeN")
    assert imap.ok("fetch 1:* (uId fLaGs)").untagged == []


def test_tags(imap):
    for tag in ("a", "A.1", "]", "!#$&'-./:;<=>?@[^_`|}~", "0", "x" * 1000):
        imap.line(f"{tag} NOOP")
        assert imap.response().startswith(f"{tag} OK ".encode())
    for line in (b"* NOOP", b"a+ NOOP", b"+ NOOP", b"(a NOOP", b'"a" NOOP', b"a\x80 NOOP", b" a NOOP", b"\0 NOOP", b"{3} NOOP"):
        imap.line(line)
        assert imap.response().startswith(b"* BAD "), imap.transcript(repr(line))
    for line in (b"a", b"a ", b"a  NOOP", b"a \0", b"a NOOP\0"):
        imap.line(line)
        assert imap.response().startswith(b"a BAD "), imap.transcript(repr(line))
        imap.ok("NOOP")
    in_step(imap)


def test_empty_lines_and_line_ends(imap):
    imap.send(b"\r\n\n  \r\na NOOP\nb NOOP \r\n\r\nc NO\rOP\r\nd NOOP\r\n")
    assert [imap.response().split()[:2] for _ in range(4)] == [[b"a", b"OK"], [b"b", b"OK"], [b"c", b"BAD"], [b"d", b"OK"]]


@pytest.mark.parametrize("argument, name", [
    (b"INBOX.x]y", "x]y"),
    (b'"INBOX.a \\"b\\\\ {3}"', 'a "b\\ {3}'),
    (b"{10+}\r\nINBOX.(a b", "(a b"),
    (b"INBOX.~!#$&-'+,-:;<=>?@^_`|[}", "~!#$&'+,-:;<=>?@^_`|[}"),
    (b"INBOX.NIL", "NIL"),
])
def test_strings(imap, box, argument, name):
    imap.send(b"a CREATE " + argument + b"\r\n")
    assert imap.response().startswith(b"a OK")
    assert (box / f".{name}").is_dir()


@pytest.mark.parametrize("argument", [
    b"INBOX.a*", b"INBOX.a(", b"INBOX.a\\b", b'"INBOX.a', b'"INBOX.a\\n"', b'"INBOX.\xe9"', b"INBOX.\xc3\xa9", b'"INBOX.a\0"', b"{8+}\r\nINBOX.\0a",
    b"{-1}", b"{}", b"{5 }", b'"INBOX.a"b', b"INBOX.a b", b"", b" INBOX.a", b"INBOX.a{3+}",
])
def test_what_is_no_string(imap, box, argument):
    imap.send(b"a CREATE " + argument + b"\r\n")
    assert imap.response().startswith(b"a BAD "), imap.transcript(repr(argument))
    in_step(imap)


def test_nil_is_a_word_like_others(imap, box):
    maildir.deliver(box, mail.plain("NIL and nothing"))
    imap.select()
    imap.ok("STORE 1 +FLAGS (NIL)")
    assert imap.ok("SEARCH SUBJECT NIL KEYWORD NIL").lines("SEARCH") == [b"SEARCH 1"]
    assert imap.ok('LIST "" NIL').untagged == []
    assert imap.command("SELECT NIL").code == b"NONEXISTENT"


def test_a_literal_is_asked_for_once_it_is_wanted(imap):
    imap.send(b"a STATUS {5}\r\n")
    assert imap.response().startswith(b"+ ")
    imap.send(b"INBOX (MESSAGES)\r\n")
    assert imap.response() == b'* STATUS "INBOX" (MESSAGES 0)'
    assert imap.response().startswith(b"a OK")
    # One that nobody wants is refused before it is sent.
    for size in (65536, 4294967297, 18446744073709551615, 18446744073709551616, 10**30):
        imap.line(f"a SELECT {{{size}}}")
        assert imap.response().startswith(b"a BAD "), size
        in_step(imap)


def test_a_literal_that_comes_unasked_is_read_over(imap):
    inner = b"x LOGOUT\r\n" * 20000
    imap.send(b"a SELECT {%d+}\r\n" % len(inner) + inner + b" y {8+}\r\nx NOOP\r\n\r\nb NOOP\r\n")
    assert imap.response().startswith(b"a BAD ")
    assert imap.response().startswith(b"b OK ")


@pytest.mark.parametrize("size", [1 << 40, 18446744073709551615, 18446744073709551616, 10**30])
def test_a_literal_without_end_ends_the_session(imap, size):
    imap.send(b"a SELECT {%d+}\r\nx LOGOUT\r\nx LOGOUT\r\n" % size)
    assert imap.rest().startswith(b"* BYE ")


def test_a_line_may_be_long_and_no_longer(imap, box):
    maildir.deliver(box, mail.plain())
    imap.select()
    assert imap.fetch("FLAGS", ",".join(["1"] * 32000)).keys() == {1}
    bad(imap, "FETCH " + ",".join(["1"] * 33000) + " FLAGS")
    in_step(imap)
    bad(imap, "NOOP " + "x" * 8_000_000)
    in_step(imap)


def test_a_line_is_too_long_behind_a_literal(imap):
    """The literal's lines are none of ours, whatever they say."""
    imap.send(b"a SEARCH {11}\r\n")
    assert imap.response().startswith(b"+ ")
    imap.send(b"\nx LOGOUT\r\n" + b" y" * 50000 + b" {10+}\r\nx LOGOUT\r\n\r\nb NOOP\r\n")
    assert imap.response().startswith(b"a BAD ")
    assert imap.response().startswith(b"b OK ")


def test_nesting_is_bounded(imap, box):
    maildir.deliver(box, mail.plain())
    imap.select()
    nested = lambda depth: "SEARCH " + "(ALL NOT " * depth + "DELETED" + ")" * depth
    imap.ok(nested(15))
    begun = time.monotonic()
    bad(imap, nested(40))
    bad(imap, "SEARCH " + "(" * 60000)
    bad(imap, "SEARCH " + "NOT " * 16000 + "x")
    bad(imap, "FETCH 1 " + "(" * 60000)
    bad(imap, "SEARCH " + "ALL " * 1001)
    assert imap.ok("SEARCH " + "OR ALL " * 999 + "ALL").lines("SEARCH") == [b"SEARCH 1"]
    assert time.monotonic() - begun < 5
    in_step(imap)


def test_sequence_sets(imap, box):
    for number in range(5):
        maildir.deliver(box, mail.plain(number=number))
    imap.select()
    imap.ok("STORE 2 +FLAGS (\\Deleted)")
    imap.ok("EXPUNGE")
    numbers = lambda text, **how: sorted(imap.fetch("(FLAGS)", text, **how))
    assert numbers("3:1") == [1, 2, 3]
    assert numbers("*") == numbers("*:*") == [4]
    assert numbers("*:3") == numbers("3:*") == [3, 4]
    assert numbers("1,1:2,2,*") == [1, 2, 4]
    assert numbers("2:3", uid=True) == [3]
    assert numbers("2,77,4294967295", uid=True) == []
    assert numbers("4294967295:*", uid=True) == [5]
    for wrong in ("0", "1:0", "4294967296", "1,", ",1", "1:", "a", "1:2:3", "-1", "", "1 ,2"):
        bad(imap, f"FETCH {wrong} FLAGS")
    imap.ok("NOOP")
    for beyond in ("5", "4:5", "1:9"):
        bad(imap, f"FETCH {beyond} FLAGS")
        bad(imap, f"STORE {beyond} +FLAGS (\\Seen)")
        bad(imap, f"COPY {beyond} INBOX")
    assert imap.ok("SEARCH 5").lines("SEARCH") == [b"SEARCH"]
    bad(imap, "SEARCH 0")


def test_sequence_sets_of_an_empty_mailbox(imap, box):
    imap.select()
    maildir.folder(box, "x")
    for command in ("UID FETCH 1:* FLAGS", "UID FETCH * FLAGS", "UID STORE 1:* +FLAGS (\\Seen)", "UID COPY 1:* INBOX.x", "UID EXPUNGE 1:*", "FETCH * FLAGS", "FETCH 1:* FLAGS"):
        assert imap.ok(command).untagged == [], command
    bad(imap, "FETCH 1 FLAGS")
    assert imap.ok("SEARCH ALL").lines("SEARCH") == [b"SEARCH"]


def test_what_is_unknown_is_bad(imap):
    for command in ("FROB", "UID", "UID FROB 1", "NOOP x", "SELECT", "FETCH 1 FLAGS", "XLIST", "\"NOOP\""):
        bad(imap, command)
        imap.ok("NOOP")


def test_commands_in_one_packet_are_answered_in_order(imap):
    imap.send(b"".join(b"t%d %s\r\n" % (n, [b"NOOP", b"FROB", b"STATUS INBOX (MESSAGES)"][n % 3]) for n in range(300)))
    for n in range(300):
        if n % 3 == 2:
            assert imap.response() == b'* STATUS "INBOX" (MESSAGES 0)'
        assert imap.response().split()[:2] == [b"t%d" % n, [b"OK", b"BAD", b"OK"][n % 3]]
