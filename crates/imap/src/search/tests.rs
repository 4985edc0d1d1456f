use super::*;
use crate::error::Kind;
use crate::rules::Rules;
use crate::sequence::Bound;
use SearchKey::{All, And, Not, Or, Recent};
use proptest::prelude::*;

fn parse_keys(text: &str) -> Parsed<SearchKey> {
    let mut lexer = Lexer::new(text.as_bytes(), &Rules::AFTER_LOGIN);
    let key = keys(&mut lexer)?;
    lexer.end()?;
    Ok(key)
}

fn key(text: &str) -> SearchKey {
    parse_keys(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn fault(text: &str) -> Kind {
    parse_keys(text).unwrap_err().kind
}

fn seen() -> SearchKey {
    SearchKey::Flag(Flag::Seen)
}

fn no(key: SearchKey) -> SearchKey {
    Not(Box::new(key))
}

#[test]
fn words() {
    let b = |text: &str| text.as_bytes().to_vec();
    let day = Date::new(1994, 2, 1).unwrap();
    for (wire, expected) in [
        ("ALL", All),
        ("all ", All),
        ("UNSEEN", no(seen())),
        ("NEW", And(vec![Recent, no(seen())])),
        ("OLD", no(Recent)),
        ("KEYWORD NIL", SearchKey::Keyword(b("NIL"))),
        ("UNKEYWORD $x", no(SearchKey::Keyword(b("$x")))),
        ("BEFORE 1-Feb-1994", SearchKey::Before(day)),
        ("SENTSINCE \"1-feb-1994\"", SearchKey::SentSince(day)),
        ("FROM \"\"", SearchKey::From(b(""))),
        ("HEADER X-Spam yes", SearchKey::Header { field: b("X-Spam"), value: b("yes") }),
        ("TEXT {3}\r\na b", SearchKey::Text(b("a b"))),
        ("LARGER 4294967296", SearchKey::Larger(1 << 32)),
        ("1:*", SearchKey::Set(SequenceSet::range(Bound::Number(1), Bound::Last))),
        ("UID *", SearchKey::Uid(SequenceSet::range(Bound::Last, Bound::Last))),
        ("NOT SEEN", no(seen())),
        ("NOT NOT SEEN", seen()),
        ("NOT UNSEEN", seen()),
        ("(SEEN)", seen()),
        ("((SEEN RECENT) ALL)", And(vec![seen(), Recent, All])),
        ("NOT (SEEN RECENT)", no(And(vec![seen(), Recent]))),
        ("OR SEEN OR RECENT ALL", Or(vec![seen(), Recent, All])),
        ("OR OR SEEN RECENT ALL", Or(vec![seen(), Recent, All])),
        ("OR SEEN (RECENT ALL) NOT ALL", And(vec![Or(vec![seen(), And(vec![Recent, All])]), no(All)])),
    ] {
        assert_eq!(key(wire), expected, "{wire}");
    }
}

#[test]
fn what_is_no_search() {
    for bad in [
        "",
        " ",
        "()",
        "(SEEN",
        "SEEN)",
        "SEEN  ALL",
        "( SEEN)",
        "NOT",
        "NOT ",
        "OR SEEN",
        "OR",
        "FROB",
        "FROM",
        "FROM ",
        "HEADER x",
        "BEFORE x",
        "BEFORE 31-Feb-1994",
        "0",
        "UID 0",
        "UID",
        "LARGER -1",
        "LARGER x",
        "KEYWORD a]b",
        "KEYWORD",
        "SUBJECT \"\u{e9}\"",
        "(SEEN) )",
        "SEEN\0",
    ] {
        assert_eq!(fault(bad), Kind::Syntax, "{bad:?}");
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |depth: usize| format!("{}SEEN{}", "(ALL NOT ".repeat(depth), ")".repeat(depth));
    key(&nested(15));
    assert_eq!(fault(&nested(16)), Kind::Limit);
    assert_eq!(fault(&"(".repeat(60_000)), Kind::Syntax);
    assert_eq!(fault(&("NOT ".repeat(15_000) + "FROB")), Kind::Syntax);
    assert_eq!(key(&("NOT ".repeat(15_000) + "SEEN")), seen());
    assert_eq!(key(&format!("{}SEEN{}", "(".repeat(30_000), ")".repeat(30_000))), seen());
    assert!(matches!(key(&("OR SEEN ".repeat(999) + "SEEN")), Or(keys) if keys.len() == 1000));
    assert!(matches!(key(&("OR ".repeat(999) + &"SEEN ".repeat(1000))), Or(keys) if keys.len() == 1000));
    assert_eq!(fault(&("SEEN ".repeat(1001))), Kind::Limit);
}

fn depth(key: &SearchKey) -> usize {
    match key {
        And(keys) | Or(keys) => 1 + keys.iter().map(depth).max().unwrap_or(0),
        Not(key) => 1 + depth(key),
        _ => 1,
    }
}

/// Whether a message with these of three flags is meant.
fn holds(key: &SearchKey, has: [bool; 3]) -> bool {
    match key {
        And(keys) => keys.iter().all(|key| holds(key, has)),
        Or(keys) => keys.iter().any(|key| holds(key, has)),
        Not(key) => !holds(key, has),
        SearchKey::Flag(Flag::Seen) => has[0],
        SearchKey::Flag(Flag::Draft) => has[1],
        Recent => has[2],
        _ => true,
    }
}

/// A search as text, with what it means for each of eight messages.
fn search() -> impl Strategy<Value = (String, [bool; 8])> {
    let table = |place: u8| std::array::from_fn(|message| message as u8 >> place & 1 == 1);
    let leaf = prop_oneof![
        Just(("SEEN".to_owned(), table(0))),
        Just(("DRAFT".to_owned(), table(1))),
        Just(("RECENT".to_owned(), table(2))),
        Just(("ALL".to_owned(), [true; 8])),
    ];
    leaf.prop_recursive(6, 40, 3, |inner| {
        let both = |a: [bool; 8], b: [bool; 8], or: bool| {
            std::array::from_fn(|at| if or { a[at] || b[at] } else { a[at] && b[at] })
        };
        prop_oneof![
            inner.clone().prop_map(|(text, is)| (format!("NOT {text}"), is.map(|is| !is))),
            (inner.clone(), inner.clone())
                .prop_map(move |(a, b)| (format!("OR {} {}", a.0, b.0), both(a.1, b.1, true))),
            (inner.clone(), inner).prop_map(move |(a, b)| (format!("({} {})", a.0, b.0), both(a.1, b.1, false))),
        ]
    })
}

proptest! {
    #[test]
    fn a_search_means_what_it_says((text, expected) in search()) {
        let key = key(&text);
        prop_assert!(depth(&key) <= Rules::AFTER_LOGIN.nesting);
        for (message, &expected) in expected.iter().enumerate() {
            let has = std::array::from_fn(|place| message >> place & 1 == 1);
            prop_assert_eq!(holds(&key, has), expected, "{} {:?}", text, has);
        }
    }
}
