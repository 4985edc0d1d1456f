//! Stands in for the room `mailbox` until it is there.
#![allow(missing_docs)]

use std::os::fd::BorrowedFd;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expunges {
    Report,
    Hold,
}

pub struct Changes {
    pub expunged: Vec<u32>,
    pub flag_list_changed: bool,
    pub exists: Option<u32>,
    pub recent: Option<u32>,
    pub flags: Vec<u32>,
}

pub enum Error {}

pub struct Shown<'a> {
    pub system: imap::Flags,
    pub recent: bool,
    pub keywords: Vec<&'a [u8]>,
}

pub struct Mailbox;

impl Mailbox {
    pub fn sync(&mut self, _: Expunges) -> Result<Changes, Error> {
        Ok(Changes { expunged: Vec::new(), flag_list_changed: false, exists: None, recent: None, flags: Vec::new() })
    }
    pub fn read_only(&self) -> bool {
        false
    }
    pub fn keywords(&self) -> &[Vec<u8>] {
        &[]
    }
    pub fn flags(&self, _: u32) -> Option<Shown<'_>> {
        None
    }
    pub fn watch(&self, _: &mut Watch) -> bool {
        false
    }
}

pub struct Watch;

impl Watch {
    pub fn new() -> Watch {
        Watch
    }
    pub fn leave(&mut self) {}
    pub fn drain(&mut self) -> bool {
        false
    }
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
