//! When a shadow entry shuts its account.

use sys::shadow::Entry;

const DAY: i64 = 86_400;

/// Whether the account has expired, or its password is older than it may be. Empty fields (-1) say nothing.
pub fn is_expired(entry: &Entry, now: i64) -> bool {
    let today = now.div_euclid(DAY);
    let account = entry.expires > 0 && entry.expires <= today;
    let password = entry.changed >= 0 && entry.maximum >= 0 && entry.changed.saturating_add(entry.maximum) < today;
    account || password
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(expires: i64, changed: i64, maximum: i64) -> Entry {
        Entry { hash: Vec::new(), changed, maximum, inactive: -1, expires }
    }

    #[test]
    fn days() {
        let now = 20_000 * DAY + 5;
        for (expires, changed, maximum, expired) in [
            (-1, -1, -1, false),
            (0, 19_000, 99_999, false),
            (20_001, -1, -1, false),
            (20_000, -1, -1, true),
            (1, -1, -1, true),
            (-1, 19_990, 10, false),
            (-1, 19_989, 10, true),
            (-1, 0, 99_999, false),
            (-1, 0, 90, true),
            (-1, 19_000, -1, false),
            (-1, -1, 10, false),
            (-1, i64::MAX, i64::MAX, false),
        ] {
            assert_eq!(is_expired(&entry(expires, changed, maximum), now), expired, "{expires} {changed} {maximum}");
        }
    }
}
