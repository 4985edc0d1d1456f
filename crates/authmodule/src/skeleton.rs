//! A home directory for an account that logs in for the first time, from the administrator's skeleton.

use account::Account;
use chain::reason;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

/// Creates the account's home directory where there is none, as a copy of `skeleton`: files, directories and symbolic
/// links with their modes, all of them the account's. It appears whole or not at all. The error is a sentence.
///
/// Kept out of its caller, whose stack every login touches: copying takes two pages of it.
#[cold]
#[inline(never)]
pub fn create_home(account: &Account, skeleton: &Path) -> Result<(), Vec<u8>> {
    let home = Path::new(OsStr::from_bytes(&account.home));
    if !home.is_absolute() || !matches!(home.symlink_metadata(), Err(e) if e.kind() == ErrorKind::NotFound) {
        return Ok(());
    }
    create(account, skeleton, home).map_err(|e| {
        let skeleton = skeleton.as_os_str().as_bytes();
        [b"unable to create ", account.home.as_slice(), b" from ", skeleton, b": ", reason(&e).as_bytes()].concat()
    })
}

fn create(account: &Account, skeleton: &Path, home: &Path) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(home.file_name().ok_or(ErrorKind::InvalidInput)?);
    name.push(format!(".{}", std::process::id()));
    let temporary = home.with_file_name(name);
    // A crash of a process that had our number may have left one.
    let _ = fs::remove_dir_all(&temporary);
    let filled = copy(skeleton, &temporary, account).and_then(|()| place(&temporary, home));
    if filled.is_err() {
        let _ = fs::remove_dir_all(&temporary);
    }
    filled
}

fn place(temporary: &Path, home: &Path) -> io::Result<()> {
    match fs::rename(temporary, home) {
        // Two logins at once: the other one was first.
        Err(e) if matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty) => {
            fs::remove_dir_all(temporary)
        }
        Err(e) => Err(e),
        Ok(()) => File::open(home.parent().unwrap_or(home))?.sync_all(),
    }
}

/// Nobody but us can reach the new tree while it is filled, as its top is ours alone until the end.
fn copy(skeleton: &Path, top: &Path, account: &Account) -> io::Result<()> {
    let directory = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
    directory(top)?;
    let mut finished = vec![(skeleton.to_owned(), top.to_owned())];
    let mut pending: Vec<(PathBuf, PathBuf)> = finished.clone();
    while let Some((from, to)) = pending.pop() {
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let (source, target, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
            if kind.is_dir() {
                directory(&target)?;
                finished.push((source.clone(), target.clone()));
                pending.push((source, target));
            } else if kind.is_symlink() {
                symlink(fs::read_link(&source)?, &target)?;
                own(&target, account)?;
            } else if kind.is_file() {
                copy_file(&source, &target)?;
                own(&target, account)?;
            }
        }
    }
    // From the deepest up, so that no directory is the account's before all in it is done.
    for (from, to) in finished.iter().rev() {
        fs::set_permissions(to, mode_of(from)?)?;
        own(to, account)?;
    }
    Ok(())
}

fn copy_file(source: &Path, target: &Path) -> io::Result<()> {
    let mut from = File::open(source)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(target)?;
    io::copy(&mut from, &mut to)?;
    to.set_permissions(mode_of(source)?)
}

/// A set-id bit would be the account's to use.
fn mode_of(path: &Path) -> io::Result<Permissions> {
    Ok(Permissions::from_mode(fs::symlink_metadata(path)?.permissions().mode() & 0o777))
}

fn own(path: &Path, account: &Account) -> io::Result<()> {
    lchown(path, Some(account.uid), Some(account.gid))
}
