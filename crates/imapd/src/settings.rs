//! Every environment variable that imapd reads, read once.

use std::borrow::Cow;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use chain::environment::own_set;
use maildir::Durable;

use crate::wire::Limits;

/// No time limit is longer.
const DAY: u64 = 86_400;

/// Variables stand where the kernel put them.
type Value = &'static [u8];

/// What the administrator and the stages before us said.
#[derive(Debug)]
pub struct Settings {
    // who logged in, and how (set by the login program and the modules)
    /// `AUTHENTICATED`: the account's name, where a login was.
    pub authenticated: Option<Value>,
    /// `IMAPLOGINTAG`: the tag that waits for its OK.
    pub login_tag: Option<Value>,
    /// `AUTHUSER`: the login program to go back to.
    pub login_program: Option<Value>,
    /// `MAILDIR`: the account's own path, relative to its home.
    pub maildir: Option<Value>,
    /// `MAILDIRQUOTA`: the limit where the Maildir itself names none.
    pub quota: Value,
    /// `OPTIONS`: the account's options.
    pub options: Options,

    // the connection
    /// `IMAP_TLS`: the client's side is encrypted.
    pub tls: bool,

    // what the administrator set
    /// `IMAP_CAPABILITY`, as it stands.
    pub capability: Option<Value>,
    /// `IMAP_CAPABILITY_TLS`, as it stands.
    pub capability_tls: Option<Value>,
    /// `IMAP_KEYWORDS`: flags of the client's own are kept.
    pub keywords: bool,
    /// `IMAP_ID_FIELDS`: what ID tells; unset, ID is not offered by Courier (ours: offered, telling nothing).
    pub id_fields: Option<u32>,
    /// `IMAP_IDLE_TIMEOUT`: seconds between two looks where the kernel cannot tell us; 30 at most.
    pub idle_poll: Duration,
    /// `IMAP_MAILBOX_SANITY_CHECK`: the Maildir must belong to the account.
    pub sanity_check: bool,
    /// `IMAP_CHECK_ALL_FOLDERS`: LIST marks all folders, not INBOX alone.
    pub check_all_folders: bool,
    /// `IMAP_OBSOLETE_CLIENT`: `\Noinferiors` in place of `\HasNoChildren`.
    pub obsolete_client: bool,
    /// `IMAP_USELOCKS`: take Courier's dot-lock as well.
    pub use_locks: bool,
    /// `IMAP_UTF7_FOLDERS`: folder names on disk are as Courier wrote them before 5.0.
    pub utf7_folders: bool,
    /// `IMAP_LOG_DELETIONS`: one line for each expunged message.
    pub log_deletions: bool,
    /// `IMAP_MOVE_EXPUNGE_TO_TRASH`: expunged messages go to the trash.
    pub keep_in_trash: bool,
    /// `IMAP_TRASHFOLDERNAME`: the trash.
    pub trash: Value,
    /// `IMAP_EMPTYTRASH`: folders and after how many days messages in them are removed.
    pub empty_trash: Value,
    /// `IMAPDEBUGFILE`: a file in the Maildir that takes a trace, if it is there.
    pub debug_file: Option<Value>,
    /// `LANDLOCK_ABI`: behave as under an older kernel.
    pub landlock_abi: Option<u32>,
    /// `DURABLE`: what is synced before the OK.
    pub durable: Durable,
    /// `HOSTNAME`, else the kernel's.
    pub hostname: Cow<'static, [u8]>,
    /// `IMAP_TIMEOUT`, `IMAP_LITERAL_TIMEOUT`: how long a client may be silent.
    pub limits: Limits,
    /// `IMAP_IDLE_KEEPALIVE`: seconds between two signs of life in IDLE; 0 is never.
    pub idle_keepalive: Option<Duration>,
    /// `IMAP_APPENDLIMIT`: the largest message that APPEND takes.
    pub append_limit: u64,
}

