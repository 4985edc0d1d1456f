//! `tcpd`, which accepts connections and starts the chain, and `makeimapaccess`, which compiles its access text.
//!
//! One process listens, without threads; each connection costs one accept, one look at the rules, one child. What
//! could take long - a proxy's header, the names of addresses - is done in the child.
//!
//! ```
//! let source = std::env::temp_dir().join(format!("tcpd-example-{}", std::process::id()));
//! std::fs::write(&source, "192.168\tallow,MAXCPERIP=100\n*\tdeny\n")?;
//! assert_eq!(tcpd::makeimapaccess(vec![source.clone().into()]), 0);
//! let compiled = source.with_file_name(format!("{}.dat", source.file_name().unwrap().display()));
//! let database = cdb::Cdb::open(&compiled).unwrap();
//! assert_eq!(database.get(b"*").unwrap().as_deref(), Some(&b"deny"[..]));
//! # std::fs::remove_file(source)?;
//! # std::fs::remove_file(compiled)?;
//! # Ok::<(), std::io::Error>(())
//! ```
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
