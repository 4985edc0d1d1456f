//! Files below a directory that was opened once: no way out of it, no link followed.

use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::libc;
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Opens `path` relative to `dir`, never above it and through no symbolic link, in the middle or
/// at the end. Always close-on-exec; `mode` counts only with `O_CREAT`.
pub fn open_beneath(dir: BorrowedFd<'_>, path: &Path, flags: OFlag, mode: Mode) -> io::Result<OwnedFd> {
    // Once the kernel said that it has no openat2 it is not asked again.
    static MISSING: AtomicBool = AtomicBool::new(false);
    if !MISSING.load(Ordering::Relaxed) {
        match resolve(dir, path, flags, mode) {
            Err(Errno::ENOSYS | Errno::E2BIG) => MISSING.store(true, Ordering::Relaxed),
            result => return Ok(result?),
        }
    }
    walk(dir, path, flags, mode)
}

fn resolve(dir: BorrowedFd<'_>, path: &Path, flags: OFlag, mode: Mode) -> Result<OwnedFd, Errno> {
    let mut how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    // The kernel refuses a mode where nothing can be created.
    if flags.intersects(OFlag::O_CREAT) {
        how = how.mode(mode);
    }
    // A rename beside us can make the kernel give up once; that it does so for ever is no harm.
    for _ in 0..16 {
        match openat2(dir, path, how) {
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            result => return result,
        }
    }
    Err(Errno::EAGAIN)
}

/// The same, component by component, for kernels before 5.6.
fn walk(dir: BorrowedFd<'_>, path: &Path, flags: OFlag, mode: Mode) -> io::Result<OwnedFd> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    if bytes.starts_with(b"/") {
        return Err(Errno::EXDEV.into());
    }
    let names: Vec<&[u8]> = bytes.split(|b| *b == b'/').filter(|name| !name.is_empty() && *name != b".").collect();
    if names.contains(&&b".."[..]) {
        return Err(Errno::EXDEV.into());
    }
    let step = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let last = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let Some((name, parents)) = names.split_last() else {
        return Ok(openat(dir, ".", last, mode)?);
    };
    let mut here: Option<OwnedFd> = None;
    for parent in parents {
        let from = here.as_ref().map_or(dir, |fd| fd.as_fd());
        here = Some(openat(from, OsStr::from_bytes(parent), step, Mode::empty())?);
    }
    let from = here.as_ref().map_or(dir, |fd| fd.as_fd());
    Ok(openat(from, OsStr::from_bytes(name), last, mode)?)
}

/// Renames unless the new name is taken (`AlreadyExists`). Where the file system cannot do that
/// in one step, by a hard link and an unlink.
pub fn rename_unless_exists(
    old_dir: BorrowedFd<'_>,
    old: &Path,
    new_dir: BorrowedFd<'_>,
    new: &Path,
) -> io::Result<()> {
    match rename_noreplace(old_dir, old, new_dir, new) {
        Err(Errno::EINVAL | Errno::ENOSYS) => {
            nix::unistd::linkat(old_dir, old, new_dir, new, AtFlags::empty())?;
            Ok(nix::unistd::unlinkat(old_dir, old, nix::unistd::UnlinkatFlags::NoRemoveDir)?)
        }
        result => Ok(result?),
    }
}

// nix has it for glibc alone.
fn rename_noreplace(old_dir: BorrowedFd<'_>, old: &Path, new_dir: BorrowedFd<'_>, new: &Path) -> Result<(), Errno> {
    const NOREPLACE: libc::c_uint = 1;
    let done = old.with_nix_path(|old| {
        new.with_nix_path(|new| {
            // SAFETY: both names are NUL-terminated and outlive the call.
            unsafe {
                libc::syscall(
                    libc::SYS_renameat2,
                    old_dir.as_raw_fd(),
                    old.as_ptr(),
                    new_dir.as_raw_fd(),
                    new.as_ptr(),
                    NOREPLACE,
                )
            }
        })
    })??;
    Errno::result(done).map(drop)
}

/// A time stamp of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: i64,
    /// The rest, 0 to 999,999,999.
    pub nanoseconds: u32,
}

