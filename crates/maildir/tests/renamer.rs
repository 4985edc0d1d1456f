//! Somebody renames files as fast as can be, and nothing is ever taken for gone.
#![allow(clippy::unwrap_used)]

mod place;

use place::Place;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MESSAGES: usize = 1000;

#[test]
fn nobody_is_gone_who_only_changed_flags() {
    let place = Place::new();
    for n in 0..MESSAGES {
        place.write(&format!("cur/{}.M{n}P1.host:2,", 1_700_000_000 + n), "x");
    }
    let inbox = place.inbox();
    let uids = inbox.list().unwrap().uids().to_vec();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for n in 0..MESSAGES {
                    let name = |flags| place.path(&format!("cur/{}.M{n}P1.host:2,{flags}", 1_700_000_000 + n));
                    if fs::rename(name(""), name("S")).is_err() {
                        fs::rename(name("S"), name("")).unwrap();
                    }
                }
            }
        });
        let begin = Instant::now();
        let mut looks = 0;
        while begin.elapsed() < Duration::from_secs(2) {
            let listing = inbox.list().unwrap();
            assert_eq!(listing.uids(), uids, "look {looks}");
            assert_eq!(listing.uid_next as usize, MESSAGES + 1);
            looks += 1;
        }
        stop.store(true, Ordering::Relaxed);
        assert!(looks > 1);
    });
    let listing = inbox.list().unwrap();
    assert!(listing.iter().all(|entry| entry.seen));
}

#[test]
fn a_removal_beside_a_renamer_is_noticed_in_the_end() {
    let place = Place::new();
    place.write("cur/1000.a:2,", "x");
    place.write("cur/1001.b:2,", "x");
    let inbox = place.inbox();
    inbox.list().unwrap();
    fs::remove_file(place.path("cur/1000.a:2,")).unwrap();
    fs::rename(place.path("cur/1001.b:2,"), place.path("cur/1001.b:2,S")).unwrap();
    let begin = Instant::now();
    while inbox.list().unwrap().uids() != [2] {
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}
