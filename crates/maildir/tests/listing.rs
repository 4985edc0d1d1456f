//! Opening a folder: deliveries move, UIDs are given once, and nothing that happens takes them away.
#![allow(clippy::unwrap_used)]

mod place;

use maildir::{Flags, Listing, Renamed};
use place::Place;
use std::fs;
use std::os::unix::fs::MetadataExt;

fn shown(listing: &Listing) -> Vec<(u32, String)> {
    listing.iter().map(|entry| (entry.uid, String::from_utf8(entry.name.to_vec()).unwrap())).collect()
}

fn pairs(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    expected.iter().map(|(uid, name)| (*uid, name.to_string())).collect()
}

#[test]
fn deliveries_get_uids_in_the_order_of_their_times() {
    let place = Place::new();
    place.write("new/1002.c", "x");
    place.write("new/1001.b", "x");
    place.write("cur/999.z:2,S", "x");
    place.write("new/1003.d:2,F", "x");
    let listing = place.inbox().list().unwrap();
    assert_eq!(shown(&listing), pairs(&[(1, "999.z:2,S"), (2, "1001.b:2,"), (3, "1002.c:2,"), (4, "1003.d:2,F")]));
    assert_eq!((listing.uid_next, listing.recent_from), (5, 1));
    assert!(place.names("new").is_empty());
    let table = place.read("courierimapuiddb");
    assert_eq!(table, format!("1 {} 0000000005\n1 999.z\n2 1001.b\n3 1002.c\n4 1003.d\n", listing.uid_validity));

    let again = place.inbox().list().unwrap();
    assert_eq!((again.uids(), again.recent_from, again.uid_validity), (listing.uids(), 5, listing.uid_validity));
    assert!(again.proof.is_some(), "nothing was changed by the second look");
}

#[test]
fn a_table_grows_in_place() {
    let place = Place::new();
    place.write("new/1001.b", "x");
    place.inbox().list().unwrap();
    let inode = || fs::metadata(place.path("courierimapuiddb")).unwrap().ino();
    let before = inode();
    place.write("new/1002.c", "x");
    let listing = place.inbox().list().unwrap();
    assert_eq!(inode(), before, "appended, not rewritten");
    assert_eq!(listing.recent_from, 2);
    assert!(place.read("courierimapuiddb").ends_with("0000000003\n1 1001.b\n2 1002.c\n"));

    // A snapshot made of hard links must not change under its owner's hands.
    fs::hard_link(place.path("courierimapuiddb"), place.path("snapshot")).unwrap();
    let snapshot = place.read("snapshot");
    place.write("new/1003.d", "x");
    place.inbox().list().unwrap();
    assert_ne!(inode(), before);
    assert_eq!(place.read("snapshot"), snapshot);
}

#[test]
fn couriers_own_table_goes_on() {
    let place = Place::new();
    place.write("courierimapuiddb", "1 795310093 9\n3 1001.b\n5 1002.c\n8 gone\n");
    place.write("cur/1001.b:2,RS", "x");
    place.write("cur/1002.c", "x");
    place.write("new/1000.a", "x");
    let listing = place.inbox().list().unwrap();
    assert_eq!(shown(&listing), pairs(&[(3, "1001.b:2,RS"), (5, "1002.c"), (9, "1000.a:2,")]));
    assert_eq!((listing.uid_validity, listing.uid_next), (795_310_093, 10));
}

#[test]
fn of_two_lines_of_one_name_the_lower_uid_has_the_file() {
    let place = Place::new();
    place.write("courierimapuiddb", "1 795310093 9\n3 1001.b\n5 1001.b\n7 1002.c\n8 1001.b\n");
    place.write("cur/1001.b:2,S", "x");
    place.write("cur/1002.c:2,", "x");
    assert_eq!(shown(&place.inbox().list().unwrap()), pairs(&[(3, "1001.b:2,S"), (7, "1002.c:2,")]));
    place.write("new/1003.d", "x");
    assert_eq!(place.inbox().list().unwrap().uids(), [3, 7, 9]);
    assert!(place.read("courierimapuiddb").ends_with("\n3 1001.b\n7 1002.c\n9 1003.d\n"), "the others are stale");
}

