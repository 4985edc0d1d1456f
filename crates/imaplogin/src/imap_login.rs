//! IMAP before login: what is offered, and the words for it.

use chain::Program;
use chain::environment::own_set;
use imap::capability::{self, Settings, Stage};
use imap::response::{self, Code, Status};
use login::{End, Outcome, Protocol, Refusal, Stop, Wire, is_on};

/// The settings of a conversation.
pub struct ImapLogin {
    /// The capability list, without the word CAPABILITY.
    pub capabilities: Vec<u8>,
    /// No login without encryption, and there is none.
    pub needs_tls: bool,
    /// The answer to ID, where that is offered.
    pub identity: Option<Vec<u8>>,
}

impl ImapLogin {
    /// From Courier's variables.
    pub fn from_environment() -> ImapLogin {
        let encrypted = is_on("IMAP_TLS");
        let needs_tls = is_on("IMAP_TLS_REQUIRED") && !encrypted;
        let identity = crate::identity::from_environment();
        let settings = Settings {
            plain: own_set("IMAP_CAPABILITY"),
            tls: own_set("IMAP_CAPABILITY_TLS"),
            encrypted,
            starttls: false,
            login_disabled: needs_tls,
            external: false,
            id: identity.is_some(),
        };
        ImapLogin { capabilities: capability::list(&settings, Stage::BeforeLogin), needs_tls, identity }
    }
}

impl Protocol for ImapLogin {
    const PROGRAM: Program = Program::new("imaplogin");
    const SERVICE: &'static [u8] = b"imap";
    const PROTOCOL: &'static [u8] = b"IMAP";
    const PORT: &'static [u8] = b"143";

    fn greet(&self, out: &mut Vec<u8>) {
        let code = Code::Capability(&self.capabilities);
        response::untagged(out, Status::Ok, Some(code), b"daisychain ready");
    }

    fn refuse(&self, tag: &[u8], why: Refusal, out: &mut Vec<u8>) {
        let tag = if response::is_tag(tag) { tag } else { b"*" };
        match why {
            Refusal::Credentials => {
                response::tagged(out, tag, Status::No, Some(Code::AuthenticationFailed), b"Login failed");
            }
            Refusal::Unavailable => {
                let text = b"Unable to check the login now, try again later";
                response::tagged(out, tag, Status::No, Some(Code::Unavailable), text);
            }
        }
    }

    fn dismiss(&self, why: End, out: &mut Vec<u8>) {
        let text: &[u8] = match why {
            // LOGOUT has had its BYE before the tagged OK; who is gone hears none.
            End::Logout | End::Closed => return,
            End::Idle => b"Idle for too long",
            End::Expired => b"The time for logging in is over",
            End::Nonsense => b"Too many bad commands, or too much",
            End::Refused => b"Too many failed logins",
        };
        response::untagged(out, Status::Bye, None, text);
    }

    fn is_tag(&self, tag: &[u8]) -> bool {
        response::is_tag(tag)
    }

    fn converse(&self, wire: &mut Wire) -> Result<Outcome, Stop> {
        crate::conversation::converse(self, wire)
    }
}
