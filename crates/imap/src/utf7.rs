//! Modified UTF-7, the mailbox names of IMAP4rev1 (RFC 3501 section 5.1.3), to and from UTF-8.
//!
//! Strict both ways: a name has one form, so what [`encode`] would not write, [`decode`] does not read.
//!
//! ```
//! use imap::utf7;
//! assert_eq!(utf7::decode(b"Entw&APw-rfe").unwrap(), "Entwürfe".as_bytes());
//! assert_eq!(utf7::encode("R&D 📬".as_bytes()).unwrap(), b"R&-D &2D3c7A-");
//! assert!(utf7::decode(b"R&D").is_err());
//! ```

use std::fmt;

/// A name that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid modified UTF-7")
    }
}

impl std::error::Error for Invalid {}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Modified UTF-7 to UTF-8.
pub fn decode(name: &[u8]) -> Result<Vec<u8>, Invalid> {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'&' => {
                let length = rest.iter().position(|&byte| byte == b'-').ok_or(Invalid)?;
                let (shifted, behind) = rest.split_at_checked(length).ok_or(Invalid)?;
                rest = behind.get(1..).ok_or(Invalid)?;
                unshift(shifted, &mut text)?;
            }
            b' '..=b'~' => text.push(char::from(byte)),
            _ => return Err(Invalid),
        }
    }
    let utf8 = text.into_bytes();
    // Superfluous shifts, printable letters in base64, stray bits: not what we would have written.
    if encode(&utf8)? == name { Ok(utf8) } else { Err(Invalid) }
}

/// What stands between `&` and `-`.
fn unshift(shifted: &[u8], text: &mut String) -> Result<(), Invalid> {
    if shifted.is_empty() {
        text.push('&');
        return Ok(());
    }
    let mut units = Vec::with_capacity(shifted.len() * 3 / 8 + 1);
    let mut bits = 0u32;
    let mut count = 0;
    for digit in shifted {
        let value = BASE64.iter().position(|known| known == digit).ok_or(Invalid)?;
        bits = (bits << 6 | u32::try_from(value).map_err(|_| Invalid)?) & 0x3f_ffff;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push(u16::try_from(bits >> count & 0xffff).map_err(|_| Invalid)?);
        }
    }
    for letter in char::decode_utf16(units) {
        text.push(letter.map_err(|_| Invalid)?);
    }
    Ok(())
}

/// UTF-8 to modified UTF-7.
pub fn encode(name: &[u8]) -> Result<Vec<u8>, Invalid> {
    let text = std::str::from_utf8(name).map_err(|_| Invalid)?;
    let mut out = Vec::with_capacity(name.len());
    let mut shift = Shift::default();
    for letter in text.chars() {
        match letter {
            '&' => {
                shift.end(&mut out);
                out.extend_from_slice(b"&-");
            }
            ' '..='~' => {
                shift.end(&mut out);
                out.push(u8::try_from(letter).map_err(|_| Invalid)?);
            }
            _ => letter.encode_utf16(&mut [0; 2]).iter().for_each(|&unit| shift.push(&mut out, unit)),
        }
    }
    shift.end(&mut out);
    Ok(out)
}

/// A run of base64 that is being written.
#[derive(Default)]
struct Shift {
    open: bool,
    bits: u32,
    count: u32,
}

impl Shift {
    fn push(&mut self, out: &mut Vec<u8>, unit: u16) {
        if !self.open {
            out.push(b'&');
            self.open = true;
        }
        self.bits = self.bits << 16 | u32::from(unit);
        self.count += 16;
        while self.count >= 6 {
            self.count -= 6;
            digit(out, self.bits >> self.count);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.count > 0 {
            digit(out, self.bits << (6 - self.count));
        }
        if self.open {
            out.push(b'-');
        }
        *self = Shift::default();
    }
}

fn digit(out: &mut Vec<u8>, bits: u32) {
    out.extend(BASE64.get((bits & 63) as usize));
}
