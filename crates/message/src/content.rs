//! Content fields (RFC 2045, 2183): a value with parameters, kept as written and in order.
//!
//! RFC 2231 pieces (`name*0*=`) are parameters like others here, since BODYSTRUCTURE shows them as they are;
//! [`decoded`] puts them together.

use crate::MAX_PARAMETERS;
use crate::charset;

/// The fields of a part's header that a [`crate::Structure`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentField {
    /// Content-Type
    Type,
    /// Content-Transfer-Encoding
    TransferEncoding,
    /// Content-ID
    Id,
    /// Content-Description
    Description,
    /// Content-MD5
    Md5,
    /// Content-Disposition
    Disposition,
    /// Content-Language
    Language,
    /// Content-Location
    Location,
}

impl ContentField {
    /// The field of this name.
    pub fn named(name: &[u8]) -> Option<ContentField> {
        let (content, rest) = name.split_at_checked(8)?;
        if !content.eq_ignore_ascii_case(b"content-") {
            return None;
        }
        Some(match rest.to_ascii_lowercase().as_slice() {
            b"type" => ContentField::Type,
            b"transfer-encoding" => ContentField::TransferEncoding,
            b"id" => ContentField::Id,
            b"description" => ContentField::Description,
            b"md5" => ContentField::Md5,
            b"disposition" => ContentField::Disposition,
            b"language" => ContentField::Language,
            b"location" => ContentField::Location,
            _ => return None,
        })
    }
}

/// Parameters in order, values without their quotes.
pub type Parameters = Vec<(Vec<u8>, Vec<u8>)>;

/// A Content-Type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// `text` of text/plain, as written.
    pub kind: Vec<u8>,
    /// `plain` of text/plain, as written.
    pub subtype: Vec<u8>,
    /// Its parameters.
    pub parameters: Parameters,
}

impl Default for ContentType {
    /// What RFC 2045 section 5.2 gives a part that does not say.
    fn default() -> ContentType {
        let parameters = vec![(b"charset".to_vec(), b"us-ascii".to_vec())];
        ContentType { kind: b"text".to_vec(), subtype: b"plain".to_vec(), parameters }
    }
}

impl ContentType {
    /// message/rfc822, which a part of a digest is by default.
    pub fn message() -> ContentType {
        ContentType { kind: b"message".to_vec(), subtype: b"rfc822".to_vec(), parameters: Vec::new() }
    }

    /// Reads an unfolded value; none if it has no type and subtype.
    pub fn parse(value: &[u8]) -> Option<ContentType> {
        let mut at = Cursor { rest: value };
        let kind = at.token();
        at.blanks();
        if at.next() != Some(b'/') {
            return None;
        }
        let subtype = at.token();
        (!kind.is_empty() && !subtype.is_empty()).then(|| ContentType {
            kind: kind.to_vec(),
            subtype: subtype.to_vec(),
            parameters: at.parameters(),
        })
    }

    /// Whether this is `kind`/`subtype`.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.is_kind(kind) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    /// Whether this is `kind`/anything.
    pub fn is_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }

    /// The first parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        parameter(&self.parameters, name)
    }
}

/// A Content-Disposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// `attachment`, `inline`, as written.
    pub kind: Vec<u8>,
    /// Its parameters.
    pub parameters: Parameters,
}

impl Disposition {
    /// Reads an unfolded value; none if it is empty.
    pub fn parse(value: &[u8]) -> Option<Disposition> {
        let mut at = Cursor { rest: value };
        let kind = at.token().to_vec();
        (!kind.is_empty()).then(|| Disposition { kind, parameters: at.parameters() })
    }
}

/// The language tags of a Content-Language value.
pub fn languages(value: &[u8]) -> Vec<Vec<u8>> {
    let (mut at, mut all) = (Cursor { rest: value }, Vec::new());
    while all.len() < MAX_PARAMETERS && !at.rest.is_empty() {
        let tag = at.token();
        if !tag.is_empty() {
            all.push(tag.to_vec());
        } else if at.next().is_none() {
            break;
        }
    }
    all
}

/// How a body is encoded, by its Content-Transfer-Encoding value: the first word, or `7BIT`.
pub fn transfer_encoding(value: Option<&[u8]>) -> &[u8] {
    let word = value.map(|v| Cursor { rest: v }.token()).unwrap_or_default();
    if word.is_empty() { b"7BIT" } else { word }
}

fn parameter<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a [u8]> {
    parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| v.as_slice())
}

/// The value of a parameter for people: RFC 2231 pieces joined, percent signs and charset resolved.
pub fn decoded(parameters: &Parameters, name: &str) -> Option<String> {
    if let Some(value) = parameter(parameters, &format!("{name}*")) {
        let (label, text) = labelled(value);
        return Some(charset::to_utf8(label, &percent_decoded(text)));
    }
    let (mut bytes, mut label, mut found) = (Vec::new(), &b""[..], false);
    for n in 0..MAX_PARAMETERS {
        if let Some(value) = parameter(parameters, &format!("{name}*{n}*")) {
            let (l, text) = if n == 0 { labelled(value) } else { (label, value) };
            label = l;
            bytes.extend_from_slice(&percent_decoded(text));
        } else if let Some(value) = parameter(parameters, &format!("{name}*{n}")) {
            bytes.extend_from_slice(value);
        } else {
            break;
        }
        found = true;
    }
    if found {
        return Some(charset::to_utf8(label, &bytes));
    }
    // Not allowed by RFC 2047 section 5, and what most programs write.
    parameter(parameters, name).map(crate::encoded_word::decode)
}

