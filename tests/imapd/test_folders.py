"""Folder commands: LIST, LSUB, CREATE, DELETE, RENAME, SUBSCRIBE, STATUS, NAMESPACE, ID; beside Courier on one Maildir."""

import os
import re
import time

import pytest

from harness import mail, maildir
from harness.place import UID
from harness.server import courier, logged_in


@pytest.fixture
def box(place):
    """A Maildir without messages."""
    return maildir.make(place.folder("home", UID) / "Maildir")


@pytest.fixture
def imap(place, box):
    return logged_in(place, box)


def listed(client, reference, pattern, command="LIST"):
    """Name to attributes."""
    found = {}
    for line in client.ok(f'{command} "{reference}" "{pattern}"').lines(command):
        attributes, name = re.fullmatch(command.encode() + rb' \(([^)]*)\) "\." "(.*)"', line).groups()
        assert name not in found, f"{name} twice"
        found[name.decode()] = attributes.decode()
    return found


def refused(client, command, code):
    answer = client.command(command)
    assert (answer.status, answer.code) == (b"NO", code), client.transcript(f"{command}: {answer}")


FOLDERS = ["Sent", "a", "a.b", "a-b", "x.y.z", "inbox", "Entwürfe", "R&D", "Trash"]


@pytest.fixture
def tree(box):
    for name in FOLDERS:
        maildir.folder(box, name)
    return box


# -- LIST ---------------------------------------------------------------------------------------------------------


def test_the_empty_pattern_gives_the_delimiter(imap):
    assert listed(imap, "", "") == {"": "\\Noselect"}
    assert listed(imap, "INBOX.a", "") == {"": "\\Noselect"}
    assert imap.ok('LIST "nowhere" ""').untagged == []


def test_all_folders_with_their_children(imap, tree):
    assert listed(imap, "", "*") == {
        "INBOX": "\\Unmarked \\HasChildren",
        "INBOX.Sent": "\\HasNoChildren",
        "INBOX.Trash": "\\HasNoChildren",
        "INBOX.a": "\\HasChildren",
        "INBOX.a.b": "\\HasNoChildren",
        "INBOX.a-b": "\\HasNoChildren",
        "INBOX.x": "\\Noselect \\HasChildren",
        "INBOX.x.y": "\\Noselect \\HasChildren",
        "INBOX.x.y.z": "\\HasNoChildren",
        "INBOX.inbox": "\\HasNoChildren",
        "INBOX.Entw&APw-rfe": "\\HasNoChildren",
        "INBOX.R&-D": "\\HasNoChildren",
    }


@pytest.mark.parametrize("reference, pattern, names", [
    ("", "%", ["INBOX"]),
    ("", "inbox", ["INBOX"]),
    ("", "i%", ["INBOX"]),
    ("", "INBOX.%", ["a", "a-b", "x", "inbox", "Sent", "Trash", "Entw&APw-rfe", "R&-D"]),
    ("INBOX", "%", ["a", "a-b", "x", "inbox", "Sent", "Trash", "Entw&APw-rfe", "R&-D"]),
    ("INBOX.", "x.%", ["x.y"]),
    ("inbox.x", "*", ["x.y", "x.y.z"]),
    ("", "INBOX.a*", ["a", "a.b", "a-b"]),
    ("", "INBOX.a.", ["a"]),
    ("", "inbox.INBOX", []),
    ("", "INBOX.Entw&APw-rfe", ["Entw&APw-rfe"]),
    ("", "INBOX.R&D", []),
    ("", "*%*%*b", ["a.b", "a-b"]),
    ("", "%.%.%", ["a.b", "x.y"]),
    ("", "sent", []),
    ("other", "*", []),
    ("", "#shared.*", []),
])
def test_patterns(place, tree, reference, pattern, names):
    expected = {name if name == "INBOX" else f"INBOX.{name}" for name in names}
    assert set(listed(logged_in(place, tree), reference, pattern)) == expected


@pytest.mark.parametrize("pattern", ["*", "%", "INBOX.%", "INBOX.x.%", "INBOX.x*", "INBOX.%.%", "inbox", "INBOX.a.", "INBOX.none"])
@pytest.mark.parametrize("reference", ["", "INBOX", "INBOX.x"])
def test_lists_what_courier_lists(place, tree, reference, pattern):
    maildir.deliver(tree, mail.plain())
    ours, theirs = logged_in(place, tree), courier(place, tree)
    assert listed(ours, reference, pattern) == listed(theirs, reference, pattern)


