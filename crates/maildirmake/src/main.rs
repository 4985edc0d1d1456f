//! Makes Maildirs and folders, as Courier's `maildirmake` does.
#![forbid(unsafe_code)]

mod make;
mod owner;
mod request;

use chain::Program;

const PROGRAM: Program = Program::new("maildirmake");

/// Courier's exit code for everything that went wrong.
const FAILED: i32 = 1;

fn main() {
    let Some(request) = request::Request::parse(std::env::args_os().skip(1)) else {
        PROGRAM.fatal(FAILED, b"usage: maildirmake [-S] [-q quota] [-f folder] [-F folder] [-s mode] maildir");
    };
    let request = match owner::become_owner(request) {
        Ok(request) => request,
        Err(e) => PROGRAM.fatal(FAILED, e.as_bytes()),
    };
    if let Err(e) = make::make(&request) {
        PROGRAM.fatal(FAILED, e.to_string().as_bytes());
    }
}
