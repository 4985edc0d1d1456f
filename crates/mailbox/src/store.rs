//! STORE: flags into file names, keywords into their files, nobody's change lost.

use imap::{FlagList, NumberSet, StoreMode};
use maildir::keywords::Changes;
use maildir::{Flags, FolderLock, MessageName, Renamed};

use crate::Error;
use crate::changes::number;
use crate::keywords::EMPTY;
use crate::mailbox::{Mailbox, Mode, position, to_maildir};

/// What a STORE brought, for the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// There are new keywords: FLAGS and PERMANENTFLAGS come before the FETCH lines.
    pub flag_list_changed: bool,
    /// Messages whose flags the client is told now. After `.SILENT` only those that others had changed as well.
    pub numbers: NumberSet,
}

/// So often a message's keywords are read again because another program's change of them waits.
const ATTEMPTS: usize = 100;

impl Mailbox {
    /// Change flags and keywords of messages. On disk when this returns; messages that are gone are passed over.
    pub fn store(
        &mut self,
        numbers: &NumberSet,
        mode: StoreMode,
        flags: &FlagList,
        silent: bool,
    ) -> Result<Stored, Error> {
        if self.mode == Mode::ReadOnly {
            return Err(Error::ReadOnly);
        }
        let mut messages: Vec<Message> = numbers.iter().filter_map(|number| self.message(number)).collect();
        let done = self.store_all(&mut messages, mode, flags);
        let done = self.heed(done);
        let mut stored = Stored::default();
        for message in &messages {
            let (Some(uid), true) = (self.view.uid(message.at), message.touched) else { continue };
            let told = done.is_ok() && (!silent || message.is_news(self));
            match (&done, told) {
                (Ok(()), true) => {
                    stored.numbers.insert(number(message.at + 1));
                    self.told.forget_flags(uid);
                }
                (Ok(()), false) => self.told.forget_flags(uid),
                // The client learns what became of it with the next news.
                (Err(_), _) => self.told.note_flags(uid),
            }
        }
        stored.flag_list_changed = self.told.new_words(self.keywords.words().len());
        done.map(|()| stored)
    }

    fn message(&self, number: u32) -> Option<Message> {
        let at = position(number).filter(|at| *at < self.view.len() && !self.view.is_gone(*at))?;
        let (flags, set) = (self.view.flags(at), self.view.set(at));
        Some(Message { at, flags, set, expected: (flags, set), touched: false, done: false })
    }

    fn store_all(&mut self, messages: &mut [Message], mode: StoreMode, flags: &FlagList) -> Result<(), Error> {
        let system = to_maildir(flags.system);
        let renamed = self.store_flags(messages, |old| changed(old, mode, system));
        // Half of them renamed or all: what is, is made to last.
        self.folder.sync_flags()?;
        renamed?;
        let none = flags.keywords.is_empty() && messages.iter().all(|message| self.view.set(message.at) == EMPTY);
        match (mode, flags.keywords.is_empty()) {
            (StoreMode::Add | StoreMode::Remove, true) => Ok(()),
            // FLAGS (\Seen) on messages that never had a keyword.
            (StoreMode::Replace, _) if none && !self.keywords_changed()? => Ok(()),
            _ => self.store_keywords(messages, mode, &flags.keywords),
        }
    }

    fn store_flags(&mut self, messages: &mut [Message], change: impl Fn(Flags) -> Flags) -> Result<(), Error> {
        for round in 0..2 {
            let mut lost = false;
            for message in messages.iter_mut().filter(|message| !message.done) {
                message.expected.0 = change(message.flags);
                lost |= !self.rename(message, &change)?;
            }
            if lost && round == 0 {
                // Renamed by somebody else, or gone: a look tells which.
                self.look()?;
                messages.iter_mut().for_each(|message| message.done |= self.view.is_gone(message.at));
            }
        }
        Ok(())
    }

