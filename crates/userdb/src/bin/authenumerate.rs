//! Lists the accounts.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(userdb::enumerate::run(&std::env::args_os().skip(1).collect::<Vec<_>>()));
}