/// What a file is, as the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Hard links.
    pub links: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the contents.
    pub modified: Time,
    /// Last change of anything, which nobody can set.
    pub changed: Time,
}

impl Status {
    /// Of an open file.
    pub fn of(file: BorrowedFd<'_>) -> io::Result<Status> {
        Ok(Status::from(fstat(file)?))
    }

    /// Of a name in a directory; a symbolic link is not followed.
    pub fn at(dir: BorrowedFd<'_>, name: &Path) -> io::Result<Status> {
        Ok(Status::from(fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)?))
    }

    /// A regular file?
    pub fn is_regular(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFREG
    }

    /// A directory?
    pub fn is_directory(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }
}

// The widths differ between targets, so the conversions are not all useless.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
impl From<FileStat> for Status {
    fn from(stat: FileStat) -> Status {
        let time = |seconds, nanoseconds| Time { seconds, nanoseconds: u32::try_from(nanoseconds).unwrap_or(0) };
        Status {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            mode: stat.st_mode,
            links: u64::from(stat.st_nlink),
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: time(i64::from(stat.st_mtime), stat.st_mtime_nsec),
            changed: time(i64::from(stat.st_ctime), stat.st_ctime_nsec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::path::PathBuf;

    struct Place(PathBuf, OwnedFd);

    impl Place {
        fn new(name: &str) -> Place {
            let path = std::env::temp_dir().join(format!("daisychain-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(path.join("a/b")).unwrap();
            fs::write(path.join("a/b/file"), "x").unwrap();
            std::os::unix::fs::symlink("b", path.join("a/link")).unwrap();
            std::os::unix::fs::symlink("file", path.join("a/b/filelink")).unwrap();
            let dir = File::open(&path).unwrap().into();
            Place(path, dir)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn nothing_leads_out() {
        let place = Place::new("open");
        let dir = place.1.as_fd();
        type Open = fn(BorrowedFd<'_>, &Path, OFlag, Mode) -> io::Result<OwnedFd>;
        for open in [open_beneath as Open, walk as Open] {
            let try_it = |path: &str| {
                open(dir, Path::new(path), OFlag::O_RDONLY, Mode::empty())
                    .map(drop)
                    .map_err(|e| e.raw_os_error().unwrap())
            };
            assert_eq!(try_it("a/b/file"), Ok(()));
            assert_eq!(try_it("a//b/./file"), Ok(()));
            assert_eq!(try_it("."), Ok(()));
            assert_eq!(try_it("../x"), Err(libc::EXDEV));
            assert_eq!(try_it("/etc/passwd"), Err(libc::EXDEV));
            assert_eq!(try_it("a/b/filelink"), Err(libc::ELOOP));
            assert!(matches!(try_it("a/link/file"), Err(libc::ELOOP | libc::ENOTDIR)));
            assert_eq!(try_it("a/none"), Err(libc::ENOENT));
            assert_eq!(try_it(""), Err(libc::ENOENT));
        }
    }

    #[test]
    fn creates_with_the_mode_given() {
        let place = Place::new("create");
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY;
        let mode = Mode::from_bits_truncate(0o600);
        let fd = open_beneath(place.1.as_fd(), Path::new("a/new"), flags, mode).unwrap();
        let status = Status::of(fd.as_fd()).unwrap();
        assert!(status.is_regular() && !status.is_directory());
        assert_eq!(status.mode & 0o777, 0o600);
        assert_eq!(status.size, 0);
        assert!(status.changed.seconds > 1_700_000_000);
        let again = open_beneath(place.1.as_fd(), Path::new("a/new"), flags, mode);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn rename_never_overwrites() {
        let place = Place::new("rename");
        let dir = place.1.as_fd();
        fs::write(place.0.join("one"), "1").unwrap();
        fs::write(place.0.join("two"), "2").unwrap();
        let taken = rename_unless_exists(dir, Path::new("one"), dir, Path::new("two"));
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        rename_unless_exists(dir, Path::new("one"), dir, Path::new("three")).unwrap();
        assert_eq!(fs::read(place.0.join("three")).unwrap(), b"1");
        assert!(Status::at(dir, Path::new("one")).is_err());
    }
}
