//! LIST's wildcards (RFC 3501 section 6.3.8).

/// A pattern for mailbox names: `*` stands for anything, `%` for anything within one level.
///
/// ```
/// use imap::Pattern;
/// let pattern = Pattern::new(b"inbox.%", b'.');
/// assert!(pattern.matches(b"INBOX.Sent") && !pattern.matches(b"INBOX.Sent.2024"));
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    tokens: Vec<Token>,
    delimiter: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `%`; the states from `from` on lead nowhere that this one does not: no delimiter stands between.
    Level {
        from: usize,
    },
    /// `*`: the same for all states before it.
    All,
}

impl Pattern {
    /// From a client's pattern, reference already put before it.
    pub fn new(pattern: &[u8], delimiter: u8) -> Pattern {
        let mut tokens: Vec<Token> = Vec::with_capacity(pattern.len());
        let mut level = 0;
        for &byte in pattern {
            let last = tokens.last().copied();
            match (byte, last) {
                // Wildcards side by side are one.
                (b'*' | b'%', Some(Token::All)) | (b'%', Some(Token::Level { .. })) => {}
                (b'*', _) => {
                    if let Some(Token::Level { .. }) = last {
                        tokens.pop();
                    }
                    tokens.push(Token::All);
                    level = tokens.len();
                }
                (b'%', _) => tokens.push(Token::Level { from: level }),
                (byte, _) => {
                    tokens.push(Token::Byte(byte));
                    if byte == delimiter {
                        level = tokens.len();
                    }
                }
            }
        }
        Pattern { tokens, delimiter }
    }

    /// Whether a name matches. INBOX, alone or as the first level, matches in any case.
    ///
    /// Every state the pattern can be in is followed at once, each name's byte is looked at once.
    pub fn matches(&self, name: &[u8]) -> bool {
        let folded = inbox_length(name, self.delimiter);
        let mut states = vec![0];
        self.open(&mut states);
        for (place, &byte) in name.iter().enumerate() {
            let fold = place < folded;
            states = self.step(&states, byte, fold);
            if states.is_empty() {
                return false;
            }
        }
        states.last() == Some(&self.tokens.len())
    }

    /// The states after one byte, ascending.
    fn step(&self, states: &[usize], byte: u8, fold: bool) -> Vec<usize> {
        let mut next = Vec::with_capacity(states.len() + 2);
        for &state in states {
            let stays_or_goes = match self.tokens.get(state) {
                Some(Token::All) => Some(state),
                Some(Token::Level { .. }) if byte != self.delimiter => Some(state),
                Some(Token::Byte(wanted)) if *wanted == byte => Some(state + 1),
                Some(Token::Byte(wanted)) if fold && wanted.eq_ignore_ascii_case(&byte) => Some(state + 1),
                _ => None,
            };
            next.extend(stays_or_goes.filter(|state| next.last() != Some(state)));
        }
        self.open(&mut next);
        next
    }

    /// A wildcard may stand for nothing: the state behind it is reached too. Then drops the states that a later one
    /// makes needless; that keeps their number to the levels of a name.
    fn open(&self, states: &mut Vec<usize>) {
        let mut all = Vec::with_capacity(states.len() * 2);
        for &state in states.iter() {
            for state in [Some(state), self.is_wildcard(state).then_some(state + 1)].into_iter().flatten() {
                if all.last().is_none_or(|&last| last < state) {
                    all.push(state);
                }
            }
        }
        let mut needless = usize::MAX;
        states.clear();
        for &state in all.iter().rev() {
            if state >= needless {
                continue;
            }
            states.push(state);
            match self.tokens.get(state) {
                Some(Token::All) => needless = 0,
                Some(Token::Level { from }) => needless = *from,
                _ => {}
            }
        }
        states.reverse();
    }

    fn is_wildcard(&self, state: usize) -> bool {
        matches!(self.tokens.get(state), Some(Token::All | Token::Level { .. }))
    }
}

/// How many bytes of a name are the word INBOX as its first level.
fn inbox_length(name: &[u8], delimiter: u8) -> usize {
    match name.split_at_checked(5) {
        Some((word, rest)) if word.eq_ignore_ascii_case(b"INBOX") => match rest.first() {
            Some(&byte) if byte != delimiter => 0,
            _ => 5,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern.as_bytes(), b'.').matches(name.as_bytes())
    }

    #[test]
    fn wildcards() {
        for (pattern, name) in [
            ("*", "INBOX.a.b"),
            ("%", "INBOX"),
            ("*", ""),
            ("%", ""),
            ("", ""),
            ("INBOX.%", "INBOX.a"),
            ("INBOX.*", "INBOX.a.b"),
            ("*b", "INBOX.a.b"),
            ("INBOX%.a", "INBOX.a"),
            ("%.%", "INBOX.a"),
            ("INBOX.*.c", "INBOX.a.b.c"),
            ("*%", "INBOX.a"),
            ("%*", "INBOX.a"),
            ("INBOX.%a%a", "INBOX.banana"),
            ("*.%.c", "INBOX.a.b.c"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("%", "INBOX.a"),
            ("INBOX.%", "INBOX.a.b"),
            ("INBOX.%", "INBOX"),
            ("", "x"),
            ("a", ""),
            ("INBOX.a%", "INBOX.b"),
            ("INBOX.%.c", "INBOX.a.b.c"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn inbox_alone_has_no_case() {
        for pattern in ["inbox", "i%", "INBOX", "*X", "InB*", "inbox.*"] {
            assert!(matches(pattern, "INBOX") || matches(pattern, "INBOX.a"), "{pattern}");
        }
        assert!(matches("inbox.Sent", "INBOX.Sent"));
        assert!(!matches("inbox.sent", "INBOX.Sent"));
        assert!(!matches("INBOX.INBOX", "INBOX.inbox"));
        assert!(!matches("inboxes", "INBOXES"));
    }

    #[test]
    fn many_wildcards_cost_nothing() {
        let name = format!("INBOX.{}", "a".repeat(249));
        let begun = std::time::Instant::now();
        for pattern in
            ["*%".repeat(100) + "b", "*a".repeat(80) + "b", "%a".repeat(80) + "b", "*.%a%a%a*%a%a%a".repeat(10)]
        {
            let pattern = Pattern::new(pattern.as_bytes(), b'.');
            for _ in 0..1000 {
                assert!(!pattern.matches(name.as_bytes()));
            }
        }
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }

    /// The definition, as slow as it likes.
    fn slow(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', rest @ ..] => (0..=name.len()).any(|skip| slow(rest, &name[skip..])),
            [b'%', rest @ ..] => {
                let level = name.iter().position(|&byte| byte == b'.').unwrap_or(name.len());
                (0..=level).any(|skip| slow(rest, &name[skip..]))
            }
            [byte, rest @ ..] => name.split_first().is_some_and(|(first, name)| first == byte && slow(rest, name)),
        }
    }

    proptest! {
        #[test]
        fn is_what_the_definition_says(pattern in "[ab.*%]{0,9}", name in "[ab.]{0,9}") {
            prop_assert_eq!(matches(&pattern, &name), slow(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
