"""Connections a second beside Debian's tcpserver and couriertcpd: connect, a line from a trivial static program, close.

The three servers are measured in turn, in several rounds; medians are printed, with the CPU time of a connection in the
server itself and with the program that it started.
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
    """Seconds of user and system time of the process, and with its ended children."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return own / os.sysconf("SC_CLK_TCK"), (own + children) / os.sysconf("SC_CLK_TCK")


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()


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
                    wait_for(lambda: not children(process.pid), what="all children are reaped")
                    times[name].append([(after - start) / options.n * 1e6 for start, after in zip(before, cpu(process.pid))])
            for name in servers:
                own, whole = (statistics.median(column) for column in zip(*times[name]))
                print(f"{name:12} {clients} clients: {statistics.median(rates[name]):6.0f} connections/s, CPU of each: "
                      f"{own:4.0f} us in the server, {whole:4.0f} us with the program")
    finally:
        place.close()


if __name__ == "__main__":
    main()
