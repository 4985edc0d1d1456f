//! Which names cross an exec.

/// The settings of the house, under Courier's names and our own, sorted. They pass every stage.
pub const SETTINGS: &[&str] = &[
    "ADDRESS",
    "AUTHMODULES",
    "AUTHMODULES_ORIG",
    "AUTH_MKHOMEDIR_SKEL",
    "COURIERTLS",
    "DEBUG_LOGIN",
    "DEFDOMAIN",
    "DOMAINSEP",
    "DURABLE",
    "HEADERFROM",
    "HOSTNAME",
    "IMAPACCESSFILE",
    "IMAPDEBUGFILE",
    "IMAPDSSLSTART",
    "IMAPDSTART",
    "IMAPDSTARTTLS",
    "IMAP_ACL",
    "IMAP_APPENDLIMIT",
    "IMAP_BROKENUIDV",
    "IMAP_CAPABILITY",
    "IMAP_CAPABILITY_ORIG",
    "IMAP_CAPABILITY_TLS",
    "IMAP_CAPABILITY_TLS_ORIG",
    "IMAP_CHECK_ALL_FOLDERS",
    "IMAP_DISABLETHREADSORT",
    "IMAP_EMPTYTRASH",
    "IMAP_ENHANCEDIDLE",
    "IMAP_IDLE_KEEPALIVE",
    "IMAP_IDLE_TIMEOUT",
    "IMAP_ID_FIELDS",
    "IMAP_KEYWORDS",
    "IMAP_LITERAL_TIMEOUT",
    "IMAP_LOG_DELETIONS",
    "IMAP_MAILBOX_SANITY_CHECK",
    "IMAP_MOVE_EXPUNGE_TO_TRASH",
    "IMAP_OBSOLETE_CLIENT",
    "IMAP_PROXY",
    "IMAP_PROXY_FOREIGN",
    "IMAP_SHAREDINDEXFILE",
    "IMAP_SHAREDMUNGENAMES",
    "IMAP_STARTTLS",
    "IMAP_TIMEOUT",
    "IMAP_TLS",
    "IMAP_TLS_REQUIRED",
    "IMAP_TRASHFOLDERNAME",
    "IMAP_ULIMITD",
    "IMAP_UMASK",
    "IMAP_USELOCKS",
    "IMAP_UTF7_FOLDERS",
    "LANDLOCK_ABI",
    "LOGGEROPTS",
    "LOGIN_DELAY",
    "LOGIN_IDLE",
    "LOGIN_TIMEOUT",
    "LOG_FAILED_NAMES",
    "MAILDIRPATH",
    "MAXDAEMONS",
    "MAXPERIP",
    "MIME_UNICODE_MESSAGE_TYPE",
    "OUTBOX",
    "OUTBOX_MULTIPLE_SEND",
    "PASSENV",
    "PIDFILE",
    "POP3AUTH",
    "POP3AUTH_ORIG",
    "POP3AUTH_TLS",
    "POP3AUTH_TLS_ORIG",
    "POP3DSSLSTART",
    "POP3DSTART",
    "POP3DSTARTTLS",
    "POP3_LOG_DELETIONS",
    "POP3_PROXY",
    "POP3_STARTTLS",
    "POP3_TLS",
    "POP3_TLS_REQUIRED",
    "PORT",
    "PROXY_HOSTNAME",
    "SECCOMP_ACTION",
    "SENDMAIL",
    "SMAP_CAPABILITY",
    "SSLADDRESS",
    "SSLLOGGEROPTS",
    "SSLPIDFILE",
    "SSLPORT",
    "TCPDOPTS",
    "TLS_ALPN",
    "TLS_CACHEFILE",
    "TLS_CACHESIZE",
    "TLS_CERTFILE",
    "TLS_CIPHER_LIST",
    "TLS_DHCERTFILE",
    "TLS_DHPARAMS",
    "TLS_EXTERNAL",
    "TLS_INTCACHESIZE",
    "TLS_MIN_DH_BITS",
    "TLS_PRIORITY",
    "TLS_PRIVATE_KEYFILE",
    "TLS_PROTOCOL",
    "TLS_STARTTLS_PROTOCOL",
    "TLS_TIMEOUT",
    "TLS_TRUSTCERTS",
    "TLS_VERIFYPEER",
    "USERDB",
];

/// Names that the login program owns, and that travel until somebody is logged in.
pub const UNTIL_LOGIN: &[&str] = &["AUTHARGC", "AUTHEXPIRE", "AUTHLOGIN", "AUTHREASON", "AUTHTRIES", "AUTHUSER"];

/// Names that the login program owns, and that travel to the end of the chain.
pub const OF_LOGIN: &[&str] = &["IMAPLOGINTAG", "PROTOCOL", "UTF8"];

/// Whom the login program's talking half becomes.
pub const OF_LISTENER: &[&str] = &["GID", "UID"];

