"""Under a service manager: readiness, sockets handed over, supervise, signals, users, and the daemon of -pid."""

import os
import pathlib
import signal
import socket
import subprocess

import pytest
from harness.place import IS_ROOT, UID, free_port, program, wait_for
from listener import QUICK, SESSION, Client, Listener, probe, started


def gone(pid):
    """True once a process that is not our child has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_ready_on_a_descriptor(place):
    read_end, write_end = os.pipe()
    listener = Listener.start(place, f"-notify-fd={write_end}", pass_fds=[write_end])
    os.close(write_end)
    assert os.read(read_end, 10) == b"\n" and os.read(read_end, 10) == b"", "closed behind the newline"
    os.close(read_end)
    assert listener.connect().served()
    wait_for(lambda: listener.descriptors() == 5, what="nothing else is open")


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_by_datagram(place, abstract):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = f"@daisychain-{os.getpid()}" if abstract else str(place / "notify")
    manager.bind(name.replace("@", "\0"))
    manager.settimeout(10)
    Listener.start(place, environment={"NOTIFY_SOCKET": name})
    assert manager.recv(100) == b"READY=1\n"


def test_sockets_of_the_service_manager(place):
    first, second = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.2", 0))
    starter = place.script("activate", f"""#!/usr/bin/python3 -I
import os, sys
os.dup2({first.fileno()}, 113); os.dup2({second.fileno()}, 114)
os.dup2(113, 3); os.dup2(114, 4)
os.environ["LISTEN_PID"] = str(os.getpid()); os.environ["LISTEN_FDS"] = "2"
os.execv(sys.argv[1], sys.argv[1:])
""")
    listener = Listener.start(place, wrap=[starter], pass_fds=[first.fileno(), second.fileno()], run=probe(place))
    ports = [first.getsockname()[1], second.getsockname()[1]]
    assert listener.ports == ports
    first.close(), second.close()
    seen = started(listener.connect(host="127.0.0.2", port=ports[1])).environment
    assert seen["TCPLOCALIP"] == "127.0.0.2" and "LISTEN_FDS" not in seen
    assert started(listener.connect()).value("nodelay") == "1"


def test_a_descriptor_that_is_no_socket_is_refused(place):
    starter = place.script("activate", """#!/usr/bin/python3 -I
