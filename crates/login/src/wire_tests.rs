use super::*;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// A descriptor that stays open until the test process ends.
fn for_ever(fd: impl Into<OwnedFd>) -> BorrowedFd<'static> {
    let fd: &'static OwnedFd = Box::leak(Box::new(fd.into()));
    fd.as_fd()
}

fn socket() -> (UnixStream, Wire, BorrowedFd<'static>) {
    let (client, server) = UnixStream::pair().unwrap();
    let server = for_ever(server);
    (client, Wire::on(server, server, Deadline::within(10), 10, 0), server)
}

#[test]
fn nothing_beyond_what_is_kept_is_taken_from_a_socket() {
    let (mut client, mut wire, server) = socket();
    client.write_all(b"first\nsecond\n").unwrap();
    wire.look(1).unwrap();
    assert_eq!(wire.bytes(), b"first\nsecond\n");
    wire.keep(6).unwrap();
    assert_eq!(wire.bytes(), b"first\n");
    let mut rest = [0; 20];
    assert_eq!(sys::descriptors::peek(server, &mut rest).unwrap(), 7);
    wire.clear();
    wire.look(1).unwrap();
    assert_eq!(wire.bytes(), b"second\n");
}

#[test]
fn a_pipe_is_read_byte_by_byte_unless_more_is_certain() {
    let (reading, writing) = nix::unistd::pipe().unwrap();
    let mut writing = std::fs::File::from(writing);
    let reading = for_ever(reading);
    let mut wire = Wire::on(reading, reading, Deadline::within(10), 10, 0);
    writing.write_all(b"abcdefgh").unwrap();
    wire.look(1).unwrap();
    assert_eq!(wire.bytes(), b"a");
    wire.look(4).unwrap();
    assert_eq!(wire.bytes(), b"abcde");
    let mut rest = [0; 20];
    assert_eq!(nix::unistd::read(reading, &mut rest).unwrap(), 3);
    drop(writing);
    assert_eq!(wire.look(1), Err(Stop::Closed));
}

#[test]
fn answers_go_out_before_the_wait() {
    let (mut client, mut wire, _) = socket();
    wire.out().extend_from_slice(b"+ OK\r\n");
    client.write_all(b"x").unwrap();
    wire.look(1).unwrap();
    let mut said = [0; 6];
    client.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"+ OK\r\n");
    wire.keep(1).unwrap();
    wire.note(b"NOOP");
    wire.note(b"LOGIN");
    assert_eq!(wire.into_counts(), (1, 6, b"NOOP LOGIN".to_vec()));
}

#[test]
fn silence_and_time_have_an_end() {
    let (_client, mut wire, _) = socket();
    wire.idle = 0;
    assert_eq!(wire.look(1), Err(Stop::Idle));
    wire.deadline = Deadline::within(0);
    assert_eq!(wire.look(1), Err(Stop::Expired));
}

#[test]
fn a_client_that_is_gone_is_noticed() {
    let (client, mut wire, _) = socket();
    drop(client);
    assert_eq!(wire.look(1), Err(Stop::Closed));
    wire.out().extend_from_slice(b"x");
    assert_eq!(wire.flush(), Err(Stop::Closed));
}

#[test]
fn sixty_four_kilobytes_are_enough() {
    let (mut client, mut wire, _) = socket();
    let writer = std::thread::spawn(move || {
        let _ = client.write_all(&vec![b'x'; 70_000]);
        client
    });
    let stop = loop {
        if let Err(stop) = wire.look(1).and_then(|()| wire.keep(wire.bytes().len())) {
            break stop;
        }
        wire.clear();
    };
    assert_eq!(stop, Stop::TooMuch);
    drop(writer.join());
}

#[test]
fn cleared_bytes_are_wiped() {
    let (mut client, mut wire, _) = socket();
    client.write_all(b"a LOGIN john secret\r\n").unwrap();
    wire.look(1).unwrap();
    wire.keep(21).unwrap();
    wire.clear();
    assert!(wire.buffer.iter().all(|byte| *byte == 0));
}

#[test]
fn what_was_said_too_much_is_read_over() {
    let (mut client, mut wire, server) = socket();
    client.write_all(&[b'x'; 5000]).unwrap();
    wire.drain();
    assert_eq!(wire.received, 5000);
    client.write_all(b"y").unwrap();
    assert_eq!(sys::descriptors::peek(server, &mut [0; 9]).unwrap(), 1);
}
