//! Who holds a slot, and who may take the next one.

use std::time::{Duration, Instant};

/// The figures of the command line.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `-maxprocs`: slots in all.
    pub slots: usize,
    /// `-maxperip`: connections of one address.
    pub per_address: usize,
    /// `-maxperc`: connections of a netblock, all bytes of the address but the last.
    pub per_block: usize,
    /// `-reserve`: slots that only proven addresses take.
    pub reserved: usize,
    /// `-loginlimit`: a connection that lives longer has logged in.
    pub login_limit: Duration,
}

/// The answer to a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may have a slot.
    Admit,
    /// Its address has as many as it may.
    AddressFull,
    /// Its netblock has as many as it may.
    BlockFull,
    /// What is free is kept for addresses that are known.
    Reserved,
}

/// For how long a connection that logged in speaks for its address.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// How many addresses are remembered.
const PROVEN: usize = 1024;

/// The children, a few bytes each. Looked through from end to end: at the sizes of `-maxprocs` that is cheaper than
/// keeping anything else in step.
#[derive(Debug)]
pub struct Slots {
    limits: Limits,
    held: Vec<Slot>,
    /// Addresses whose connection outlived the login limit, and when it ended; the oldest is overwritten.
    proven: Vec<([u8; 16], Instant)>,
}

#[derive(Debug)]
struct Slot {
    pid: i32,
    /// None while the PROXY header that names it has not come.
    address: Option<[u8; 16]>,
    since: Instant,
}

impl Slots {
    /// No slot taken.
    pub fn new(limits: Limits) -> Slots {
        Slots { limits, held: Vec::new(), proven: Vec::new() }
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.held.len()
    }

    /// True where not even a proven address finds a slot.
    pub fn full(&self) -> bool {
        self.held.len() >= self.limits.slots
    }

    /// May `address` have one more? `per_address` overrides the limit for one address (`MAXCPERIP`).
    pub fn judge(&self, address: [u8; 16], per_address: Option<usize>, now: Instant) -> Verdict {
        self.judge_beside(address, per_address, now, None)
    }

    /// As [`judge`](Slots::judge), for a child that holds a slot already and now tells its address.
    pub fn judge_holder(&self, pid: i32, address: [u8; 16], per_address: Option<usize>, now: Instant) -> Verdict {
        self.judge_beside(address, per_address, now, Some(pid))
    }

    fn judge_beside(
        &self,
        address: [u8; 16],
        per_address: Option<usize>,
        now: Instant,
        holder: Option<i32>,
    ) -> Verdict {
        let others = || self.held.iter().filter(|slot| Some(slot.pid) != holder);
        let (mut same, mut block, mut taken) = (0, 0, 0);
        for held in others() {
            taken += 1;
            let Some(theirs) = held.address else { continue };
            if theirs.get(..15) == address.get(..15) {
                block += 1;
                same += usize::from(theirs == address);
            }
        }
        if same >= per_address.unwrap_or(self.limits.per_address) {
            Verdict::AddressFull
        } else if block >= self.limits.per_block {
            Verdict::BlockFull
        } else if taken + self.limits.reserved >= self.limits.slots && !self.is_proven(address, now) {
            Verdict::Reserved
        } else {
            Verdict::Admit
        }
    }

    /// Gives a slot to a child.
    pub fn take(&mut self, pid: i32, address: Option<[u8; 16]>, now: Instant) {
        self.held.push(Slot { pid, address, since: now });
    }

    /// Notes the address that a child learned from its proxy.
    pub fn name(&mut self, pid: i32, address: [u8; 16]) {
        if let Some(slot) = self.held.iter_mut().find(|slot| slot.pid == pid) {
            slot.address = Some(address);
        }
    }

    /// Takes the slot of an ended child back.
    pub fn release(&mut self, pid: i32, now: Instant) {
        let Some(at) = self.held.iter().position(|slot| slot.pid == pid) else { return };
        let slot = self.held.swap_remove(at);
        if let Some(address) = slot.address
            && now.saturating_duration_since(slot.since) > self.limits.login_limit
        {
            self.remember(address, now);
        }
    }

    fn is_proven(&self, address: [u8; 16], now: Instant) -> bool {
        let living = |slot: &Slot| {
            slot.address == Some(address) && now.saturating_duration_since(slot.since) > self.limits.login_limit
        };
        let lately = |&(known, ended): &([u8; 16], Instant)| {
            known == address && now.saturating_duration_since(ended) < REMEMBERED
        };
        self.held.iter().any(living) || self.proven.iter().any(lately)
    }

