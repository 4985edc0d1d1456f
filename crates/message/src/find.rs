//! Finding text in text without regard to case, in pieces.

use memchr::memmem::Finder;

/// A text to look for.
#[derive(Clone, Debug)]
pub struct Needle {
    finder: Finder<'static>,
}

impl Needle {
    /// A needle that finds `text` in any case.
    pub fn new(text: &str) -> Needle {
        let mut folded = Vec::new();
        fold(text, &mut folded);
        Needle { finder: Finder::new(&folded).into_owned() }
    }

    /// Whether it finds everything.
    pub fn is_empty(&self) -> bool {
        self.finder.needle().is_empty()
    }

    /// Bytes of the folded text.
    pub fn len(&self) -> usize {
        self.finder.needle().len()
    }
}

/// Text that goes by. It keeps as much of what went by as a needle may begin in.
#[derive(Clone, Debug)]
pub struct Haystack {
    folded: Vec<u8>,
    keep: usize,
}

impl Haystack {
    /// A haystack for needles of at most `longest` bytes.
    pub fn new(longest: usize) -> Haystack {
        Haystack { folded: Vec::new(), keep: longest.saturating_sub(1) }
    }

    /// The next piece. Needles are to be looked for after each.
    pub fn push(&mut self, text: &str) {
        let old = self.folded.len().saturating_sub(self.keep);
        self.folded.drain(..old);
        fold(text, &mut self.folded);
    }

    /// What comes next does not belong to what went by.
    pub fn cut(&mut self) {
        self.folded.clear();
    }

    /// Whether the needle is in the last piece, or began before and ends in it.
    pub fn has(&self, needle: &Needle) -> bool {
        needle.finder.find(&self.folded).is_some()
    }
}

/// Appends `text` with differences of case removed, as far as Unicode's simple mappings go: upper case first, so that
/// the forms of sigma and the like come together.
pub fn fold(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    let Some(added) = out.get_mut(start..) else { return };
    if added.is_ascii() {
        return added.make_ascii_lowercase();
    }
    out.truncate(start);
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase() as u8);
        } else {
            for folded in c.to_uppercase().flat_map(char::to_lowercase) {
                out.extend_from_slice(folded.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(needle: &str, pieces: &[&str]) -> bool {
        let needle = Needle::new(needle);
        let mut hay = Haystack::new(needle.len());
        pieces.iter().any(|piece| {
            hay.push(piece);
            hay.has(&needle)
        })
    }

    #[test]
    fn case_does_not_matter() {
        assert!(found("HeLLo", &["say hello!"]));
        assert!(found("GRÜSSE", &["viele grüße"]));
        assert!(found("ОДИН", &["один"]));
        assert!(found("ΟΔΟΣ", &["οδος"]) && found("οδοσ", &["ΟΔΟΣ"]));
        assert!(!found("hello", &["hell o"]));
        assert!(found("", &["x"]));
    }

    #[test]
    fn a_needle_may_lie_across_pieces() {
        assert!(found("hello", &["say he", "l", "lo"]));
        assert!(!found("hello", &["hel", "", "l", "", "xo"]));
        let mut hay = Haystack::new(5);
        hay.push("hel");
        hay.cut();
        hay.push("lo");
        assert!(!hay.has(&Needle::new("hello")));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[abA]{0,30}", needle in "[abB]{1,4}", at in 0usize..30) {
            let (a, b) = text.split_at(at.min(text.len()));
            let whole = text.to_lowercase().contains(&needle.to_lowercase());
            prop_assert_eq!(found(&needle, &[a, b]), whole);
        }
    }
}
