"""Connections a second beside Debian's tcpserver and couriertcpd: connect, a line from a trivial static program, close.

The three servers are measured in turn, in several rounds; medians are printed, with the CPU time that the server itself
(without its children) spent on a connection.
"""

import argparse
import multiprocessing
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.place import Place, debian, free_port, program, wait_for  # noqa: E402

TRIVIAL = "#include <unistd.h>\nint main(void) { return write(1, \"hi\\n\", 3) != 3; }\n"


def client(port, count):
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port)) as sock:
            while sock.recv(100):
                pass


def rate(port, clients, count):
    workers = [multiprocessing.Process(target=client, args=(port, count // clients)) for _ in range(clients)]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return count / (time.perf_counter() - begin)


def cpu(pid):
    """Seconds of user and system time of the process alone."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=4000, help="connections in a round")
    parser.add_argument("-r", type=int, default=5, help="rounds")
    options = parser.parse_args()
    place = Place.make("connections")
    try:
        (place / "trivial.c").write_text(TRIVIAL)
        trivial = place / "trivial"
        subprocess.run(["cc", "-O2", "-static", "-o", trivial, place / "trivial.c"], check=True)
        limits = ["-nodnslookup", "-noidentlookup", "-maxprocs=400", "-maxperip=400"]
        servers = {}
        for name, args in [("tcpd", [program("tcpd"), *limits, "127.0.0.1"]),
                           ("tcpserver", [debian("tcpserver"), "-RHl0", "-c400", "127.0.0.1"]),
                           ("couriertcpd", [debian("couriertcpd"), *limits, "-address=127.0.0.1"])]:
            port = free_port()
            servers[name] = (place.popen([*args, port, trivial]), port)
            wait_for(lambda: listens(port), what=name)
        for clients in (1, 8):
            rates = {name: [] for name in servers}
            times = {name: [] for name in servers}
            for _ in range(options.r):
                for name, (process, port) in servers.items():
                    before = cpu(process.pid)
                    rates[name].append(rate(port, clients, options.n))
                    times[name].append((cpu(process.pid) - before) / options.n)
            for name in servers:
                print(f"{name:12} {clients} clients: {statistics.median(rates[name]):6.0f} connections/s, "
                      f"{statistics.median(times[name]) * 1e6:4.0f} us of CPU each in the server")
    finally:
        place.close()


if __name__ == "__main__":
    main()
