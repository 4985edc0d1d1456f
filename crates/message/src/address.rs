//! Address lists (RFC 5322 section 3.4) as IMAP's ENVELOPE shows them.
//!
//! Nothing is refused: what is no address comes back as a mailbox without a host, so that the reader sees it.

use crate::MAX_ADDRESSES;

/// One entry of an address list. Names are as written: encoded words stay encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// One address.
    Address(Address),
    /// A group begins.
    GroupStart(Vec<u8>),
    /// The group ends.
    GroupEnd,
}

/// One address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The display name, or the comment that stands for it in old mail.
    pub name: Option<Vec<u8>>,
    /// A source route, `@a,@b`.
    pub route: Option<Vec<u8>>,
    /// The part before the `@`, without quotes.
    pub mailbox: Vec<u8>,
    /// The part behind it; empty if there is none.
    pub host: Vec<u8>,
}

/// The entries of an unfolded address field.
pub fn entries(value: &[u8]) -> Entries<'_> {
    Entries { rest: value, in_group: false, pending: None, count: 0 }
}

/// See [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    in_group: bool,
    pending: Option<Entry>,
    count: usize,
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if let Some(entry) = self.pending.take() {
            return Some(entry);
        }
        while !self.rest.is_empty() && self.count < MAX_ADDRESSES {
            let mut item = Item::default();
            let end = item.read(&mut self.rest, self.in_group);
            let address = item.address();
            self.count += usize::from(address.is_some());
            let mark = match end {
                End::Colon(name) => {
                    self.in_group = true;
                    self.count += 1;
                    Some(Entry::GroupStart(name))
                }
                End::Semicolon if self.in_group => {
                    self.in_group = false;
                    Some(Entry::GroupEnd)
                }
                _ => None,
            };
            match (address, mark) {
                (Some(address), mark) => {
                    self.pending = mark;
                    return Some(Entry::Address(address));
                }
                (None, Some(mark)) => return Some(mark),
                (None, None) => (),
            }
        }
        self.rest = &[];
        std::mem::take(&mut self.in_group).then_some(Entry::GroupEnd)
    }
}

enum End {
    Comma,
    Colon(Vec<u8>),
    Semicolon,
    Rest,
}

/// What has been read of one address.
#[derive(Default)]
struct Item {
    /// The phrase, or the local part: what it is shows later.
    text: Vec<u8>,
    /// Where the last blank outside quotes was put into `text`.
    gap: Option<usize>,
    blank: bool,
    quoted: bool,
    comment: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
    /// What stood in angle brackets.
    angle: Option<Address>,
}

