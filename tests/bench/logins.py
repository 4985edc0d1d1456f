"""Logins a second beside Debian's Courier: connect, greeting, LOGIN, LOGOUT, with 1 and with 8 clients, in one run.

The two servers are measured in turn, in several rounds; each goal is judged by the median of the rounds' ratios. CPU time
and minor page faults a login are those of the whole process tree below the super-server, for ours.
"""

import argparse
import multiprocessing
import os
import pathlib
import pwd
import signal
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import mail, maildir  # noqa: E402
from harness.peer import Courier  # noqa: E402
from harness.place import Place  # noqa: E402
from harness.server import Account, Server  # noqa: E402

GOALS = {1: 3.0, 8: 2.5}


def login(port):
    """One login over a fresh connection; returns the seconds from connect to the tagged OK."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        stream = sock.makefile("rb", buffering=4096)
        assert stream.readline().startswith(b"* OK")
        sock.sendall(b"a LOGIN john secret\r\n")
        while not (line := stream.readline()).startswith(b"a "):
            assert line, "closed"
        assert line.startswith(b"a OK"), line
        taken = time.perf_counter() - begin
        sock.sendall(b"b LOGOUT\r\n")
        while stream.readline():
            pass
        return taken


def client(port, count, times):
    times.put([login(port) for _ in range(count)])


def rate(port, clients, count):
    """Logins a second and the p99 in milliseconds, over `count` logins by so many clients."""
    times = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=client, args=(port, count // clients, times)) for _ in range(clients)]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    taken = sorted(second for _ in workers for second in times.get())
    for worker in workers:
        worker.join()
    elapsed = time.perf_counter() - begin
    return len(taken) / elapsed, taken[int(len(taken) * 0.99)] * 1000


def costs(place, account, count):
    """CPU microseconds and minor faults a login of our chain, from the super-server's own accounts at its end."""
    server = Server.start(place, account=account, front="tcpd")
    for _ in range(count):
        login(server.port)
    server.process.send_signal(signal.SIGTERM)
    _, _, usage = os.wait4(server.process.pid, 0)
    server.process.returncode = 0
    return (usage.ru_utime + usage.ru_stime) * 1e6 / count, usage.ru_minflt / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--logins", type=int, default=800)
    arguments = parser.parse_args()
    place = Place.make("bench-logins")
    os.chmod(place.path, 0o755)
    # Courier's file notification wants a passwd entry, and without it waits a second in each login.
    account = Account(place, uid=pwd.getpwnam("games").pw_uid)
    for number in range(10):
        maildir.deliver(account.maildir, mail.plain(number=number))
    ours = Server.start(place, account=account, front="tcpd")
    courier = Courier.start(place, account=account)
    met = True
    try:
        for clients, goal in GOALS.items():
            rounds = []
            for _ in range(arguments.rounds):
                rounds.append((rate(ours.port, clients, arguments.logins), rate(courier.port, clients, arguments.logins // 4)))
            ratio = statistics.median(us[0] / them[0] for us, them in rounds)
            p99 = statistics.median(us[1] / them[1] for us, them in rounds)
            met &= ratio >= goal
            print(f"{clients} client{'s' * (clients > 1)}: {statistics.median(us[0] for us, _ in rounds):7.0f} logins/s, Courier "
                  f"{statistics.median(them[0] for _, them in rounds):6.0f}; ratio {ratio:.2f} (goal {goal}); p99 ratio {p99:.2f}")
    finally:
        ours.stop()
        courier.stop()
    cpu, faults = costs(place, account, arguments.logins)
    print(f"a login: {cpu:.0f} us CPU (budget 1200), {faults:.0f} minor faults (budget 80)")
    place.close()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
