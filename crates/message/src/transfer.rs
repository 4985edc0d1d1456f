//! Content transfer encodings undone, piece by piece (RFC 2045 section 6).

/// Undoes one transfer encoding. What is broken decodes as far as it goes.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Identity,
    Base64 { bits: u32, count: u8, ended: bool },
    QuotedPrintable { held: Vec<u8> },
}

impl Decoder {
    /// The decoder for a Content-Transfer-Encoding word; none if the encoding is not known.
    pub fn named(encoding: &[u8]) -> Option<Decoder> {
        Some(match encoding.to_ascii_lowercase().as_slice() {
            b"base64" => Decoder::base64(),
            b"quoted-printable" => Decoder::quoted_printable(),
            b"" | b"7bit" | b"8bit" | b"binary" | b"7-bit" | b"8-bit" => Decoder { state: State::Identity },
            _ => return None,
        })
    }

    /// A decoder that passes everything on.
    pub fn identity() -> Decoder {
        Decoder { state: State::Identity }
    }

    /// Whether it passes everything on.
    pub fn is_identity(&self) -> bool {
        matches!(self.state, State::Identity)
    }

    /// Base64.
    pub fn base64() -> Decoder {
        Decoder { state: State::Base64 { bits: 0, count: 0, ended: false } }
    }

    /// Quoted-printable.
    pub fn quoted_printable() -> Decoder {
        Decoder { state: State::QuotedPrintable { held: Vec::new() } }
    }

    /// Appends what the next bytes stand for.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.state {
            State::Identity => out.extend_from_slice(bytes),
            State::Base64 { bits, count, ended } => base64(bytes, bits, count, ended, out),
            State::QuotedPrintable { held } => quoted_printable(bytes, held, out),
        }
    }

    /// The end: what was held back for more is given out as it is.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let State::QuotedPrintable { held } = &mut self.state {
            out.append(held);
        }
    }
}

/// Six bits a letter; what is no letter, and the padding.
const LETTERS: [u8; 256] = letters();
const NO_LETTER: u8 = 64;
const PADDING: u8 = 65;

