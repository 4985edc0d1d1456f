//! Changes and shows records of the userdb source.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(userdb::edit::run(&std::env::args_os().skip(1).collect::<Vec<_>>()));
}
