//! Talks IMAP until there is one login attempt, which the next program checks.
#![forbid(unsafe_code)]

mod conversation;
mod identity;
mod imap_login;

fn main() {
    login::run(&imap_login::ImapLogin::from_environment())
}
