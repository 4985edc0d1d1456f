//! What a module tells when `DEBUG_LOGIN` is 1 or more: Courier's words, never a password.

use crate::Attempt;
use account::Account;
use chain::{Program, field};

/// Tells, or is silent.
pub struct Debug {
    program: Program,
    on: bool,
}

impl Debug {
    /// As `DEBUG_LOGIN` says.
    pub fn of(program: Program) -> Debug {
        let level = chain::environment::own_set("DEBUG_LOGIN").unwrap_or_default();
        Debug { program, on: matches!(level, [b'1'..=b'9', ..]) }
    }

    /// A request was read.
    pub fn received(&self, attempt: &Attempt<'_>) {
        let kind: &[u8] = match attempt.secret {
            crate::Secret::Password(_) => b"login",
            crate::Secret::None => b"external",
        };
        self.say(b"received auth request, ", &[(b"service", attempt.service), (b"authtype", kind)]);
        self.say_of_module(b": trying this module");
    }

    /// The login is not this module's.
    pub fn rejected(&self) {
        self.say_of_module(b": REJECT - try next module");
    }

    /// Nobody can tell now.
    pub fn failed(&self) {
        self.say_of_module(b": TEMPFAIL - no more modules will be tried");
    }

    /// The login is right.
    pub fn accepted(&self, account: &Account) {
        let (uid, gid) = (account.uid.to_string(), account.gid.to_string());
        let text = |value: &[u8]| if value.is_empty() { b"<null>".to_vec() } else { value.to_vec() };
        self.say(
            b"Authenticated: ",
            &[
                (b"sysusername", &text(account.system_user.as_deref().unwrap_or_default())),
                (b"sysuserid", uid.as_bytes()),
                (b"sysgroupid", gid.as_bytes()),
                (b"homedir", &text(&account.home)),
                (b"address", &text(&account.address)),
                (b"fullname", &text(&account.fullname)),
                (b"maildir", &text(&account.maildir)),
                (b"quota", &text(&account.quota)),
                (b"options", &text(&account.options)),
            ],
        );
    }

    fn say(&self, what: &[u8], fields: &[(&[u8], &[u8])]) {
        if !self.on {
            return;
        }
        let mut line = [b"DEBUG: ", what].concat();
        for (number, (name, value)) in fields.iter().enumerate() {
            if number > 0 {
                line.extend_from_slice(b", ");
            }
            line.extend_from_slice(name);
            line.push(b'=');
            field(&mut line, value);
        }
        self.program.log(&line);
    }

    fn say_of_module(&self, what: &[u8]) {
        if self.on {
            self.program.log(&[b"DEBUG: ", self.program.name().as_bytes(), what].concat());
        }
    }
}
