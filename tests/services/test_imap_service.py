"""The shipped service directory under Debian's daemontools and ucspi-tcp: made from the template, only paths edited."""

import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess

import pytest
from harness.imap import Imap
from harness.place import BIN, IS_ROOT, REPOSITORY, free_port, wait_for
from harness.server import Account, userdb

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="services start as root")

LOGUSER = "daemon"


class Service:
    """A service directory below a svscan of the test."""

    def __init__(self, place, *options, port=None):
        self.place = place
        self.port = port or free_port()
        self.account = Account(place)
        prefix = place.folder("prefix")
        (prefix / "bin").symlink_to(BIN)
        self.scan = place.folder("scan")
        self.path = place / "svc.d" / "imap"
        create(*options, "-p", prefix, "-u", LOGUSER, "imap", self.path)
        config = (self.path / "config").read_text()
        config = config.replace("ADDRESS=0", "ADDRESS=127.0.0.1").replace("PORT=143", f"PORT={self.port}")
        config = config.replace("USERDB=/etc/courier/userdb", f"USERDB={userdb(place, self.account)}")
        (self.path / "config").write_text(config)

    def edit(self, name, old, new):
        text = (self.path / name).read_text()
        assert old in text
        (self.path / name).write_text(text.replace(old, new))

    def start(self):
        (self.scan / "imap").symlink_to(self.path)
        self.svscan = self.place.popen(["svscan", self.scan], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, what=f"the service listens; log: {self.log()}", seconds=20)
        wait_for(lambda: ": up" in self.state(), what="supervise knows that it is up")
        return self

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def login(self):
        client = Imap.connect(self.port)
        client.login()
        return client

    def log(self):
        try:
            return (self.path / "log/main/current").read_text()
        except FileNotFoundError:
            return ""

    def wait_log(self, text):
        return wait_for(lambda: next((line for line in self.log().splitlines() if text in line), None), what=f"log line {text!r}")

    def svc(self, letter):
        subprocess.run(["svc", f"-{letter}", self.path], check=True)

    def state(self):
        return subprocess.run(["svstat", self.path], capture_output=True, text=True).stdout

    def stop(self):
        self.svscan.send_signal(signal.SIGTERM)
        self.svscan.wait(10)
        for path in (self.path, self.path / "log"):
            subprocess.run(["svc", "-dx", path], check=True)
        wait_for(lambda: "supervise not running" in self.state(), what="supervise ends")


