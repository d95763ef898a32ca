//! Leaving the processor to a receiver on this host, which perhaps has to run where we do, before its buffer is full.

use std::thread;
use std::time::Instant;

/// Datagrams between two turns: a socket has room for some 250 small ones by default.
const DATAGRAMS: usize = 64;

/// A part of the time that others took, for which they get no other turn: a flood of senders must not leave us none.
const KEPT: u32 = 2;

#[derive(Debug)]
pub(crate) struct Turn {
    handed_on: usize,
    due: Instant,
}

impl Turn {
    pub(crate) fn new() -> Self {
        Self { handed_on: 0, due: Instant::now() }
    }

    /// So many datagrams went to the system: now and then it is the turn of others.
    pub(crate) fn after(&mut self, datagrams: usize) {
        self.handed_on += datagrams;
        if self.handed_on < DATAGRAMS {
            return;
        }
        let left = Instant::now();
        if left >= self.due {
            thread::yield_now();
            let back = Instant::now();
            self.due = back + (back - left) / KEPT;
            self.handed_on = 0;
        }
    }
}
