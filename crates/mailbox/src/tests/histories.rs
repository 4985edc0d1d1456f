//! Random histories: two sessions, a deliverer and a meddler on one folder, every answer checked against a model.

use std::collections::{BTreeMap, BTreeSet};

use imap::{Flag, FlagList, Flags, NumberSet, StoreMode};
use maildir::{FolderName, MessageName};
use proptest::prelude::*;

use super::{Place, all};
use crate::mailbox::{to_imap, to_maildir};
use crate::{Changes, Error, Expunges, Fate, Mailbox};

#[derive(Clone, Debug)]
enum Step {
    Deliver,
    Append,
    /// Another program renames a message.
    Rename(usize, u8),
    /// Another program removes one.
    Remove(usize),
    Sync(usize, bool),
    Store(usize, u32, StoreMode, usize),
    Copy(usize, u32),
    Expunge(usize),
    Reopen(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2usize;
    let mode = prop_oneof![Just(StoreMode::Replace), Just(StoreMode::Add), Just(StoreMode::Remove)];
    prop_oneof![
        2 => Just(Step::Deliver),
        1 => Just(Step::Append),
        2 => (any::<usize>(), 0..32u8).prop_map(|(at, flags)| Step::Rename(at, flags)),
        1 => any::<usize>().prop_map(Step::Remove),
        5 => (who.clone(), any::<bool>()).prop_map(|(who, hold)| Step::Sync(who, hold)),
        5 => (who.clone(), 1..12u32, mode, 0..FLAGS.len()).prop_map(|(who, n, mode, f)| Step::Store(who, n, mode, f)),
        1 => (who.clone(), 1..12u32).prop_map(|(who, number)| Step::Copy(who, number)),
        2 => who.clone().prop_map(Step::Expunge),
        1 => (who, any::<bool>()).prop_map(|(who, read_only)| Step::Reopen(who, read_only)),
    ]
}

const FLAGS: [(&[Flag], &[&str]); 6] = [
    (&[Flag::Seen], &[]),
    (&[Flag::Deleted], &[]),
    (&[Flag::Deleted, Flag::Flagged], &["red"]),
    (&[], &["Blue"]),
    (&[Flag::Draft], &["red", "blue"]),
    (&[], &[]),
];

fn list(of: usize) -> FlagList {
    let (system, keywords) = FLAGS[of];
    let system = system.iter().fold(Flags::NONE, |set, flag| set.with(*flag));
    FlagList { system, keywords: keywords.iter().map(|word| word.as_bytes().to_vec()).collect() }
}

/// A client that believes what it is told, and minds what it may be told.
struct Client {
    mailbox: Mailbox,
    uids: Vec<u32>,
    gone: BTreeSet<u32>,
}

impl Client {
    fn new(mailbox: Mailbox) -> Client {
        let uids = (1..=mailbox.exists()).map(|number| mailbox.uid(number).unwrap()).collect();
        Client { mailbox, uids, gone: BTreeSet::new() }
    }

    fn hear(&mut self, changes: &Changes) {
        let before = self.uids.clone();
        for (number, uid) in std::iter::zip(&changes.expunged, &changes.vanished) {
            assert_eq!(self.uids.remove(*number as usize - 1), *uid, "the number names another message");
            assert!(self.gone.insert(*uid));
        }
        let exists = self.mailbox.exists() as usize;
        assert_eq!(changes.exists.unwrap_or(self.uids.len() as u32) as usize, exists);
        assert!(exists >= self.uids.len(), "a message left without EXPUNGE");
        for number in 1..=exists as u32 {
            let uid = self.mailbox.uid(number).unwrap();
            match self.uids.get(number as usize - 1) {
                Some(known) => assert_eq!(*known, uid),
                None => {
                    assert!(
                        before.last().is_none_or(|last| *last < uid) && !self.gone.contains(&uid),
                        "UID given late"
                    );
                    self.uids.push(uid);
                }
            }
        }
        assert!(self.uids.is_sorted_by(|a, b| a < b));
        assert!(self.uids.last().is_none_or(|last| *last < self.mailbox.uid_next()));
        assert!(changes.flags.iter().all(|number| *number as usize <= exists));
    }
}

type Words = BTreeSet<Vec<u8>>;

/// What is true on disk, kept by the rules of IMAP alone.
#[derive(Default)]
struct Model {
    messages: BTreeMap<Vec<u8>, (Flags, Words)>,
    bases: BTreeMap<u32, Vec<u8>>,
}

impl Model {
    fn store(&mut self, base: &[u8], mode: StoreMode, list: &FlagList) {
        let Some((flags, words)) = self.messages.get_mut(base) else { return };
        let given: Words = list.keywords.iter().map(|word| word.to_ascii_lowercase()).collect();
        match mode {
            StoreMode::Replace => (*flags, *words) = (list.system, given),
            StoreMode::Add => {
                *flags |= list.system;
                words.extend(given);
            }
            StoreMode::Remove => {
                *flags = flags.without(list.system);
                words.retain(|word| !given.contains(word));
            }
        }
    }

    /// One UID, one message, in all sessions and for ever.
    fn check_uids(&mut self, mailbox: &Mailbox) {
        for at in 0..mailbox.view.len() {
            let (uid, base) = (mailbox.view.uid(at).unwrap(), mailbox.view.base(at).to_vec());
            assert_eq!(self.bases.entry(uid).or_insert_with(|| base.clone()), &base, "UID {uid} names two messages");
        }
    }

