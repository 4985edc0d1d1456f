//! `pw2userdb`: prints passwd and shadow as a userdb source.

use crate::output::{print, unable};
use chain::{Program, exit, reason};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const PROGRAM: Program = Program::new("pw2userdb");
/// Courier's code for wrong options.
const MISUSED: i32 = 255;
const USAGE: &[u8] =
    b"usage: pw2userdb [--passwd=file] [--shadow=file] [--noshadow] [--nouid] [--domain=name] [--vpopuid]";

struct Options {
    passwd: PathBuf,
    shadow: Option<PathBuf>,
    /// Whether to print reverse entries.
    reverse: bool,
    /// `@` and the domain behind every name.
    domain: Vec<u8>,
    /// Every account has the ids of the account `vpopmail`.
    one_uid: bool,
}

/// Runs the program with these arguments; gives its exit code.
pub fn run(args: &[OsString]) -> i32 {
    let Some(options) = Options::parse(args) else {
        PROGRAM.fatal(MISUSED, USAGE);
    };
    let passwd = read(&options.passwd);
    let shadow = options.shadow.as_deref().map(read).unwrap_or_default();
    let ids = if options.one_uid { Some(ids_of_vpopmail()) } else { None };
    let text = converted(&options, &passwd, &shadow, ids.as_deref());
    match print(&text) {
        Ok(()) => exit::DONE,
        Err(e) => PROGRAM.fatal(exit::TEMPORARY, format!("unable to write: {}", reason(&e)).as_bytes()),
    }
}

impl Options {
    fn parse(args: &[OsString]) -> Option<Options> {
        let mut options = Options {
            passwd: "/etc/passwd".into(),
            shadow: Some("/etc/shadow".into()),
            reverse: true,
            domain: Vec::new(),
            one_uid: false,
        };
        for arg in args {
            match arg.as_bytes() {
                b"--noshadow" => options.shadow = None,
                b"--nouid" => options.reverse = false,
                b"--vpopuid" => options.one_uid = true,
                word => {
                    let at = word.iter().position(|&byte| byte == b'=')?;
                    let (name, value) = (word.get(..at)?, word.get(at + 1..)?);
                    match name {
                        b"--passwd" => options.passwd = OsStr::from_bytes(value).into(),
                        b"--shadow" => options.shadow = Some(OsStr::from_bytes(value).into()),
                        b"--domain" => options.domain = [b"@", value].concat(),
                        _ => return None,
                    }
                }
            }
        }
        Some(options)
    }
}

fn read(path: &Path) -> Zeroizing<Vec<u8>> {
    match fs::read(path) {
        Ok(text) => Zeroizing::new(text),
        Err(e) => PROGRAM.fatal(exit::TEMPORARY, &unable("read", path, &e)),
    }
}

/// vpopmail's own files hold flags where passwd has the ids.
fn ids_of_vpopmail() -> String {
    match nix::unistd::User::from_name("vpopmail") {
        Ok(Some(user)) => format!("uid={}|gid={}", user.uid, user.gid),
        _ => PROGRAM.fatal(exit::PERMANENT, b"no account vpopmail"),
    }
}

fn converted(options: &Options, passwd: &[u8], shadow: &[u8], ids: Option<&str>) -> Zeroizing<Vec<u8>> {
    let hashes: HashMap<&[u8], &[u8]> = entries(shadow).filter_map(|e| Some((*e.first()?, *e.get(1)?))).collect();
    let mut text = Zeroizing::new(Vec::with_capacity(2 * (passwd.len() + shadow.len()) + 65_536));
    let mut uids = HashSet::new();
    for entry in entries(passwd) {
        let &[name, password, uid, gid, gecos, home, ref rest @ ..] = entry.as_slice() else {
            continue;
        };
        let shell = rest.first().copied().unwrap_or_default();
        let ids = ids.map(|ids| ids.as_bytes().to_vec()).unwrap_or_else(|| [b"uid=", uid, b"|gid=", gid].concat());
        text.extend([name, &options.domain, b"\t", &ids, b"|home=", &plain(home)].concat());
        let stored = hashes.get(name).copied().unwrap_or(if password == b"x" { b"" } else { password });
        for (field, value) in [("shell", shell), ("systempw", stored), ("gecos", gecos)] {
            if !value.is_empty() {
                text.extend([b"|", field.as_bytes(), b"=", &plain(value)].concat());
            }
        }
        text.push(b'\n');
        // Of accounts that share a user id the first one has its name: makeuserdb takes a key once.
        if options.reverse && uids.insert(if options.one_uid { ids.clone() } else { uid.to_vec() }) {
            let key = if options.one_uid { number_of(&ids) } else { uid };
            text.extend([key, b"=\t", name, &options.domain, b"\n"].concat());
        }
    }
    text
}

/// The number in `uid=NUMBER|gid=...`.
fn number_of(ids: &[u8]) -> &[u8] {
    let ids = ids.strip_prefix(b"uid=").unwrap_or(ids);
    ids.split(|&byte| byte == b'|').next().unwrap_or_default()
}

/// Entries with their fields; NIS's `+` and `-` lines and comments are none.
fn entries(text: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    text.split(|&byte| byte == b'\n')
        .filter(|line| {
            !line.is_empty() && !line.starts_with(b"+") && !line.starts_with(b"-") && !line.starts_with(b"#")
        })
        .map(|line| line.split(|&byte| byte == b':').collect())
}

/// A value that a record can hold.
fn plain(value: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.iter().map(|&byte| if byte == b'|' { b'.' } else { byte }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] =
        b"root:x:0:0:Root Person,Room,1:/root:/bin/sh\n# c\n+::::::\njoe:x:1000:100:Joe Q,,,:/home/joe:/bin/sh\n\
ann:$1$abc$def:1001:100::/home/ann:\ndup:x:1000:101:a|b:/home/dup:/bin/sh\nshort:x:1\n";
    const SHADOW: &[u8] = b"joe:$6$xx$yy:1:2:3:::\nlocked:!$6$a$b:1::::\n";

    fn text(args: &[&str], shadow: &[u8], ids: Option<&str>) -> String {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let options = Options::parse(&args).unwrap();
        String::from_utf8(converted(&options, PASSWD, shadow, ids).to_vec()).unwrap()
    }

    #[test]
    fn accounts_and_reverse_entries() {
        assert_eq!(
            text(&[], SHADOW, None),
            "root\tuid=0|gid=0|home=/root|shell=/bin/sh|gecos=Root Person,Room,1\n0=\troot\n\
joe\tuid=1000|gid=100|home=/home/joe|shell=/bin/sh|systempw=$6$xx$yy|gecos=Joe Q,,,\n1000=\tjoe\n\
ann\tuid=1001|gid=100|home=/home/ann|systempw=$1$abc$def\n1001=\tann\n\
dup\tuid=1000|gid=101|home=/home/dup|shell=/bin/sh|gecos=a.b\n"
        );
    }

    #[test]
    fn hidden_options() {
        let all = text(&["--noshadow", "--nouid", "--domain=example.com"], b"", None);
        assert!(all.starts_with("root@example.com\t") && !all.contains("=\t") && !all.contains("$6$"));
        let all = text(&["--vpopuid", "--noshadow"], b"", Some("uid=89|gid=90"));
        assert!(all.contains("ann\tuid=89|gid=90|home=/home/ann|") && all.contains("89=\troot\n"));
        assert_eq!(all.matches("89=\t").count(), 1);
        assert!(Options::parse(&["--frob".into()]).is_none() && Options::parse(&["x".into()]).is_none());
    }
}
