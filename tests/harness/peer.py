"""Debian's Courier as a whole server beside ours, in a mount namespace of its own: the machine's /etc stays as it is."""

import shutil
import subprocess

from harness.place import debian, free_port, wait_for
from harness.server import Account, Server

SETUP = """
set -e
mount --make-rprivate /
mount --bind {etc} /etc/courier
mount -t tmpfs none /run/courier
mkdir -m 755 /run/courier/authdaemon
set -a
. /etc/courier/imapd
. /etc/courier/authdaemonrc
set +a
# What Courier's start scripts set beside the files.
IMAP_STARTTLS=NO
export IMAP_STARTTLS
{makeuserdb}
{logger} -name=authdaemond -pid={pid} -start {authdaemond}
{command}
"""


class Courier(Server):
    """couriertcpd, imaplogin, authdaemond with authuserdb, imapd: as Debian ships them, on a port of ours."""

    @classmethod
    def start(cls, place, account=None, accounts=(), port=None, front=None, serve=("/usr/bin/imapd", "Maildir")):
        """`front` replaces `couriertcpd ... PORT` by another super-server's words, `serve` Courier's imapd."""
        account = account or Account(place)
        port = port or free_port()
        etc = place.path / "etc-courier"
        shutil.copytree("/etc/courier", etc, symlinks=True)
        source = etc / "userdb"
        source.unlink(missing_ok=True)
        source.write_text("".join(item.record() for item in (account, *accounts)))
        source.chmod(0o600)
        rc = etc / "authdaemonrc"
        rc.write_text(rc.read_text().replace('authmodulelist="authpam"', 'authmodulelist="authuserdb"'))
        front = front or [debian("couriertcpd"), "-address=127.0.0.1", "-maxprocs=100", "-maxperip=100", "-nodnslookup", "-noidentlookup", str(port)]
        command = " ".join(map(str, ["exec", *front, debian("/usr/lib/courier/courier/imaplogin"), *serve]))
        script = place.script("start-courier", SETUP.format(
            etc=etc, pid=place / "authdaemond.pid", command=command, makeuserdb=debian("/usr/sbin/makeuserdb"), logger=debian("courierlogger"),
            authdaemond=debian("/usr/lib/courier/courier-authlib/authdaemond")))
        log = place / "log-courier"
        with open(log, "ab") as stderr:
            process = place.popen(["unshare", "-m", "/bin/sh", script], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                                  stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
        server = cls(process, port, log, account)
        server.authdaemond = place / "authdaemond.pid"
        wait_for(server._listens, what="Courier listens")
        return server

    def stop(self):
        super().stop()
        subprocess.run([debian("courierlogger"), f"-pid={self.authdaemond}", "-stop"], check=False)
