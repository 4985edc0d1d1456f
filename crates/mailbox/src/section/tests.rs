use super::*;
use proptest::prelude::*;

fn section(text: &str) -> Section {
    let mut part = Vec::new();
    let mut rest = text;
    while rest.starts_with(|c: char| c.is_ascii_digit()) {
        let (number, tail) = rest.split_once('.').unwrap_or((rest, ""));
        part.push(number.parse().unwrap());
        rest = tail;
    }
    let (word, names) = rest.split_once(' ').unwrap_or((rest, ""));
    let names = names.split(' ').map(|name| name.as_bytes().to_vec()).collect();
    let text = match word {
        "" => SectionText::All,
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" => SectionText::Mime,
        "FIELDS" => SectionText::HeaderFields { not: false, names },
        "NOT" => SectionText::HeaderFields { not: true, names },
        other => panic!("{other}"),
    };
    Section { part, text }
}

fn read<S: Source>(message: &mut Message<S>, name: &str, partial: Option<Partial>) -> Option<Vec<u8>> {
    let mut piece = message.piece(&section(name), partial).unwrap()?;
    let (size, mut out) = (piece.size(), b"before".to_vec());
    while message.read(&mut piece, &mut out).unwrap() {}
    let bytes = out.split_off(6);
    assert_eq!(bytes.len() as u64, size, "{name}");
    Some(bytes)
}

fn shown(text: &str, name: &str) -> Option<String> {
    read(&mut Message::new(text.as_bytes()), name, None)
        .map(|bytes| String::from_utf8_lossy(&bytes).replace("\r\n", "|"))
}

const NESTED: &str = "Subject: out\nX: 1\n 2\nContent-Type: multipart/mixed; boundary=b\n\npre\n--b\nX-P: y\n\none\n--b\n\
    Content-Type: message/rfc822\n\nSubject: in\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\n21\n--i\nX-Q: z\n\n22\n--i--\n--b\n\
    Content-Type: message/rfc822\n\nSubject: single\n\nbody\n--b--\nepi\n";

#[test]
fn sections_of_nested_parts() {
    for (name, wanted) in [
        ("HEADER", Some("Subject: out|X: 1| 2|Content-Type: multipart/mixed; boundary=b||")),
        ("FIELDS x", Some("X: 1| 2||")),
        ("FIELDS nothing", Some("|")),
        ("NOT content-type", Some("Subject: out|X: 1| 2||")),
        ("1", Some("one")),
        ("1.MIME", Some("X-P: y||")),
        ("1.HEADER", None),
        ("1.TEXT", None),
        ("1.1", None),
        ("2.MIME", Some("Content-Type: message/rfc822||")),
        ("2.HEADER", Some("Subject: in|Content-Type: multipart/mixed; boundary=i||")),
        ("2.FIELDS subject", Some("Subject: in||")),
        ("2.TEXT", Some("--i||21|--i|X-Q: z||22|--i--")),
        ("2.1", Some("21")),
        ("2.2.MIME", Some("X-Q: z||")),
        ("2.3", None),
        ("3", Some("Subject: single||body")),
        ("3.1", Some("body")),
        ("3.1.MIME", Some("")),
        ("3.TEXT", Some("body")),
        ("4", None),
    ] {
        assert_eq!(shown(NESTED, name).as_deref(), wanted, "{name}");
    }
    assert_eq!(shown(NESTED, "").unwrap(), NESTED.replace('\n', "|"));
}

#[test]
fn sections_of_plain_and_broken_messages() {
    for (text, name, wanted) in [
        ("Subject: x\n\nbody\n", "1", "body|"),
        ("Subject: x\n\nbody\n", "1.MIME", ""),
        ("Subject: x\n\nbody\n", "TEXT", "body|"),
        ("Subject: x\r\n\r\nbo\ndy", "", "Subject: x||bo|dy"),
        ("", "", ""),
        ("", "HEADER", "|"),
        ("", "TEXT", ""),
        ("", "1.MIME", ""),
        ("", "FIELDS x", "|"),
        ("Subject: x", "HEADER", "Subject: x||"),
        ("Subject: x\n", "HEADER", "Subject: x||"),
        ("Subject: x", "FIELDS subject", "Subject: x||"),
        ("Subject: x\nY: z", "FIELDS subject", "Subject: x||"),
        ("Subject: x", "TEXT", ""),
        ("no header\n", "HEADER", "|"),
        ("no header\n", "FIELDS x", "|"),
        ("no header\n", "TEXT", "no header|"),
        ("junk: 1\nno colon here\nSubject: x\n\n", "NOT subject", "junk: 1|no colon here||"),
        ("\nbody", "HEADER", "|"),
    ] {
        assert_eq!(shown(text, name).as_deref(), Some(wanted), "{name} of {text:?}");
    }
}

#[test]
fn a_piece_far_in_is_found_fast_and_exactly() {
    let text = format!("Subject: x\n\n{}", "0123456789\n".repeat(500_000));
    let mut message = Message::new(text.as_bytes());
    let whole = read(&mut message, "", None).unwrap();
    for offset in [0, 11, 12, 14, 65_536, 3_000_001, whole.len() as u64 - 1, whole.len() as u64, u64::MAX] {
        let got = read(&mut message, "", Some(Partial { offset, length: 70_000 })).unwrap();
        let from = usize::try_from(offset).unwrap().min(whole.len());
        assert_eq!(got, whole[from..whole.len().min(from + 70_000)], "{offset}");
    }
}

/// A source that fails or ends early.
struct Failing<'a>(&'a [u8], u64, bool);

impl Source for Failing<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match offset >= self.1 {
            true if self.2 => Err(io::Error::from_raw_os_error(5)),
            true => Ok(0),
            false => self.0.read_at(buffer, offset),
        }
    }
}

#[test]
fn an_error_is_an_error_and_no_short_piece() {
    let text = [b"Subject: x\n\n".as_slice(), &[b'y'; 300_000]].concat();
    let mut failing = Message::new(Failing(&text, 200_000, true));
    assert!(failing.piece(&section(""), None).is_err());
    assert!(failing.piece(&section("HEADER"), None).is_ok());
}

proptest! {
    #[test]
    fn partial_pieces_are_pieces_of_the_whole(
        lines in proptest::collection::vec("[a-z:]{0,6}(\n|\r\n|\r)", 0..30), offset in 0u64..100, length in 1u64..50,
        name in prop_oneof![Just(""), Just("HEADER"), Just("TEXT"), Just("FIELDS a b c"), Just("NOT a"), Just("1")],
    ) {
        let text = lines.concat();
        let mut message = Message::new(text.as_bytes());
        let whole = read(&mut message, name, None).unwrap();
        let got = read(&mut message, name, Some(Partial { offset, length })).unwrap();
        let from = whole.len().min(offset as usize);
        prop_assert_eq!(&got, &whole[from..whole.len().min(from + length as usize)]);
    }
}