/// Names that an accepting module owns.
pub const OF_ACCOUNT: &[&str] =
    &["AUTHADDR", "AUTHENTICATED", "AUTHFULLNAME", "HOME", "MAILDIR", "MAILDIRQUOTA", "OPTIONS", "SHELL", "USER"];

/// Ends of the names that describe the peer, behind `TCP` or the value of `PROTO`.
const PEER: &[&str] = &[
    "INTERFACE",
    "LOCALGID",
    "LOCALHOST",
    "LOCALIP",
    "LOCALPATH",
    "LOCALPID",
    "LOCALPORT",
    "LOCALUID",
    "REMOTEEGID",
    "REMOTEEUID",
    "REMOTEHOST",
    "REMOTEINFO",
    "REMOTEIP",
    "REMOTEPATH",
    "REMOTEPID",
    "REMOTEPORT",
];

/// One of the sorted list?
pub fn is_in(list: &[&str], name: &[u8]) -> bool {
    list.binary_search_by(|entry| entry.as_bytes().cmp(name)).is_ok()
}

/// A setting? Also `AUTHSERVICE` with a port.
pub fn is_setting(name: &[u8]) -> bool {
    is_in(SETTINGS, name) || is_numbered(name, b"AUTHSERVICE")
}

/// `AUTHARGV0` and so on.
pub fn is_argument(name: &[u8]) -> bool {
    is_numbered(name, b"AUTHARGV")
}

/// Does it describe the peer, given the value of `PROTO`?
pub fn is_peer(name: &[u8], proto: Option<&[u8]>) -> bool {
    if name == b"PROTO" || matches!(name, b"REMOTE_ADDR" | b"REMOTE_PORT") {
        return true;
    }
    [Some(&b"TCP"[..]), proto]
        .into_iter()
        .flatten()
        .any(|prefix| name.strip_prefix(prefix).is_some_and(|end| is_in(PEER, end)))
}

/// Is it a word that a UCSPI server may put into `PROTO`?
pub fn is_proto(value: &[u8]) -> bool {
    (1..=16).contains(&value.len()) && value.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Does a TLS stage say it about the connection?
pub fn is_tls(name: &[u8]) -> bool {
    name.starts_with(b"SSL_") || name.starts_with(b"TLS_SUBJECT_") || name == b"TLS_CONNECTED_PROTOCOL"
}

/// Must `PASSENV` not admit it? Names that some stage owns or fixes, and names that change how
/// the next program is loaded.
pub fn is_reserved(name: &[u8], proto: Option<&[u8]>) -> bool {
    const PREFIXES: &[&[u8]] = &[b"AUTH", b"GLIBC_", b"LD_", b"MALLOC_", b"TCP", b"SSL", b"UNIX"];
    const NAMES: &[&[u8]] = &[b"BASH_ENV", b"ENV", b"IFS", b"LANG", b"PATH", b"TZ", b"UCSPITLS"];
    name.is_empty()
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || NAMES.contains(&name)
        || is_in(OF_LOGIN, name)
        || is_in(OF_LISTENER, name)
        || is_in(OF_ACCOUNT, name)
        || is_peer(name, proto)
        || is_tls(name)
}

fn is_numbered(name: &[u8], prefix: &[u8]) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|number| (1..=5).contains(&number.len()) && number.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        for list in [SETTINGS, UNTIL_LOGIN, OF_LOGIN, OF_LISTENER, OF_ACCOUNT, PEER] {
            assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
        }
    }

    #[test]
    fn names_fall_into_their_classes() {
        assert!(is_setting(b"IMAP_CAPABILITY") && is_setting(b"AUTHSERVICE993"));
        assert!(!is_setting(b"AUTHSERVICE") && !is_setting(b"AUTHSERVICEx"));
        assert!(is_argument(b"AUTHARGV0") && !is_argument(b"AUTHARGV"));
        assert!(is_peer(b"TCPREMOTEIP", None) && is_peer(b"TCP6REMOTEIP", Some(b"TCP6")));
        assert!(!is_peer(b"TCP6REMOTEIP", None) && !is_peer(b"TCPX", None));
        assert!(is_proto(b"TCP6") && !is_proto(b"") && !is_proto(b"LD_"));
        for name in [
            &b"LD_PRELOAD"[..],
            b"IFS",
            b"ENV",
            b"BASH_ENV",
            b"AUTHENTICATED",
            b"AUTHANYTHING",
            b"IMAPLOGINTAG",
            b"UID",
            b"HOME",
            b"PROTO",
            b"SSL_CLIENT_S_DN",
            b"TLS_SUBJECT_CN",
            b"",
        ] {
            assert!(is_reserved(name, None), "{name:?}");
        }
        assert!(!is_reserved(b"MY_DATABASE", None));
    }
}
