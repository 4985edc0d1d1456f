"""The access database: both formats, what they set, what a refused client is told, and new versions of it."""

import os
import struct
import subprocess

from harness.place import free_port, program, wait_for
from listener import SESSION, Listener, compiled, probe, refused, started, tcprules

DENIED = b"* BYE [NOPERM] Access denied.\r\n"


def imap(place):
    return [place.script("imaplogin", SESSION)]


def test_couriers_entries(place):
    access = compiled(place, "# who may\n127.0.1\tdeny\n127.0.1.5\tallow\n127.0.2.5\tdeny\n:0000:0000\tdeny\n")
    listener = Listener.start(place, f"-access={access}", ports="127.0.0.1.0,::1.0", run=imap(place))
    for source, serves in [("127.0.0.1", True), ("127.0.1.1", False), ("127.0.1.5", True), ("127.0.2.5", False), ("127.0.2.6", True)]:
        client = listener.connect(source=source)
        assert client.served() if serves else client.rest() == DENIED, source
    assert listener.connect(host="::1", port=listener.ports[1]).rest() == DENIED
    assert "INFO: DENIED, ip=[127.0.1.1], port=[" in listener.log()


def test_the_default_entry(place):
    access = compiled(place, "*\tdeny\n127.0.0.1\tallow\n")
    listener = Listener.start(place, f"-access={access}", run=imap(place))
    assert listener.connect().served()
    assert listener.connect(source="127.0.0.2").rest() == DENIED


def test_variables_of_an_entry_reach_the_program(place):
    access = compiled(place, "127\tallow,A=1,TCPREMOTEHOST=rule.example,B='x, y',C\n127.0.0.2\tallow,A=2\n")
    listener = Listener.start(place, f"-access={access}", run=probe(place), environment={"PASSENV": "A", "A": "0"})
    first = started(listener.connect()).environment
    assert (first["A"], first["B"], first["C"], first["TCPREMOTEHOST"]) == ("1", "x, y", "", "rule.example")
    second = started(listener.connect(source="127.0.0.2")).environment
    assert second["A"] == "2" and "B" not in second


def test_rules_by_tcprules(place):
    rules = tcprules(place, '127.0.0.1:allow,A="x",TCPLOCALHOST="here"\n127.0.1.3-5:deny\n127.0.:allow\n:deny\n')
    listener = Listener.start(place, f"-access={rules}", run=probe(place))
    seen = started(listener.connect()).environment
    assert seen["A"] == "x" and seen["TCPLOCALHOST"] == "here"
    assert "A" not in started(listener.connect(source="127.0.0.2")).environment
    assert listener.connect(source="127.0.1.4").rest() == b""
    assert listener.connect(source="127.9.1.4").rest() == b""
    assert listener.log().count("INFO: DENIED") == 2


def test_our_decisions_are_those_of_tcpserver(place):
    """Debian's tcprulescheck on the same file, for every address."""
    text = '127.0.0.1:allow,W="1"\n127.0.2-3.:deny\n127.0.2.7:allow,W="7"\n127.1.:allow,W="net"\n127.:allow,W="all"\n'
    rules = tcprules(place, text)
    listener = Listener.start(place, f"-access={rules}", run="#!/bin/sh\necho served $W\n")
    for address in ["127.0.0.1", "127.0.0.2", "127.0.2.1", "127.0.3.255", "127.0.2.7", "127.1.1.1", "127.200.1.1"]:
        told = subprocess.run(["tcprulescheck", rules], env={"TCPREMOTEIP": address}, capture_output=True, text=True).stdout
        expected = b"" if "deny connection" in told else b"served " + told.split("variable W=")[1].splitlines()[0].encode() + b"\n"
        assert listener.connect(source=address).rest() == expected, (address, told)


