//! New messages and copies: all or none, with UIDs, on disk.
#![allow(clippy::unwrap_used)]

mod place;

use maildir::{Batch, Error, Flags, FolderName, keywords, quota};
use place::{Place, folder};
use std::fs;
use std::os::unix::fs::MetadataExt;

fn deliver(batch: &mut Batch, text: &[u8], flags: Flags, words: &[&str]) {
    batch.begin(Some(1_000_000_000)).unwrap();
    for piece in text.chunks(7) {
        batch.write(piece).unwrap();
    }
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    batch.finish(flags, &words).unwrap();
}

#[test]
fn messages_are_placed_together() {
    let place = Place::new();
    place.write("cur/1000.old:2,", "x");
    let mut batch = Batch::new(place.inbox());
    deliver(&mut batch, b"Subject: a\n\none\n", Flags::SEEN | Flags::FLAGGED, &["Work", "$Label1"]);
    deliver(&mut batch, b"", Flags::NONE, &[]);
    assert_eq!(batch.len(), 2);
    let placed = batch.commit().unwrap();
    assert_eq!(placed.uids, [2, 3]);
    assert!(place.names("tmp").is_empty());
    let listing = place.inbox().list().unwrap();
    assert_eq!((listing.uids(), listing.uid_validity), (&[1, 2, 3][..], placed.uid_validity));

    let name = String::from_utf8(placed.names[0].clone()).unwrap();
    assert!(name.ends_with(".localhost,S=16:2,FS"), "{name}");
    assert!(name.find(',').unwrap() <= 70, "{name}");
    let file = place.path(&format!("cur/{name}"));
    assert_eq!(fs::read(&file).unwrap(), b"Subject: a\n\none\n");
    let meta = fs::metadata(&file).unwrap();
    assert_eq!((meta.mtime(), meta.mode() & 0o7777), (1_000_000_000, 0o600));
    assert!(name.contains(&format!("V{:X}I{:X}", meta.dev(), meta.ino())));

    let words = keywords::load(&place.inbox(), |_| true).unwrap();
    let mut spelled = words.spell(words.of(maildir::base_of(name.as_bytes())));
    spelled.sort();
    assert_eq!(spelled, [b"$Label1".to_vec(), b"Work".to_vec()]);
}

#[test]
fn a_batch_given_up_leaves_nothing() {
    let place = Place::new();
    let mut batch = Batch::new(place.inbox());
    deliver(&mut batch, b"one", Flags::NONE, &[]);
    batch.begin(None).unwrap();
    batch.write(b"half a mess").unwrap();
    assert_eq!(batch.written(), 11);
    drop(batch);
    assert!(place.names("tmp").is_empty() && place.names("cur").is_empty());
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    let place = Place::new();
    place.inbox().list().unwrap();
    let table = place.read("courierimapuiddb");
    let mut batch = Batch::new(place.inbox());
    deliver(&mut batch, b"one", Flags::NONE, &[]);
    deliver(&mut batch, b"two", Flags::NONE, &[]);
    place.write("tmp/courier.lock", "1:localhost");
    assert!(matches!(batch.commit(), Err(Error::InUse(_))));
    assert_eq!(place.names("tmp"), ["courier.lock"]);
    assert!(place.names("cur").is_empty());
    assert_eq!(place.read("courierimapuiddb"), table);
}

#[test]
fn a_table_that_cannot_be_written_takes_the_messages_back() {
    let place = Place::new();
    place.inbox().list().unwrap();
    let mut batch = Batch::new(place.inbox());
    deliver(&mut batch, b"one", Flags::NONE, &[]);
    fs::remove_file(place.path("courierimapuiddb")).unwrap();
    fs::create_dir(place.path("courierimapuiddb")).unwrap();
    assert!(batch.commit().is_err());
    assert!(place.names("cur").is_empty() && place.names("tmp").is_empty());
}

#[test]
fn copies_are_links_that_keep_everything() {
    let place = Place::new();
    place.root().create(&folder(".a")).unwrap();
    place.write("cur/1000.x,S=3:2,PSa", "abc");
    let target = place.root().folder(&folder(".a")).unwrap();
    let mut batch = Batch::new(target);
    batch.add_copy(&place.inbox(), b"1000.x,S=3:2,", &[b"Work".to_vec()]).unwrap();
    batch.add_copy(&place.inbox(), b"1000.x,S=3:2,PSa", &[]).unwrap();
    let placed = batch.commit().unwrap();
    assert_eq!(placed.uids, [1, 2]);
    let source = fs::metadata(place.path("cur/1000.x,S=3:2,PSa")).unwrap();
    for name in &placed.names {
        let name = String::from_utf8(name.clone()).unwrap();
        assert!(name.ends_with(",S=3:2,PSa"), "{name}");
        let copy = fs::metadata(place.path(&format!(".a/cur/{name}"))).unwrap();
        assert_eq!((copy.ino(), copy.mtime()), (source.ino(), source.mtime()));
    }
}

