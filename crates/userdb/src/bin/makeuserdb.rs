//! Compiles the userdb source.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(userdb::make::run(&std::env::args_os().skip(1).collect::<Vec<_>>()));
}
