//! Text in any charset to UTF-8.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The text of `bytes` in the charset called `label`. Bytes that the charset does not know become U+FFFD; a charset
/// that nobody knows is read as UTF-8 if it is that, else as Windows-1252.
pub fn to_utf8(label: &[u8], bytes: &[u8]) -> String {
    let encoding = named(label).unwrap_or_else(|| guessed(bytes));
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Whether the charset is known.
pub fn is_known(label: &[u8]) -> bool {
    named(label).is_some()
}

fn guessed(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 }
}

fn named(label: &[u8]) -> Option<&'static Encoding> {
    let label = label.trim_ascii();
    // RFC 2231 section 5: a language may follow.
    let label = label.split(|b| *b == b'*').next().unwrap_or(label);
    // us-ascii with 8-bit bytes is what it looks like: best guess by content.
    if label.eq_ignore_ascii_case(b"us-ascii") || label.eq_ignore_ascii_case(b"ascii") {
        return None;
    }
    Encoding::for_label(label).or_else(|| {
        let known_as: &[u8] = match label.to_ascii_lowercase().as_slice() {
            b"cp932" | b"ms932" => b"shift_jis",
            b"cp936" | b"ms936" => b"gbk",
            b"cp949" | b"ms949" => b"euc-kr",
            b"cp950" | b"ms950" => b"big5",
            b"utf8mb4" | b"utf_8" => b"utf-8",
            b"latin9" => b"iso-8859-15",
            _ => return None,
        };
        Encoding::for_label(known_as)
    })
}

/// Decodes one charset piece by piece.
pub struct Decoder {
    inner: encoding_rs::Decoder,
    /// Nothing but ASCII went by, and ASCII stands for itself.
    plain: bool,
    text: String,
}

impl Decoder {
    /// A decoder for the charset called `label`; an unknown one, and us-ascii, are taken for UTF-8.
    pub fn new(label: &[u8]) -> Decoder {
        let encoding = named(label).unwrap_or(UTF_8);
        Decoder {
            inner: encoding.new_decoder_without_bom_handling(),
            plain: encoding.is_ascii_compatible(),
            text: String::new(),
        }
    }

    /// The text of the next bytes; `last` flushes what is incomplete.
    pub fn push<'s>(&'s mut self, bytes: &'s [u8], last: bool) -> &'s str {
        if self.plain && bytes.is_ascii() {
            return std::str::from_utf8(bytes).unwrap_or_default();
        }
        self.plain = false;
        self.text.clear();
        let mut rest = bytes;
        loop {
            let wanted = self.inner.max_utf8_buffer_length(rest.len()).unwrap_or(rest.len().saturating_mul(3));
            self.text.reserve(wanted.clamp(16, 64 * 1024));
            let (result, read, _) = self.inner.decode_to_string(rest, &mut self.text, last);
            rest = rest.get(read..).unwrap_or_default();
            if result == encoding_rs::CoderResult::InputEmpty {
                return &self.text;
            }
        }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("encoding", &self.inner.encoding().name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_by_their_names_in_mail() {
        for (label, bytes, text) in [
            ("utf-8", &b"\xc3\xa4"[..], "ä"),
            ("ISO-8859-1", b"\xe4", "ä"),
            ("iso-8859-15*de", b"\xa4", "€"),
            ("us-ascii", b"\xe4", "ä"),
            ("us-ascii", b"\xc3\xa4", "ä"),
            ("x-nobody-knows", b"\xe4", "ä"),
            ("iso-2022-jp", b"\x1b$B$\"\x1b(B", "あ"),
            ("cp932", b"\x82\xa0", "あ"),
            ("ks_c_5601-1987", b"\xb0\xa1", "가"),
            ("koi8-r", b"\xc1", "а"),
            ("utf-8", b"a\xff", "a\u{fffd}"),
        ] {
            assert_eq!(to_utf8(label.as_bytes(), bytes), text, "{label}");
        }
        assert!(is_known(b"Windows-1251") && !is_known(b"x-nobody-knows"));
    }

    #[test]
    fn a_character_may_lie_across_pieces() {
        let (mut d, mut out) = (Decoder::new(b"utf-8"), String::new());
        for byte in "a€b".bytes() {
            out.push_str(d.push(&[byte], false));
        }
        out.push_str(d.push(b"\xe2", false));
        out.push_str(d.push(b"", true));
        assert_eq!(out, "a€b\u{fffd}");
    }
}
