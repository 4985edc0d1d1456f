//! Folders: made, removed, renamed, listed; and what stands beside them.
#![allow(clippy::unwrap_used)]

mod place;

use maildir::{Encoding, Error, FolderName, Root, Wire, acl, subscriptions};
use place::{Place, folder, list};
use std::fs;

fn names(root: &Root) -> Vec<String> {
    let folders = root.folders().unwrap();
    folders.iter().map(|name| String::from_utf8(name.directory().to_vec()).unwrap()).collect()
}

fn uid_validity(place: &Place, directory: &str) -> u32 {
    place.read(&format!("{directory}/courierimapuiddb")).split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_new_folder_is_whole() {
    let place = Place::new();
    let root = place.root();
    root.create(&folder(".Sent.2024")).unwrap();
    assert_eq!(names(&root), [".Sent.2024"]);
    assert_eq!(list(&place.path(".Sent.2024")), ["courierimapuiddb", "cur", "maildirfolder", "new", "tmp"]);
    assert!(place.names("tmp").is_empty());
    assert!(matches!(root.create(&folder(".Sent.2024")), Err(Error::Exists(_))));
    assert!(matches!(root.create(&FolderName::INBOX), Err(Error::BadName(_))));
    assert!(matches!(root.create(&folder(".cur")), Err(Error::BadName(_))));
}

#[test]
fn a_uid_validity_is_never_given_twice() {
    let place = Place::new();
    let root = place.root();
    let mut last = 0;
    for _ in 0..5 {
        root.create(&folder(".a")).unwrap();
        let now = uid_validity(&place, ".a");
        assert!(now > last);
        last = now;
        root.delete(&folder(".a")).unwrap();
    }
    root.create(&folder(".b")).unwrap();
    assert!(uid_validity(&place, ".b") > last);
    // A folder that another program made, with a number from the future.
    place.write(".b/courierimapuiddb", "1 3000000000 1\n");
    root.delete(&folder(".b")).unwrap();
    root.create(&folder(".b")).unwrap();
    assert_eq!(uid_validity(&place, ".b"), 3_000_000_001);
}

#[test]
fn a_name_never_shows_two_folders_as_one() {
    let place = Place::new();
    let root = place.root();
    for name in [".a", ".b"] {
        root.create(&folder(name)).unwrap();
        // As Courier makes them, both in one second.
        place.write(&format!("{name}/courierimapuiddb"), "1 500 3\n1 x\n2 y\n");
        place.write(&format!("{name}/cur/x:2,"), "x");
    }
    root.rename(&folder(".b"), &folder(".c")).unwrap();
    assert_eq!(uid_validity(&place, ".c"), 500, "nobody was called so before");
    root.delete(&folder(".a")).unwrap();
    root.rename(&folder(".c"), &folder(".a")).unwrap();
    let renewed = uid_validity(&place, ".a");
    assert!(renewed > 500);
    assert_eq!(root.folder(&folder(".a")).unwrap().list().unwrap().uids(), [1]);
    root.rename(&folder(".a"), &folder(".c")).unwrap();
    assert_eq!(uid_validity(&place, ".c"), renewed);
    assert_eq!(place.read("daisychain-vacated"), format!("500 .b\n500 .a\n500 .c\n{renewed} .a\n"));
}

#[test]
fn removal_leaves_sub_folders() {
    let place = Place::new();
    let root = place.root();
    root.create(&folder(".a")).unwrap();
    root.create(&folder(".a.b")).unwrap();
    place.write(".a/cur/1.x:2,", "x");
    fs::create_dir(place.path(".a/courierimapkeywords")).unwrap();
    place.write(".a/courierimapkeywords/:list", "\n");
    std::os::unix::fs::symlink(place.path("cur"), place.path(".a/link")).unwrap();
    place.write("cur/1.keep:2,", "x");
    root.delete(&folder(".a")).unwrap();
    assert_eq!(names(&root), [".a.b"]);
    assert!(place.names("tmp").is_empty());
    assert_eq!(place.names("cur"), ["1.keep:2,"], "no link is followed");
    assert!(matches!(root.delete(&folder(".a")), Err(Error::Missing(_))));
    assert!(matches!(root.delete(&FolderName::INBOX), Err(Error::Refused(..))));
    root.create(&folder(".Trash")).unwrap();
    assert!(matches!(root.delete(&folder(".Trash")), Err(Error::Refused(..))));
}

#[test]
fn a_rename_takes_everything_along() {
    let place = Place::new();
    let root = place.root();
    for name in [".a", ".a.b", ".a.b.c", ".ab"] {
        root.create(&folder(name)).unwrap();
    }
    place.write(".a.b/cur/1.x:2,", "x");
    root.folder(&folder(".a.b")).unwrap().list().unwrap();
    let table = place.read(".a.b/courierimapuiddb");
    root.rename(&folder(".a"), &folder(".x.y")).unwrap();
    assert_eq!(names(&root), [".ab", ".x.y", ".x.y.b", ".x.y.b.c"]);
    assert_eq!(place.read(".x.y.b/courierimapuiddb"), table, "UIDs stay");
}

#[test]
fn a_rename_happens_whole_or_not() {
    let place = Place::new();
    let root = place.root();
    for name in [".a", ".a.b", ".x.b"] {
        root.create(&folder(name)).unwrap();
    }
    assert!(matches!(root.rename(&folder(".a"), &folder(".x")), Err(Error::Exists(_))));
    assert!(matches!(root.rename(&folder(".a"), &folder(".a.c")), Err(Error::Refused(..))));
    assert!(matches!(root.rename(&folder(".a"), &folder(".a")), Err(Error::Exists(_))));
    assert!(matches!(root.rename(&folder(".none"), &folder(".c")), Err(Error::Missing(_))));
    // The second of the two cannot be moved: its name would be too long.
    let long = format!(".{}", "x".repeat(253));
    assert!(matches!(root.rename(&folder(".a"), &folder(&long)), Err(Error::BadName(_))));
    assert_eq!(names(&root), [".a", ".a.b", ".x.b"]);
}

#[test]
fn of_the_inbox_the_messages_move() {
    let place = Place::new();
    let root = place.root();
    root.create(&folder(".child")).unwrap();
    place.write("new/1000.a", "x");
    place.write("cur/1001.b:2,FS", "y");
    root.rename(&FolderName::INBOX, &folder(".old")).unwrap();
    assert_eq!(names(&root), [".child", ".old"]);
    assert_eq!(place.inbox().list().unwrap().len(), 0);
    let moved = root.folder(&folder(".old")).unwrap().list().unwrap();
    assert_eq!(moved.uids(), [1, 2]);
    assert!(moved.iter().any(|entry| entry.name.ends_with(b":2,FS")));
}

#[test]
fn what_is_no_folder_is_not_listed() {
    let place = Place::new();
    for name in [".nocur", ".a..b", ".dot.", "plain", ".evil"] {
        fs::create_dir_all(place.path(name).join(if name == ".nocur" { "new" } else { "cur" })).unwrap();
    }
    place.write(".file", "x");
    std::os::unix::fs::symlink(place.path(".evil"), place.path(".link")).unwrap();
    fs::remove_dir(place.path(".evil/cur")).unwrap();
    std::os::unix::fs::symlink("/tmp", place.path(".evil/cur")).unwrap();
    assert_eq!(names(&place.root()), Vec::<String>::new());
    assert!(place.root().folder(&folder(".link")).is_err());
    assert!(place.root().folder(&folder(".evil")).is_err());
}

#[test]
fn subscriptions_keep_their_file() {
    let place = Place::new();
    let root = place.root();
    place.write("courierimapsubscribed", "INBOX.Entwürfe\n#shared.x\ninbox.Sent\n\n");
    assert!(subscriptions::add(&root, b"INBOX.New").unwrap());
    assert!(!subscriptions::add(&root, b"INBOX.Sent").unwrap());
    assert!(!subscriptions::remove(&root, b"INBOX.sent").unwrap());
    assert!(subscriptions::remove(&root, b"INBOX.Sent").unwrap());
    assert_eq!(place.read("courierimapsubscribed"), "INBOX.Entwürfe\n#shared.x\nINBOX.New\n");
    assert!(subscriptions::add(&root, b"INBOX.a\nINBOX.b").is_err());
    let read = subscriptions::read(&root).unwrap();
    let name = FolderName::from_imap(&read[0], Wire::Utf8, Encoding::Utf8).unwrap();
    assert_eq!(name.to_imap(Wire::Utf7, Encoding::Utf8).unwrap(), b"INBOX.Entw&APw-rfe");
}

#[test]
fn access_lists_are_inherited_until_saved() {
    let place = Place::new();
    let root = place.root();
    let who = acl::Who { owner: false, user: b"jane", groups: &[] };
    let rights = |name: &str| acl::read(&root, &folder(name)).unwrap().rights(&who).letters();
    root.create(&folder(".a")).unwrap();
    let mut list = acl::read(&root, &folder(".a")).unwrap();
    assert_eq!(list.format(), b"owner aceilrstwx\nadministrators aceilrstwx\n");
    list.set(b"user=jane", acl::Rights::of(b"lr"));
    acl::save(&root, &folder(".a"), &list).unwrap();
    assert_eq!((rights(".a"), rights(".a.b"), rights(".c")), (b"lr".to_vec(), b"lr".to_vec(), b"".to_vec()));

    list.set(b"user=jane", acl::Rights::of(b"lrs"));
    acl::save(&root, &folder(".a.b"), &list).unwrap();
    assert_eq!(place.names("courierimaphieracl"), ["a.b"]);
    assert_eq!(rights(".a.b.c"), b"lrs");
    root.create(&folder(".a.b")).unwrap();
    assert!(place.names("courierimaphieracl").is_empty(), "the list moved into the folder");
    assert_eq!(rights(".a.b"), b"lrs");

    list.set(b"owner", acl::Rights::of(b"r"));
    assert!(matches!(acl::save(&root, &folder(".a"), &list), Err(Error::Refused(..))));
}

#[test]
fn old_temporary_files_go() {
    let place = Place::new();
    place.write("tmp/fresh", "x");
    place.write("tmp/old", "x");
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().write(true).open(place.path("tmp/old")).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(place.inbox().clean_tmp().unwrap(), 0, "its change time is young");
    assert_eq!(place.names("tmp"), ["fresh", "old"]);
}
