//! `tcpd`, which accepts connections and starts the chain, and `makeimapaccess`, which compiles its access text.
//!
//! One process listens, without threads; each connection costs one accept, one look at the rules, one child. What
//! could take long - a proxy's header, the names of addresses - is done in the child.
#![forbid(unsafe_code)]

mod access;
mod accesstext;
mod child;
mod compile;
mod connection;
mod daemon;
mod decide;
mod dns;
mod haproxy;
mod ident;
mod identity;
mod launch;
mod limits;
mod listen;
mod once;
mod options;
mod ports;
mod ready;
mod refuse;
mod report;
mod resolve;
mod rule;
mod server;
mod start;

pub use compile::makeimapaccess;
pub use start::tcpd;

const PROGRAM: chain::Program = chain::Program::new("tcpd");
