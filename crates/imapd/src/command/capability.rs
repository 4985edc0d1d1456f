//! CAPABILITY (RFC 3501 section 6.1.1).

use imap::capability::{self, Stage};
use imap::response;

use crate::answer::{Answer, Outcome};
use crate::session::Session;
use crate::settings::Settings;

/// The list.
pub fn run(session: &mut Session) -> Outcome {
    let list = after_login(&session.settings);
    response::capability(session.wire.out(), &list);
    Ok(Answer::ok("CAPABILITY completed"))
}

/// What we can do for somebody who is logged in.
pub fn after_login(settings: &Settings) -> Vec<u8> {
    let settings = capability::Settings {
        plain: settings.capability,
        tls: settings.capability_tls,
        encrypted: settings.tls,
        id: settings.id_fields.is_some(),
        ..capability::Settings::default()
    };
    capability::list(&settings, Stage::AfterLogin)
}