#[test]
fn a_table_cut_anywhere_gives_no_uid_twice() {
    let whole = "1 795310093 0000000004\n1 1001.a\n2 1002.b\n3 1003.c\n";
    for end in 0..=whole.len() {
        let place = Place::new();
        for name in ["cur/1001.a:2,", "cur/1002.b:2,", "cur/1003.c:2,"] {
            place.write(name, "x");
        }
        place.write("courierimapuiddb", &whole[..end]);
        let listing = place.inbox().list().unwrap();
        assert_eq!(listing.len(), 3);
        let table = place.read("courierimapuiddb");
        if listing.uid_validity == 795_310_093 {
            let old = [(1, "1001.a:2,"), (2, "1002.b:2,"), (3, "1003.c:2,")];
            assert!(
                shown(&listing).iter().all(|(uid, name)| *uid >= 4 || old.contains(&(*uid, name))),
                "cut at {end}: {table}"
            );
        } else {
            assert!(listing.uid_validity > 795_310_093 && end < 23);
            assert!(listing.damage.is_some());
            assert_eq!(place.names("").iter().filter(|name| name.starts_with("daisychain-damaged.")).count(), 1);
        }
        assert_eq!(place.inbox().list().unwrap().uids(), listing.uids());
    }
}

#[test]
fn a_message_is_gone_only_when_its_file_is() {
    let place = Place::new();
    place.write("new/1001.b", "x");
    place.write("new/1002.c", "x");
    let inbox = place.inbox();
    inbox.list().unwrap();
    fs::rename(place.path("cur/1001.b:2,"), place.path("cur/1001.b:2,S")).unwrap();
    assert_eq!(shown(&inbox.list().unwrap()), pairs(&[(1, "1001.b:2,S"), (2, "1002.c:2,")]));
    assert!(inbox.remove(b"1001.b:2,").unwrap(), "found under its new flags");
    assert_eq!(shown(&inbox.list().unwrap()), pairs(&[(2, "1002.c:2,")]));
    assert!(!inbox.remove(b"1001.b:2,").unwrap());
    inbox.sync_expunge().unwrap();
    assert!(place.read("courierimapuiddb").contains("1 1001.b\n"), "a stale line is legal");
}

#[test]
fn stale_lines_go_at_the_next_rewrite() {
    let place = Place::new();
    for n in 1000..1100 {
        place.write(&format!("new/{n}.m"), "x");
    }
    let inbox = place.inbox();
    let listing = inbox.list().unwrap();
    for entry in listing.iter().take(60) {
        inbox.remove(entry.name).unwrap();
    }
    place.write("new/2000.m", "x");
    assert_eq!(inbox.list().unwrap().len(), 41);
    assert_eq!(place.read("courierimapuiddb").lines().count(), 42, "a quarter was stale");
    assert!(place.read("courierimapuiddb").contains(" 0000000102\n"));
}

#[test]
fn flags_change_by_renaming() {
    let place = Place::new();
    place.write("cur/1001.b:2,PSa", "x");
    let inbox = place.inbox();
    let renamed = inbox.change_flags(b"1001.b:2,PSa", |flags| flags | Flags::FLAGGED).unwrap();
    assert_eq!(renamed, Renamed::To(b"1001.b:2,FPSa".to_vec()));
    let found = inbox.change_flags(b"1001.b:2,", |flags| flags & !Flags::SEEN).unwrap();
    assert_eq!(found, Renamed::To(b"1001.b:2,FPa".to_vec()), "found by its base name");
    assert_eq!(
        inbox.change_flags(b"1001.b:2,FPa", |flags| flags).unwrap(),
        Renamed::Unchanged(b"1001.b:2,FPa".to_vec())
    );
    assert_eq!(inbox.change_flags(b"9.x:2,", |flags| flags | Flags::SEEN).unwrap(), Renamed::NotFound);
    inbox.sync_flags().unwrap();
    assert_eq!(place.names("cur"), ["1001.b:2,FPa"]);
}

#[test]
fn a_delivery_in_both_directories_is_one_message() {
    let place = Place::new();
    place.write("new/1001.b", "x");
    fs::hard_link(place.path("new/1001.b"), place.path("cur/1001.b:2,")).unwrap();
    assert_eq!(shown(&place.inbox().list().unwrap()), pairs(&[(1, "1001.b:2,")]));
    assert!(place.names("new").is_empty());
}

#[test]
fn two_files_of_one_name_are_two_messages() {
    let place = Place::new();
    place.write("new/1001.b", "one");
    place.write("cur/1001.b:2,", "two");
    let listing = place.inbox().list().unwrap();
    assert_eq!(listing.len(), 2);
    assert_eq!(place.names("cur").len(), 2);
}

