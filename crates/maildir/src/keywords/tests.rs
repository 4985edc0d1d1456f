use super::*;
use proptest::prelude::*;

const LIST: &[u8] = b"$Forwarded\nWork\n\n1000.a.host:0 1\n1001.b:c:1\n";

fn of(keywords: &Keywords, base: &str) -> Vec<String> {
    let words = keywords.spell(keywords.of(base.as_bytes()));
    words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
}

#[test]
fn reads_and_writes_the_list() {
    let keywords = Keywords::parse(LIST);
    assert_eq!(of(&keywords, "1000.a.host"), ["$Forwarded", "Work"]);
    assert_eq!(of(&keywords, "1001.b:c"), ["Work"]);
    assert_eq!(of(&keywords, "1002"), Vec::<String>::new());
    assert_eq!(keywords.format(|_| true), LIST);
    assert_eq!(keywords.format(|base| base == b"1001.b:c"), b"Work\n\n1001.b:c:0\n");
}

#[test]
fn one_word_in_any_case_and_no_byte_that_imap_cannot_show() {
    let keywords = Keywords::parse(b"Work\nwork\nodd (one)\n\na:0\nb:1\nc:2 2 7\n");
    assert_eq!(of(&keywords, "b"), ["Work"]);
    assert_eq!(of(&keywords, "c"), ["odd__one_"]);
    assert_eq!(keywords.words().len(), 2);
}

#[test]
fn limits() {
    let mut keywords = Keywords::default();
    for n in 0..COUNT {
        assert!(keywords.intern(format!("k{n}").as_bytes()).is_some());
    }
    assert_eq!(keywords.intern(b"one more"), None);
    assert_eq!(keywords.intern(b"K7"), Some(7));
    assert_eq!(Keywords::default().intern(&[b'x'; LENGTH + 1]), None);
    assert!(check(&[vec![b'x'; LENGTH + 1]]).is_err());
}

#[test]
fn every_truncation_and_every_flipped_bit() {
    let sane = |text: &[u8]| {
        let keywords = Keywords::parse(text);
        assert!(keywords.iter().all(|(_, set)| set.iter().all(|&word| usize::from(word) < keywords.words().len())));
        let again = Keywords::parse(&keywords.format(|_| true));
        for (base, set) in keywords.iter().filter(|(base, set)| !set.is_empty() && !base.contains(&b'\n')) {
            assert_eq!(again.spell(again.of(base)).len(), set.len());
        }
    };
    for end in 0..LIST.len() {
        sane(&LIST[..end]);
    }
    for at in 0..LIST.len() {
        for flip in 1..=255u8 {
            let mut text = LIST.to_vec();
            text[at] ^= flip;
            sane(&text);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        Keywords::parse(&text).format(|_| true);
    }
}
