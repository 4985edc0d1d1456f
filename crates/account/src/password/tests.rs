use super::*;
use crate::crypt::in_process;
use proptest::prelude::*;
use std::cell::Cell;

/// The system's crypt(3) for every method: unit tests run on a C library that knows them all, or skip what it does not.
struct Library {
    asked: Cell<u32>,
}

impl Library {
    fn new() -> Library {
        Library { asked: Cell::new(0) }
    }
}

impl Crypt for Library {
    fn matches(&self, password: &[u8], hash: &[u8]) -> Result<bool, Trouble> {
        self.asked.set(self.asked.get() + 1);
        Ok(in_process(password, hash).unwrap().unwrap_or(false))
    }
}

fn golden() -> impl Iterator<Item = (&'static [u8], &'static [u8])> {
    include_bytes!("../../testdata/hashes").split(|&byte| byte == b'\n').filter_map(|line| {
        let tab = line.iter().position(|&byte| byte == b'\t')?;
        Some((&line[..tab], &line[tab + 1..]))
    })
}

fn is_known_here(hash: &[u8]) -> bool {
    !cfg!(target_env = "musl") || crypt::method(hash) != Some(crypt::Method::Checker)
}

#[test]
fn golden_hashes() {
    let mut count = 0;
    for (password, hash) in golden().filter(|(_, hash)| is_known_here(hash)) {
        let text = String::from_utf8_lossy(hash);
        assert!(is_hash(hash), "{text}");
        assert!(verify(hash, password, &Library::new()).unwrap(), "{text}");
        let mut wrong = password.to_vec();
        wrong.insert(0, b'z');
        assert!(!verify(hash, &wrong, &Library::new()).unwrap(), "{text}");
        count += 1;
    }
    assert!(count > if cfg!(target_env = "musl") { 120 } else { 150 });
}

#[test]
fn what_is_no_hash_matches_nothing() {
    for stored in [
        "",
        "secret",
        "x",
        "*",
        "!",
        "!!",
        "*LK*",
        "*0",
        "*1",
        "{",
        "{}",
        "{}secret",
        "{PLAIN}secret",
        "{SHA}",
        "{SSHA}",
        "{CRYPT}",
        "$1$",
        "$6$",
        "$",
        "$$$",
        "{SHA}secret",
        "{SSHA}c2VjcmV0",
    ] {
        for entered in ["", "secret", stored] {
            assert!(!verify(stored.as_bytes(), entered.as_bytes(), &Library::new()).unwrap(), "{stored} {entered}");
        }
    }
}

#[test]
fn schemes_in_any_case_texts_exactly() {
    let is = |stored: &str| verify(stored.as_bytes(), b"secret", &Library::new()).unwrap();
    assert!(is("{md5raw}5ebe2294ecd0e0f08eab7690d2a6ee69"));
    assert!(!is("{MD5RAW}5EBE2294ECD0E0F08EAB7690D2A6EE69"));
    assert!(is("{Sha}5en6G6MezRroT3XKqkdPOmY/BfQ="));
    assert!(!is("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ"));
    assert!(!is("{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0=="));
}

#[test]
fn every_verdict_costs_a_hash() {
    let sample = || Some(b"$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1".to_vec());
    let right: &[u8] = b"$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1";
    let cases: [(Option<&[u8]>, bool); 8] = [
        (Some(right), true),
        (Some(b"!$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"), false),
        (Some(b"!*$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"), false),
        (Some(b"*"), false),
        (Some(b"!"), false),
        (Some(b""), false),
        (Some(b"secret"), false),
        (None, false),
    ];
    for (stored, verdict) in cases {
        let library = Library::new();
        assert_eq!(decide(stored, b"secret", sample, &library).unwrap(), verdict, "{stored:?}");
        assert_eq!(library.asked.get(), 1, "{stored:?}");
    }
}

#[test]
fn an_empty_store_costs_nobody_anything() {
    let library = Library::new();
    assert!(!decide(None, b"secret", || None, &library).unwrap());
    assert!(!decide(Some(b"x"), b"secret", || None, &library).unwrap());
    assert_eq!(library.asked.get(), 0);
}

/// Says no without work, so that a property test is quick.
struct Never;

impl Crypt for Never {
    fn matches(&self, _: &[u8], _: &[u8]) -> Result<bool, Trouble> {
        Ok(false)
    }
}

proptest! {
    #[test]
    fn no_stored_text_panics(stored in prop::collection::vec(any::<u8>(), 0..60), entered in prop::collection::vec(any::<u8>(), 0..20)) {
        prop_assert!(!decide(Some(&stored), &entered, || None, &Never).unwrap());
    }

    #[test]
    fn no_scheme_panics(scheme in "\\{(md5|MD5RAW|sha|ssha|sha256|sha512|crypt|x)\\}?", text in "[A-Za-z0-9+/=]{0,40}") {
        let stored = format!("{scheme}{text}");
        prop_assert!(!decide(Some(stored.as_bytes()), b"never this", || None, &Never).unwrap());
    }
}
