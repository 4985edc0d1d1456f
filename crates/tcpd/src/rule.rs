//! What an access entry says: refuse, or let in and set variables. Two dialects, one answer.

/// A variable for the program.
pub type Variable = (Vec<u8>, Vec<u8>);

/// What to do with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Close it.
    Deny,
    /// Serve it, with these variables, in order.
    Allow(Vec<Variable>),
}

/// Whose entries a database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `makeimapaccess`: text such as `deny` or `allow,NAME=VALUE`.
    Courier,
    /// `tcprules`: `D` or `+NAME=VALUE`, each with a NUL behind it.
    Tcprules,
}

impl Dialect {
    /// The dialect in which this entry can only be. An empty entry says the same in both: let in, nothing set. What
    /// `tcprules` writes otherwise ends in a NUL, and Courier's text has none.
    pub fn of_entry(data: &[u8]) -> Option<Dialect> {
        match data.last()? {
            0 => Some(Dialect::Tcprules),
            _ => Some(Dialect::Courier),
        }
    }

    /// Reads an entry.
    pub fn rule(self, data: &[u8]) -> Rule {
        match self {
            Dialect::Courier => courier(data),
            Dialect::Tcprules => tcprules(data),
        }
    }
}

/// `deny`, or `allow` and a list; the word `allow` and the comma behind it may be left out.
fn courier(action: &[u8]) -> Rule {
    if action.starts_with(b"deny") {
        return Rule::Deny;
    }
    let list = action.strip_prefix(b"allow").unwrap_or(action);
    let list = list.strip_prefix(b",").unwrap_or(list);
    Rule::Allow(items(list).into_iter().filter_map(|item| variable(&item)).collect())
}

fn tcprules(data: &[u8]) -> Rule {
    let mut variables = Vec::new();
    for item in data.split(|&b| b == 0) {
        match item.split_first() {
            Some((b'D', _)) => return Rule::Deny,
            Some((b'+', setting)) if setting.contains(&b'=') => variables.extend(variable(setting)),
            _ => {}
        }
    }
    Rule::Allow(variables)
}

/// Cuts a list at its commas; `'` or `"` protects them and falls away.
fn items(list: &[u8]) -> Vec<Vec<u8>> {
    let mut items = vec![Vec::new()];
    let mut quote = None;
    for &byte in list {
        match quote {
            Some(end) if byte == end => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if byte == b',' => items.push(Vec::new()),
            _ => {
                if let Some(item) = items.last_mut() {
                    item.push(byte);
                }
            }
        }
    }
    items
}

/// True where every quote of an action is closed.
pub fn quotes_are_closed(action: &[u8]) -> bool {
    let mut quote = None;
    for &byte in action {
        match quote {
            Some(end) if byte == end => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            _ => {}
        }
    }
    quote.is_none()
}

/// `NAME=VALUE`, or `NAME` alone for the empty value. Nothing without a name, nothing with a NUL.
fn variable(item: &[u8]) -> Option<Variable> {
    let (name, value) = match item.iter().position(|&b| b == b'=') {
        Some(at) => (item.get(..at)?, item.get(at + 1..)?),
        None => (item, &b""[..]),
    };
    (!name.is_empty() && !item.contains(&0)).then(|| (name.to_vec(), value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allow(variables: &[(&str, &str)]) -> Rule {
        Rule::Allow(variables.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect())
    }

    #[test]
    fn actions_of_courier() {
        let rule = |text: &str| Dialect::Courier.rule(text.as_bytes());
        assert_eq!(rule("deny"), Rule::Deny);
        assert_eq!(rule("deny,and=more"), Rule::Deny);
        assert_eq!(rule(""), allow(&[]));
        assert_eq!(rule("allow"), allow(&[]));
        assert_eq!(
            rule("allow,RELAYCLIENT,SIZELIMIT=1000000"),
            allow(&[("RELAYCLIENT", ""), ("SIZELIMIT", "1000000")])
        );
        assert_eq!(rule("A=b"), allow(&[("A", "b")]));
        assert_eq!(rule(",A=b"), allow(&[("A", "b")]));
        assert_eq!(
            rule(r#"allow,B="550 no, go 'way",C='x"y',D=1"#),
            allow(&[("B", "550 no, go 'way"), ("C", "x\"y"), ("D", "1")])
        );
        assert_eq!(rule("allow,,=x,A=b=c"), allow(&[("A", "b=c")]));
    }

    #[test]
    fn entries_of_tcprules() {
        let rule = |data: &[u8]| Dialect::Tcprules.rule(data);
        assert_eq!(rule(b"D\0"), Rule::Deny);
        assert_eq!(rule(b""), allow(&[]));
        assert_eq!(rule(b"+A=x\0+B=y\"z\0"), allow(&[("A", "x"), ("B", "y\"z")]));
        assert_eq!(rule(b"+A\0+=x\0?\0+B=\0"), allow(&[("B", "")]));
        assert_eq!(rule(b"+A=x\0D\0"), Rule::Deny);
    }

    #[test]
    fn an_entry_tells_its_dialect() {
        assert_eq!(Dialect::of_entry(b"D\0"), Some(Dialect::Tcprules));
        assert_eq!(Dialect::of_entry(b"D"), Some(Dialect::Courier));
        assert_eq!(Dialect::of_entry(b"deny"), Some(Dialect::Courier));
        assert_eq!(Dialect::of_entry(b""), None);
    }

    #[test]
    fn quotes() {
        assert!(quotes_are_closed(br#"allow,A="b,'c",D"#));
        assert!(!quotes_are_closed(br#"allow,A="b,'c"#));
    }

    proptest! {
        #[test]
        fn any_entry_is_read_without_a_panic(data in proptest::collection::vec(any::<u8>(), 0..60)) {
            for dialect in [Dialect::Courier, Dialect::Tcprules] {
                if let Rule::Allow(variables) = dialect.rule(&data) {
                    prop_assert!(variables.iter().all(|(n, v)| !n.is_empty() && !n.contains(&b'=') && !v.contains(&0)));
                }
            }
        }
    }
}
