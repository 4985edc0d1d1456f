use imap::{Command, FlagList, Rules};

use super::*;
use crate::Append;

/// A folder with messages in it.
struct Place {
    files: crate::tests::Place,
    mailbox: Mailbox,
}

impl Place {
    /// The messages arrived a day apart, from 2 January 1970 on.
    fn new(messages: &[&[u8]]) -> Place {
        let files = crate::tests::Place::new();
        for (message, day) in messages.iter().zip(1..) {
            let mut append = Append::begin(files.inbox(), Some(86_400 * day)).unwrap();
            append.write(message).unwrap();
            append.finish(&FlagList::default()).unwrap();
            append.commit().unwrap();
        }
        let mailbox = files.select();
        Place { files, mailbox }
    }

    fn found(&mut self, search: &[u8]) -> Vec<u32> {
        let command = [b"a SEARCH ".as_slice(), search, b"\r\n"].concat();
        let Command::Search(search) = imap::parse(&command, &Rules::AFTER_LOGIN).unwrap().command else { panic!() };
        let mut searcher = self.mailbox.searcher(&search.key, search.charset.as_deref()).unwrap();
        (1..=self.mailbox.exists()).filter(|n| self.mailbox.is_found(*n, &mut searcher).unwrap()).collect()
    }

    fn check(&mut self, table: &[(&str, &[u32])]) {
        for (search, wanted) in table {
            assert_eq!(self.found(search.as_bytes()), *wanted, "{search}");
        }
    }
}

#[test]
fn by_numbers_dates_and_sizes() {
    let mut place = Place::new(&[b"\r\n12345", b"Date: Tue, 1 Feb 2000 23:30:00 -1200\r\n\r\n", b"\r\n"]);
    place.check(&[
        ("ALL", &[1, 2, 3]),
        ("2", &[2]),
        ("*", &[3]),
        ("3:1", &[1, 2, 3]),
        ("UID 2:*", &[2, 3]),
        ("UID 9:*", &[3]),
        ("7", &[]),
        ("NOT 2", &[1, 3]),
        ("OR 1 3", &[1, 3]),
        ("2:3 NOT (3)", &[2]),
        ("ON 3-Jan-1970", &[2]),
        ("BEFORE 3-Jan-1970", &[1]),
        ("SINCE 3-Jan-1970", &[2, 3]),
        ("SENTON 1-Feb-2000", &[2]),
        ("SENTSINCE 1-Feb-2000", &[2]),
        ("SENTBEFORE 1-Feb-2000", &[]),
        ("LARGER 6", &[1, 2]),
        ("LARGER 7", &[2]),
        ("SMALLER 7", &[3]),
        ("SMALLER 8 LARGER 2", &[1]),
        ("UNSEEN", &[1, 2, 3]),
        ("KEYWORD nothing", &[]),
        ("UNKEYWORD nothing", &[1, 2, 3]),
    ]);
}

#[test]
fn by_header_fields() {
    let mut place = Place::new(
        &[
            b"From: =?utf-8?q?J=C3=B6rg?= Doe <joerg@example.org>\r\nSubject: =?utf-8?b?R3I=?= =?utf-8?b?w7zDn2U=?=\r\n\r\n",
            b"From: \"Doe \\\"X\\\", Jane\" <jane@example.org>\r\nSubject:\r\nX-A: one\r\nX-A: two\r\n\r\n",
            b"To: Friends: a@b, c@d;\r\nCc: (comment) e@f\r\nSubject: folded\r\n text\r\n\r\nFrom: body@example.org",
        ],
    );
    place.check(&[
        ("FROM doe", &[1, 2]),
        ("FROM example.ORG", &[1, 2]),
        ("FROM \"Doe X, Jane <jane\"", &[2]),
        ("SUBJECT \"\"", &[1, 2, 3]),
        ("HEADER subject \"\"", &[1, 2, 3]),
        ("HEADER x-a two", &[2]),
        ("HEADER x-a \"\"", &[2]),
        ("HEADER x-b \"\"", &[]),
        ("TO friends", &[3]),
        ("TO a@b", &[3]),
        ("CC comment", &[3]),
        ("SUBJECT \"folded text\"", &[3]),
        ("BCC x", &[]),
        ("NOT FROM jane", &[1, 3]),
        ("TEXT jane", &[2]),
        ("TEXT body@example", &[3]),
        ("BODY jane", &[]),
    ]);
    assert_eq!(place.found("CHARSET UTF-8 SUBJECT {7}\r\nGRÜSSE".as_bytes()), [1]);
    assert_eq!(place.found("CHARSET UTF-8 FROM {5}\r\njörg".as_bytes()), [1]);
    assert_eq!(place.found(b"CHARSET ISO-8859-1 FROM {4}\r\nJ\xd6RG"), [1]);
}

#[test]
fn by_body_text() {
    let part = |head: &str, body: &str| format!("--b\r\n{head}\r\n\r\n{body}\r\n");
    let mixed = |parts: &str| format!("Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n{parts}--b--\r\n");
    let first = mixed(&format!(
        "{}{}{}",
        part(
            "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable",
            "Gr=FC=\r\n=DFe"
        ),
        part("Content-Type: text/html\r\nContent-Transfer-Encoding: base64", "PGI+aGlk\r\nZGVuPC9iPg=="),
        part("Content-Type: application/x; name=attached\r\nContent-Transfer-Encoding: base64", "c2VjcmV0"),
    ));
    let second = mixed(&part("Content-Type: message/rfc822", "Subject: =?utf-8?q?inn=65r?=\r\n\r\ndeep text"));
    let mut place = Place::new(&[first.as_bytes(), second.as_bytes(), b"Subject: x\r\n\r\nplain text\0"]);
    place.check(&[
        ("BODY hidden", &[1]),
        ("TEXT HIDDEN", &[1]),
        ("BODY secret", &[]),
        ("BODY c2VjcmV0", &[]),
        ("BODY attached", &[]),
        ("BODY inner", &[2]),
        ("BODY \"deep text\"", &[2]),
        ("BODY text", &[2, 3]),
        ("BODY \"\"", &[1, 2, 3]),
        ("TEXT \"\"", &[1, 2, 3]),
        ("BODY text NOT BODY plain", &[2]),
        ("OR BODY hidden TEXT plain", &[1, 3]),
        ("NOT TEXT subject", &[1]),
    ]);
    assert_eq!(place.found("CHARSET UTF-8 BODY {7}\r\ngrüße".as_bytes()), [1]);
}

#[test]
fn a_message_that_is_gone_is_not_found() {
    let mut place = Place::new(&[b"Subject: a\r\n\r\n", b"Subject: a\r\n\r\n"]);
    let first = place.files.cur().swap_remove(0);
    std::fs::remove_file(place.files.path.join("cur").join(first)).unwrap();
    place.check(&[("SUBJECT a", &[2]), ("ALL", &[1, 2])]);
}
