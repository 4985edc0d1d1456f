//! What ID says of this server (RFC 2971).

use chain::environment::own_set;
use imap::write;

const VERSION: u32 = 1;
const SYSTEM: u32 = 2;
const RELEASE: u32 = 4;

/// The answer's line, where `IMAP_ID_FIELDS` is set at all; its bits say how much is told. It is
/// made before the conversation begins, which can read no file.
pub fn from_environment() -> Option<Vec<u8>> {
    let bits = std::str::from_utf8(own_set("IMAP_ID_FIELDS")?).ok().and_then(|text| text.trim().parse().ok());
    Some(answer(bits.unwrap_or(0)))
}

fn answer(bits: u32) -> Vec<u8> {
    let mut out = b"* ID (".to_vec();
    field(&mut out, b"name", b"daisychain");
    if bits & VERSION != 0 {
        out.push(b' ');
        field(&mut out, b"version", env!("CARGO_PKG_VERSION").as_bytes());
    }
    for (bit, name, file) in [(SYSTEM, &b"os"[..], "ostype"), (RELEASE, b"os-version", "osrelease")] {
        let told = std::fs::read(format!("/proc/sys/kernel/{file}")).ok().filter(|_| bits & bit != 0);
        if let Some(told) = told {
            out.push(b' ');
            field(&mut out, name, told.trim_ascii());
        }
    }
    out.extend_from_slice(b")\r\n");
    out
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    write::string(out, name);
    out.push(b' ');
    write::string(out, value);
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn bits_say_how_much_is_told() {
        assert_eq!(answer(0), b"* ID (\"name\" \"daisychain\")\r\n");
        let all = String::from_utf8(answer(7)).unwrap();
        for name in ["\"version\"", "\"os\" \"Linux\"", "\"os-version\""] {
            assert!(all.contains(name), "{all}");
        }
    }
}
