//! Prints the system's accounts as a userdb source.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(userdb::passwd::run(&std::env::args_os().skip(1).collect::<Vec<_>>()));
}
