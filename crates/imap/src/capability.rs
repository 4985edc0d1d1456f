//! The capability list: one for the login program and the session, from Courier's settings.

/// What an administrator has set; absent and empty variables are `None`.
#[derive(Debug, Clone, Default)]
pub struct Settings<'a> {
    /// `IMAP_CAPABILITY`
    pub plain: Option<&'a [u8]>,
    /// `IMAP_CAPABILITY_TLS`
    pub tls: Option<&'a [u8]>,
    /// `IMAP_TLS` is not 0: the connection is encrypted.
    pub encrypted: bool,
    /// STARTTLS on offer.
    pub starttls: bool,
    /// No login without encryption.
    pub login_disabled: bool,
    /// A client certificate names an account.
    pub external: bool,
    /// `IMAP_ID_FIELDS` is set.
    pub id: bool,
}

/// Where in a session the list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// By a stranger.
    BeforeLogin,
    /// By an account's client.
    AfterLogin,
}

/// What we do. An administrator may leave any but the first out of `IMAP_CAPABILITY`.
const OURS: [&[u8]; 8] =
    [b"IMAP4rev1", b"UIDPLUS", b"CHILDREN", b"NAMESPACE", b"IDLE", b"LITERAL+", b"UNSELECT", b"ENABLE"];

/// The lists that Courier and Debian shipped in their configuration files, without the AUTH= words that differ from one
/// to the next. Whoever has one of these has chosen nothing: it counts as unset, or no site that brings its files along
/// would ever see what we do beyond Courier.
pub const SHIPPED: [&str; 6] = [
    "IMAP4rev1 CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT",
    "IMAP4rev1 CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA",
    "IMAP4rev1 CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT",
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA",
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
];

/// The list, without the word CAPABILITY. In Courier's order; what an administrator names and we do not do is left out.
pub fn list(settings: &Settings<'_>, stage: Stage) -> Vec<u8> {
    let before = stage == Stage::BeforeLogin;
    let set = if settings.encrypted { settings.tls.or(settings.plain) } else { settings.plain };
    let named = set.unwrap_or_default();
    let chosen = !named.is_empty() && !is_shipped(named);
    let mut out = Vec::with_capacity(160);
    push(&mut out, b"IMAP4rev1");
    let first: &[&[u8]] = if chosen { &[] } else { OURS.get(..5).unwrap_or_default() };
    first.iter().for_each(|word| push(&mut out, word));
    words(named).filter(|word| offered(word, chosen, before)).for_each(|word| push(&mut out, word));
    if before && !chosen && !settings.login_disabled && !words(named).any(is_auth) {
        push(&mut out, b"AUTH=PLAIN");
    }
    if settings.id {
        push(&mut out, b"ID");
    }
    if before {
        login_words(settings, chosen, &mut out);
    }
    if !chosen {
        OURS.iter().for_each(|word| push(&mut out, word));
    }
    out
}

fn login_words(settings: &Settings<'_>, chosen: bool, out: &mut Vec<u8>) {
    if settings.starttls {
        push(out, b"STARTTLS");
    }
    if settings.login_disabled {
        push(out, b"LOGINDISABLED");
    }
    if settings.external {
        push(out, b"AUTH=EXTERNAL");
    }
    if !chosen {
        push(out, b"SASL-IR");
    }
}

fn words(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b' ' || byte == b'\t').filter(|word| !word.is_empty())
}

fn is_shipped(list: &[u8]) -> bool {
    SHIPPED.iter().any(|shipped| {
        let same = |(a, b): (&[u8], &[u8])| a.eq_ignore_ascii_case(b);
        let plain = || words(list).filter(|word| !is_auth(word));
        plain().count() == words(shipped.as_bytes()).count() && plain().zip(words(shipped.as_bytes())).all(same)
    })
}

fn is_auth(word: &[u8]) -> bool {
    word.len() > 5 && starts(word, b"AUTH=")
}