def test_what_is_no_folder_is_not_listed(imap, box):
    (box / ".file").write_bytes(b"")
    (box / ".empty").mkdir()
    (box / ".link").symlink_to("/tmp")
    for odd in (".a..b", ".dot.", "..", ".c\rtl"):
        (box / odd).mkdir(exist_ok=True)
        (box / odd / "cur").mkdir(exist_ok=True)
    assert set(listed(imap, "", "*")) == {"INBOX"}


def test_marks(place, tree):
    marks = lambda client: {name: flag for name, flags in listed(client, "", "*").items() for flag in flags.split() if "ark" in flag}
    assert marks(logged_in(place, tree)) == {"INBOX": "\\Unmarked"}
    maildir.deliver(tree, mail.plain(), flags="S")
    assert marks(logged_in(place, tree)) == {"INBOX": "\\Unmarked"}
    maildir.deliver(tree, mail.plain(), flags="F")
    maildir.deliver(tree / ".Sent", mail.plain())
    assert marks(logged_in(place, tree)) == {"INBOX": "\\Marked"}
    every = {"environment": {"IMAP_CHECK_ALL_FOLDERS": "1"}}
    ours = marks(logged_in(place, tree, **every))
    assert (ours["INBOX"], ours["INBOX.Sent"], ours["INBOX.a"]) == ("\\Marked", "\\Marked", "\\Unmarked")
    assert ours == marks(courier(place, tree, **every))


def test_an_obsolete_client_sees_noinferiors(place, tree):
    found = listed(logged_in(place, tree, environment={"IMAP_OBSOLETE_CLIENT": "1"}), "", "INBOX.%")
    assert (found["INBOX.Sent"], found["INBOX.a"]) == ("\\Noinferiors", "\\HasChildren")


def test_many_folders_and_wild_patterns_take_no_time(imap, box):
    for number in range(1000):
        (box / f".f{number % 50}.{number}{'a' * 200}" / "cur").mkdir(parents=True)
    imap.ok("NOOP")
    begun = time.monotonic()
    assert len(listed(imap, "", "*")) == 1051
    once = time.monotonic() - begun
    assert once < 5
    begun = time.monotonic()
    assert listed(imap, "", "*a%" * 70 + "b") == {}
    assert listed(imap, "", "INBOX.*" + "%a" * 90 + "b") == {}
    assert time.monotonic() - begun < 10 * once + 5


# -- CREATE -------------------------------------------------------------------------------------------------------


def test_create_makes_what_courier_makes(imap, place, box):
    imap.ok("CREATE INBOX.made")
    for part in ("tmp", "new", "cur", "maildirfolder"):
        assert (box / ".made" / part).exists()
    assert (box / ".made").stat().st_mode & 0o777 == 0o700
    theirs = courier(place, box)
    assert theirs.select("INBOX.made").number("EXISTS") == 0
    theirs.ok("CREATE INBOX.theirs")
    assert listed(imap, "", "INBOX.%") == {"INBOX.made": "\\HasNoChildren", "INBOX.theirs": "\\HasNoChildren"}


def test_create_needs_no_parents(imap, box):
    imap.ok("CREATE INBOX.a.b.c")
    assert listed(imap, "", "*")["INBOX.a"] == "\\Noselect \\HasChildren"
    imap.ok("CREATE INBOX.a")
    assert listed(imap, "", "*")["INBOX.a"] == "\\HasChildren"


def test_create_ignores_one_delimiter_at_the_end(imap):
    imap.ok("CREATE INBOX.parent.")
    imap.ok("CREATE INBOX.parent.")
    imap.ok("CREATE INBOX.parent.child.")
    assert listed(imap, "", "INBOX.*") == {"INBOX.parent": "\\HasChildren", "INBOX.parent.child": "\\HasNoChildren"}


def test_create_refuses_what_is_there(imap):
    imap.ok("CREATE INBOX.a")
    refused(imap, "CREATE INBOX.a", b"ALREADYEXISTS")
    refused(imap, "CREATE INBOX", b"ALREADYEXISTS")
    refused(imap, "CREATE inbox", b"ALREADYEXISTS")