    /// False where the file was not found.
    fn rename(&mut self, message: &mut Message, change: impl Fn(Flags) -> Flags) -> Result<bool, Error> {
        let name = self.view.file_name(message.at);
        let now = match self.folder.change_flags(&name, change)? {
            Renamed::NotFound => return Ok(false),
            Renamed::To(now) | Renamed::Unchanged(now) => now,
        };
        self.view.rename(message.at, &now);
        debug_assert_eq!(self.view.flags(message.at), MessageName::parse(&now).flags());
        (message.touched, message.done) = (true, true);
        Ok(true)
    }

    /// Read, change and write under the folder's lock, as two sessions would otherwise forget each other's keywords.
    /// Courier knows no such lock: a change of its own that waits to be read makes ours begin again.
    fn store_keywords(&mut self, messages: &mut [Message], mode: StoreMode, words: &[Vec<u8>]) -> Result<(), Error> {
        if mode != StoreMode::Remove && words.iter().any(|word| word.len() > maildir::keywords::LENGTH) {
            return Err(Error::Keyword);
        }
        let folder = self.folder.clone();
        let _lock = FolderLock::take(&folder)?;
        let mut waiting: Vec<&mut Message> = messages.iter_mut().filter(|message| message.touched).collect();
        for _ in 0..ATTEMPTS {
            self.look_at_keywords()?;
            let numbers = self.numbers_of(mode, words)?;
            let mut changes = Changes::begin(&folder)?;
            let mut changing = Vec::new();
            for message in waiting {
                message.expected.1 = self.changed_set(message.set, mode, &numbers);
                let wanted = self.changed_set(self.view.set(message.at), mode, &numbers);
                if self.view.set(message.at) != wanted {
                    let words: Vec<Vec<u8>> = self.keywords.spelled(wanted).iter().map(|word| word.to_vec()).collect();
                    changes.add(self.view.base(message.at), &words)?;
                    changing.push((message, wanted));
                }
            }
            waiting = Vec::new();
            for ((message, set), written) in changing.into_iter().zip(changes.commit()?) {
                if written {
                    self.view.set_keywords(message.at, set);
                } else {
                    waiting.push(message);
                }
            }
            if waiting.is_empty() {
                return Ok(maildir::keywords::sync(&folder)?);
            }
        }
        Err(Error::Files(maildir::Error::InUse(b"courierimapkeywords".to_vec())))
    }

    /// The words as numbers. Words to be removed need not exist; there is an end to new ones.
    fn numbers_of(&mut self, mode: StoreMode, words: &[Vec<u8>]) -> Result<Vec<u16>, Error> {
        if mode == StoreMode::Remove {
            return Ok(words.iter().filter_map(|word| self.keywords.find(word)).collect());
        }
        let new = words.iter().filter(|word| self.keywords.find(word).is_none()).count();
        if new > 0 && self.words_in_use().saturating_add(new) > maildir::keywords::COUNT {
            return Err(Error::Keyword);
        }
        Ok(words.iter().filter_map(|word| self.keywords.word(word)).collect())
    }

    fn words_in_use(&self) -> usize {
        let mut used = vec![false; self.keywords.words().len()];
        for word in self.view.sets().flat_map(|set| self.keywords.set(set)) {
            if let Some(used) = used.get_mut(usize::from(*word)) {
                *used = true;
            }
        }
        used.iter().filter(|used| **used).count()
    }

    fn changed_set(&mut self, set: u32, mode: StoreMode, words: &[u16]) -> u32 {
        let old = self.keywords.set(set);
        let new = match mode {
            StoreMode::Replace => words.to_vec(),
            StoreMode::Add => [old, words].concat(),
            StoreMode::Remove => old.iter().copied().filter(|word| !words.contains(word)).collect(),
        };
        self.keywords.set_of(new)
    }
}

/// One of the messages of a STORE: where it is, what the client knew of it, what the client now expects.
struct Message {
    at: usize,
    flags: Flags,
    set: u32,
    expected: (Flags, u32),
    touched: bool,
    /// Nothing more to do about its flags.
    done: bool,
}

