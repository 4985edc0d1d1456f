//! Tries a login with a chain of modules.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(userdb::test_login::run(&std::env::args_os().skip(1).collect::<Vec<_>>()));
}
