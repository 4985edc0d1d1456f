//! The directory of keywords: updates that never replace each other, folded into the list by the next reader.
#![allow(clippy::unwrap_used)]

mod place;

use maildir::keywords::{self, Changes, Keywords};
use place::Place;
use std::fs;

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn of(keywords: &Keywords, base: &str) -> Vec<String> {
    let mut found: Vec<String> =
        keywords.spell(keywords.of(base.as_bytes())).into_iter().map(|w| String::from_utf8(w).unwrap()).collect();
    found.sort();
    found
}

#[test]
fn an_update_is_read_folded_and_kept_a_while() {
    let place = Place::new();
    let inbox = place.inbox();
    assert!(keywords::load(&inbox, |_| true).unwrap().words().is_empty());
    assert!(keywords::write_update(&inbox, b"1000.a", &words(&["Work", "$Junk"])).unwrap());
    assert_eq!(place.names("courierimapkeywords"), ["1000.a"]);
    assert_eq!(place.read("courierimapkeywords/1000.a"), "Work\n$Junk\n");
    assert!(place.names("tmp").is_empty());

    assert!(!keywords::write_update(&inbox, b"1000.a", &words(&["Other"])).unwrap(), "one waits to be read");
    let loaded = keywords::load(&inbox, |_| true).unwrap();
    assert_eq!(of(&loaded, "1000.a"), ["$Junk", "Work"]);
    assert_eq!(place.read("courierimapkeywords/:list"), "Work\n$Junk\n\n1000.a:0 1\n");
    let aged = place.names("courierimapkeywords");
    assert!(aged.len() == 2 && aged[0].starts_with('.') && aged[0].ends_with(".1000.a"), "{aged:?}");

    assert!(keywords::write_update(&inbox, b"1000.a", &[]).unwrap());
    assert_eq!(of(&keywords::load(&inbox, |_| true).unwrap(), "1000.a"), Vec::<String>::new());
    assert_eq!(place.read("courierimapkeywords/:list"), "\n");
    assert_eq!(place.names("courierimapkeywords").len(), 2, "the older aged file is gone");
}

#[test]
fn the_newest_aged_update_counts() {
    let place = Place::new();
    fs::create_dir(place.path("courierimapkeywords")).unwrap();
    place.write("courierimapkeywords/:list", "old\n\n1000.a:0\n");
    place.write("courierimapkeywords/.99.1000.a", "older\n");
    place.write("courierimapkeywords/.100.1000.a", "newer\n");
    place.write("courierimapkeywords/.tmp.1.half", "nothing\n");
    let loaded = keywords::load(&place.inbox(), |_| true).unwrap();
    assert_eq!(of(&loaded, "1000.a"), ["newer"]);
    assert_eq!(place.names("courierimapkeywords"), [".100.1000.a", ".tmp.1.half", ":list"]);
}

#[test]
fn lines_of_messages_that_are_gone_go_too() {
    let place = Place::new();
    fs::create_dir(place.path("courierimapkeywords")).unwrap();
    place.write("courierimapkeywords/:list", "a\nb\n\n1000.a:0\n1001.b:1\n");
    place.write("courierimapkeywords/1002.c", "c\n");
    let loaded = keywords::load(&place.inbox(), |base| base == b"1001.b").unwrap();
    assert_eq!(of(&loaded, "1001.b"), ["b"]);
    assert_eq!(place.read("courierimapkeywords/:list"), "b\n\n1001.b:0\n");
}

#[test]
fn many_changes_at_once() {
    let place = Place::new();
    let inbox = place.inbox();
    keywords::write_update(&inbox, b"1007.m", &words(&["Theirs"])).unwrap();
    let mut changes = Changes::begin(&inbox).unwrap();
    for n in 1000..1100 {
        changes.add(format!("{n}.m").as_bytes(), &words(&["Ours"])).unwrap();
    }
    let written = changes.commit().unwrap();
    assert_eq!(written.iter().filter(|written| !**written).count(), 1);
    keywords::sync(&inbox).unwrap();
    let loaded = keywords::load(&inbox, |_| true).unwrap();
    assert_eq!((of(&loaded, "1007.m"), of(&loaded, "1099.m")), (vec!["Theirs".into()], vec!["Ours".to_string()]));
    assert!(place.names("tmp").is_empty());

    let mut given_up = Changes::begin(&inbox).unwrap();
    given_up.add(b"1000.m", &words(&["x"])).unwrap();
    drop(given_up);
    assert!(place.names("tmp").is_empty());
}

#[test]
fn two_writers_without_a_lock_go_on() {
    let place = Place::new();
    let write = |word: String| {
        let inbox = place.inbox();
        loop {
            let loaded = keywords::load(&inbox, |_| true).unwrap();
            let mut all = loaded.spell(loaded.of(b"1000.a"));
            all.push(word.clone().into_bytes());
            if keywords::write_update(&inbox, b"1000.a", &all).unwrap() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let write = &write;
        for writer in ["x", "y"] {
            scope.spawn(move || (0..30).for_each(|n| write(format!("{writer}{n}"))));
        }
    });
    // Each reads and writes what it read and one more; who wants nothing lost takes the lock of the folder.
    let loaded = keywords::load(&place.inbox(), |_| true).unwrap();
    let found = of(&loaded, "1000.a");
    assert!(found.len() >= 30, "{found:?}");
}