#[test]
fn a_missing_source_copies_nothing() {
    let place = Place::new();
    place.root().create(&folder(".a")).unwrap();
    let mut batch = Batch::new(place.root().folder(&folder(".a")).unwrap());
    assert!(matches!(batch.add_copy(&place.inbox(), b"1000.x:2,", &[]), Err(Error::Missing(_))));
}

#[test]
fn quota_is_checked_and_counted() {
    let place = Place::new();
    let root = place.root();
    quota::set(&root, quota::Limits { bytes: Some(10), messages: Some(3) }).unwrap();
    let add = |text: &[u8], flags| {
        let mut batch = Batch::new(place.inbox());
        deliver(&mut batch, text, flags, &[]);
        batch.commit()
    };
    let used = || {
        let quota = quota::read(&place.root()).unwrap().unwrap();
        (quota.usage.bytes, quota.usage.messages)
    };
    let first = add(b"12345", Flags::NONE).unwrap();
    add(b"1234", Flags::NONE).unwrap();
    assert_eq!(used(), (9, 2));
    assert!(matches!(add(b"12", Flags::NONE), Err(Error::OverQuota)));
    assert!(place.names("tmp").is_empty());

    let inbox = place.inbox();
    inbox.change_flags(&first.names[0], |flags| flags | Flags::TRASHED).unwrap();
    inbox.sync_flags().unwrap();
    assert_eq!(used(), (4, 1), "a message marked deleted does not count");
    inbox.change_flags(&first.names[0], |flags| flags & !Flags::TRASHED).unwrap();
    inbox.sync_flags().unwrap();
    assert_eq!(used(), (9, 2));
    inbox.remove(&first.names[0]).unwrap();
    inbox.sync_expunge().unwrap();
    assert_eq!(used(), (4, 1));
    add(b"123456", Flags::NONE).unwrap();
    assert!(place.read("maildirsize").lines().skip(1).all(|line| line.len() == 25));
    assert_eq!(place.read("maildirsize").lines().next(), Some("10S,3C"));
    let counted = quota::recalculate(&root, quota::Limits { bytes: Some(10), messages: Some(3) }).unwrap();
    assert_eq!((counted.usage.bytes, counted.usage.messages), (10, 2));
}

#[test]
fn the_accounts_quota_replaces_the_files() {
    let place = Place::new();
    place.write("cur/1000.a:2,S", "12345");
    place.write("cur/1000.b,S=7:2,T", "1234567");
    let root = place.root_with(|settings| settings.quota = b"100S".to_vec());
    let found = quota::read(&root).unwrap().unwrap();
    assert_eq!((found.usage.bytes, found.usage.messages, found.limits.bytes), (5, 1, Some(100)));
    assert_eq!(place.read("maildirsize"), "100S\n           5            1\n");
    assert_eq!(quota::read(&Place::new().root()).unwrap(), None);
}

#[test]
fn trash_takes_messages_out_of_the_quota() {
    let place = Place::new();
    place.write("cur/1000.a,S=5:2,DST", "12345");
    place.write("cur/1000.b,S=5:2,S", "12345");
    let root = place.root_with(|settings| settings.quota = b"100S".to_vec());
    quota::read(&root).unwrap();
    let trash = maildir::trash::Trash::open(&root).unwrap();
    let inbox = root.folder(&FolderName::INBOX).unwrap();
    assert!(trash.take(&inbox, b"1000.a,S=5:2,DST").unwrap());
    assert!(trash.take(&inbox, b"1000.b,S=5:2,").unwrap());
    assert!(!trash.take(&inbox, b"1000.c:2,").unwrap());
    trash.sync().unwrap();
    inbox.sync_expunge().unwrap();
    assert_eq!(place.names(".Trash/cur"), ["1000.a,S=5:2,S", "1000.b,S=5:2,S"]);
    assert_eq!(quota::read(&root).unwrap().unwrap().usage.bytes, 0);
    assert_eq!(maildir::trash::purge(&root, &root.trash().unwrap(), 7).unwrap(), 0, "nothing is old");
}
