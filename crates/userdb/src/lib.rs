//! The tools around userdb: each of the six programs is the `run` of one module.
#![forbid(unsafe_code)]

pub mod edit;
pub mod enumerate;
pub mod hash;
pub mod make;
mod modules;
mod output;
pub mod passwd;
mod secret;
mod sources;
pub mod test_login;

use std::env;
use std::path::PathBuf;

/// What ends a program: its exit code and what to say.
struct Failure(i32, Vec<u8>);

/// The userdb source: `USERDB`, else the default.
fn default_source() -> PathBuf {
    match env::var_os("USERDB") {
        Some(path) if !path.is_empty() => path.into(),
        _ => account::userdb::DEFAULT.into(),
    }
}