@pytest.mark.parametrize("name", [
    "Sent", "INBOXES", "INBOX..a", "INBOX.a..b", "INBOX.a/b", "INBOX...", "INBOX.cur", "INBOX.new", "INBOX.tmp", "INBOX.&AOk", "INBOX.&fop-",
    "INBOX.R&D", "INBOX.&AGE-", "INBOX.&AC8-", "INBOX.&AC4-", "INBOX.&AAo-", "INBOX.&2D0-", "INBOX." + "x" * 255, "INBOX" + ".d" * 21, "#shared.x",
    "INBOX.a\tb",
])
def test_create_refuses_names_that_no_folder_has(imap, box, name):
    before = sorted(os.listdir(box))
    refused(imap, f'CREATE "{name}"', b"CANNOT")
    assert sorted(os.listdir(box)) == before


def test_create_says_how_names_begin(imap):
    assert b"INBOX." in imap.command("CREATE Sent").text


def test_names_beyond_ascii(imap, place, box):
    for name, disk in (("R&-D", "R&D"), ("&U,BTFw-", "台北"), ("a b\\\"c", 'a b"c')):
        imap.ok(f'CREATE "INBOX.{name}"')
        assert (box / f".{disk}" / "cur").is_dir()
        imap.ok(f'STATUS "INBOX.{name}" (MESSAGES)')
    assert listed(imap, "", "*") == listed(courier(place, box), "", "*")
    # A surrogate pair. (Debian's Courier 5.0.13 dies of such a folder at its next LIST.)
    imap.ok("CREATE INBOX.&2D3eAA-")
    assert (box / ".😀" / "cur").is_dir()
    assert "INBOX.&2D3eAA-" in listed(imap, "", "*")


def test_folders_of_an_older_courier(place, box):
    """Names on disk were modified UTF-7 before 5.0."""
    for disk in ("Entw&APw-rfe", "R&-D"):
        maildir.folder(box, disk)
    old = logged_in(place, box, environment={"IMAP_UTF7_FOLDERS": "1"})
    old.ok("CREATE INBOX.&U,BTFw-")
    old.ok("SUBSCRIBE INBOX.&U,BTFw-")
    assert (box / ".&U,BTFw-").is_dir()
    assert (box / "courierimapsubscribed").read_text() == "INBOX.&U,BTFw-\n"
    assert set(listed(old, "", "INBOX.%")) == {"INBOX.Entw&APw-rfe", "INBOX.R&-D", "INBOX.&U,BTFw-"}
    assert set(listed(old, "", "*", "LSUB")) == {"INBOX.&U,BTFw-"}
    old.ok("RENAME INBOX.R&-D INBOX.&2D3eAA-")
    assert (box / ".&2D3eAA-").is_dir()


def test_a_name_as_a_literal(imap, box):
    imap.ok("CREATE {}", b"INBOX.lit eral")
    assert (box / ".lit eral").is_dir()
    answer = imap.command("CREATE {}", "INBOX.é".encode())
    assert (answer.status, answer.code) == (b"NO", b"CANNOT")


# -- DELETE -------------------------------------------------------------------------------------------------------


def test_delete_keeps_what_is_below(imap, place, box):
    for name in ("a", "a.b"):
        maildir.folder(box, name)
    maildir.deliver(box / ".a", mail.plain())
    imap.ok("SUBSCRIBE INBOX.a")
    imap.ok("DELETE INBOX.a")
    assert not (box / ".a").exists() and (box / ".a.b").is_dir()
    assert listed(imap, "", "INBOX.*") == {"INBOX.a": "\\Noselect \\HasChildren", "INBOX.a.b": "\\HasNoChildren"}
    refused(imap, "DELETE INBOX.a", b"HASCHILDREN")
    imap.ok("DELETE INBOX.a.b")
    refused(imap, "DELETE INBOX.a", b"NONEXISTENT")
    assert listed(imap, "", "*", "LSUB") == {"INBOX.a": "\\Noselect \\HasNoChildren"}, "subscriptions are kept"


def test_delete_refuses(imap, tree):
    refused(imap, "DELETE INBOX", b"CANNOT")
    refused(imap, "DELETE inbox", b"CANNOT")
    refused(imap, "DELETE INBOX.Trash", b"CANNOT")
    refused(imap, "DELETE INBOX.none", b"NONEXISTENT")
    refused(imap, "DELETE nonsense", b"NONEXISTENT")
    refused(imap, "DELETE INBOX.x", b"HASCHILDREN")
    imap.select("INBOX.a")
    refused(imap, "DELETE INBOX.a", b"INUSE")
    imap.ok("CLOSE")
    imap.ok("DELETE INBOX.a.")


