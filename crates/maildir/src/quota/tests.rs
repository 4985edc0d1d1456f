use super::*;
use proptest::prelude::*;

#[test]
fn limits() {
    let limits = |text: &str| {
        let limits = Limits::parse(text.as_bytes());
        (limits.bytes, limits.messages)
    };
    assert_eq!(limits("10000000S,1000C"), (Some(10_000_000), Some(1000)));
    assert_eq!(limits("5C"), (None, Some(5)));
    assert_eq!(limits("0S"), (None, None));
    for nothing in ["", "S", "xx", "-5S", "99999999999999999999S"] {
        assert_eq!(limits(nothing), (None, None), "{nothing}");
    }
    assert_eq!(Limits::parse(b"7C,9S").format(), b"9S,7C");
}

#[test]
fn use_is_the_sum_of_lines() {
    let quota = Quota::parse(b"1000S,3C\n         100            1\n         -40            0\n").unwrap();
    assert_eq!(quota.usage, Usage { bytes: 60, messages: 1 });
    assert!(quota.has_room(Usage { bytes: 940, messages: 2 }));
    assert!(!quota.has_room(Usage { bytes: 941, messages: 1 }) && !quota.has_room(Usage { bytes: 1, messages: 3 }));
    assert_eq!(Usage { bytes: -40, messages: 1 }.line().len(), 26);
}

#[test]
fn what_cannot_be_believed_is_counted_anew() {
    for text in ["1000S\n-5 -1\n", "1000S\nabc\n", "1000S\n1\n", "1000S\n99999999999999999999 1\n"] {
        assert_eq!(Quota::parse(text.as_bytes()), None, "{text}");
    }
    assert_eq!(Quota::parse(&[b"1S\n".as_slice(), &b"1 1\n".repeat(1280)].concat()), None, "too long");
}

proptest! {
    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..300), numbers in "[0-9 \n-]{0,100}") {
        for text in [text, [b"10S\n", numbers.as_bytes()].concat()] {
            if let Some(quota) = Quota::parse(&text) {
                prop_assert!(quota.usage.bytes >= 0 && quota.usage.messages >= 0);
            }
        }
    }
}
