//! Which byte may stand where (RFC 3501 section 9).

const ATOM: u8 = 1;
const ASTRING: u8 = 2;
const LIST: u8 = 4;
const TAG: u8 = 8;
const QUOTED: u8 = 16;

const TABLE: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 1u8;
    while byte < 128 {
        let special = matches!(byte, b'(' | b')' | b'{' | b' ' | b'%' | b'*' | b'"' | b'\\' | b']' | 0..=31 | 127);
        let mut bits = 0;
        if !special {
            bits |= ATOM;
        }
        if !special || byte == b']' {
            bits |= ASTRING;
        }
        if !special || matches!(byte, b']' | b'%' | b'*') {
            bits |= LIST;
        }
        if (!special || byte == b']') && byte != b'+' {
            bits |= TAG;
        }
        if !matches!(byte, b'\r' | b'\n' | b'"' | b'\\') {
            bits |= QUOTED;
        }
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            table[byte as usize] = bits;
        }
        byte += 1;
    }
    table
};

fn has(byte: u8, bit: u8) -> bool {
    TABLE.get(usize::from(byte)).is_some_and(|bits| bits & bit != 0)
}

/// ATOM-CHAR
pub fn atom(byte: u8) -> bool {
    has(byte, ATOM)
}

/// ASTRING-CHAR
pub fn astring(byte: u8) -> bool {
    has(byte, ASTRING)
}

/// list-char: an atom of LIST, with its wildcards
pub fn list(byte: u8) -> bool {
    has(byte, LIST)
}

/// tag: ASTRING-CHAR but "+"
pub fn tag(byte: u8) -> bool {
    has(byte, TAG)
}

/// A 7-bit byte that stands for itself inside a quoted string.
pub fn quoted(byte: u8) -> bool {
    has(byte, QUOTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_rfc() {
        for byte in *b"~!#$&'+,-.:;<=>?@^_`|[}/aZ09" {
            assert!(atom(byte) && astring(byte) && list(byte), "{}", byte as char);
        }
        for byte in *b"(){ \"\\\r\n\0\x7f\x80\xff" {
            assert!(!atom(byte) && !astring(byte) && !list(byte) && !tag(byte), "{byte}");
        }
        assert!(!atom(b']') && astring(b']') && list(b']') && tag(b']'));
        assert!(!astring(b'*') && list(b'*') && list(b'%') && !tag(b'*') && !tag(b'+'));
        assert!(quoted(b' ') && quoted(1) && !quoted(0) && !quoted(b'"') && !quoted(0x80));
    }
}
