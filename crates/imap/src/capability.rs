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

/// What we do; an administrator may leave one out of `IMAP_CAPABILITY`.
const CHOICE: [&[u8]; 5] = [b"IMAP4rev1", b"UIDPLUS", b"CHILDREN", b"NAMESPACE", b"IDLE"];

/// What Courier's variable has no word for: always there.
const OURS: [&[u8]; 3] = [b"LITERAL+", b"UNSELECT", b"ENABLE"];

/// The list, without the word CAPABILITY. In Courier's order; what the administrator names and we do not do, as
/// Courier's shipped list does, is left out.
pub fn list(settings: &Settings<'_>, stage: Stage) -> Vec<u8> {
    let before = stage == Stage::BeforeLogin;
    let named = if settings.encrypted { settings.tls.or(settings.plain) } else { settings.plain };
    let mut out = Vec::with_capacity(160);
    match named {
        Some(named) => {
            let words = named.split(|&byte| byte == b' ' || byte == b'\t').filter(|word| offered(word, before));
            words.for_each(|word| push(&mut out, word));
        }
        None => {
            CHOICE.iter().for_each(|word| push(&mut out, word));
            if before && !settings.login_disabled {
                push(&mut out, b"AUTH=PLAIN");
            }
        }
    }
    if !contains(&out, b"IMAP4rev1") {
        out.splice(0..0, b"IMAP4rev1 ".iter().copied().take(if out.is_empty() { 9 } else { 10 }));
    }
    if settings.id {
        push(&mut out, b"ID");
    }
    if before {
        login_words(settings, &mut out);
    }
    OURS.iter().for_each(|word| push(&mut out, word));
    out
}

fn login_words(settings: &Settings<'_>, out: &mut Vec<u8>) {
    if settings.starttls {
        push(out, b"STARTTLS");
    }
    if settings.login_disabled {
        push(out, b"LOGINDISABLED");
    }
    if settings.external {
        push(out, b"AUTH=EXTERNAL");
    }
    push(out, b"SASL-IR");
}

/// Ours, or the login program's (AUTH=), or an experiment's.
fn offered(word: &[u8], before: bool) -> bool {
    let starts = |prefix: &[u8]| word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let plain = word.iter().all(|&byte| crate::class::atom(byte));
    plain
        && (CHOICE.iter().any(|known| known.eq_ignore_ascii_case(word))
            || (before && starts(b"AUTH=") && word.len() > 5)
            || (starts(b"X") && word.len() > 1))
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

    const SHIPPED: &[u8] =
        b"IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE AUTH=CRAM-MD5 XMAGIC";

    fn text(settings: &Settings<'_>, stage: Stage) -> String {
        String::from_utf8(list(settings, stage)).unwrap()
    }

    #[test]
    fn without_settings() {
        let settings = Settings::default();
        assert_eq!(
            text(&settings, Stage::BeforeLogin),
            "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE AUTH=PLAIN SASL-IR LITERAL+ UNSELECT ENABLE"
        );
        assert_eq!(
            text(&settings, Stage::AfterLogin),
            "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE LITERAL+ UNSELECT ENABLE"
        );
    }

    #[test]
    fn the_shipped_list_loses_what_we_do_not_do() {
        let settings =
            Settings { plain: Some(SHIPPED), id: true, starttls: true, login_disabled: true, ..Settings::default() };
        assert_eq!(
            text(&settings, Stage::BeforeLogin),
            "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE AUTH=CRAM-MD5 XMAGIC ID STARTTLS LOGINDISABLED SASL-IR LITERAL+ UNSELECT ENABLE"
        );
        assert_eq!(
            text(&settings, Stage::AfterLogin),
            "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE XMAGIC ID LITERAL+ UNSELECT ENABLE"
        );
    }

    #[test]
    fn encrypted_connections_have_a_list_of_their_own() {
        let settings =
            Settings { plain: Some(b"IMAP4rev1 IDLE"), tls: Some(b"IMAP4rev1 AUTH=PLAIN"), ..Settings::default() };
        assert!(text(&settings, Stage::BeforeLogin).starts_with("IMAP4rev1 IDLE "));
        let settings = Settings { encrypted: true, ..settings };
        assert!(text(&settings, Stage::BeforeLogin).starts_with("IMAP4rev1 AUTH=PLAIN "));
        let settings = Settings { tls: None, ..settings };
        assert!(text(&settings, Stage::BeforeLogin).starts_with("IMAP4rev1 IDLE "));
    }

    #[test]
    fn imap4rev1_is_always_there_and_nothing_ungrammatical() {
        let settings = Settings { plain: Some(b"IDLE\r\n X\"Y AUTH="), ..Settings::default() };
        assert_eq!(text(&settings, Stage::AfterLogin), "IMAP4rev1 LITERAL+ UNSELECT ENABLE");
        let settings = Settings { plain: Some(b"idle"), ..Settings::default() };
        assert_eq!(text(&settings, Stage::AfterLogin), "IMAP4rev1 idle LITERAL+ UNSELECT ENABLE");
    }
}
