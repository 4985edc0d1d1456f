//! The default domain of a login name.

/// The name with `domain` (Courier's `DEFDOMAIN`, as `@example.com`) behind it, unless it has one already: it contains
/// one of `separators` (`DOMAINSEP`), or, where those are not set, the first byte of `domain`.
pub fn with_domain(name: &[u8], domain: &[u8], separators: Option<&[u8]>) -> Vec<u8> {
    let separators = separators.unwrap_or(domain.get(..1).unwrap_or_default());
    let mut full = name.to_vec();
    if !name.iter().any(|byte| separators.contains(byte)) {
        full.extend_from_slice(domain);
    }
    full
}

#[cfg(test)]
mod tests {
    use super::with_domain;

    #[test]
    fn domains() {
        assert_eq!(with_domain(b"joe", b"@example.com", None), b"joe@example.com");
        assert_eq!(with_domain(b"joe@example.org", b"@example.com", None), b"joe@example.org");
        assert_eq!(with_domain(b"joe%example.org", b"@example.com", None), b"joe%example.org@example.com");
        assert_eq!(with_domain(b"joe%example.org", b"@example.com", Some(b"@%")), b"joe%example.org");
        assert_eq!(with_domain(b"joe@example.org", b"@example.com", Some(b"")), b"joe@example.org@example.com");
        assert_eq!(with_domain(b"joe", b"", None), b"joe");
    }
}
