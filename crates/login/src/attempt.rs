//! What a connection remembers from one run of the login program to the next. It travels through
//! the modules as environment variables (daisychain-chain(7)).

use chain::environment::{own, own_set};

/// The longest name that travels.
const NAME: usize = 255;

/// Where a connection stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Failed attempts so far.
    pub tries: u32,
    /// When the time for logging in is over, in seconds since 1970.
    pub expires: i64,
    /// The attempt that failed, where this is a run after one.
    pub failed: Option<Failed>,
}

/// An attempt that failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed {
    /// The tag of its command, as it stood in the environment.
    pub tag: Vec<u8>,
    /// The name that was tried.
    pub name: Vec<u8>,
    /// Nobody could tell whether it was right.
    pub temporary: bool,
}

impl Attempt {
    /// From the environment, with so many seconds for a connection that begins now.
    pub fn from_environment(timeout: u32) -> Attempt {
        Attempt::read(|name| own(name).map(<[u8]>::to_vec), sys::clock::seconds(), timeout)
    }

    fn read(get: impl Fn(&str) -> Option<Vec<u8>>, now: i64, timeout: u32) -> Attempt {
        let latest = now.saturating_add(i64::from(timeout));
        let is_rerun = get("AUTHARGC").is_some_and(|count| count.first().is_some_and(|byte| *byte != b'0'));
        if !is_rerun {
            return Attempt { tries: 0, expires: latest, failed: None };
        }
        // Somebody else's clock, or somebody's mistake, must not keep a stranger here for longer.
        let expires = get("AUTHEXPIRE").and_then(|text| decimal(&text)).map_or(latest, |then| then.min(latest));
        let tries = get("AUTHTRIES").and_then(|text| decimal(&text)).filter(|tries| *tries < 100);
        Attempt {
            tries: tries.and_then(|tries| u32::try_from(tries).ok()).unwrap_or(0).max(1),
            expires,
            failed: Some(Failed {
                tag: get("IMAPLOGINTAG").unwrap_or_default(),
                name: travelling_name(&get("AUTHLOGIN").unwrap_or_default()),
                temporary: get("AUTHREASON").as_deref() == Some(b"temp"),
            }),
        }
    }

    /// Seconds since the connection began, for the log.
    pub fn age(&self, timeout: u32) -> i64 {
        let began = self.expires.saturating_sub(i64::from(timeout));
        sys::clock::seconds().saturating_sub(began).max(0)
    }
}

/// The name as it travels: no control character, and not longer than a name is.
pub fn travelling_name(name: &[u8]) -> Vec<u8> {
    name.iter().copied().filter(|byte| !byte.is_ascii_control()).take(NAME).collect()
}

/// The full path of this program, to come back to: `AUTHUSER`, else its own first argument.
pub fn own_path(argument: Option<&[u8]>) -> Option<Vec<u8>> {
    let path = own_set("AUTHUSER").or(argument)?;
    path.starts_with(b"/").then(|| path.to_vec())
}

fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn read(given: &[(&str, &str)]) -> Attempt {
        let get = |name: &str| {
            let found = given.iter().find(|(known, _)| *known == name)?;
            Some(found.1.as_bytes().to_vec())
        };
        Attempt::read(get, NOW, 60)
    }

    #[test]
    fn a_first_run_believes_nothing() {
        let given = [("AUTHTRIES", "2"), ("AUTHEXPIRE", "1"), ("AUTHLOGIN", "x"), ("AUTHARGC", "0")];
        let first = Attempt { tries: 0, expires: NOW + 60, failed: None };
        assert_eq!(read(&given), first);
        assert_eq!(read(&given[..3]), first);
        assert_eq!(read(&[("AUTHARGC", "")]), first);
    }

    #[test]
    fn a_run_after_a_failure_reads_its_own() {
        let given = [
            ("AUTHARGC", "3"),
            ("AUTHTRIES", "2"),
            ("AUTHEXPIRE", "1000010"),
            ("AUTHLOGIN", "john"),
            ("AUTHREASON", "temp"),
            ("IMAPLOGINTAG", "a1"),
        ];
        let expected = Attempt {
            tries: 2,
            expires: NOW + 10,
            failed: Some(Failed { tag: b"a1".to_vec(), name: b"john".to_vec(), temporary: true }),
        };
        assert_eq!(read(&given), expected);
    }

    #[test]
    fn odd_values_are_put_right() {
        for (expire, expected) in [("99999999", NOW + 60), ("x", NOW + 60), ("-1", -1), ("", NOW + 60)] {
            assert_eq!(read(&[("AUTHARGC", "2"), ("AUTHEXPIRE", expire)]).expires, expected);
        }
        for (tries, expected) in [("", 1), ("x", 1), ("-4", 1), ("1000", 1), ("3", 3)] {
            assert_eq!(read(&[("AUTHARGC", "2"), ("AUTHTRIES", tries)]).tries, expected);
        }
    }

    #[test]
    fn names_travel_without_what_breaks_a_line() {
        assert_eq!(travelling_name(b"a\r\nb\x7f\xc3\xbc"), b"ab\xc3\xbc");
        assert_eq!(travelling_name(&[b'x'; 1000]).len(), 255);
    }
}
