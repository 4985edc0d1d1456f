//! The text: `ADDRESS TAB field=value|...`, `UID= TAB NAME`, comments and blank lines.

/// A line of the source, without its LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A record: an account, or, where the address is a number and `=`, the name of the account that has this user id.
    Record {
        /// The key.
        address: &'a [u8],
        /// The fields, or the name.
        record: &'a [u8],
    },
    /// A blank line, a comment, or one without a TAB.
    Other(&'a [u8]),
}

/// Reads one line.
pub fn line(line: &[u8]) -> Line<'_> {
    let tab = line.iter().position(|&byte| byte == b'\t');
    match tab.and_then(|at| line.split_at_checked(at)) {
        Some((address, rest)) if !address.is_empty() && !address.starts_with(b"#") => {
            Line::Record { address, record: rest.trim_ascii() }
        }
        _ => Line::Other(line),
    }
}

/// The lines of a text. The last one may lack its LF.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|&byte| byte == b'\n').map(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        assert_eq!(line(b"joe\tuid=1|gid=2"), Line::Record { address: b"joe", record: b"uid=1|gid=2" });
        assert_eq!(line(b"1000=\tjoe"), Line::Record { address: b"1000=", record: b"joe" });
        assert_eq!(line(b"joe\t\tuid=1 "), Line::Record { address: b"joe", record: b"uid=1" });
        for other in [&b""[..], b"# joe\tuid=1", b"joe uid=1", b"\tuid=1"] {
            assert_eq!(line(other), Line::Other(other));
        }
        assert_eq!(lines(b"joe\ta\n\nann\tb").count(), 3);
        assert_eq!(lines(b"joe\ta\n").count(), 1);
    }
}