impl Item {
    fn read(&mut self, rest: &mut &[u8], in_group: bool) -> End {
        while let Some(byte) = next(rest) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.blank = true,
                b'(' => {
                    self.comment = Some(comment(rest));
                    self.blank = true;
                }
                b'"' => {
                    self.begin_word();
                    quoted(rest, self.current());
                    self.quoted = true;
                }
                b'<' if self.angle.is_none() => self.angle = Some(angle(rest)),
                b',' => return End::Comma,
                b';' => return End::Semicolon,
                b':' if !in_group && self.host.is_none() && self.angle.is_none() => {
                    return End::Colon(std::mem::take(&mut self.text));
                }
                b'@' if self.host.is_none() && self.angle.is_none() => self.at_sign(),
                b'[' if self.host.is_some() => {
                    let host = self.current();
                    host.push(b'[');
                    let end = rest.iter().position(|b| matches!(b, b']' | b',' | b'>')).unwrap_or(rest.len());
                    let (literal, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                    host.extend_from_slice(literal);
                    *rest = tail;
                }
                b'\\' => {
                    self.begin_word();
                    let next = next(rest);
                    self.current().extend(next);
                }
                b'>' => (),
                _ => {
                    self.begin_word();
                    self.current().push(byte);
                }
            }
        }
        End::Rest
    }

    fn current(&mut self) -> &mut Vec<u8> {
        self.host.as_mut().unwrap_or(&mut self.text)
    }

    /// One blank for any that stood before the word; none within a domain.
    fn begin_word(&mut self) {
        if self.blank && self.host.is_none() && !self.text.is_empty() {
            self.gap = Some(self.text.len());
            self.text.push(b' ');
        }
        self.blank = false;
    }

    /// What was read is a local part. A name may stand before it where angle brackets were forgotten.
    fn at_sign(&mut self) {
        self.host = Some(Vec::new());
        self.blank = false;
        let Some(gap) = self.gap else { return };
        let before = gap.checked_sub(1).and_then(|i| self.text.get(i));
        if before == Some(&b'.') || self.text.get(gap + 1) == Some(&b'.') {
            self.text = without_blanks_at_dots(&self.text);
            return;
        }
        let local = self.text.split_off(gap + 1);
        self.text.pop();
        let name = std::mem::replace(&mut self.text, local);
        self.comment = Some(name);
    }

    fn address(self) -> Option<Address> {
        if let Some(angle) = self.angle {
            // With an address in brackets all before it is the name, also what looked like an address.
            let mut name = self.text;
            if let Some(host) = self.host {
                name.push(b'@');
                name.extend_from_slice(&host);
            }
            let name = if name.is_empty() { self.comment } else { Some(name) };
            return Some(Address { name, ..angle });
        }
        if self.text.is_empty() && self.host.is_none() && !self.quoted {
            return None;
        }
        let name = self.comment.filter(|c| !c.is_empty());
        Some(Address { name, route: None, mailbox: self.text, host: self.host.unwrap_or_default() })
    }
}

/// `john . doe` was once allowed for `john.doe`.
fn without_blanks_at_dots(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if *byte == b'.' && out.last() == Some(&b' ') {
            out.pop();
        }
        if *byte != b' ' || out.last() != Some(&b'.') {
            out.push(*byte);
        }
    }
    out
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    Some(*first)
}

/// The text of a comment whose bracket has been taken; comments within it keep their brackets.
fn comment(rest: &mut &[u8]) -> Vec<u8> {
    let (mut text, mut depth) = (Vec::new(), 0usize);
    while let Some(byte) = next(rest) {
        match byte {
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b'(' => depth += 1,
            b'\\' => {
                text.extend(next(rest));
                continue;
            }
            _ => (),
        }
        text.push(byte);
    }
    text.trim_ascii().to_vec()
}

fn quoted(rest: &mut &[u8], text: &mut Vec<u8>) {
    while let Some(byte) = next(rest) {
        match byte {
            b'"' => break,
            b'\\' => text.extend(next(rest)),
            _ => text.push(byte),
        }
    }
}

