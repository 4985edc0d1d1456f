//! Into the account's Maildir, if all is as it should be there.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use chain::exit;

use crate::log::{Client, PROGRAM};
use crate::settings::Settings;

/// What stands between a start and a session: the words for the client, and the exit code.
pub struct Refusal {
    /// Follows `* BYE `.
    pub words: &'static str,
    /// Our exit code.
    pub code: i32,
}

impl Refusal {
    /// With an exit code and words.
    pub fn new(code: i32, words: &'static str) -> Refusal {
        Refusal { words, code }
    }
}

/// The mail store looks as it should and is our working directory now.
pub fn enter(settings: &Settings, client: &Client) -> Result<(), Refusal> {
    not_root()?;
    if home_is_locked() {
        client.log_locked();
        return Err(Refusal::new(exit::DONE, "[ALERT] This account is locked"));
    }
    enter_maildir(&path(settings))?;
    run_loginexec();
    if settings.sanity_check {
        belongs_to_us()?;
    }
    clock_is_right()
}

/// `MAILDIR`, else the first argument, else `./Maildir`.
fn path(settings: &Settings) -> OsString {
    let argument = || std::env::args_os().nth(1).filter(|argument| !argument.is_empty());
    let account = settings.maildir.map(|path| OsStr::from_bytes(path).to_owned());
    account.or_else(argument).unwrap_or_else(|| "./Maildir".into())
}

/// Only a login that went wrong would give us root's identity.
fn not_root() -> Result<(), Refusal> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if uid.is_root() || nix::unistd::getuid().is_root() || gid.as_raw() == 0 || nix::unistd::getgid().as_raw() == 0 {
        PROGRAM.warn(b"refused to serve uid 0 or gid 0");
        return Err(Refusal::new(exit::PERMANENT, "[ALERT] This account cannot be served"));
    }
    Ok(())
}

/// `chmod +t $HOME` locks an account. A home that cannot be looked at counts as locked.
fn home_is_locked() -> bool {
    const STICKY: u32 = 0o1000;
    std::fs::metadata(".").map_or(true, |home| home.permissions().mode() & STICKY != 0)
}

/// A missing Maildir is not made here: an empty one in the wrong place would hide the mail.
fn enter_maildir(path: &OsStr) -> Result<(), Refusal> {
    let entered = std::env::set_current_dir(path).and_then(|()| {
        let whole = ["cur", "new", "tmp"].iter().all(|name| std::fs::metadata(name).is_ok_and(|part| part.is_dir()));
        if whole { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    });
    entered.map_err(|error| {
        let mut line = b"ERR: chdir ".to_vec();
        line.extend_from_slice(path.as_bytes());
        line.extend_from_slice(b": ");
        line.extend_from_slice(chain::reason(&error).as_bytes());
        PROGRAM.log(&line);
        let lasting = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let code = if lasting { exit::PERMANENT } else { exit::TEMPORARY };
        Refusal::new(code, "[ALERT] Fatal error: the mailbox of this account is missing or cannot be opened")
    })
}

/// A program that the account's owner put into the Maildir, run once: it goes when it succeeds.
/// It has neither the client's connection nor anything of the chain but the account's name.
fn run_loginexec() {
    const OWNER_EXECUTES: u32 = 0o100;
    let present = std::fs::symlink_metadata("loginexec")
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & OWNER_EXECUTES != 0);
    if !present {
        return;
    }
    let kept = ["AUTHENTICATED", "HOME", "PATH", "LANG", "TZ", "OPTIONS"];
    let variables = kept.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
    let ended =
        Command::new("./loginexec").env_clear().envs(variables).stdin(Stdio::null()).stdout(Stdio::null()).status();
    match ended {
        Ok(status) if status.success() => {
            if let Err(error) = std::fs::remove_file("loginexec") {
                PROGRAM.warn(format!("unable to remove loginexec: {}", chain::reason(&error)).as_bytes());
            }
        }
        Ok(_) => PROGRAM.warn(b"loginexec failed: it will run again at the next login"),
        Err(error) => PROGRAM.warn(format!("unable to run loginexec: {}", chain::reason(&error)).as_bytes()),
    }
}

/// `IMAP_MAILBOX_SANITY_CHECK`: what we write must stay the account's own.
fn belongs_to_us() -> Result<(), Refusal> {
    let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    if std::fs::metadata(".").is_ok_and(|maildir| maildir.uid() == uid && maildir.gid() == gid) {
        return Ok(());
    }
    PROGRAM.warn(b"the maildir does not belong to the account's uid and gid (IMAP_MAILBOX_SANITY_CHECK)");
    Err(Refusal::new(exit::PERMANENT, "[ALERT] Fatal error: the mailbox of this account belongs to somebody else"))
}

/// Names and ages are made of the clock; a file server must agree with it.
/// Where no file can be made (disk full) the session must go on: only deleting helps then.
fn clock_is_right() -> Result<(), Refusal> {
    const SKEW: Duration = Duration::from_secs(30);
    if is_local() {
        return Ok(());
    }
    let Ok(time) = stamp_of_new_file(Path::new("tmp")) else { return Ok(()) };
    let now = SystemTime::now();
    let skew = now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or_default();
    if skew <= SKEW {
        return Ok(());
    }
    PROGRAM.warn(b"the clock and the file server's clock are more than 30 s apart");
    Err(Refusal::new(exit::TEMPORARY, "[ALERT] Fatal error: the file server's clock is wrong"))
}

/// A file system of this machine has this machine's clock; to ask it would be a tenth of what a login costs.
fn is_local() -> bool {
    /// ext4, XFS, btrfs, tmpfs, F2FS, ZFS.
    const LOCAL: [i128; 6] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0xF2F5_2010, 0x2FC1_2FC1];
    nix::sys::statfs::statfs(".").is_ok_and(|fs| LOCAL.contains(&i128::from(fs.filesystem_type().0)))
}

fn stamp_of_new_file(directory: &Path) -> std::io::Result<SystemTime> {
    nameless(directory).or_else(|_| named(&directory.join("courier-imap.clockskew.chk")))
}

fn nameless(directory: &Path) -> std::io::Result<SystemTime> {
    const NAMELESS: i32 = nix::fcntl::OFlag::O_TMPFILE.bits();
    File::options().write(true).mode(0o600).custom_flags(NAMELESS).open(directory)?.metadata()?.modified()
}

/// For file systems that have no nameless files. A left-over of another session must go first.
fn named(path: &Path) -> std::io::Result<SystemTime> {
    let _leftover = std::fs::remove_file(path);
    let time = File::options().write(true).mode(0o600).create_new(true).open(path)?.metadata()?.modified();
    std::fs::remove_file(path)?;
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_of_a_new_file_is_now_and_the_file_is_gone() {
        let directory = std::env::temp_dir().join(format!("daisychain-clock-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let probe = directory.join("probe");
        std::fs::write(&probe, "").unwrap();
        for time in [stamp_of_new_file(&directory).unwrap(), named(&probe).unwrap()] {
            let age = SystemTime::now().duration_since(time).unwrap_or_default();
            assert!(age < Duration::from_secs(10), "{age:?}");
        }
        std::fs::remove_dir(&directory).expect("nothing is left in it");
    }
}