    fn remember(&mut self, address: [u8; 16], now: Instant) {
        if let Some(entry) = self.proven.iter_mut().find(|(known, _)| *known == address) {
            entry.1 = now;
        } else if self.proven.len() < PROVEN {
            self.proven.push((address, now));
        } else if let Some(oldest) = self.proven.iter_mut().min_by_key(|(_, ended)| *ended) {
            *oldest = (address, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { slots: 10, per_address: 3, per_block: 5, reserved: 2, login_limit: Duration::from_secs(65) };

    fn address(block: u8, last: u8) -> [u8; 16] {
        let mut address = [9; 16];
        address[14] = block;
        address[15] = last;
        address
    }

    #[test]
    fn one_address_and_one_netblock() {
        let (mut slots, now) = (Slots::new(LIMITS), Instant::now());
        for pid in 0..3 {
            assert_eq!(slots.judge(address(1, 1), None, now), Verdict::Admit);
            slots.take(pid, Some(address(1, 1)), now);
        }
        assert_eq!(slots.judge(address(1, 1), None, now), Verdict::AddressFull);
        assert_eq!(slots.judge(address(1, 1), Some(4), now), Verdict::Admit);
        assert_eq!(slots.judge(address(1, 2), Some(0), now), Verdict::AddressFull);
        slots.take(3, Some(address(1, 2)), now);
        slots.take(4, Some(address(1, 3)), now);
        assert_eq!(slots.judge(address(1, 4), None, now), Verdict::BlockFull);
        assert_eq!(slots.judge(address(2, 4), None, now), Verdict::Admit);
        slots.release(3, now);
        assert_eq!(slots.judge(address(1, 4), None, now), Verdict::Admit);
        slots.release(77, now);
        assert_eq!(slots.taken(), 4);
    }

    #[test]
    fn the_last_slots_are_for_those_who_logged_in() {
        let (mut slots, start) = (Slots::new(LIMITS), Instant::now());
        let later = start + Duration::from_secs(66);
        slots.take(100, Some(address(1, 1)), start);
        slots.release(100, later);
        for pid in 0..8 {
            slots.take(pid, Some(address(10 + pid as u8, 1)), later);
        }
        assert!(!slots.full());
        assert_eq!(slots.judge(address(2, 2), None, later), Verdict::Reserved);
        assert_eq!(slots.judge(address(1, 1), None, later), Verdict::Admit);
        let next_week = later + Duration::from_secs(7 * 86400);
        assert_eq!(slots.judge(address(1, 1), None, next_week), Verdict::Reserved);
        assert_eq!(slots.judge(address(10, 1), None, next_week), Verdict::Admit, "its session still runs");
        slots.take(8, Some(address(1, 1)), later);
        slots.take(9, Some(address(1, 1)), later);
        assert!(slots.full());
    }

    #[test]
    fn a_proxied_child_is_judged_beside_its_own_slot() {
        let (mut slots, now) = (Slots::new(Limits { reserved: 0, slots: 4, ..LIMITS }), Instant::now());
        for pid in 0..3 {
            slots.take(pid, Some(address(1, 1)), now);
        }
        slots.take(3, None, now);
        assert_eq!(slots.judge_holder(3, address(1, 1), None, now), Verdict::AddressFull);
        assert_eq!(slots.judge_holder(3, address(1, 2), None, now), Verdict::Admit);
        slots.name(3, address(1, 2));
        assert_eq!(slots.judge_holder(2, address(1, 1), None, now), Verdict::Admit);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut slots, start) = (Slots::new(LIMITS), Instant::now());
        for n in 0..3000u32 {
            let mut address = [0; 16];
            address[..4].copy_from_slice(&n.to_be_bytes());
            slots.take(1, Some(address), start + Duration::from_secs(u64::from(n)));
            slots.release(1, start + Duration::from_secs(u64::from(n) + 70));
        }
        assert_eq!(slots.proven.len(), PROVEN);
        assert!(
            slots
                .proven
                .iter()
                .all(|(address, _)| u32::from_be_bytes(address[..4].try_into().unwrap()) >= 3000 - PROVEN as u32)
        );
    }
}