impl Settings {
    /// Reads the environment.
    pub fn from_environment() -> Settings {
        Settings {
            authenticated: own_set("AUTHENTICATED"),
            login_tag: own_set("IMAPLOGINTAG"),
            login_program: own_set("AUTHUSER"),
            // Modules say "none" with the empty string.
            maildir: own_set("MAILDIR"),
            quota: own_set("MAILDIRQUOTA").unwrap_or_default(),
            options: Options::new(own_set("OPTIONS").unwrap_or_default()),
            tls: number("IMAP_TLS", 0) != 0,
            capability: own_set("IMAP_CAPABILITY"),
            capability_tls: own_set("IMAP_CAPABILITY_TLS"),
            keywords: number("IMAP_KEYWORDS", 1) != 0,
            id_fields: own_set("IMAP_ID_FIELDS").map(|value| u32::try_from(integer(value)).unwrap_or(0)),
            idle_poll: seconds("IMAP_IDLE_TIMEOUT", 60, 30),
            sanity_check: number("IMAP_MAILBOX_SANITY_CHECK", 1) != 0,
            check_all_folders: number("IMAP_CHECK_ALL_FOLDERS", 0) != 0,
            obsolete_client: number("IMAP_OBSOLETE_CLIENT", 0) != 0,
            use_locks: own_set("IMAP_USELOCKS").is_none_or(|value| value.starts_with(b"1")),
            utf7_folders: number("IMAP_UTF7_FOLDERS", 0) != 0,
            log_deletions: number("IMAP_LOG_DELETIONS", 0) != 0,
            keep_in_trash: number("IMAP_MOVE_EXPUNGE_TO_TRASH", 0) != 0,
            trash: own_set("IMAP_TRASHFOLDERNAME").unwrap_or(b"Trash"),
            empty_trash: own_set("IMAP_EMPTYTRASH").unwrap_or_default(),
            debug_file: own_set("IMAPDEBUGFILE"),
            landlock_abi: u32::try_from(number("LANDLOCK_ABI", 0)).ok().filter(|version| *version > 0),
            durable: match own_set("DURABLE") {
                Some(b"append") => Durable::Append,
                Some(b"none") => Durable::None,
                _ => Durable::All,
            },
            hostname: own_set("HOSTNAME").map_or_else(own_name, Cow::Borrowed),
            limits: Limits {
                idle: seconds("IMAP_TIMEOUT", 1800, DAY),
                literal: seconds("IMAP_LITERAL_TIMEOUT", 60, 600),
            },
            idle_keepalive: Some(number("IMAP_IDLE_KEEPALIVE", 120).min(DAY))
                .filter(|s| *s > 0)
                .map(Duration::from_secs),
            append_limit: number("IMAP_APPENDLIMIT", 100 * 1024 * 1024),
        }
    }
}

fn number(name: &str, unset: u64) -> u64 {
    own_set(name).map_or(unset, integer)
}

fn seconds(name: &str, unset: u64, most: u64) -> Duration {
    Duration::from_secs(number(name, unset).clamp(1, most))
}

/// The digits at the beginning, as C's `atoi` reads them; none is 0.
fn integer(value: &[u8]) -> u64 {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum: u64, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

fn own_name() -> Cow<'static, [u8]> {
    nix::unistd::gethostname().map_or(Cow::Borrowed(b"localhost"), |name| Cow::Owned(name.into_vec()))
}

/// The account's options: `name=value,name=value`, first match wins.
#[derive(Debug, Default)]
pub struct Options(Value);

impl Options {
    /// Takes the value of `OPTIONS`.
    pub fn new(list: Value) -> Options {
        Options(list)
    }

    /// An option that says yes: a number other than 0, or a word that begins with t or y.
    pub fn yes(&self, name: &str) -> bool {
        let value = self.0.split(|byte| *byte == b',').find_map(|option| {
            let rest = option.strip_prefix(name.as_bytes())?;
            if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b"=") }
        });
        value.is_some_and(|value| integer(value) != 0 || matches!(value.first(), Some(b't' | b'T' | b'y' | b'Y')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_the_account_records_write_them() {
        let options = Options::new(b"disableimapx=1,disableimap=0,a=yes,b,disableimap=1,c=1,d=True");
        assert!(!options.yes("disableimap"), "the first match wins");
        assert!(options.yes("disableimapx"));
        assert!(options.yes("a"));
        assert!(!options.yes("b"), "a bare name is 0");
        assert!(options.yes("c"));
        assert!(options.yes("d"));
        assert!(!options.yes("e"));
        assert!(!Options::default().yes(""));
    }

    #[test]
    fn numbers_are_read_as_atoi_does() {
        assert_eq!(integer(b"60"), 60);
        assert_eq!(integer(b"1x"), 1);
        assert_eq!(integer(b"x"), 0);
        assert_eq!(integer(b"99999999999999999999999"), u64::MAX);
    }
}
