//! The small pieces of an answer, appended to a buffer: numbers and strings (RFC 3501 sections 4.2, 4.3 and 9).

use crate::class;

/// Above this a string goes as a literal: clients read lines of some thousand bytes at most.
const QUOTED: usize = 1000;

/// A number in decimal.
pub fn number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0u8; 20];
    let mut rest = number;
    let mut length = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

/// Quoted if it may be, else a literal: CR, LF, NUL and 8-bit bytes cannot stand in quotes.
pub fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    let plain = |byte: u8| class::quoted(byte) || matches!(byte, b'"' | b'\\');
    if bytes.len() > QUOTED || !bytes.iter().all(|&byte| plain(byte)) {
        return literal(out, bytes);
    }
    out.push(b'"');
    for piece in bytes.split_inclusive(|byte| matches!(byte, b'"' | b'\\')) {
        match piece.split_last() {
            Some((&last @ (b'"' | b'\\'), before)) => {
                out.extend_from_slice(before);
                out.extend_from_slice(&[b'\\', last]);
            }
            _ => out.extend_from_slice(piece),
        }
    }
    out.push(b'"');
}

/// A string, or NIL.
pub fn nstring(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => string(out, bytes),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Bare if it may be, else a string.
pub fn astring(out: &mut Vec<u8>, bytes: &[u8]) {
    let nil = bytes.eq_ignore_ascii_case(b"NIL");
    if bytes.is_empty() || nil || !bytes.iter().all(|&byte| class::astring(byte)) {
        return string(out, bytes);
    }
    out.extend_from_slice(bytes);
}

/// `{n}` and the bytes; a NUL, which no literal may hold, becomes 0x80.
pub fn literal(out: &mut Vec<u8>, bytes: &[u8]) {
    literal_head(out, bytes.len() as u64);
    out.extend(bytes.iter().map(|&byte| if byte == 0 { 0x80 } else { byte }));
}

/// `{n}` and the line end: so many bytes must follow.
pub fn literal_head(out: &mut Vec<u8>, size: u64) {
    out.push(b'{');
    number(out, size);
    out.extend_from_slice(b"}\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::Lexer;
    use crate::rules::Rules;
    use proptest::prelude::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn numbers() {
        for value in [0, 7, 10, 4_294_967_295, u64::MAX] {
            assert_eq!(written(|out| number(out, value)), value.to_string().as_bytes());
        }
    }

    #[test]
    fn strings_are_quoted_where_they_may_be() {
        assert_eq!(written(|out| string(out, b"")), b"\"\"");
        assert_eq!(written(|out| string(out, br#"a"b\c"#)), br#""a\"b\\c""#);
        assert_eq!(written(|out| string(out, b"a\nb")), b"{3}\r\na\nb");
        assert_eq!(written(|out| string(out, "é".as_bytes())), b"{2}\r\n\xc3\xa9");
        assert_eq!(written(|out| string(out, b"a\0b")), b"{3}\r\na\x80b");
        assert_eq!(written(|out| string(out, &[b'x'; 1000])).len(), 1002);
        assert!(written(|out| string(out, &[b'x'; 1001])).starts_with(b"{1001}\r\n"));
        assert_eq!(written(|out| nstring(out, None)), b"NIL");
        assert_eq!(written(|out| nstring(out, Some(b"NIL"))), b"\"NIL\"");
    }

    #[test]
    fn astrings_are_bare_where_they_may_be() {
        for (bytes, wire) in
            [("From", "From"), ("", "\"\""), ("nil", "\"nil\""), ("a b", "\"a b\""), ("a]", "a]"), ("a*", "\"a*\"")]
        {
            assert_eq!(written(|out| astring(out, bytes.as_bytes())), wire.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(1u8.., 0..40)) {
            for write in [string, astring] {
                let wire = written(|out| write(out, &bytes));
                let mut lexer = Lexer::new(&wire, &Rules::AFTER_LOGIN);
                prop_assert_eq!(lexer.astring().ok(), Some(bytes.clone()));
                prop_assert!(lexer.at_end());
            }
        }
    }
}
