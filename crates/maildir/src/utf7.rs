//! Modified UTF-7 (RFC 3501 5.1.3), as far as names on disk need it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Encodes text; `&` becomes `&-`.
pub fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut shifted: Vec<u16> = Vec::new();
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut out, &mut shifted);
            out.push(c as u8);
            if c == '&' {
                out.push(b'-');
            }
        } else {
            shifted.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut out, &mut shifted);
    out
}

fn flush(out: &mut Vec<u8>, shifted: &mut Vec<u16>) {
    if shifted.is_empty() {
        return;
    }
    out.push(b'&');
    let (mut bits, mut count) = (0u32, 0u32);
    for unit in shifted.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            push_six(out, bits >> count);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        push_six(out, bits << (6 - count));
    }
    out.push(b'-');
}

fn push_six(out: &mut Vec<u8>, six: u32) {
    out.extend(ALPHABET.get((six & 63) as usize));
}

/// Decodes; nothing for bytes that are not the one canonical encoding of some text.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'&' => {
                let end = rest.iter().position(|&b| b == b'-')?;
                decode_shifted(rest.get(..end)?, &mut text)?;
                rest = rest.get(end + 1..)?;
            }
            b' '..=b'~' => text.push(byte as char),
            _ => return None,
        }
    }
    (encode(&text) == bytes).then_some(text)
}

fn decode_shifted(letters: &[u8], text: &mut String) -> Option<()> {
    if letters.is_empty() {
        text.push('&');
        return Some(());
    }
    let mut units = Vec::with_capacity(letters.len());
    let (mut bits, mut count) = (0u32, 0u32);
    for letter in letters {
        let six = ALPHABET.iter().position(|a| a == letter)?;
        bits = bits << 6 | six as u32;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push((bits >> count) as u16);
            bits &= (1 << count) - 1;
        }
    }
    text.push_str(&String::from_utf16(&units).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn vectors() {
        for (text, wire) in
            [("Entwürfe", "Entw&APw-rfe"), ("A&B", "A&-B"), ("台北", "&U,BTFw-"), ("😀", "&2D3eAA-"), ("", "")]
        {
            assert_eq!(encode(text), wire.as_bytes());
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn only_the_canonical_form() {
        for bad in ["&", "&AGE-", "&AC4-", "&2D0-", "&APw", "a\u{7f}", "&AP-", "Entw\u{fc}rfe", "&U,BTFw-&ZeVnLIqe-"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(text in "\\PC*") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(text) = decode(&bytes) {
                prop_assert_eq!(encode(&text), bytes);
            }
        }
    }
}