impl Message {
    /// Did others change it too, so that it is not what the client expects?
    fn is_news(&self, mailbox: &Mailbox) -> bool {
        (mailbox.view.flags(self.at), mailbox.view.set(self.at)) != self.expected
    }
}

fn changed(old: Flags, mode: StoreMode, flags: Flags) -> Flags {
    match mode {
        StoreMode::Replace => flags,
        StoreMode::Add => old | flags,
        StoreMode::Remove => old & !flags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expunges;
    use crate::tests::Place;

    fn flags(system: &[imap::Flag], keywords: &[&str]) -> FlagList {
        let system = system.iter().fold(imap::Flags::NONE, |set, flag| set.with(*flag));
        FlagList { system, keywords: keywords.iter().map(|word| word.as_bytes().to_vec()).collect() }
    }

    fn first(mailbox: &Mailbox) -> (imap::Flags, Vec<String>) {
        let shown = mailbox.flags(1).unwrap();
        (shown.system, shown.keywords.iter().map(|word| String::from_utf8(word.to_vec()).unwrap()).collect())
    }

    #[test]
    fn two_sessions_lose_nothing_of_each_other() {
        let place = Place::new();
        place.deliver("1.a");
        let (mut one, mut two) = (place.select(), place.select());
        let number = NumberSet::from_iter([1]);
        let stored = one.store(&number, StoreMode::Add, &flags(&[imap::Flag::Seen], &["red"]), false).unwrap();
        assert!(stored.flag_list_changed && stored.numbers == number);
        let stored = two.store(&number, StoreMode::Add, &flags(&[imap::Flag::Flagged], &["blue"]), true).unwrap();
        assert_eq!(stored.numbers, number, "silent, but the other had changed it");
        let expected = flags(&[imap::Flag::Seen, imap::Flag::Flagged], &[]).system;
        assert_eq!(first(&two), (expected, vec!["red".to_owned(), "blue".to_owned()]));
        assert!(one.sync(Expunges::Hold).unwrap().flags == [1]);
        assert_eq!(first(&one).0, expected);
        assert!(one.sync(Expunges::Hold).unwrap().is_empty() && two.sync(Expunges::Hold).unwrap().is_empty());
        assert_eq!(place.cur(), ["1.a:2,FS"]);
    }

    #[test]
    fn a_message_that_is_gone_is_passed_over() {
        let place = Place::new();
        place.deliver("1.a");
        place.deliver("2.b");
        let mut mailbox = place.select();
        std::fs::remove_file(place.path.join("cur/1.a:2,")).unwrap();
        let both = NumberSet::from_iter([1, 2]);
        let stored = mailbox.store(&both, StoreMode::Replace, &flags(&[imap::Flag::Seen], &[]), false).unwrap();
        assert_eq!(stored.numbers, NumberSet::from_iter([2]));
        assert_eq!(mailbox.sync(Expunges::Report).unwrap().expunged, [1]);
    }

    #[test]
    fn a_read_only_folder_and_too_many_keywords_are_refused() {
        let place = Place::new();
        place.deliver("1.a");
        let number = NumberSet::from_iter([1]);
        let seen = flags(&[imap::Flag::Seen], &[]);
        assert_eq!(place.examine().store(&number, StoreMode::Add, &seen, false), Err(Error::ReadOnly));
        let mut mailbox = place.select();
        let many: Vec<String> = (0..maildir::keywords::COUNT + 1).map(|n| format!("k{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let stored = mailbox.store(&number, StoreMode::Add, &flags(&[], &many), false);
        assert_eq!(stored, Err(Error::Keyword));
        assert!(mailbox.store(&number, StoreMode::Add, &flags(&[], &many[1..]), false).is_ok());
        let long = "x".repeat(maildir::keywords::LENGTH + 1);
        assert_eq!(mailbox.store(&number, StoreMode::Add, &flags(&[], &[&long]), false), Err(Error::Keyword));
    }
}
