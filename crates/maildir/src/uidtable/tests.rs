use super::*;
use proptest::prelude::*;

const SOUND: &[u8] = b"1 795310093 0000000009\n1 1000.a.host\n4 1001.b host\n8 1002.c,S=12\n";

fn lines(table: &UidTable) -> Vec<(u32, &[u8])> {
    table.uids().iter().copied().zip(table.bases().iter()).collect()
}

/// Whatever was read: UIDs ascend, and the next one is above all.
fn is_sane(table: &UidTable) -> bool {
    let ascending = table.uids().windows(2).all(|pair| pair[0] < pair[1]);
    ascending
        && table.bases().len() == table.len()
        && table.uid_validity > 0
        && table.uid_next > table.uids().last().copied().unwrap_or(0)
        && table.uids().first() != Some(&0)
}

#[test]
fn reads_a_padded_next_uid() {
    let table = UidTable::parse(SOUND).unwrap();
    assert_eq!((table.uid_validity, table.uid_next), (795_310_093, 9));
    assert_eq!(lines(&table), [(1, &b"1000.a.host"[..]), (4, b"1001.b host"), (8, b"1002.c,S=12")]);
    assert!(!table.is_ragged());
    assert_eq!(table.layout.next_at, Some(12));
    assert_eq!(table.format(), SOUND);
}

#[test]
fn reads_what_courier_leaves_or_survives() {
    let read = |text: &[u8]| {
        let table = UidTable::parse(text).unwrap();
        (
            table.uid_next,
            lines(&table).iter().map(|(uid, base)| (*uid, base.to_vec())).collect::<Vec<_>>(),
            table.is_ragged(),
        )
    };
    let two = vec![(1, b"a".to_vec()), (2, b"b".to_vec())];
    assert_eq!(read(b"1 5 3\n1 a\n2 b\n"), (3, two.clone(), false));
    assert_eq!(read(b"1 5 3\n2 b\n1 a\n"), (3, two.clone(), false), "out of order");
    assert_eq!(read(b"1 5 4\n1 a\n2 b\n3 c"), (4, two.clone(), true), "a cut last line");
    assert_eq!(read(b"1 5 4\n1 a\n2 b\n\0\0\0\n"), (4, two.clone(), true), "zeros after a crash");
    assert_eq!(read(b"1 5 2\n1 a\n2 b\n"), (3, two.clone(), true), "a line at NEXTUID");
    assert_eq!(read(b"1 5 9\n1 a\n2 b\n2 c\n"), (9, two, false), "one UID twice: the first line");
    assert_eq!(read(b"1 5 1\n"), (1, vec![], false));
}

#[test]
fn refuses_what_cannot_be() {
    let damaged: [&[u8]; 10] = [
        b"",
        b"1 5 3",
        b"2 5 3\n",
        b"1 0 3\n",
        b"1 5 0\n",
        b"1 4294967296 3\n",
        b"1 5\n",
        b"1 5 3 4\n",
        b"1 -5 3\n",
        b"1 5 3\n4294967295 a\n",
    ];
    for text in damaged {
        assert!(UidTable::parse(text).is_err(), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn uids_end() {
    let mut table = UidTable::parse(b"1 5 4294967294\n").unwrap();
    assert_eq!(table.add(b"a"), Ok(4_294_967_294));
    assert!(table.add(b"b").is_err());
    assert!(is_sane(&table));
}

#[test]
fn every_truncation_and_every_flipped_bit() {
    for end in 0..SOUND.len() {
        if let Ok(table) = UidTable::parse(&SOUND[..end]) {
            assert!(is_sane(&table));
            assert_eq!((table.uid_validity, table.uid_next), (795_310_093, 9), "a cut must not lower a number");
            assert!(
                lines(&table).iter().all(|line| lines(&UidTable::parse(SOUND).unwrap()).contains(line)),
                "cut at {end}"
            );
        }
    }
    for at in 0..SOUND.len() {
        for flip in 1..=255u8 {
            let mut text = SOUND.to_vec();
            text[at] ^= flip;
            if let Ok(table) = UidTable::parse(&text) {
                assert!(is_sane(&table), "{}", String::from_utf8_lossy(&text));
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(tail in proptest::collection::vec(prop_oneof![proptest::sample::select(b"0123456789 \nab\0".to_vec()), any::<u8>()], 0..200)) {
        for text in [tail.clone(), [b"1 7 5\n", tail.as_slice()].concat()] {
            if let Ok(table) = UidTable::parse(&text) {
                prop_assert!(is_sane(&table));
                let again = UidTable::parse(&table.format()).unwrap();
                prop_assert_eq!(lines(&again), lines(&table));
                prop_assert_eq!(again.uid_next, table.uid_next);
            }
        }
    }
}
