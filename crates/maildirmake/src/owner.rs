//! Root does not work in another user's maildir: a link or a file of root's there would be the owner's trap, or ours.

use crate::request::Request;
use chain::{Groups, Identity};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Becomes the owner of the maildir, if that is somebody else and we are root. The maildir is `.` from then on, as its
/// owner need not be able to walk the way that root came.
pub fn become_owner(mut request: Request) -> Result<Request, String> {
    let Ok(there) = std::fs::metadata(&request.maildir) else { return Ok(request) };
    let we_are_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !we_are_root || there.uid() == 0 {
        return Ok(request);
    }
    let shown = request.maildir.display();
    std::env::set_current_dir(&request.maildir).map_err(|e| format!("{shown}: {}", chain::reason(&e)))?;
    let owner = Identity { uid: there.uid(), gid: there.gid(), groups: Groups::Only(there.gid()) };
    owner.assume().map_err(|e| format!("{shown}: {e}"))?;
    request.maildir = PathBuf::from(".");
    Ok(request)
}
