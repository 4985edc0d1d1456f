//! Base64 (RFC 4648 section 4), strict: padded, canonical, no white space. One text decodes to one value and back.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of these bytes, padded.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = ALPHABET.get((word >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place <= group.len() { digit } else { b'=' });
        }
    }
    text
}

/// The bytes of this text, or none where it is not the text that [`encode`] gives for any bytes.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.chunks(4) {
        let last = bytes.len() + 3 == text.len() / 4 * 3;
        let pads = if last { padding } else { 0 };
        let mut word = 0;
        for (place, &byte) in group.iter().enumerate() {
            let digit = if place >= 4 - pads { 0 } else { digit(byte)? };
            word = word << 6 | digit;
        }
        let [_, a, b, c] = u32::to_be_bytes(word);
        let (kept, dropped) = ([a, b, c], pads);
        // Bits that no byte uses must be zero, or two texts would mean the same.
        if kept.iter().rev().take(dropped).any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend(kept.iter().take(3 - dropped));
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use proptest::prelude::*;

    #[test]
    fn rfc_4648_section_10() {
        for (bytes, text) in [
            (&b""[..], &b""[..]),
            (b"f", b"Zg=="),
            (b"fo", b"Zm8="),
            (b"foo", b"Zm9v"),
            (b"foob", b"Zm9vYg=="),
            (b"fooba", b"Zm9vYmE="),
            (b"foobar", b"Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes);
        }
    }

    #[test]
    fn only_the_canonical_text_is_taken() {
        for text in [
            &b"Z"[..],
            b"Zg",
            b"Zg=",
            b"Zh==",
            b"Zm9=",
            b"Z===",
            b"====",
            b"=g==",
            b"Zg==Zg==",
            b"Zm9v\n",
            b"Zm 9",
            b"Zm9-",
        ] {
            assert_eq!(decode(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn one_text_a_value(text in prop::collection::vec(any::<u8>(), 0..24)) {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        #[test]
        fn one_text_a_value_near_the_alphabet(text in "[AQgwZ09+/=]{0,12}") {
            if let Some(bytes) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&bytes), text.as_bytes());
            }
        }
    }
}
