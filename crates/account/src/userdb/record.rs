//! A record: `field=value|field=value|...`.

/// The value of the first field of this name: the name is followed by `=`, `|` or the end. A bare name has the empty value.
pub fn field<'a>(record: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    fields(record).find(|(known, _)| *known == name).map(|(_, value)| value.unwrap_or_default())
}

/// Names and values; a bare name has no value. Empty fields are left out.
pub fn fields(record: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    record.split(|&byte| byte == b'|').filter(|field| !field.is_empty()).map(|field| {
        match field.iter().position(|&byte| byte == b'=') {
            Some(at) => (field.get(..at).unwrap_or_default(), field.get(at + 1..)),
            None => (field, None),
        }
    })
}

/// Whether a field is a secret: its name ends in `pw`. Secrets go into the shadow database alone.
pub fn is_secret(name: &[u8]) -> bool {
    name.ends_with(b"pw")
}

/// Whether a name or a value can stand in a record.
pub fn is_valid(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, b'|' | b'\n' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn look_up() {
        let record = b"uid=1000|home=/home/a=b|bare|mail=|uid=2|imappw=x|xuid=7";
        assert_eq!(field(record, b"uid"), Some(&b"1000"[..]));
        assert_eq!(field(record, b"home"), Some(&b"/home/a=b"[..]));
        assert_eq!(field(record, b"bare"), Some(&b""[..]));
        assert_eq!(field(record, b"mail"), Some(&b""[..]));
        assert_eq!(field(record, b"ui"), None);
        assert_eq!(field(record, b"id"), None);
        assert_eq!(field(b"", b"uid"), None);
        assert_eq!(field(b"||uid=1||", b"uid"), Some(&b"1"[..]));
        assert!(is_secret(b"systempw") && is_secret(b"pw") && !is_secret(b"systempwd"));
    }

    proptest! {
        #[test]
        fn what_was_written_is_found(values in prop::collection::vec("[^|\n\0]{0,12}", 1..8)) {
            let record: Vec<_> = values.iter().enumerate().map(|(n, value)| format!("f{n}={value}")).collect();
            let record = record.join("|");
            prop_assert_eq!(fields(record.as_bytes()).count(), values.len());
            for (n, value) in values.iter().enumerate() {
                prop_assert_eq!(field(record.as_bytes(), format!("f{n}").as_bytes()), Some(value.as_bytes()));
            }
        }

        #[test]
        fn no_record_panics(record in prop::collection::vec(any::<u8>(), 0..80), name in prop::collection::vec(any::<u8>(), 0..4)) {
            let _ = field(&record, &name);
        }
    }
}
