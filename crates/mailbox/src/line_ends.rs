//! Line ends of a message on its way from the wire to the disk.
//!
//! On disk a line ends in LF; on the wire every LF without a CR before it gets one. So CR LF becomes LF, except
//! after another CR: `CR CR LF` kept whole comes back whole. Nothing is added at the end.

/// Translates a message that arrives in pieces.
#[derive(Default)]
pub(crate) struct LineEnds {
    /// A CR came last and is held back: an LF may follow.
    held: bool,
    /// And the byte before it was a CR as well.
    doubled: bool,
}

impl LineEnds {
    /// Appends the disk's form of `bytes` to `out`.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some((&first, rest)) = bytes.split_first() {
            match first {
                b'\r' => {
                    self.doubled = self.held;
                    if self.held {
                        out.push(b'\r');
                    }
                    self.held = true;
                    bytes = rest;
                }
                b'\n' => {
                    if self.held && self.doubled {
                        out.push(b'\r');
                    }
                    self.held = false;
                    out.push(b'\n');
                    bytes = rest;
                }
                _ => {
                    self.release(out);
                    let run = bytes.iter().position(|byte| *byte == b'\r').unwrap_or(bytes.len());
                    let (plain, rest) = bytes.split_at_checked(run).unwrap_or((bytes, b""));
                    out.extend_from_slice(plain);
                    bytes = rest;
                }
            }
        }
    }

    /// The message is over: what was held back goes out.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.release(out);
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.held) {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut ends, mut out) = (LineEnds::default(), Vec::new());
        for piece in pieces {
            ends.push(piece, &mut out);
        }
        ends.finish(&mut out);
        out
    }

    /// What FETCH sends for a file.
    fn wire(file: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for &byte in file {
            if byte == b'\n' && out.last() != Some(&b'\r') {
                out.push(b'\r');
            }
            out.push(byte);
        }
        out
    }

    #[test]
    fn known_cases() {
        assert_eq!(stored(&[b"a\r\nb\r\n"]), b"a\nb\n");
        assert_eq!(stored(&[b"a\r", b"\nb"]), b"a\nb");
        assert_eq!(stored(&[b"\r\r\n", b"\r"]), b"\r\r\n\r");
        assert_eq!(stored(&[b"\r", b"\r", b"x\n\r\n"]), b"\r\rx\n\n");
    }

    proptest! {
        #[test]
        fn what_is_fetched_is_what_was_appended(text in "[a\r\n]{0,20}", cut in 0usize..20) {
            // A bare LF cannot be told from a line end on disk; no client may send one.
            let text = wire(text.as_bytes());
            let cut = cut.min(text.len());
            let file = stored(&[&text[..cut], &text[cut..]]);
            prop_assert_eq!(wire(&file), text.clone());
            prop_assert_eq!(stored(&[&text]), file);
        }
    }
}