def test_our_own_words_and_none(place):
    access = compiled(place, "127.0.0.2\tdeny\n127.0.0.3\tallow,BLOCK=listed\n127.0.0.4\tallow,BLOCK,OTHER=x\n")
    listener = Listener.start(place, f"-access={access}", "-denymsg=Go away.", "-drop", run=imap(place))
    assert listener.connect(source="127.0.0.2").rest() == b"Go away.\n"
    assert listener.connect(source="127.0.0.3").rest() == b"Go away.\n"
    assert listener.connect(source="127.0.0.4").served()
    assert listener.wait_log("WARN: dropped blocked connection from 127.0.0.3")
    listener.stop()
    listener = Listener.start(place, f"-access={access}", "-drop=OTHER", run=imap(place))
    assert listener.connect(source="127.0.0.3").served()
    assert listener.connect(source="127.0.0.4").rest() == DENIED


def test_the_local_address(place):
    first, second = free_port(), free_port()
    access = compiled(place, f"127.0.0.1.{first}\tallow,L=one\n*.{second}\tdeny\n127.0.0\tallow,R=two\n")
    listener = Listener.start(place, f"-access={access}", "-accesslocal", ports=f"127.0.0.1.{first},127.0.0.2.{second}",
                              run=[place.script("imaplogin", "#!/bin/sh\necho $L $R\n")])
    assert listener.connect().rest() == b"one two\n"
    # 127.0.0.2 has an entry as an address, which is found before the port's.
    assert listener.connect(host="127.0.0.2", port=second).rest() == b"two\n"
    compiled(place, f"*.{second}\tdeny\n*.{first}\tallow,L=port\n")
    assert listener.connect().rest() == b"port\n"
    assert listener.connect(host="127.0.0.2", port=second).rest() == b"", "refused without a word"
    assert f"local=[127.0.0.2:{second}]" in listener.log()


def test_local_rules_need_couriers_keys(place):
    rules = tcprules(place, ":allow,A=\"1\"\n")
    listener = Listener.start(place, f"-access={rules}", "-accesslocal")
    assert listener.log() == "tcpd: warning: -accesslocal without a database that has Courier's keys\n"
    assert listener.connect().served()


def test_a_new_database_is_used_at_once(place):
    access = compiled(place, "127.0.0.2\tdeny\n")
    listener = Listener.start(place, f"-access={access}", run=imap(place))
    assert listener.connect(source="127.0.0.2").rest() == DENIED
    compiled(place, "127.0.0.3\tdeny\n")
    assert listener.connect(source="127.0.0.2").served()
    assert listener.connect(source="127.0.0.3").rest() == DENIED


def test_a_signal_has_it_read_again(place):
    access = compiled(place, "127.0.0.2\tdeny\n")
    listener = Listener.start(place, f"-access={access}", run=imap(place))
    access.unlink()
    listener.hang_up()
    listener.wait_log("access.dat: no such file or directory, keeping the rules in force")
    assert listener.connect(source="127.0.0.2").rest() == DENIED
    access.write_bytes(b"nonsense")
    listener.hang_up()
    listener.wait_log("access.dat: no constant database, compile the rules with makeimapaccess or tcprules, keeping the rules in force")
    assert listener.connect(source="127.0.0.2").rest() == DENIED
    assert listener.connect().served()


def test_no_database_means_no_rules_and_is_said(place):
    listener = Listener.start(place, f"-access={place / 'none.dat'}", run=imap(place))
    assert "none.dat: no such file or directory, serving without rules" in listener.log()
    assert listener.connect().served()
    compiled(place, "127\tdeny\n", name="none")
    assert listener.connect().rest() == DENIED


def test_a_file_that_is_no_database_is_fatal(place):
    (place / "gdbm").write_bytes(os.urandom(9000))
    code, said = refused(f"-access={place / 'gdbm'}", "127.0.0.1.0", "/bin/cat")
    assert (code, said) == (100, f"tcpd: fatal: {place / 'gdbm'}: no constant database, compile the rules with makeimapaccess or tcprules\n")


def test_a_mixed_database_wants_to_be_told(place):
    (place / "mixed").write_bytes(cdb([(b"127.0.0.", b"D\0"), (b"127.0.0", b"allow,W=1")]))
    code, said = refused(f"-access={place / 'mixed'}", "127.0.0.1.0", "/bin/cat")
    assert code == 100 and said.endswith("mixed: entries of tcprules beside entries of makeimapaccess\n")
    served = "#!/bin/sh\necho served $W\n"
    listener = Listener.start(place, f"-access={place / 'mixed'}", "-accessformat=courier", run=served)
    assert listener.connect().rest() == b"served 1\n"
    listener = Listener.start(place, f"-access={place / 'mixed'}", "-accessformat=tcprules", run=served)
    assert listener.connect().rest() == b""