import os, sys
os.dup2(os.open("/dev/null", os.O_RDWR), 113); os.dup2(113, 3)
os.environ["LISTEN_PID"] = str(os.getpid()); os.environ["LISTEN_FDS"] = "1"
os.execv(sys.argv[1], sys.argv[1:])
""")
    done = subprocess.run([starter, program("tcpd"), "143", "/bin/cat"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 111 and "LISTEN_FDS is no listening TCP socket" in done.stderr


def test_the_end_frees_the_port_and_leaves_sessions(place):
    listener = Listener.start(place, ports=f"127.0.0.1.{free_port()}")
    client = listener.connect()
    assert client.served()
    assert listener.stop() == 0
    client.send(b"still here\n")
    assert client.line() == b"still here\n"
    again = Listener.start(place, ports=f"127.0.0.1.{listener.port}")
    assert again.connect().served()
    client.send(b"and now\n")
    assert client.line() == b"and now\n"


def test_under_supervise(place):
    port = free_port()
    service = place.folder("service")
    session = place.script("session", SESSION)
    place.script("service/run", f"#!/bin/sh\nexec 2>>{place / 'log'}\nexec {program('tcpd')} {' '.join(QUICK)} 127.0.0.1.{port} {session}\n")
    supervise = place.popen(["supervise", service])

    def connect():
        try:
            return Client(port)
        except ConnectionRefusedError:
            return None

    client = wait_for(connect, what="the service is up")
    assert client.served()
    # supervise writes down that the service is up only after it started it.
    wait_for(lambda: b": up" in subprocess.run(["svstat", service], capture_output=True).stdout)
    subprocess.run(["svc", "-d", service], check=True)
    wait_for(lambda: b": down" in subprocess.run(["svstat", service], capture_output=True).stdout)
    assert connect() is None, "the port is free"
    client.send(b"still here\n")
    assert client.line() == b"still here\n"
    subprocess.run(["svc", "-u", service], check=True)
    assert wait_for(connect, what="up again at once").served()
    subprocess.run(["svc", "-t", service], check=True)
    wait_for(lambda: b"seconds" in subprocess.run(["svstat", service], capture_output=True).stdout)
    assert wait_for(connect, what="up after svc -t").served()
    client.send(b"even now\n")
    assert client.line() == b"even now\n"
    subprocess.run(["svc", "-dx", service], check=True)
    supervise.wait(10)
    assert (place / "log").read_text() == ""


def test_s6_is_told_when_it_is_ready(place):
    service = place.folder("service")
    session = place.script("session", SESSION)
    place.script("service/run", f"#!/bin/sh\nexec {program('tcpd')} -notify-fd=3 {' '.join(QUICK)} 127.0.0.1.0 {session}\n")
    (service / "notification-fd").write_text("3\n")
    supervise = place.popen(["s6-supervise", service])
    wait_for((service / "supervise/control").exists)
    subprocess.run(["s6-svwait", "-U", "-t", "10000", service], check=True)
    assert subprocess.run(["s6-svstat", "-o", "ready", service], capture_output=True).stdout == b"true\n"
    subprocess.run(["s6-svc", "-xd", service], check=True)
    supervise.wait(10)


@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_privileges_are_dropped(place):
    for options, uid, gid in [([f"-user={UID}", f"-group={UID}"], UID, UID), (["-user=nobody"], 65534, 65534),
                              (["-user=nobody", "-group=daemon"], 65534, 1)]:
        listener = Listener.start(place, *options, run=probe(place), extra_groups=[4, 27])
        status = started(listener.connect()).status
        assert status["Uid"] == " ".join([str(uid)] * 4) and status["Gid"] == " ".join([str(gid)] * 4)
        assert status["Groups"] == str(gid)
        own = pathlib.Path(f"/proc/{listener.process.pid}/status").read_text()
        assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in own
    done = subprocess.run([program("tcpd"), f"-user={UID}", "127.0.0.1.0", "/bin/cat"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 100 and "has no group: give -group" in done.stderr
    done = subprocess.run([program("tcpd"), "-user=nobody", "-group=root", "127.0.0.1.0", "/bin/cat"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 100 and "refusing to become uid or gid 0" in done.stderr


@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_who_is_not_root_cannot_become_somebody(place):
    done = subprocess.run([program("tcpd"), "-user=nobody", "127.0.0.1.0", "/bin/cat"], capture_output=True, text=True,
                          timeout=20, user=UID, group=UID, extra_groups=[])
    assert done.returncode == 111 and "unable to drop privileges" in done.stderr


def test_a_daemon_is_started_signalled_and_stopped(place):
    port = free_port()
    pid_file = place / "pid"
    session = place.script("session", SESSION)
    start = [program("tcpd"), f"-pid={pid_file}", f"-stderr={place / 'log'}", *QUICK, f"127.0.0.1.{port}", session]
    assert subprocess.run(start, timeout=20, stdin=subprocess.DEVNULL).returncode == 0
    pid = int(pid_file.read_text())
    try:
        client = Client(port)
        assert client.line().startswith(b"session"), "it listens when the command has ended"
        assert os.getsid(pid) == pid
        assert subprocess.run(start, timeout=20).returncode == 0, "a second one ends silently"
        assert int(pid_file.read_text()) == pid
        assert subprocess.run([program("tcpd"), f"-pid={pid_file}", "-restart"], timeout=20).returncode == 0
        assert Client(port).line().startswith(b"session")
        assert subprocess.run([program("tcpd"), f"-pid={pid_file}", "-stop"], timeout=20).returncode == 0
        assert client.rest() == b"", "its sessions end with it"
        wait_for(lambda: gone(pid))
    finally:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
    assert (place / "log").read_text() == ""
    # The number in the file is nobody's now; without the lock it is not believed.
    pid_file.write_text(f"{os.getpid()}\n")
    assert subprocess.run([program("tcpd"), f"-pid={pid_file}", "-stop"], timeout=20).returncode == 0
    assert subprocess.run([program("tcpd"), f"-pid={place / 'none'}", "-stop"], timeout=20).returncode == 0


def test_a_daemon_that_cannot_start_says_so(place):
    busy = socket.create_server(("127.0.0.1", 0))
    done = subprocess.run([program("tcpd"), f"-pid={place / 'pid'}", f"127.0.0.1.{busy.getsockname()[1]}", "/bin/cat"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 111 and "address already in use" in done.stderr
    (place / "access").write_bytes(b"nonsense")
    done = subprocess.run([program("tcpd"), f"-pid={place / 'pid'}", f"-access={place / 'access'}", "127.0.0.1.0", "/bin/cat"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and "no constant database, compile the rules with makeimapaccess or tcprules" in done.stderr
