//! Accepts connections and starts the chain.
#![forbid(unsafe_code)]

fn main() {
    std::process::exit(tcpd::tcpd(std::env::args_os().skip(1).collect()))
}
