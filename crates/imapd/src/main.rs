//! Serves one account's Maildir over IMAP.
#![forbid(unsafe_code)]

mod answer;
mod command;
mod end;
mod entry;
mod failure;
mod input;
mod log;
mod mailbox_name;
mod origin;
mod sandbox;
mod session;
mod settings;
mod start;
mod trace;
mod trash;
mod updates;
mod wire;

use settings::Settings;

fn main() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "--version") {
        std::process::exit(start::print_version());
    }
    let settings = Settings::from_environment();
    let Some(arrival) = start::arrival(&settings) else { start::back_to_login() };
    std::process::exit(start::serve(settings, arrival))
}
