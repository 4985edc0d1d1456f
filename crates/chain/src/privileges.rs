//! Becoming an account for good.

use crate::exit;
use nix::errno::Errno;
use nix::unistd::{Gid, Uid, getgroups, getresgid, getresuid, initgroups};
use std::ffi::CString;
use std::{fmt, io};
use sys::process;

/// Who to become.
#[derive(Clone, Debug)]
pub struct Identity {
    /// User id; never 0.
    pub uid: u32,
    /// Group id; never 0.
    pub gid: u32,
    /// The supplementary groups.
    pub groups: Groups,
}

/// Which supplementary groups go with an identity.
#[derive(Clone, Debug)]
pub enum Groups {
    /// That one group and no other.
    Only(u32),
    /// Those of the named user in the group database: accounts that are real users.
    Initgroups(Vec<u8>),
    /// Those that a checkpassword program chose.
    These(Vec<u32>),
}

/// Why this process is not the account. It must end, or go back: never serve.
#[derive(Debug, PartialEq, Eq)]
pub enum NotDropped {
    /// The account's uid or gid is 0.
    Root,
    /// A system call failed.
    Failed(&'static str, Errno),
    /// All calls succeeded, and yet the ids are others, or root can be had back.
    StillPrivileged,
}

impl NotDropped {
    /// The code to end with.
    pub fn code(&self) -> i32 {
        match self {
            NotDropped::Root => exit::PERMANENT,
            _ => exit::TEMPORARY,
        }
    }
}

impl fmt::Display for NotDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotDropped::Root => f.write_str("refusing to become uid or gid 0"),
            NotDropped::Failed(call, errno) => {
                write!(f, "unable to drop privileges: {call}: ")?;
                f.write_str(&crate::reason(&(*errno).into()))
            }
            NotDropped::StillPrivileged => f.write_str("unable to drop privileges: the old ones are still there"),
        }
    }
}

impl Identity {
    /// Becomes this account: groups, gid, uid, then a look whether that is so.
    ///
    /// Where the process is not root it can only stay who it is: an identity that is its own
    /// already is fine, any other fails.
    pub fn assume(&self) -> Result<(), NotDropped> {
        if self.uid == 0 || self.gid == 0 {
            return Err(NotDropped::Root);
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let was_root = Uid::effective().is_root();
        if was_root {
            self.set_groups(gid)?;
        }
        process::set_gid(self.gid).map_err(refused("setresgid"))?;
        process::set_uid(self.uid).map_err(refused("setresuid"))?;
        // Who was no root keeps the groups of the session it was started from.
        if !is_now(uid, gid)? || (was_root && self.holds_foreign_groups()?) {
            return Err(NotDropped::StillPrivileged);
        }
        Ok(())
    }

    fn set_groups(&self, gid: Gid) -> Result<(), NotDropped> {
        match &self.groups {
            Groups::Only(group) => process::set_groups(&[*group]).map_err(refused("setgroups")),
            Groups::These(groups) => process::set_groups(groups).map_err(refused("setgroups")),
            Groups::Initgroups(user) => {
                let user =
                    CString::new(user.as_slice()).map_err(|_| NotDropped::Failed("initgroups", Errno::EINVAL))?;
                initgroups(&user, gid).map_err(failed("initgroups"))
            }
        }
    }

    /// Of the supplementary groups, root's is never right; the database's are its business.
    fn holds_foreign_groups(&self) -> Result<bool, NotDropped> {
        let groups = getgroups().map_err(failed("getgroups"))?;
        Ok(groups.iter().any(|group| match &self.groups {
            Groups::Only(only) => ![*only, self.gid].contains(&group.as_raw()),
            Groups::These(_) | Groups::Initgroups(_) => group.as_raw() == 0,
        }))
    }
}

/// Are all six ids those, and is there no way back?
fn is_now(uid: Uid, gid: Gid) -> Result<bool, NotDropped> {
    let users = getresuid().map_err(failed("getresuid"))?;
    let groups = getresgid().map_err(failed("getresgid"))?;
    let became = [users.real, users.effective, users.saved] == [uid; 3]
        && [groups.real, groups.effective, groups.saved] == [gid; 3];
    Ok(became && !process::can_become_root())
}

fn failed(call: &'static str) -> impl Fn(Errno) -> NotDropped {
    move |errno| NotDropped::Failed(call, errno)
}

fn refused(call: &'static str) -> impl Fn(io::Error) -> NotDropped {
    move |error| NotDropped::Failed(call, Errno::from_raw(error.raw_os_error().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitStatus, waitpid};
    use sys::process::{Fork, exit_now, fork};

    fn only(uid: u32, gid: u32) -> Identity {
        Identity { uid, gid, groups: Groups::Only(gid) }
    }

    /// The child's exit code, as a change of ids is for ever.
    fn in_child(child: impl FnOnce() -> i32) -> i32 {
        match fork().unwrap() {
            Fork::Child => exit_now(child()),
            Fork::Parent(pid) => match waitpid(pid, None).unwrap() {
                WaitStatus::Exited(_, code) => code,
                other => panic!("{other:?}"),
            },
        }
    }

    #[test]
    fn nobody_becomes_root() {
        for identity in [only(0, 20001), only(20001, 0), only(0, 0)] {
            let refused = identity.assume().unwrap_err();
            assert_eq!(refused, NotDropped::Root);
            assert_eq!(refused.code(), exit::PERMANENT);
        }
    }

    #[test]
    fn an_account_is_assumed_whole() {
        if !Uid::effective().is_root() {
            eprintln!("skipped: only root can become somebody");
            return;
        }
        let code = in_child(|| {
            let became = only(20001, 20002).assume().is_ok();
            let groups = getgroups().unwrap_or_default();
            let alone = groups == [Gid::from_raw(20002)];
            let back = sys::process::set_uid(0).is_ok() || sys::process::set_gid(0).is_ok();
            // Who is no root can only stay who it is.
            let stays = only(20001, 20002).assume().is_ok() && only(20003, 20002).assume().is_err();
            i32::from(!(became && alone && !back && stays))
        });
        assert_eq!(code, 0);
    }

    #[test]
    fn root_s_group_is_never_taken_along() {
        if !Uid::effective().is_root() {
            eprintln!("skipped: only root can become somebody");
            return;
        }
        let code = in_child(|| {
            let identity = Identity { uid: 20001, gid: 20002, groups: Groups::These(vec![20002, 0]) };
            i32::from(identity.assume() != Err(NotDropped::StillPrivileged))
        });
        assert_eq!(code, 0);
    }
}