#[allow(clippy::indexing_slicing)] // evaluated by the compiler
const fn letters() -> [u8; 256] {
    let mut table = [NO_LETTER; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut i = 0;
    while i < alphabet.len() {
        table[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    table[b'=' as usize] = PADDING;
    table
}

fn value(byte: u8) -> u8 {
    LETTERS.get(usize::from(byte)).copied().unwrap_or(NO_LETTER)
}

fn base64(mut bytes: &[u8], bits: &mut u32, count: &mut u8, ended: &mut bool, out: &mut Vec<u8>) {
    out.reserve(bytes.len() / 4 * 3 + 3);
    loop {
        if *count == 0 && !*ended {
            bytes = whole_groups(bytes, out);
        }
        let Some((byte, rest)) = bytes.split_first() else { return };
        letter(value(*byte), bits, count, ended, out);
        bytes = rest;
    }
}

/// Four letters, three bytes, as long as there is nothing else. What is left begins with something else.
fn whole_groups<'a>(mut bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    while let Some(([a, b, c, d], rest)) = bytes.split_first_chunk() {
        let [a, b, c, d] = [value(*a), value(*b), value(*c), value(*d)];
        if (a | b | c | d) >= NO_LETTER {
            break;
        }
        out.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        bytes = rest;
    }
    bytes
}

fn letter(value: u8, bits: &mut u32, count: &mut u8, ended: &mut bool, out: &mut Vec<u8>) {
    if value >= NO_LETTER {
        *ended |= value == PADDING;
        return;
    }
    // Text after padding: two encoded bodies set one after the other.
    if *ended {
        (*bits, *count, *ended) = (0, 0, false);
    }
    *bits = (*bits << 6 | u32::from(value)) & 0x00ff_ffff;
    *count += 1;
    match *count {
        2 => out.push((*bits >> 4) as u8),
        3 => out.push((*bits >> 2) as u8),
        4 => {
            out.push(*bits as u8);
            *count = 0;
        }
        _ => (),
    }
}

fn quoted_printable(mut bytes: &[u8], held: &mut Vec<u8>, out: &mut Vec<u8>) {
    while let (false, Some((byte, rest))) = (held.is_empty(), bytes.split_first()) {
        bytes = rest;
        held.push(*byte);
        if let Some((used, value)) = escape(held) {
            out.extend(value);
            let left = held.split_off(used);
            held.clear();
            escapes(&left, held, out);
        }
    }
    escapes(bytes, held, out);
}

/// Decodes `bytes`; an escape that is not whole yet is held.
fn escapes(mut bytes: &[u8], held: &mut Vec<u8>, out: &mut Vec<u8>) {
    while let Some(equals) = memchr::memchr(b'=', bytes) {
        let (plain, tail) = bytes.split_at_checked(equals).unwrap_or((bytes, &[]));
        out.extend_from_slice(plain);
        match escape(tail) {
            Some((used, value)) => {
                out.extend(value);
                bytes = tail.get(used..).unwrap_or_default();
            }
            None => {
                held.extend_from_slice(tail);
                return;
            }
        }
    }
    out.extend_from_slice(bytes);
}

/// Transport may add blanks after a soft line break; more than a line of them is no such thing.
const MAX_BLANKS: usize = 78;

/// What `tail`, which begins with `=`, stands for, and how much of it; none while more bytes are needed.
fn escape(tail: &[u8]) -> Option<(usize, Option<u8>)> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let literal = Some((1, Some(b'=')));
    let first = *tail.get(1)?;
    if let Some(high) = digit(first) {
        return match digit(*tail.get(2)?) {
            Some(low) => Some((3, Some((high << 4 | low) as u8))),
            None => literal,
        };
    }
    for (at, byte) in tail.iter().enumerate().skip(1) {
        match byte {
            b'\n' => return Some((at + 1, None)),
            b' ' | b'\t' | b'\r' if at < MAX_BLANKS => (),
            _ => return literal,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(decoder: &Decoder, text: &[u8], piece: usize) -> Vec<u8> {
        let (mut decoder, mut out) = (decoder.clone(), Vec::new());
        text.chunks(piece).for_each(|p| decoder.push(p, &mut out));
        decoder.finish(&mut out);
        out
    }

    fn check(decoder: Decoder, text: &[u8], wanted: &[u8]) {
        for piece in 1..=text.len().max(1) {
            let got = decoded(&decoder, text, piece);
            assert_eq!(got, wanted, "{:?} in pieces of {piece}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn base64_with_all_that_happens_to_it() {
        for (text, wanted) in [
            (&b"SGVsbG8="[..], &b"Hello"[..]),
            (b"SGVs\r\nbG8=\r\n", b"Hello"),
            (b"SGVsbG8", b"Hello"),
            (b"SG!Vs bG8=", b"Hello"),
            (b"SGVsbG8=SGVsbG8=", b"HelloHello"),
            (b"", b""),
            (b"=", b""),
            (b"S", b""),
        ] {
            check(Decoder::base64(), text, wanted);
        }
    }

    #[test]
    fn quoted_printable_with_all_that_happens_to_it() {
        for (text, wanted) in [
            (&b"a=C3=a4b"[..], &b"a\xc3\xa4b"[..]),
            (b"soft=\r\nbreak=\nend", b"softbreakend"),
            (b"blank=  \nend", b"blankend"),
            (b"=", b"="),
            (b"=4", b"=4"),
            (b"=zz=3D", b"=zz="),
            (b"==41", b"=A"),
            (b"=4=41=\rx", b"=4A=\rx"),
            (b"a\r\nb\n", b"a\r\nb\n"),
        ] {
            check(Decoder::quoted_printable(), text, wanted);
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[=0-9a-f \r\n]{0,30}", piece in 1usize..7) {
            for decoder in [Decoder::base64(), Decoder::quoted_printable(), Decoder::identity()] {
                prop_assert_eq!(decoded(&decoder, text.as_bytes(), piece), decoded(&decoder, text.as_bytes(), 100));
            }
        }
    }
}