def cdb(records):
    """A constant database, by the format's description."""
    def digest(key):
        value = 5381
        for byte in key:
            value = (value * 33 ^ byte) & 0xffffffff
        return value

    body, tables = b"", [[] for _ in range(256)]
    for key, data in records:
        tables[digest(key) & 255].append((digest(key), 2048 + len(body)))
        body += struct.pack("<II", len(key), len(data)) + key + data
    header = b""
    for table in tables:
        slots = [(0, 0)] * (2 * len(table))
        header += struct.pack("<II", 2048 + len(body), len(slots))
        for value, position in table:
            at = (value >> 8) % len(slots)
            while slots[at][1]:
                at = (at + 1) % len(slots)
            slots[at] = (value, position)
        body += b"".join(struct.pack("<II", *slot) for slot in slots)
    return header + body


def test_blocks(place):
    access = compiled(place, "127.0.8.0/22\tdeny\n127.0.9.0/24\tallow,W=narrow\n127.0.10.128/25\tallow,W=half\n", cidr=True)
    listener = Listener.start(place, f"-access={access}", run="#!/bin/sh\necho served $W\n")
    for source, expected in [("127.0.7.255", b"served\n"), ("127.0.8.0", b""), ("127.0.11.255", b""), ("127.0.9.3", b"served narrow\n"),
                             ("127.0.10.127", b""), ("127.0.10.128", b"served half\n"), ("127.0.12.0", b"served\n")]:
        assert listener.connect(source=source).rest() == expected, source


def compile_access(*args):
    done = subprocess.run([program("makeimapaccess"), *map(str, args)], capture_output=True, text=True)
    return done.returncode, done.stderr


def test_makeimapaccess_refuses_what_would_never_match(place):
    access = compiled(place, "*\tallow\n")
    before = access.read_bytes()
    for line in ["10.0.0.\tdeny", "10.0.0.0/8\tdeny", "300.1\tdeny", "example.org\tdeny", "10.0.0.1", "1.2.3.4\tallow,A='x"]:
        (place / "access").write_text(f"# first\n{line}\n")
        code, said = compile_access(place / "access")
        assert code == 100 and said.startswith(f"makeimapaccess: fatal: {place / 'access'}:2: "), said
        assert access.read_bytes() == before
    assert compile_access(place / "none")[0] == 100
    assert compile_access()[0] == 100
    assert sorted(os.listdir(place.path)) == ["access", "access.dat"], "nothing is left behind"


def test_makeimapaccess_reads_a_folder(place):
    folder = place.folder("rules")
    (folder / "20-more").write_text("10\tdeny\n")
    (folder / "10-first").write_text("10\tallow,A=1\n")
    (folder / "30-old~").write_text("nonsense")
    (folder / ".hidden").write_text("nonsense")
    code, said = compile_access(folder, place / "out.cdb")
    assert code == 0 and "10: more than one entry, the first holds" in said
    assert b"allow,A=1" in (place / "out.cdb").read_bytes() and b"deny" not in (place / "out.cdb").read_bytes()
    for name in ["x.rpmsave", "x.rpmnew", "x.dpkg-dist", "x.dpkg-old"]:
        (folder / name).write_text("")
        code, said = compile_access(folder)
        assert code == 100 and f"{name}: a backup file, remove it" in said
        (folder / name).unlink()


def test_two_compilers_at_once_leave_a_whole_database(place):
    (place / "access").write_text("".join(f"10.{n // 250}.{n % 250}\tallow,A={n}\n" for n in range(20000)))
    running = [place.popen([program("makeimapaccess"), place / "access"]) for _ in range(6)]
    assert all(process.wait(60) == 0 for process in running)
    listener = Listener.start(place, f"-access={place / 'access.dat'}")
    assert listener.connect().served()
    wait_for(lambda: sorted(name for name in os.listdir(place.path) if name.startswith("access")) == ["access", "access.dat"])