fn starts(word: &[u8], prefix: &[u8]) -> bool {
    word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Ours, or the login program's, or an experiment's.
fn offered(word: &[u8], chosen: bool, before: bool) -> bool {
    let ours = |word: &[u8]| OURS.iter().any(|known| known.eq_ignore_ascii_case(word));
    let of_login = is_auth(word) || word.eq_ignore_ascii_case(b"SASL-IR");
    let grammatical = word.iter().all(|&byte| crate::class::atom(byte));
    grammatical && ((before && of_login) || (chosen && (ours(word) || (starts(word, b"X") && word.len() > 1))))
}

fn contains(list: &[u8], word: &[u8]) -> bool {
    list.split(|&byte| byte == b' ').any(|known| known.eq_ignore_ascii_case(word))
}

/// Adds a word once.
fn push(out: &mut Vec<u8>, word: &[u8]) {
    if contains(out, word) {
        return;
    }
    if !out.is_empty() {
        out.push(b' ');
    }
    out.extend_from_slice(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(settings: &Settings<'_>, stage: Stage) -> String {
        String::from_utf8(list(settings, stage)).unwrap()
    }

    const UNSET: &str = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE LITERAL+ UNSELECT ENABLE";

    #[test]
    fn without_settings() {
        let settings = Settings::default();
        assert_eq!(
            text(&settings, Stage::BeforeLogin),
            "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE AUTH=PLAIN SASL-IR LITERAL+ UNSELECT ENABLE"
        );
        assert_eq!(text(&settings, Stage::AfterLogin), UNSET);
    }

    #[test]
    fn a_shipped_list_counts_as_unset() {
        for shipped in SHIPPED {
            for auth in ["", " AUTH=PLAIN", " AUTH=CRAM-MD5 AUTH=CRAM-SHA1"] {
                let value = format!("{shipped}{auth}");
                let settings = Settings { plain: Some(value.as_bytes()), ..Settings::default() };
                assert_eq!(text(&settings, Stage::AfterLogin), UNSET, "{value}");
                let auth = if auth.is_empty() { " AUTH=PLAIN" } else { auth };
                let before =
                    format!("IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE{auth} SASL-IR LITERAL+ UNSELECT ENABLE");
                assert_eq!(text(&settings, Stage::BeforeLogin), before, "{value}");
            }
        }
        // As Courier's file has it: the AUTH= words stand before the last one.
        let middle = b"IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA AUTH=CRAM-MD5 IDLE";
        let settings = Settings { plain: Some(middle), ..Settings::default() };
        assert_eq!(text(&settings, Stage::AfterLogin), UNSET);
    }

    #[test]
    fn a_list_of_the_administrators_own_replaces_ours() {
        let own = b"IMAP4rev1 UIDPLUS SORT unselect AUTH=CRAM-MD5 XMAGIC";
        let settings =
            Settings { plain: Some(own), id: true, starttls: true, login_disabled: true, ..Settings::default() };
        assert_eq!(
            text(&settings, Stage::BeforeLogin),
            "IMAP4rev1 UIDPLUS unselect AUTH=CRAM-MD5 XMAGIC ID STARTTLS LOGINDISABLED"
        );
        assert_eq!(text(&settings, Stage::AfterLogin), "IMAP4rev1 UIDPLUS unselect XMAGIC ID");
    }

    #[test]
    fn encrypted_connections_have_a_list_of_their_own() {
        let settings =
            Settings { plain: Some(b"IMAP4rev1 IDLE"), tls: Some(b"IMAP4rev1 AUTH=PLAIN"), ..Settings::default() };
        assert_eq!(text(&settings, Stage::BeforeLogin), "IMAP4rev1 IDLE");
        let settings = Settings { encrypted: true, ..settings };
        assert_eq!(text(&settings, Stage::BeforeLogin), "IMAP4rev1 AUTH=PLAIN");
        let settings = Settings { tls: None, ..settings };
        assert_eq!(text(&settings, Stage::BeforeLogin), "IMAP4rev1 IDLE");
    }

    #[test]
    fn imap4rev1_is_always_there_and_nothing_ungrammatical() {
        let settings = Settings { plain: Some(b"IDLE\r\n X\"Y AUTH="), ..Settings::default() };
        assert_eq!(text(&settings, Stage::AfterLogin), "IMAP4rev1");
        let settings = Settings { plain: Some(b" "), ..Settings::default() };
        assert_eq!(text(&settings, Stage::AfterLogin), "IMAP4rev1");
        let settings = Settings { plain: Some(b"idle"), ..Settings::default() };
        assert_eq!(text(&settings, Stage::AfterLogin), "IMAP4rev1 idle");
    }
}
