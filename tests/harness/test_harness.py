"""The harness itself, on Debian's Courier alone."""

from harness import mail, maildir
from harness.peer import Courier
from harness.server import courier


def test_courier_shows_what_the_reader_reads(place):
    path = maildir.make(place / "Maildir")
    bases = [maildir.deliver(path, mail.plain(number=number), flags="S") for number in range(3)]
    client = courier(place, path)
    assert client.select().number("EXISTS") == 3
    assert set(client.fetch("FLAGS", uid=True)) == {1, 2, 3}
    client.ok("STORE 2 +FLAGS (work)")
    client.ok("LOGOUT")
    reader = maildir.Reader(path)
    assert [reader.uids()[uid] for uid in (1, 2, 3)] == bases
    assert list(reader.keywords().values()) == [{"work"}]
    assert len({len(message) for message in mail.corpus(60)}) > 10


def test_courier_serves_beside_us(place):
    server = Courier.start(place)
    try:
        maildir.deliver(server.account.maildir, mail.plain())
        client = server.login()
        assert client.select().number("EXISTS") == 1
        client.ok("LOGOUT")
    finally:
        server.stop()
