//! What the command line asks for.

use maildir::quota::Limits;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// A command line that makes sense.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The maildir to make, or to make a folder in.
    pub maildir: PathBuf,
    /// `-f`, `-F`: the folder's name without its leading dot.
    pub folder: Option<Vec<u8>>,
    /// `-q`.
    pub quota: Option<Limits>,
    /// `-S`: others may look into the maildir.
    pub sharable: bool,
    /// `-s`: who may use the folder.
    pub access: Option<Access>,
}

/// What others may do with a shared folder.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Add messages, and delete their own.
    pub write: bool,
    /// Only members of the group.
    pub group: bool,
}

impl Request {
    /// Reads the arguments; nothing where they make no sense. The last of a pair wins.
    pub fn parse(args: impl Iterator<Item = OsString>) -> Option<Request> {
        let mut request = Request::default();
        let mut args = args.peekable();
        while let Some(arg) = args.next_if(|arg| arg.len() > 1 && arg.as_bytes().starts_with(b"-")) {
            if arg == "--" {
                break;
            }
            let mut letters = arg.as_bytes().get(1..)?;
            while let Some((letter, rest)) = letters.split_first() {
                letters = rest;
                if *letter == b'S' {
                    request.sharable = true;
                    continue;
                }
                let value = if rest.is_empty() { args.next()? } else { OsStr::from_bytes(rest).to_owned() };
                request.option(*letter, value.into_vec())?;
                break;
            }
        }
        request.maildir = PathBuf::from(args.next()?);
        let folder_alone = request.access.is_none() || request.folder.is_some();
        (args.next().is_none() && folder_alone).then_some(request)
    }

    fn option(&mut self, letter: u8, value: Vec<u8>) -> Option<()> {
        match letter {
            b'f' | b'F' => self.folder = Some(value),
            b'q' => self.quota = Some(Limits::parse(&value)).filter(|limits| !limits.is_none()),
            b's' => self.access = Access::parse(&value),
            _ => return None,
        }
        let understood = match letter {
            b'q' => self.quota.is_some(),
            b's' => self.access.is_some(),
            _ => true,
        };
        understood.then_some(())
    }
}

impl Access {
    fn parse(mode: &[u8]) -> Option<Access> {
        let mut access = Access::default();
        for word in mode.split(|&b| b == b',') {
            match word {
                b"read" => access.write = false,
                b"write" => access.write = true,
                b"group" => access.group = true,
                _ => return None,
            }
        }
        Some(access)
    }

    /// The modes of the folder and of its `cur`, `new` and `tmp`.
    pub fn modes(self) -> (u32, u32) {
        let (folder, inside) = if self.write { (0o1755, 0o1777) } else { (0o755, 0o755) };
        if self.group { (folder & !0o7, inside & !0o7) } else { (folder, inside) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Request> {
        Request::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options() {
        let request = parse("-S -q1000S,5C -f Sent Maildir").unwrap();
        assert!(request.sharable);
        assert_eq!(request.quota, Some(Limits { bytes: Some(1000), messages: Some(5) }));
        assert_eq!((request.folder.unwrap().as_slice(), request.maildir.to_str()), (&b"Sent"[..], Some("Maildir")));
        assert_eq!(parse("-f a -f b -- -Maildir").unwrap().folder, Some(b"b".to_vec()));
        assert_eq!(parse("-s write,group -f x M").unwrap().access.unwrap().modes(), (0o1750, 0o1770));
    }

    #[test]
    fn what_makes_no_sense() {
        for line in
            ["", "-S", "-q", "-q 0 M", "-q xx M", "-z M", "a b", "-f", "-s read M", "-s odd -f x M", "--add a=b M"]
        {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
