//! Makes a stored password.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(userdb::hash::run(&std::env::args_os().skip(1).collect::<Vec<_>>()));
}
