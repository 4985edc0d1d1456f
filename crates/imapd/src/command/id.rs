//! ID (RFC 2971).

use std::os::unix::ffi::OsStrExt;

use imap::{IdField, write};

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// Bits of `IMAP_ID_FIELDS`.
const VERSION: u32 = 1;
const SYSTEM: u32 = 2;
const RELEASE: u32 = 4;

/// What the client says of itself goes to the log, what we say of us is the administrator's choice.
pub fn run(session: &mut Session, fields: Option<&[IdField]>) -> Outcome {
    session.client.log_id(&log_fields(fields.unwrap_or_default()));
    let chosen = session.settings.id_fields;
    let out = session.wire.out();
    out.extend_from_slice(b"* ID ");
    match chosen {
        Some(bits) => describe(bits, out),
        None => write::nstring(out, None),
    }
    out.extend_from_slice(b"\r\n");
    Ok(Answer::ok("ID completed"))
}

/// `("name" "daisychain" ...)`
fn describe(bits: u32, out: &mut Vec<u8>) {
    let mut field = |before: &[u8], name: &[u8], value: &[u8]| {
        out.extend_from_slice(before);
        write::string(out, name);
        out.push(b' ');
        write::string(out, value);
    };
    field(b"(", b"name", b"daisychain");
    if bits & VERSION != 0 {
        field(b" ", b"version", env!("CARGO_PKG_VERSION").as_bytes());
    }
    if let Ok(machine) = nix::sys::utsname::uname() {
        if bits & SYSTEM != 0 {
            field(b" ", b"os", machine.sysname().as_bytes());
        }
        if bits & RELEASE != 0 {
            field(b" ", b"os-version", machine.release().as_bytes());
        }
    }
    out.push(b')');
}

/// `, name=value` for each, escaped.
fn log_fields(fields: &[IdField]) -> Vec<u8> {
    let mut line = Vec::new();
    for IdField { name, value } in fields {
        line.extend_from_slice(b", ");
        chain::field(&mut line, name);
        line.push(b'=');
        chain::field(&mut line, value.as_deref().unwrap_or_default());
    }
    line
}