/// `charset'language'text` taken apart.
fn labelled(value: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = value.splitn(3, |b| *b == b'\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(label), Some(_), Some(text)) => (label, text),
        _ => (b"", value),
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail.split_at_checked(2)) {
            (b'%', Some((hex, after))) if hex.iter().all(u8::is_ascii_hexdigit) => {
                out.push(hex.iter().fold(0, |n, d| n << 4 | char::from(*d).to_digit(16).unwrap_or(0) as u8));
                rest = after;
            }
            _ => out.push(*byte),
        }
    }
    out
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        self.take(self.rest.iter().position(|b| !wanted(*b)).unwrap_or(self.rest.len()))
    }

    /// Passes over blanks and comments, which may nest.
    fn blanks(&mut self) {
        loop {
            self.take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
            if self.rest.first() != Some(&b'(') {
                return;
            }
            let mut depth = 0u32;
            while let Some(byte) = self.next() {
                match byte {
                    b'(' => depth = depth.saturating_add(1),
                    b')' if depth <= 1 => break,
                    b')' => depth -= 1,
                    b'\\' => drop(self.next()),
                    _ => (),
                }
            }
        }
    }

    fn token(&mut self) -> &'a [u8] {
        self.blanks();
        self.take_while(|b| b > b' ' && b != 127 && !b"()<>,;:\\\"/[]?=".contains(&b))
    }

    fn parameters(&mut self) -> Parameters {
        let mut all = Vec::new();
        while all.len() < MAX_PARAMETERS && !self.rest.is_empty() {
            let name = self.token();
            self.blanks();
            if !name.is_empty() && self.rest.first() == Some(&b'=') {
                self.next();
                let value = self.value();
                all.push((name.to_vec(), value));
            }
            self.take_while(|b| b != b';');
            self.next();
        }
        all
    }

    /// A quoted string without its quotes, or all up to the next semicolon or comment: blanks in unquoted file names
    /// are common.
    fn value(&mut self) -> Vec<u8> {
        self.blanks();
        if self.rest.first() != Some(&b'"') {
            let end = self.rest.iter().position(|b| matches!(b, b';' | b'('));
            return self.take(end.unwrap_or(self.rest.len())).trim_ascii_end().to_vec();
        }
        self.next();
        let mut value = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                b'"' => break,
                b'\\' => value.extend(self.next()),
                _ => value.push(byte),
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> (String, Vec<(String, String)>) {
        let t = ContentType::parse(value.as_bytes()).unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (
            format!("{}/{}", text(&t.kind), text(&t.subtype)),
            t.parameters.iter().map(|(n, v)| (text(n), text(v))).collect(),
        )
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect()
    }

    #[test]
    fn types_and_parameters_are_read_as_people_write_them() {
        for (value, kind, parameters) in [
            ("text/plain", "text/plain", &[][..]),
            ("Text / HTML ; Charset=\"utf-8\"", "Text/HTML", &[("Charset", "utf-8")]),
            ("text/plain; charset=us-ascii (Plain; text)", "text/plain", &[("charset", "us-ascii")]),
            ("a/b; n=\"q\\\"; x=1\"; m=2;", "a/b", &[("n", "q\"; x=1"), ("m", "2")]),
            ("a/b;n=my file.pdf;;c=\"\";flag; d=", "a/b", &[("n", "my file.pdf"), ("c", ""), ("d", "")]),
            ("a/b; name=\"a\"b\".pdf\"; x=1", "a/b", &[("name", "a"), ("x", "1")]),
            ("a/b charset=x", "a/b", &[("charset", "x")]),
            ("a/b; t*0*=utf-8''a%20; t*1=b", "a/b", &[("t*0*", "utf-8''a%20"), ("t*1", "b")]),
            ("a/b; u=\"open", "a/b", &[("u", "open")]),
        ] {
            assert_eq!(parsed(value), (kind.to_string(), pairs(parameters)), "{value}");
        }
        for broken in ["", "text", "/plain", "text/", "text plain", "; charset=x", "(text/plain)"] {
            assert_eq!(ContentType::parse(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn dispositions_languages_encodings() {
        let d = Disposition::parse(b"attachment; filename=x").unwrap();
        assert_eq!((d.kind.as_slice(), d.parameters.len()), (&b"attachment"[..], 1));
        assert!(Disposition::parse(b" ; a=b").is_none());
        assert_eq!(languages(b"en, de-AT (x),,fr"), [b"en".to_vec(), b"de-AT".to_vec(), b"fr".to_vec()]);
        assert_eq!(transfer_encoding(Some(b" base64 (x)")), b"base64");
        assert_eq!(transfer_encoding(None), b"7BIT");
        assert_eq!(transfer_encoding(Some(b"")), b"7BIT");
    }

    #[test]
    fn rfc_2231_pieces_are_joined_for_people() {
        let read = |v: &str| decoded(&ContentType::parse(v.as_bytes()).unwrap().parameters, "title");
        let long = "a/b; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"";
        assert_eq!(read(long).unwrap(), "This is even more ***fun*** isn't it!");
        assert_eq!(read("a/b; title*=utf-8''%e2%82%ac").unwrap(), "€");
        assert_eq!(read("a/b; title*=%zz").unwrap(), "%zz");
        assert_eq!(read("a/b; title=\"=?utf-8?q?=C3=A4?=\"").unwrap(), "ä");
        assert_eq!(read("a/b; other=1"), None);
    }

    #[test]
    fn parameters_are_bounded() {
        let many = format!("a/b{}", "; x=1".repeat(100_000));
        assert_eq!(ContentType::parse(many.as_bytes()).unwrap().parameters.len(), MAX_PARAMETERS);
        let deep = format!("a/b; {}", "(".repeat(100_000));
        assert!(ContentType::parse(deep.as_bytes()).unwrap().parameters.is_empty());
    }
}
