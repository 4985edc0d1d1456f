//! `-user` and `-group`: who serves once the ports are bound.

use crate::options::Options;
use chain::{Groups, Identity};
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgid, getuid, setgroups, setresgid};

/// Becomes the user and group of the options. The error carries the code to end with.
pub fn assume(options: &Options) -> Result<(), (i32, String)> {
    let group = options.group.as_deref().map(group).transpose()?;
    match (options.user.as_deref(), group) {
        (None, None) => Ok(()),
        (None, Some(gid)) => only_group(gid),
        (Some(name), group) => {
            let (uid, own_group) = user(name)?;
            let Some(gid) = group.or(own_group) else {
                return Err(permanent(format!("user {name} has no group: give -group")));
            };
            if (uid, gid) == (geteuid(), getegid()) && uid == getuid() && gid == getgid() {
                return Ok(());
            }
            let identity = Identity { uid: uid.as_raw(), gid: gid.as_raw(), groups: Groups::Only(gid.as_raw()) };
            identity.assume().map_err(|e| (e.code(), e.to_string()))
        }
    }
}

fn only_group(gid: Gid) -> Result<(), (i32, String)> {
    if geteuid().is_root() {
        setgroups(&[gid])
            .and_then(|()| setresgid(gid, gid, gid))
            .map_err(|e| temporary("unable to set the group", e))?;
    }
    match getegid() == gid {
        true => Ok(()),
        false => Err((chain::exit::TEMPORARY, "unable to set the group: not root".to_owned())),
    }
}

/// A user by name or number, with the group of its entry.
fn user(name: &str) -> Result<(Uid, Option<Gid>), (i32, String)> {
    let number = number(name).map(Uid::from_raw);
    let found = match number {
        Some(uid) => User::from_uid(uid),
        None => User::from_name(name),
    };
    match (found.map_err(|e| temporary("unable to look up the user", e))?, number) {
        (Some(user), _) => Ok((user.uid, Some(user.gid))),
        (None, Some(uid)) => Ok((uid, None)),
        (None, None) => Err(permanent(format!("no such user: {name}"))),
    }
}

fn group(name: &str) -> Result<Gid, (i32, String)> {
    if let Some(gid) = number(name) {
        return Ok(Gid::from_raw(gid));
    }
    let found = Group::from_name(name).map_err(|e| temporary("unable to look up the group", e))?;
    found.map(|group| group.gid).ok_or_else(|| permanent(format!("no such group: {name}")))
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn permanent(what: String) -> (i32, String) {
    (chain::exit::PERMANENT, what)
}

fn temporary(what: &str, e: nix::Error) -> (i32, String) {
    (chain::exit::TEMPORARY, format!("{what}: {}", chain::reason(&e.into())))
}