def test_a_name_made_again_is_another_mailbox(imap, box):
    validity = lambda: re.search(rb"UIDVALIDITY (\d+)", imap.ok("STATUS INBOX.a (UIDVALIDITY)").untagged[0])[1]
    seen = set()
    for _ in range(3):
        imap.ok("CREATE INBOX.a")
        seen.add(validity())
        imap.ok("DELETE INBOX.a")
    imap.ok("CREATE INBOX.b")
    imap.ok("RENAME INBOX.b INBOX.a")
    assert len(seen | {validity()}) == 4


# -- RENAME -------------------------------------------------------------------------------------------------------


def test_rename_moves_all_that_is_below(imap, place, box):
    for name in ("old", "old.sub", "old.sub.deep", "older"):
        maildir.folder(box, name)
    for number in range(3):
        maildir.deliver(box / ".old.sub", mail.plain(number=number))
    imap.select("INBOX.old.sub")
    imap.ok("UID STORE 2 +FLAGS (\\Flagged $Word)")
    imap.ok("UNSELECT")
    numbers = "(MESSAGES UIDNEXT UIDVALIDITY)"
    before = imap.ok(f"STATUS INBOX.old.sub {numbers}").untagged[0]
    imap.ok("SUBSCRIBE INBOX.old.sub")
    imap.ok("RENAME INBOX.old INBOX.fresh.one")
    assert set(listed(imap, "", "INBOX.*")) == {"INBOX.fresh", "INBOX.fresh.one", "INBOX.fresh.one.sub", "INBOX.fresh.one.sub.deep", "INBOX.older"}
    assert imap.ok(f"STATUS INBOX.fresh.one.sub {numbers}").untagged[0] == before.replace(b"old.sub", b"fresh.one.sub")
    imap.select("INBOX.fresh.one.sub")
    assert b"$Word" in imap.fetch("(FLAGS)", "2", uid=True)[2]
    assert set(listed(imap, "", "*", "LSUB")) == {"INBOX.old.sub"}


def test_rename_of_a_level(imap, box):
    maildir.folder(box, "x.y")
    imap.ok("RENAME INBOX.x INBOX.z")
    assert set(listed(imap, "", "INBOX.*")) == {"INBOX.z", "INBOX.z.y"}


def test_rename_refuses(imap, tree):
    refused(imap, "RENAME INBOX.none INBOX.other", b"NONEXISTENT")
    refused(imap, "RENAME INBOX.a INBOX.Sent", b"ALREADYEXISTS")
    refused(imap, "RENAME INBOX.a INBOX", b"ALREADYEXISTS")
    refused(imap, "RENAME INBOX.a INBOX.a", b"ALREADYEXISTS")
    refused(imap, "RENAME INBOX.a INBOX.a.b.c", b"CANNOT")
    refused(imap, "RENAME INBOX.a elsewhere", b"CANNOT")
    refused(imap, "RENAME INBOX.a INBOX.x/y", b"CANNOT")
    refused(imap, "RENAME INBOX.Trash INBOX.Bin", b"CANNOT")
    imap.select("INBOX.a.b")
    refused(imap, "RENAME INBOX.a INBOX.c", b"INUSE")
    refused(imap, "RENAME INBOX.a.b INBOX.c", b"INUSE")
    imap.ok("RENAME INBOX.a-b. INBOX.c.")
    assert imap.fetch("FLAGS") == {}


def test_rename_is_all_or_nothing(imap, box):
    for name in ("a", "a.b", "a.c", "z.b"):
        maildir.folder(box, name)
    before = sorted(os.listdir(box))
    refused(imap, "RENAME INBOX.a INBOX.z", b"ALREADYEXISTS")
    assert [name for name in sorted(os.listdir(box)) if name in before] == before
    assert set(listed(imap, "", "INBOX.*")) == {"INBOX.a", "INBOX.a.b", "INBOX.a.c", "INBOX.z", "INBOX.z.b"}
    long = "x" * 240
    imap.ok("CREATE INBOX.a.b.deep-enough-to-be-too-long")
    refused(imap, f"RENAME INBOX.a INBOX.{long}", b"CANNOT")


