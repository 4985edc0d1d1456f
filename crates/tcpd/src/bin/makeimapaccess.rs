//! Compiles Courier's access text for `tcpd -access`.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(tcpd::makeimapaccess(std::env::args_os().skip(1).collect()))
}