    fn check(&self, mailbox: &Mailbox) {
        let mut seen = BTreeMap::new();
        for number in 1..=mailbox.exists() {
            let shown = mailbox.flags(number).unwrap();
            let words: Words = shown.keywords.iter().map(|word| word.to_ascii_lowercase()).collect();
            seen.insert(mailbox.view.base(number as usize - 1).to_vec(), (shown.system, words));
        }
        assert_eq!(seen, self.messages);
    }
}

fn run(steps: Vec<Step>) {
    let place = Place::new();
    let mut model = Model::default();
    let mut clients = [Client::new(place.select()), Client::new(place.select())];
    let mut delivered = 0;
    for step in steps {
        match step {
            Step::Deliver => {
                delivered += 1;
                let base = format!("{delivered}.delivered");
                place.deliver(&base);
                model.messages.insert(base.into_bytes(), Default::default());
            }
            Step::Append => {
                let placed = place.append(&list(2));
                let words = list(2).keywords.into_iter().collect();
                model.messages.insert(maildir::base_of(&placed.names[0]).to_vec(), (list(2).system, words));
            }
            Step::Rename(at, flags) => meddle(&place, at, |path, name| {
                let flags = maildir::Flags::from_bits(flags);
                let to = String::from_utf8(MessageName::parse(name.as_bytes()).with_flags(flags)).unwrap();
                std::fs::rename(path.join(name), path.join(to)).unwrap();
                model.messages.get_mut(maildir::base_of(name.as_bytes())).unwrap().0 = to_imap(flags);
            }),
            Step::Remove(at) => meddle(&place, at, |path, name| {
                std::fs::remove_file(path.join(name)).unwrap();
                model.messages.remove(maildir::base_of(name.as_bytes()));
            }),
            Step::Sync(who, hold) => {
                let client = &mut clients[who];
                let changes = client.mailbox.sync(if hold { Expunges::Hold } else { Expunges::Report }).unwrap();
                assert!(!hold || changes.expunged.is_empty());
                client.hear(&changes);
            }
            Step::Store(who, number, mode, flags) => {
                let mailbox = &mut clients[who].mailbox;
                if number > mailbox.exists() {
                    continue;
                }
                let base = mailbox.view.base(number as usize - 1).to_vec();
                match mailbox.store(&NumberSet::from_iter([number]), mode, &list(flags), false) {
                    Err(Error::ReadOnly) => assert!(mailbox.read_only()),
                    stored => {
                        let told = stored.unwrap().numbers.contains(number);
                        assert_eq!(told, model.messages.contains_key(&base));
                        model.store(&base, mode, &list(flags));
                    }
                }
            }
            Step::Copy(who, number) => {
                let mailbox = &mut clients[who].mailbox;
                if number > mailbox.exists() {
                    continue;
                }
                let base = mailbox.view.base(number as usize - 1).to_vec();
                match (mailbox.copy(&NumberSet::from_iter([number]), &FolderName::INBOX), model.messages.get(&base)) {
                    (Ok(copied), Some((flags, words))) => {
                        let uid = copied.unwrap().target.first().unwrap();
                        let (flags, words) = (*flags, words.clone());
                        let listing = place.inbox().list().unwrap();
                        let name = listing.iter().find(|entry| entry.uid == uid).unwrap().name.to_vec();
                        assert_eq!(MessageName::parse(&name).flags(), to_maildir(flags));
                        model.messages.insert(maildir::base_of(&name).to_vec(), (flags, words));
                    }
                    (answer, None) => assert_eq!(answer, Err(Error::Expunged)),
                    (answer, Some(_)) => panic!("{answer:?}"),
                }
            }
            Step::Expunge(who) => {
                let client = &mut clients[who];
                match client.mailbox.expunge(None, Fate::Removed) {
                    Err(Error::ReadOnly) => assert!(client.mailbox.read_only()),
                    removed => {
                        removed.unwrap();
                        model.messages.retain(|_, (flags, _)| !flags.has(Flag::Deleted));
                        let changes = client.mailbox.sync(Expunges::Report).unwrap();
                        client.hear(&changes);
                    }
                }
            }
            Step::Reopen(who, read_only) => {
                clients[who] = Client::new(if read_only { place.examine() } else { place.select() });
            }
        }
        clients.iter().for_each(|client| model.check_uids(&client.mailbox));
    }
    for client in &mut clients {
        let changes = client.mailbox.sync(Expunges::Report).unwrap();
        client.hear(&changes);
        model.check(&client.mailbox);
        assert_eq!(client.mailbox.resolve(&all(), true).unwrap().len(), model.messages.len() as u64);
    }
    assert_eq!(clients[0].uids, clients[1].uids);
    assert!(place.entries("tmp").is_empty());
}

/// Does something to one of the files in `cur/`, behind everybody's back.
fn meddle(place: &Place, at: usize, act: impl FnOnce(&std::path::Path, &str)) {
    let names = place.cur();
    if !names.is_empty() {
        act(&place.path.join("cur"), &names[at % names.len()]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_history_is_legal(steps in proptest::collection::vec(step(), 1..60)) {
        run(steps);
    }
}