/// `[@route:]local@domain>`, its first bracket taken.
fn angle(rest: &mut &[u8]) -> Address {
    let (mut route, mut text, mut host) = (None, Vec::new(), None::<Vec<u8>>);
    while let Some(byte) = next(rest) {
        let (at_start, in_local) = (text.is_empty() && host.is_none() && route.is_none(), host.is_none());
        let current = host.as_mut().unwrap_or(&mut text);
        match byte {
            b'>' => break,
            b' ' | b'\t' | b'\r' | b'\n' => (),
            b'(' => drop(comment(rest)),
            b'"' => quoted(rest, current),
            b'\\' => current.extend(next(rest)),
            // A route: everything up to the colon, if there is one before the end.
            b'@' if at_start => {
                let end = rest.iter().position(|b| matches!(b, b':' | b'>' | b'"')).unwrap_or(rest.len());
                if rest.get(end) == Some(&b':') {
                    let (hosts, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                    let hosts = hosts.iter().filter(|b| !b.is_ascii_whitespace());
                    route = Some(std::iter::once(&b'@').chain(hosts).copied().collect());
                    *rest = tail.get(1..).unwrap_or_default();
                } else {
                    host = Some(Vec::new());
                }
            }
            b'@' if in_local => host = Some(Vec::new()),
            _ => current.push(byte),
        }
    }
    Address { name: None, route, mailbox: text, host: host.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One line an entry: name|route|mailbox|host, `-` for what is absent.
    fn shown(value: &str) -> Vec<String> {
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let or = |o: &Option<Vec<u8>>| o.as_ref().map_or("-".to_string(), |b| text(b));
        entries(value.as_bytes())
            .map(|e| match e {
                Entry::Address(a) => {
                    format!("{}|{}|{}|{}", or(&a.name), or(&a.route), text(&a.mailbox), text(&a.host))
                }
                Entry::GroupStart(name) => format!("start {}", text(&name)),
                Entry::GroupEnd => "end".to_string(),
            })
            .collect()
    }

    #[test]
    fn addresses_of_all_kinds() {
        for (value, wanted) in [
            ("a@b", &["-|-|a|b"][..]),
            (" <a@b> ", &["-|-|a|b"]),
            ("John Doe <a@b>, c@d", &["John Doe|-|a|b", "-|-|c|d"]),
            ("\"Doe, J.\" <a@b>", &["Doe, J.|-|a|b"]),
            ("John  Q.\tPublic <a@b>", &["John Q. Public|-|a|b"]),
            ("a@b (John (Q) Doe)", &["John (Q) Doe|-|a|b"]),
            ("(c) John <a@b> (d)", &["John|-|a|b"]),
            ("\"john doe\"@b", &["-|-|john doe|b"]),
            ("\"a\\\"b\" <x@y>", &["a\"b|-|x|y"]),
            ("<@r1,@r2:a@b>", &["-|@r1,@r2|a|b"]),
            ("a@[127.0.0.1]", &["-|-|a|[127.0.0.1]"]),
            ("john . doe @ ex . org", &["-|-|john.doe|ex.org"]),
            ("John Doe a@b", &["John Doe|-|a|b"]),
            ("Undisclosed recipients:;", &["start Undisclosed recipients", "end"]),
            ("G: a@b, C <c@d>; e@f", &["start G", "-|-|a|b", "C|-|c|d", "end", "-|-|e|f"]),
            ("G: a@b", &["start G", "-|-|a|b", "end"]),
            ("A:;,B:;", &["start A", "end", "start B", "end"]),
            ("nobody", &["-|-|nobody|"]),
            ("<>", &["-|-||"]),
            ("Mailer <nobody>", &["Mailer|-|nobody|"]),
            ("a@b@c", &["-|-|a|b@c"]),
            ("a@b <c@d>", &["a@b|-|c|d"]),
            ("=?utf-8?q?J=C3=B6?= <a@b>", &["=?utf-8?q?J=C3=B6?=|-|a|b"]),
            ("<a@b", &["-|-|a|b"]),
            ("\"open <a@b>", &["-|-|open <a@b>|"]),
            ("", &[]),
            (" , ,, ", &[]),
            ("(only a comment)", &[]),
            ("<@b>", &["-|-||b"]),
        ] {
            assert_eq!(shown(value), wanted, "{value}");
        }
    }

    #[test]
    fn lists_are_bounded_and_linear() {
        assert_eq!(entries("a@b,".repeat(20_000).as_bytes()).count(), MAX_ADDRESSES);
        for hostile in ["<", "(", "\"", "a ", "@", "a:", ";", "<@", "\\"] {
            assert!(entries(hostile.repeat(300_000).as_bytes()).count() <= 2 * MAX_ADDRESSES + 1, "{hostile}");
        }
    }

    proptest! {
        #[test]
        fn groups_are_balanced_whatever_comes(text in "[a@<>,:;\"()\\\\ .\\[\\]]{0,60}") {
            let mut depth = 0;
            for entry in entries(text.as_bytes()) {
                match entry {
                    Entry::GroupStart(_) => depth += 1,
                    Entry::GroupEnd => depth -= 1,
                    Entry::Address(_) => (),
                }
                prop_assert!((0..=1).contains(&depth));
            }
            prop_assert_eq!(depth, 0);
        }
    }
}