#[test]
fn two_names_of_one_base_in_cur() {
    let place = Place::new();
    place.write("cur/1001.b:2,S", "one");
    place.write("cur/1001.b:2,F", "two");
    assert_eq!(place.inbox().list().unwrap().len(), 2, "two files are two messages");
    let place = Place::new();
    place.write("cur/1001.b:2,S", "one");
    fs::hard_link(place.path("cur/1001.b:2,S"), place.path("cur/1001.b:2,")).unwrap();
    assert_eq!(place.inbox().list().unwrap().len(), 1, "two names of one file are one message");
    assert_eq!(place.names("cur"), ["1001.b:2,S"]);
}

#[test]
fn what_is_no_message_is_left_alone() {
    let place = Place::new();
    fs::create_dir(place.path("cur/1001.dir:2,")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.path("cur/1002.link:2,")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.path("new/1003.link")).unwrap();
    place.write("cur/.hidden", "x");
    place.write("new/.hidden", "x");
    nix::unistd::mkfifo(&place.path("new/1004.fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    place.write(&format!("new/{}", "a".repeat(255)), "x");
    place.write("new/\u{1}\n\u{7f}", "x");
    let listing = place.inbox().list().unwrap();
    assert!(listing.trouble.is_none(), "{:?}", listing.trouble);
    for entry in listing.iter() {
        place.inbox().open_message(entry.name).unwrap();
    }
    assert_eq!(place.inbox().list().unwrap().uids(), listing.uids());
    assert!(place.inbox().open_message(b"1002.link:2,").is_err());
    assert!(place.inbox().open_message(b"../courierimapuiddb").is_err());
}

#[test]
fn counts_touch_nothing() {
    let place = Place::new();
    place.write("cur/1000.a:2,S", "x");
    place.inbox().list().unwrap();
    place.write("new/1001.b", "x");
    place.write("cur/1002.c:2,T", "x");
    let counts = place.inbox().counts().unwrap();
    assert_eq!((counts.messages, counts.recent, counts.unseen, counts.deleted, counts.uid_next), (3, 2, 2, 1, 4));
    assert_eq!(place.names("new"), ["1001.b"]);
}

#[test]
fn locked_by_another_program_old_mail_is_shown() {
    let place = Place::new();
    place.write("new/1000.a", "x");
    place.inbox().list().unwrap();
    place.write("new/1001.b", "x");
    place.write("tmp/courier.lock", "1:localhost\n");
    let listing = place.inbox().list().unwrap();
    assert_eq!((listing.len(), listing.hidden), (1, 1));
    assert!(matches!(listing.trouble, Some(maildir::Error::InUse(_))), "{:?}", listing.trouble);
    let listing = place.root_with(|s| s.use_locks = false).folder(&maildir::FolderName::INBOX).unwrap().list().unwrap();
    assert_eq!(listing.len(), 2);
}

#[test]
fn a_lock_of_a_dead_process_is_nobodys() {
    let place = Place::new();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    place.write("tmp/courier.lock", &format!("{pid}:localhost"));
    place.write("new/1000.a", "x");
    assert_eq!(place.inbox().list().unwrap().len(), 1);
    assert!(place.names("tmp").is_empty());
}

#[test]
fn what_dovecot_left_is_taken_over_once() {
    let place = Place::new();
    place.write("dovecot-uidlist", "3 V1700000000 N12 G0123\n4 :1000.a\n9 S1 :1001.b\n");
    place.write("dovecot-keywords", "0 $Junk\n1 Work\n");
    place.write("cur/1000.a:2,Sb", "x");
    place.write("cur/1001.b:2,abF", "x");
    place.write("new/1002.c", "x");
    let listing = place.inbox().list().unwrap();
    assert_eq!(listing.uid_validity, 1_700_000_000);
    assert_eq!(shown(&listing), pairs(&[(4, "1000.a:2,Sb"), (9, "1001.b:2,abF"), (12, "1002.c:2,")]));
    let words = maildir::keywords::load(&place.inbox(), |_| true).unwrap();
    assert_eq!(words.spell(words.of(b"1000.a")), [b"Work".to_vec()]);
    assert_eq!(words.of(b"1001.b").len(), 2);
    place.write("dovecot-uidlist", "3 V1800000000 N2 G0123\n1 :1000.a\n");
    assert_eq!(place.inbox().list().unwrap().uids(), listing.uids());
}