def create(*args, code=0):
    done = subprocess.run([REPOSITORY / "services/create", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(params=["tcpserver", "tcpd"])
def service(request, place):
    service = Service(place, *(["-t"] if request.param == "tcpd" else []))
    service.front = request.param
    yield service
    if (service.scan / "imap").exists():
        service.stop()


def test_a_login_and_its_log(service):
    service.start()
    client = service.login()
    client.select()
    client.ok("LOGOUT")
    command = service.wait_log("starting: ")
    for word in ["envdir ./env", "softlimit -m5000000", service.front, "/bin/imaplogin", "/bin/authuserdb", "/bin/imapd ./Maildir"]:
        assert word in command
    if service.front == "tcpserver":
        assert "tcpserver -v -RH -l0 -c 400 -x imap.cdb 127.0.0.1" in command
    service.wait_log("INFO: LOGIN, user=john, ip=[")
    service.wait_log("INFO: LOGOUT, user=john, ip=[")
    for line in service.log().splitlines():
        assert re.match(r"@[0-9a-f]{24} [ -~]+$", line), line
    owner = (service.path / "log/main/current").stat().st_uid
    assert owner == pwd.getpwnam(LOGUSER).pw_uid


def test_settings_reach_the_chain_and_only_they(service):
    service.edit("config", "IMAP_KEYWORDS=1", "IMAP_KEYWORDS=1\nIMAP_CAPABILITY='IMAP4rev1 XSERVICE'")
    service.start()
    with Imap.connect(service.port) as client:
        assert b"XSERVICE" in client.greeting()
    assert sorted(path.name for path in (service.path / "env").iterdir())[0] == "ADDRESS"
    assert (service.path / "env").stat().st_mode & 0o077 == 0


def test_down_frees_the_port_and_leaves_sessions(service):
    service.start()
    client = service.login()
    service.svc("d")
    wait_for(lambda: ": down" in service.state())
    assert not service.listens()
    client.ok("NOOP")
    client.select()
    service.svc("u")
    wait_for(lambda: service.listens() and ": up" in service.state(), what="up again")
    client.ok("NOOP")
    service.login().ok("LOGOUT")
    service.svc("t")
    wait_for(lambda: service.log().count("starting: ") == 3 and service.listens(), what="started a third time")
    client.ok("LOGOUT")


def test_modules_of_both_kinds_under_the_limit_of_memory(service):
    service.edit("run", 'MODULES="authuserdb"', 'MODULES="authpwd authuserdb"')
    service.start()
    service.login().ok("LOGOUT")
    assert "/bin/authpwd" in service.wait_log("starting: ")


def test_rules_are_edited_and_made(service):
    service.start()

    def greeted(source):
        with socket.create_connection(("127.0.0.1", service.port), source_address=(source, 0), timeout=20) as sock:
            return sock.recv(100).startswith(b"* OK")

    assert greeted("127.0.0.2")
    rules, everyone, refusal, mistake, words = {
        "tcpserver": ("imap.rules", ":allow", "127.0.0.2:deny", "127.0.0.2:nonsense",
                      "tcprules: fatal: unable to parse this line: 127.0.0.2:nonsense"),
        "tcpd": ("imap.access", "*\tallow", "127.0.0.2/31\tdeny", "127.0.0.\tdeny",
                 "makeimapaccess: fatal: imap.access:13: not an address"),
    }[service.front]
    service.edit(rules, f"\n{everyone}", f"\n{refusal}\n{everyone}")
    subprocess.run(["make", "-s"], cwd=service.path, check=True)
    assert not greeted("127.0.0.2") and greeted("127.0.0.4")
    # A mistake is said, and what was compiled last holds on.
    service.edit(rules, f"\n{refusal}", f"\n{mistake}")
    service.svc("t")
    service.wait_log(words)
    wait_for(lambda: service.log().count("starting: ") == 2 and service.listens(), what="started again")
    assert not greeted("127.0.0.2") and greeted("127.0.0.4")


def test_the_limit_of_connections(service):
    service.edit("run", "#MAXDAEMONS=400", "MAXDAEMONS=2")
    service.start()
    first, second = Imap.connect(service.port), Imap.connect(service.port)
    assert first.greeting() and second.greeting()
    third = Imap.connect(service.port)
    assert third.silent(0.3)
    first.close()
    assert third.greeting().startswith(b"* OK")


def test_couriers_own_configuration(place):
    port = free_port()
    service = Service(place, "-c", "/etc/courier/imapd ./config", port=port)
    service.start()
    try:
        service.login().ok("LOGOUT")
        assert (service.path / "env/IMAP_CAPABILITY").read_text().startswith("IMAP4rev1 UIDPLUS")
    finally:
        service.stop()


def test_a_configuration_with_a_mistake_does_not_start(place):
    service = Service(place)
    service.edit("config", "IMAP_KEYWORDS=1", "IMAP_KEYWORDS=$(date)")
    (service.scan / "imap").symlink_to(service.path)
    service.svscan = place.popen(["svscan", service.scan], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    service.wait_log("conf2env: fatal: ./config:")
    assert not service.listens()
    service.stop()


def test_create_says_what_is_missing(place):
    prefix = place.folder("prefix")
    assert "not installed there" in create("-p", prefix, "imap", place / "x", code=100)
    (prefix / "bin").symlink_to(BIN)
    assert "no such template" in create("-p", prefix, "-u", LOGUSER, "nosuch", place / "x", code=100)
    assert "no user nosuchuser" in create("-p", prefix, "-u", "nosuchuser", "imap", place / "x", code=100)
    assert "usage" in create("imap", code=100)
    assert not (place / "x").exists()
    scan = place.folder("scan")
    create("-p", prefix, "-u", LOGUSER, "-l", scan, "imap", place / "x")
    assert os.readlink(scan / "imap" if (scan / "imap").is_symlink() else scan / "x") == str(place / "x")
    assert "exists already" in create("-p", prefix, "-u", LOGUSER, "imap", place / "x", code=100)
    assert pathlib.Path(place / "x").stat().st_mode & 0o1000


def test_an_installed_template_knows_its_prefix(place):
    prefix = place / "prefix"
    subprocess.run([REPOSITORY / ".ci/install", BIN, prefix], check=True)
    create = prefix / "share/daisychain/services/create"
    subprocess.run([create, "-u", LOGUSER, "imap", place / "x"], check=True, capture_output=True)
    assert f"PREFIX={prefix}\n" in (place / "x/run").read_text()