def test_rename_of_inbox_moves_its_messages(imap, place, box):
    maildir.folder(box, "kept")
    for number in range(3):
        maildir.deliver(box, mail.plain(number=number), flags="S" if number else None)
    imap.select()
    imap.ok("STORE 2 +FLAGS ($Word)")
    answer = imap.ok("RENAME INBOX INBOX.moved")
    assert answer.lines("EXPUNGE") and len(answer.lines("EXPUNGE")) == 3
    assert imap.fetch("FLAGS") == {}
    assert set(listed(imap, "", "*")) == {"INBOX", "INBOX.kept", "INBOX.moved"}
    assert imap.select("INBOX.moved").number("EXISTS") == 3
    assert b"$Word" in imap.fetch("FLAGS")[2]
    assert courier(place, box).select("INBOX.moved").number("EXISTS") == 3


# -- SUBSCRIBE, LSUB ----------------------------------------------------------------------------------------------


def test_subscriptions_are_couriers(imap, place, tree):
    for name in ("inbox", "INBOX.Sent", "INBOX.gone.deep", "INBOX.Entw&APw-rfe", "INBOX.a."):
        imap.ok(f'SUBSCRIBE "{name}"')
        imap.ok(f'SUBSCRIBE "{name}"')
    assert (tree / "courierimapsubscribed").read_text().splitlines() == [
        "INBOX", "INBOX.Sent", "INBOX.gone.deep", "INBOX.Entwürfe", "INBOX.a"]
    theirs = courier(place, tree)
    names = {"INBOX", "INBOX.Sent", "INBOX.gone.deep", "INBOX.Entw&APw-rfe", "INBOX.a"}
    assert names <= set(listed(theirs, "", "*", "LSUB"))
    theirs.ok("SUBSCRIBE INBOX.x.y.z")
    theirs.ok("UNSUBSCRIBE INBOX.Sent")
    assert set(listed(imap, "", "*", "LSUB")) == names - {"INBOX.Sent"} | {"INBOX.x.y.z"}
    imap.ok("UNSUBSCRIBE INBOX.never")
    imap.ok("UNSUBSCRIBE INBOX.a.")
    imap.ok("UNSUBSCRIBE inbox")
    assert "INBOX.a" not in listed(theirs, "", "*", "LSUB")
    refused(imap, "SUBSCRIBE nonsense", b"CANNOT")
    refused(imap, 'SUBSCRIBE "INBOX.a/b"', b"CANNOT")
    refused(imap, "UNSUBSCRIBE nonsense", b"NONEXISTENT")


def test_lsub_shows_levels_for_a_percent_at_the_end(imap, place, tree):
    for name in ("INBOX.x.y.z", "INBOX.gone.deep", "INBOX.a"):
        imap.ok(f"SUBSCRIBE {name}")
    assert listed(imap, "", "*", "LSUB") == {
        "INBOX.a": "\\HasChildren", "INBOX.gone.deep": "\\Noselect \\HasNoChildren", "INBOX.x.y.z": "\\HasNoChildren"}
    level = "\\Noselect \\HasChildren"
    assert listed(imap, "", "%", "LSUB") == {"INBOX": level}
    assert listed(imap, "", "INBOX.%", "LSUB") == {"INBOX.a": "\\HasChildren", "INBOX.gone": level, "INBOX.x": level}
    assert listed(imap, "INBOX.x", "%", "LSUB") == {"INBOX.x.y": level}
    assert listed(imap, "", "", "LSUB") == {"": "\\Noselect"}
    theirs = courier(place, tree)
    for pattern in ("%", "INBOX.%", "INBOX.x.%"):
        assert set(listed(imap, "", pattern, "LSUB")) == set(listed(theirs, "", pattern, "LSUB"))


# -- STATUS, NAMESPACE, ID ----------------------------------------------------------------------------------------

EVERYTHING = "(MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)"


def test_status_agrees_with_courier(imap, place, tree):
    for number in range(5):
        maildir.deliver(tree / ".Sent", mail.plain(number=number), flags="S" if number % 2 else "F")
    courier(place, tree).select("INBOX.Sent")
    maildir.deliver(tree / ".Sent", mail.plain(number=9))
    ours, theirs = (client.ok(f"STATUS INBOX.Sent {EVERYTHING}").untagged for client in (imap, courier(place, tree)))
    assert ours == theirs
    assert re.fullmatch(rb'STATUS "INBOX.Sent" \(MESSAGES 6 RECENT 1 UIDNEXT 7 UIDVALIDITY [1-9]\d* UNSEEN 4\)', ours[0])
    assert (tree / ".Sent" / "new").iterdir(), "new mail stays new"


