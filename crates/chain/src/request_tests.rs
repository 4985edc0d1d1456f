use super::*;
use std::io::{Read, Write};

fn made(bytes: &[u8]) -> Request {
    Request { bytes: Zeroizing::new(bytes.to_vec()) }
}

fn piped(bytes: &[u8]) -> Result<Request, RequestError> {
    let (reading, writing) = nix::unistd::pipe().unwrap();
    let mut writing = std::fs::File::from(writing);
    writing.write_all(bytes).unwrap();
    drop(writing);
    Request::read_from(reading)
}

#[test]
fn login_is_the_classic_bytes() {
    let request = Request::login(b"imap", b"john", b"secret").unwrap();
    assert_eq!(&request.bytes[..], b"imap\nlogin\njohn\nsecret\n\n");
    let request = Request::sasl(b"imap", b"cram-md5", &[b"PDE", b"am9"]).unwrap();
    assert_eq!(&request.bytes[..], b"imap\ncram-md5\nPDE\nam9\n\n");
}

#[test]
fn fields_that_would_make_others_are_refused() {
    for bad in [&b""[..], b"a\nb", b"a\0b", b"\n"] {
        assert!(Request::login(b"imap", bad, b"x").is_err());
        assert!(Request::login(b"imap", b"x", bad).is_err());
        assert!(Request::login(bad, b"x", b"x").is_err());
    }
    let frame = b"imap\nlogin\nu\n\n\n".len();
    let longest = vec![b'p'; MAXIMUM - frame];
    let request = Request::login(b"imap", b"u", &longest).unwrap();
    assert_eq!(request.bytes.len(), MAXIMUM);
    assert!(Request::login(b"imap", b"u", &[&longest[..], b"p"].concat()).is_err());
}

#[test]
fn classic_requests_come_apart() {
    let request = made(b"imap\nlogin\njohn\nsecret\n\n");
    let Ok(Dialect::Classic { service, authtype, authdata }) = request.dialect() else {
        panic!();
    };
    assert_eq!((service, authtype), (&b"imap"[..], &b"login"[..]));
    assert_eq!(authdata, b"john\nsecret\n");
    assert_eq!(login_fields(authdata), Some((&b"john"[..], &b"secret"[..])));
    for short in [&b"imap\nlogin\njohn\nsecret\n"[..], b"imap\nlogin\njohn\nsecret"] {
        let request = made(short);
        let Ok(Dialect::Classic { authdata, .. }) = request.dialect() else {
            panic!();
        };
        assert_eq!(login_fields(authdata), Some((&b"john"[..], &b"secret"[..])));
    }
    assert!(made(b"imap\nlogin").dialect().is_err());
    assert!(made(b"imap").dialect().is_err());
    assert_eq!(login_fields(b"\nsecret\n"), None);
    assert_eq!(login_fields(b"john\n\n"), None);
    assert_eq!(login_fields(b"john"), None);
}

#[test]
fn checkpassword_requests_come_apart() {
    let request = Request::checkpassword(b"john", b"secret", b"").unwrap();
    assert_eq!(&request.bytes[..], b"john\0secret\0\0");
    for bytes in [&b"john\0secret\0Y123456\0"[..], b"john\0secret\0Y123456", b"john\0secret\0Y123456\0more\0"] {
        assert!(
            made(bytes).dialect()
                == Ok(Dialect::Checkpassword { login: b"john", password: b"secret", timestamp: b"Y123456" })
        );
    }
    assert!(made(b"john\0secret").dialect().is_err());
    assert!(made(b"\0secret\0\0").dialect().is_err());
    assert!(made(&[&b"j\0"[..], &[b'x'; 600], b"\0\0"].concat()).dialect().is_err());
    assert!(Request::checkpassword(b"j", &[b'x'; 508], b"").is_ok());
    assert!(Request::checkpassword(b"j", &[b'x'; 509], b"").is_err());
    assert!(Request::checkpassword(b"a\0b", b"x", b"").is_err());
}

#[test]
fn a_request_is_read_up_to_the_limit() {
    assert!(matches!(piped(b""), Err(RequestError::Empty)));
    assert_eq!(&piped(b"a\nb\nc\n").unwrap().bytes[..], b"a\nb\nc\n");
    for length in [511, 512, 513, 8190, 8191] {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        assert_eq!(piped(&bytes).unwrap().bytes[..], bytes);
    }
    let long = vec![b'x'; 20_000];
    assert_eq!(piped(&long).unwrap().bytes.len(), MAXIMUM);
}

#[test]
fn the_pipe_holds_the_identical_bytes() {
    let bytes = [&b"imap\nlogin\nu\n"[..], &[b'p'; 8000], b"\n\n"].concat();
    let mut out = Vec::new();
    let pipe = made(&bytes).into_pipe().unwrap();
    std::fs::File::from(pipe).read_to_end(&mut out).unwrap();
    assert_eq!(out, bytes);
}

#[test]
fn a_pipe_that_cannot_take_it_is_an_error() {
    // A pipe of this machine takes 64 KiB; no request is as long.
    assert!(made(&vec![b'x'; 1 << 20]).into_pipe().is_err());
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_it(bytes: Vec<u8>) {
        let request = made(&bytes);
        if let Ok(Dialect::Classic { authdata, .. }) = request.dialect() {
            let _ = login_fields(authdata);
        }
    }

    #[test]
    fn what_goes_in_comes_out(user in "[^\0\n]{1,50}", password in "[^\0\n]{1,50}") {
        let request = Request::login(b"imap", user.as_bytes(), password.as_bytes()).unwrap();
        let Ok(Dialect::Classic { service, authtype, authdata }) = request.dialect() else {
            panic!();
        };
        assert_eq!((service, authtype), (&b"imap"[..], &b"login"[..]));
        assert_eq!(login_fields(authdata), Some((user.as_bytes(), password.as_bytes())));
    }
}
