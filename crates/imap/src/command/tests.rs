use super::*;
use crate::fetch::{BodySection, FetchItem, Partial, Section, SectionText};
use crate::flag::{Flag, FlagList, Flags};
use crate::search::SearchKey;
use crate::sequence::Bound;
use crate::store::StoreMode;
use proptest::prelude::*;

fn of(text: &[u8]) -> Command {
    match parse(&[b"a1 ", text, b"\r\n"].concat(), &Rules::AFTER_LOGIN) {
        Ok(tagged) => {
            assert_eq!(tagged.tag, b"a1");
            tagged.command
        }
        Err(error) => panic!("{}: {error:?}", text.escape_ascii()),
    }
}

fn error(text: &[u8]) -> Kind {
    let error = parse(&[b"a1 ", text, b"\r\n"].concat(), &Rules::AFTER_LOGIN).map(|tagged| tagged.command).unwrap_err();
    assert_eq!(error.tag.as_deref(), Some(b"a1".as_slice()), "{}", text.escape_ascii());
    error.kind
}

fn mailbox_of(text: &[u8]) -> Vec<u8> {
    match of(&[b"SELECT ", text].concat()) {
        Command::Select { mailbox } => mailbox,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tags() {
    let tag = |line: &[u8]| {
        parse(line, &Rules::AFTER_LOGIN).map(|tagged| tagged.tag).map_err(|error| (error.tag, error.kind))
    };
    assert_eq!(tag(b"A.1]!* NOOP\r\n"), Err((None, Kind::Tag)));
    assert_eq!(tag(b"A.1]! noop\n"), Ok(b"A.1]!".to_vec()));
    assert_eq!(tag(b"a+ NOOP\r\n"), Err((None, Kind::Tag)));
    assert_eq!(tag(b" NOOP\r\n"), Err((None, Kind::Tag)));
    assert_eq!(tag(b"\r\n"), Err((None, Kind::Tag)));
    assert_eq!(tag(b"\x80 NOOP\r\n"), Err((None, Kind::Tag)));
    assert_eq!(tag(b"a\0 NOOP\r\n"), Err((None, Kind::Tag)));
    assert_eq!(tag(b"a\r\n"), Err((Some(b"a".to_vec()), Kind::Syntax)));
    assert_eq!(tag(b"a \r\n"), Err((Some(b"a".to_vec()), Kind::Syntax)));
    assert_eq!(peek(b"a appe"), Peek { tag: Some(b"a"), name: b"appe" });
    assert_eq!(peek(b"a Append INBOX {1}\r\n"), Peek { tag: Some(b"a"), name: b"Append" });
    assert_eq!(peek(b"* x"), Peek { tag: None, name: b"" });
}

#[test]
fn unknown_is_not_misspelt() {
    for unknown in
        ["FROB", "UID FROB 1", "NOOPS", "XAPPLEPUSHSERVICE x", "NOOP\x01", "\"NOOP\"", "VERYLONGCOMMANDNAMEINDEED"]
    {
        assert_eq!(error(unknown.as_bytes()), Kind::Unknown, "{unknown}");
    }
    for syntax in
        ["NOOP x", "SELECT", "SELECT ", "SELECT a b", "LOGIN a", "UID", "UID FETCH", "FETCH 1", "STATUS INBOX ()"]
    {
        assert_eq!(error(syntax.as_bytes()), Kind::Syntax, "{syntax}");
    }
}

#[test]
fn commands_without_arguments() {
    for (name, command) in [
        ("CAPABILITY", Command::Capability),
        ("noop", Command::Noop),
        ("Logout", Command::Logout),
        ("STARTTLS", Command::Starttls),
        ("NAMESPACE", Command::Namespace),
        ("IDLE", Command::Idle),
        ("CHECK", Command::Check),
        ("CLOSE", Command::Close),
        ("UNSELECT", Command::Unselect),
        ("EXPUNGE ", Command::Expunge),
    ] {
        assert_eq!(of(name.as_bytes()), command);
    }
}

#[test]
fn strings_in_their_three_forms() {
    assert_eq!(mailbox_of(b"a]b"), b"a]b");
    assert_eq!(mailbox_of(b"~!#$&'+,-.:;<=>?@^_`|[}/"), b"~!#$&'+,-.:;<=>?@^_`|[}/");
    assert_eq!(mailbox_of(br#""a \"b\\ (c)""#), br#"a "b\ (c)"#);
    assert_eq!(mailbox_of(b"{4}\r\na\r\nb"), b"a\r\nb");
    assert_eq!(mailbox_of(b"{4+}\r\na\xe9\nb"), b"a\xe9\nb");
    assert_eq!(mailbox_of(b"\"\""), b"");
    assert_eq!(mailbox_of(b"{0}\r\n"), b"");
    assert_eq!(mailbox_of(b"NIL"), b"NIL");
    for bad in [
        &b"a*"[..],
        b"a%",
        b"(",
        b"\"a",
        b"\"a\\n\"",
        b"\"a\nb\"",
        b"\"a\"b",
        b"{3}\r\na\0b",
        b"\"a\0b\"",
        b"a\0b",
        b"{9}\r\nabc",
        b"{-1}\r\n",
        b"{2}abc",
        b"\"\xc3\xa9\"",
        b"\xc3\xa9",
        b"~{1}\r\na",
        b"{18446744073709551617}\r\nx",
        b"{2}\r\nabc",
    ] {
        assert_eq!(error(&[b"SELECT ", bad].concat()), Kind::Syntax, "{}", bad.escape_ascii());
    }
}

#[test]
fn utf8_in_quotes_once_enabled() {
    let rules = Rules { utf8: true, ..Rules::AFTER_LOGIN };
    let parsed = parse("a SELECT \"é\"\r\n".as_bytes(), &rules).unwrap();
    assert_eq!(parsed.command, Command::Select { mailbox: "é".into() });
    assert!(parse(b"a SELECT \"\xe9\"\r\n", &rules).is_err());
}

#[test]
fn logins() {
    let login = |text: &[u8]| match of(text) {
        Command::Login(login) => (login.user, login.password),
        other => panic!("{other:?}"),
    };
    assert_eq!(login(b"LOGIN a@b \"c d\""), (b"a@b".to_vec(), b"c d".to_vec()));
    assert_eq!(login(b"LOGIN {1}\r\na {3+}\r\n\"\\x"), (b"a".to_vec(), b"\"\\x".to_vec()));
    assert_eq!(login("LOGIN \"é\" ü(%*\\]{3}".as_bytes()), ("é".into(), "ü(%*\\]{3}".into()), "as people have them");
    assert_eq!(login(b"LOGIN a {x"), (b"a".to_vec(), b"{x".to_vec()));
    assert_eq!(login(b"LOGIN a \"\""), (b"a".to_vec(), b"".to_vec()));
    for bad in [&b"LOGIN a \"b"[..], b"LOGIN a b c", b"LOGIN  a b", b"LOGIN a \x01", b"LOGIN a {1}\r\n\0"] {
        assert_eq!(error(bad), Kind::Syntax, "{}", bad.escape_ascii());
    }
    assert!(!format!("{:?}", of(b"LOGIN a secret")).contains("secret"));
}

#[test]
fn authenticate() {
    let initial = |text: &[u8]| match of(text) {
        Command::Authenticate(authenticate) => (authenticate.mechanism, authenticate.initial),
        other => panic!("{other:?}"),
    };
    assert_eq!(initial(b"AUTHENTICATE plain"), (b"PLAIN".to_vec(), None));
    assert_eq!(initial(b"AUTHENTICATE PLAIN ="), (b"PLAIN".to_vec(), Some(vec![])));
    assert_eq!(initial(b"AUTHENTICATE CRAM-MD5 AGE="), (b"CRAM-MD5".to_vec(), Some(b"AGE=".to_vec())));
    assert_eq!(error(b"AUTHENTICATE PLAIN %"), Kind::Syntax);
}

#[test]
fn mailbox_commands() {
    let b = |text: &str| text.as_bytes().to_vec();
    assert_eq!(of(b"RENAME a \"b\""), Command::Rename { from: b("a"), to: b("b") });
    assert_eq!(of(b"LIST \"\" *%]"), Command::List(List { reference: vec![], patterns: vec![b("*%]")] }));
    assert_eq!(of(b"lsub INBOX. \"a %\""), Command::Lsub(List { reference: b("INBOX."), patterns: vec![b("a %")] }));
    assert_eq!(of(b"LIST {0}\r\n {1}\r\n*"), Command::List(List { reference: vec![], patterns: vec![b("*")] }));
    let items = vec![StatusItem::Messages, StatusItem::UidNext];
    assert_eq!(of(b"STATUS a (messages UIDNEXT)"), Command::Status { mailbox: b("a"), items });
    assert_eq!(of(b"STATUS a UNSEEN"), Command::Status { mailbox: b("a"), items: vec![StatusItem::Unseen] });
    assert_eq!(error(b"STATUS a (MESSAGES FOO)"), Kind::Syntax);
    assert_eq!(of(b"ENABLE CONDSTORE x-y"), Command::Enable(vec![b("CONDSTORE"), b("x-y")]));
    assert_eq!(error(b"ENABLE"), Kind::Syntax);
}

#[test]
fn id() {
    assert_eq!(of(b"ID NIL"), Command::Id(None));
    assert_eq!(of(b"ID ()"), Command::Id(Some(vec![])));
    let fields = vec![
        IdField { name: b"name".to_vec(), value: Some(b"x".to_vec()) },
        IdField { name: b"os".to_vec(), value: None },
    ];
    assert_eq!(of(b"ID (\"name\" \"x\" \"os\" NIL)"), Command::Id(Some(fields)));
    assert_eq!(error(b"ID (\"name\")"), Kind::Syntax);
    assert_eq!(error(b"ID \"NIL\""), Kind::Syntax);
    let many = |count| [b"ID (".to_vec(), vec![b"\"a\" NIL".to_vec(); count].join(&b' '), b")".to_vec()].concat();
    assert!(matches!(of(&many(30)), Command::Id(Some(fields)) if fields.len() == 30));
    assert_eq!(error(&many(31)), Kind::Limit);
    assert_eq!(error(&[b"ID (\"a\" \"", [b'x'; 1025].as_slice(), b"\")"].concat()), Kind::Limit);
}

#[test]
fn store() {
    let store = |text: &[u8]| match of(text) {
        Command::Store(store) => store,
        other => panic!("{other:?}"),
    };
    let flags = FlagList { system: Flags::from(Flag::Seen).with(Flag::Deleted), keywords: vec![b"$Junk".to_vec()] };
    let plain = store(b"STORE 1:2 +FLAGS (\\seen $Junk \\Deleted $JUNK)");
    assert_eq!((plain.uid, plain.mode, plain.silent, &plain.flags), (false, StoreMode::Add, false, &flags));
    let bare = store(b"UID STORE 1 -flags.silent \\Seen $Junk \\Deleted");
    assert_eq!((bare.uid, bare.mode, bare.silent, &bare.flags), (true, StoreMode::Remove, true, &flags));
    assert_eq!(store(b"STORE * FLAGS ()").flags, FlagList::default());
    for bad in [
        "STORE 1 FLAGS (\\Recent)",
        "STORE 1 FLAGS (\\Frob)",
        "STORE 1 FLAGS",
        "STORE 1 +-FLAGS (\\Seen)",
        "STORE 1 FLAG (a)",
        "STORE 1 FLAGS (a]b)",
        "STORE 1 FLAGS (\\)",
    ] {
        assert_eq!(error(bad.as_bytes()), Kind::Syntax, "{bad}");
    }
}

#[test]
fn fetch() {
    let items = |text: &str| match of(text.as_bytes()) {
        Command::Fetch(fetch) => fetch.items,
        other => panic!("{other:?}"),
    };
    let whole = |peek, partial| FetchItem::Section(BodySection { section: Section::default(), partial, peek });
    assert_eq!(items("FETCH 1 body"), [FetchItem::Body]);
    assert_eq!(items("FETCH 1 BODY[]"), [whole(false, None)]);
    assert_eq!(items("FETCH 1 (BODY.PEEK[]<0.512>)"), [whole(true, Some(Partial { offset: 0, length: 512 }))]);
    assert_eq!(items("FETCH 1 FAST"), [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Rfc822Size]);
    assert_eq!(items("UID FETCH 1:* (UID RFC822.SIZE)"), [FetchItem::Uid, FetchItem::Rfc822Size]);
    let section = |text: &str| match items(&format!("FETCH 1 BODY[{text}]")).pop() {
        Some(FetchItem::Section(section)) => section,
        other => panic!("{other:?}"),
    };
    for (wire, part, text) in [
        ("1.2.3", vec![1, 2, 3], SectionText::All),
        ("HEADER", vec![], SectionText::Header),
        ("1.mime", vec![1], SectionText::Mime),
        ("4.1.TEXT", vec![4, 1], SectionText::Text),
        (
            "header.fields (From \"a b\")",
            vec![],
            SectionText::HeaderFields { not: false, names: vec![b"From".to_vec(), b"a b".to_vec()] },
        ),
        ("2.HEADER.FIELDS.NOT (To)", vec![2], SectionText::HeaderFields { not: true, names: vec![b"To".to_vec()] }),
    ] {
        let found = section(wire);
        assert_eq!(found.section, Section { part, text });
        let mut out = Vec::new();
        found.write(&mut out);
        assert!(out.eq_ignore_ascii_case(format!("BODY[{wire}]").as_bytes()), "{}", out.escape_ascii());
    }
    for bad in [
        "FETCH 1 (ALL)",
        "FETCH 1 ()",
        "FETCH 1 BODY[",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[1.]",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[]<0.0>",
        "FETCH 1 BODY[]<1>",
        "FETCH 1 BODY.PEEK",
        "FETCH 1 FROB",
        "FETCH 1 (FLAGS",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[HEADER.FIELDS]",
        "FETCH 0 FLAGS",
        "FETCH 1 BODY[]<-1.5>",
        "FETCH 1 BODY[1TEXT]",
        "FETCH a FLAGS",
    ] {
        assert_eq!(error(bad.as_bytes()), Kind::Syntax, "{bad}");
    }
}

#[test]
fn numbers_in_commands() {
    assert_eq!(of(b"UID EXPUNGE 3:*"), Command::UidExpunge(SequenceSet::range(Bound::Number(3), Bound::Last)));
    let set = SequenceSet::range(Bound::Last, Bound::Last);
    assert_eq!(of(b"COPY * \"x\""), Command::Copy { uid: false, set, mailbox: b"x".to_vec() });
    assert_eq!(error(b"EXPUNGE 1"), Kind::Syntax);
}

#[test]
fn search_through_commands() {
    match of(b"UID SEARCH CHARSET utf-8 UNSEEN SUBJECT NIL") {
        Command::Search(search) => {
            assert!(search.uid);
            assert_eq!(search.charset.as_deref(), Some(b"utf-8".as_slice()));
            let unseen = SearchKey::Not(Box::new(SearchKey::Flag(Flag::Seen)));
            assert_eq!(search.key, SearchKey::And(vec![unseen, SearchKey::Subject(b"NIL".to_vec())]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_many_items() {
    let many =
        |count: usize| [b"STATUS a (".to_vec(), vec![b"UNSEEN".to_vec(); count].join(&b' '), b")".to_vec()].concat();
    assert!(matches!(of(&many(8192)), Command::Status { items, .. } if items.len() == 8192));
    assert_eq!(error(&many(8193)), Kind::Limit);
    let strings =
        [b"FETCH 1 BODY[HEADER.FIELDS (".to_vec(), vec![b"\"a\"".to_vec(); 8192].join(&b' '), b")]".to_vec()].concat();
    let begun = std::time::Instant::now();
    of(&strings);
    assert!(begun.elapsed().as_millis() < 2000, "linear: {:?}", begun.elapsed());
}

/// Pieces of commands in any order: deeper into the parser than random bytes come.
fn shuffled() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "a ",
        "UID ",
        "FETCH ",
        "STORE ",
        "SEARCH ",
        "COPY ",
        "LIST ",
        "STATUS ",
        "APPEND ",
        "ID ",
        "1:*",
        "0",
        ",",
        " ",
        "(",
        ")",
        "\"x\"",
        "\"",
        "\\",
        "\\Seen",
        "{3}\r\n",
        "abc",
        "NIL",
        "BODY[",
        "]",
        "HEADER.FIELDS ",
        "<0.1>",
        "NOT ",
        "OR ",
        "ALL",
        "1-Jan-2020",
        "FLAGS ",
        "+",
        "\0",
        "é",
        "\r\n",
    ];
    let word = proptest::sample::select(words.to_vec());
    proptest::collection::vec(word, 0..14).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..80), utf8 in any::<bool>()) {
        let rules = Rules { utf8, ..Rules::AFTER_LOGIN };
        let _ = parse(&bytes, &rules);
        let _ = peek(&bytes);
    }

    #[test]
    fn any_words_have_an_answer(bytes in shuffled()) {
        for bytes in [bytes.clone(), [b"a ", bytes.as_slice(), b"\r\n"].concat()] {
            let _ = parse(&bytes, &Rules::AFTER_LOGIN);
            let _ = append::parse_head(&bytes, &Rules::AFTER_LOGIN);
            let _ = append::parse_tail(&bytes, b"a", &Rules::BEFORE_LOGIN);
        }
    }
}