def test_status_gives_what_is_asked(imap, tree):
    assert imap.ok("STATUS inbox (UNSEEN MESSAGES UNSEEN)").untagged == [b'STATUS "INBOX" (MESSAGES 0 UNSEEN 0)']
    assert imap.ok("STATUS INBOX.a. RECENT").untagged == [b'STATUS "INBOX.a" (RECENT 0)']
    for name in ("INBOX.none", "INBOX.x", "nonsense", "INBOX.a/b"):
        refused(imap, f'STATUS "{name}" (MESSAGES)', b"NONEXISTENT")
    for wrong in ("STATUS INBOX (MESSAGES FOO)", "STATUS INBOX ()", "STATUS INBOX"):
        assert imap.command(wrong).status == b"BAD"


def test_status_of_the_selected_mailbox(imap, box):
    for number in range(3):
        maildir.deliver(box, mail.plain(number=number))
    imap.select()
    imap.ok("STORE 1 +FLAGS.SILENT (\\Seen)")
    line = imap.ok(f"STATUS INBOX {EVERYTHING}").untagged[-1]
    assert re.search(rb"\(MESSAGES 3 RECENT 3 UIDNEXT 4 UIDVALIDITY \d+ UNSEEN 2\)", line)
    maildir.deliver(box, mail.plain(number=3))
    answer = imap.ok(f"STATUS INBOX {EVERYTHING}")
    assert answer.number("EXISTS") == 4, "the numbers are those of the session's view, which is told first"
    assert re.search(rb"\(MESSAGES 4 RECENT 4 UIDNEXT 5 UIDVALIDITY \d+ UNSEEN 3\)", answer.lines("STATUS")[0])


def test_namespace(imap, place, box):
    answer = imap.ok("NAMESPACE").untagged
    assert answer == [b'NAMESPACE (("INBOX." ".")) NIL (("#shared." ".")("shared." "."))']
    assert answer == courier(place, box).ok("NAMESPACE").untagged


@pytest.mark.parametrize("fields, keys", [("0", ["name"]), ("1", ["name", "version"]), ("7", ["name", "version", "os", "os-version"])])
def test_id_tells_what_the_administrator_allows(place, box, fields, keys):
    line = logged_in(place, box, environment={"IMAP_ID_FIELDS": fields}).ok('ID ("name" "test")').lines("ID")[0]
    assert [word.decode() for word in re.findall(rb'"([^"]*)"', line)][::2] == keys


def test_id_is_logged_and_says_nothing_by_default(imap, place):
    assert imap.ok('ID ("name" "my, client" "os" NIL)').untagged == [b"ID NIL"]
    assert imap.ok("ID NIL").untagged == [b"ID NIL"]
    assert imap.command("ID (" + " ".join('"a" "b"' for _ in range(31)) + ")").status == b"BAD"
    imap.ok("LOGOUT")
    log = (place / "log-preauth").read_text()
    assert "INFO: ID, user=john, ip=[127.0.0.1], port=[4711], name=my\\x2c client, os=" in log


# -- what another session has open --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["DELETE INBOX.a", "RENAME INBOX.a INBOX.b"])
@pytest.mark.parametrize("then", ["NOOP", "FETCH 1 BODY[]", "STORE 1 +FLAGS (\\Seen)", "SEARCH TEXT x", "EXPUNGE", "CLOSE"])
def test_a_mailbox_goes_while_it_is_open(imap, place, box, command, then):
    maildir.folder(box, "a")
    maildir.deliver(box / ".a", mail.plain())
    other = logged_in(place, box)
    other.select("INBOX.a")
    imap.ok(command)
    imap.ok("CREATE INBOX.a" if command.startswith("DELETE") else "NOOP")
    other.line(f"a {then}")
    lines = []
    while not (line := other.response()).startswith((b"a ", b"* BYE")):
        lines.append(line)
    assert line.startswith((b"a OK", b"a NO", b"* BYE")), other.transcript(f"{then}: {line}")
    if command.startswith("DELETE"):
        assert imap.select("INBOX.a").number("EXISTS") == 0, "the new mailbox of that name is none of the other session's"
    else:
        assert imap.select("INBOX.b").number("EXISTS") == 1
