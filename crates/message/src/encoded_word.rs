//! Encoded words in header fields (RFC 2047).

use crate::charset;
use crate::transfer::Decoder;
use memchr::memmem;

/// The longest charset name looked for.
const MAX_LABEL: usize = 100;

/// The text of a header value: encoded words decoded, raw 8-bit bytes taken for UTF-8 or else Windows-1252.
///
/// Blanks between two encoded words go (section 6.2). Words of one charset that follow each other are decoded as one,
/// since many programs cut within a character.
pub fn decode(value: &[u8]) -> String {
    let mut out = Text::default();
    let mut rest = value;
    // Where no "?=" follows once, none will: it keeps the search linear.
    let mut words_left = true;
    while let Some(start) = words_left.then(|| memmem::find(rest, b"=?")).flatten() {
        let (plain, candidate) = rest.split_at_checked(start).unwrap_or((rest, &[]));
        match word(candidate) {
            Found::Word { label, encoding, text, after } => {
                if !(out.in_word && plain.iter().all(u8::is_ascii_whitespace)) {
                    out.plain(plain);
                }
                out.word(label, encoding, text);
                rest = after;
            }
            Found::Other => {
                let (passed, after) = rest.split_at_checked(start + 1).unwrap_or((rest, &[]));
                out.plain(passed);
                rest = after;
            }
            Found::NoMore => words_left = false,
        }
    }
    out.plain(rest);
    out.finish()
}

enum Found<'a> {
    Word { label: &'a [u8], encoding: u8, text: &'a [u8], after: &'a [u8] },
    Other,
    NoMore,
}

/// Takes `=?charset?encoding?text?=` from the front.
fn word(candidate: &[u8]) -> Found<'_> {
    let body = candidate.get(2..).unwrap_or_default();
    let Some(end) = body.iter().take(MAX_LABEL).position(|b| *b == b'?' || b.is_ascii_whitespace()) else {
        return Found::Other;
    };
    let Some((label, tail)) = body.split_at_checked(end) else { return Found::Other };
    let (encoding, text) = match tail {
        [b'?', encoding @ (b'b' | b'B' | b'q' | b'Q'), b'?', text @ ..] if !label.is_empty() => (*encoding, text),
        _ => return Found::Other,
    };
    match memmem::find(text, b"?=") {
        Some(end) => match (text.get(..end), text.get(end + 2..)) {
            (Some(text), Some(after)) => Found::Word { label, encoding, text, after },
            _ => Found::NoMore,
        },
        None => Found::NoMore,
    }
}

#[derive(Default)]
struct Text {
    out: String,
    /// Decoded bytes of the words so far in `label`.
    bytes: Vec<u8>,
    label: Vec<u8>,
    in_word: bool,
    raw: Vec<u8>,
}

impl Text {
    fn plain(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.end_word();
            self.raw.extend_from_slice(text);
        }
    }

    fn word(&mut self, label: &[u8], encoding: u8, text: &[u8]) {
        if !self.in_word || !self.label.eq_ignore_ascii_case(label) {
            self.end_word();
            self.end_raw();
            self.label = label.to_vec();
        }
        self.in_word = true;
        if encoding.eq_ignore_ascii_case(&b'b') {
            Decoder::base64().push(text, &mut self.bytes);
        } else {
            q_decode(text, &mut self.bytes);
        }
    }

    fn end_word(&mut self) {
        if self.in_word {
            self.out.push_str(&charset::to_utf8(&self.label, &self.bytes));
            self.bytes.clear();
            self.in_word = false;
        }
    }

    fn end_raw(&mut self) {
        if !self.raw.is_empty() {
            self.out.push_str(&charset::to_utf8(b"", &self.raw));
            self.raw.clear();
        }
    }

    fn finish(mut self) -> String {
        self.end_word();
        self.end_raw();
        self.out
    }
}

/// The Q encoding: `_` is a space, `=41` an A, all else itself.
fn q_decode(text: &[u8], out: &mut Vec<u8>) {
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect();
    let mut decoder = Decoder::quoted_printable();
    decoder.push(&spaced, out);
    decoder.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_decoded() {
        for (value, text) in [
            ("plain", "plain"),
            ("=?utf-8?q?a=C3=A4_b?=", "aä b"),
            ("=?ISO-8859-1?B?5A==?= x", "ä x"),
            ("x =?utf-8?q?a?= =?utf-8?q?b?= y", "x ab y"),
            ("=?utf-8?q?a?=\t=?iso-8859-1?q?=e4?=", "aä"),
            ("=?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "€"),
            ("=?utf-8*en?q?a?=", "a"),
            ("\"=?utf-8?q?a?=\"", "\"a\""),
            ("=?utf-8?q?a b?=", "a b"),
            ("=?utf-8?x?a?= =?utf-8?q?a", "=?utf-8?x?a?= =?utf-8?q?a"),
            ("=?=?utf-8?q?a?=", "=?a"),
            ("=?utf-8?q??=", ""),
            ("=?utf-8?q?=4?= =?utf-8?b?!?=", "=4"),
            ("a=?utf-8?q?b?=c", "abc"),
        ] {
            assert_eq!(decode(value.as_bytes()), text, "{value}");
        }
        assert_eq!(decode(b"caf\xe9"), "café");
        assert_eq!(decode("café".as_bytes()), "café");
    }

    proptest! {
        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            decode(&bytes);
        }

        #[test]
        fn any_words_decode(text in "(=\\?|utf-8|\\?q\\?|\\?b\\?|\\?=|[ -~]|=4){0,30}") {
            decode(text.as_bytes());
        }
    }
}
