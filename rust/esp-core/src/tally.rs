//! What one SA has carried, and the limits of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::trigger::Trigger;

/// Octets of inner packets, and packets, after which a notice is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub soft_octets: Option<u64>,
    pub hard_octets: Option<u64>,
    pub soft_packets: Option<u64>,
    pub hard_packets: Option<u64>,
}

/// A reading of an SA's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub packets: u64,
    pub octets: u64,
    pub replayed: u64,
    pub integrity_failed: u64,
    pub dropped: u64,
    pub sequence: u64,
}

/// Which limits were passed by the packet just counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) soft: bool,
    pub(crate) hard: bool,
}

/// The counters themselves: written for every packet, apart from what is only read.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Tally {
    packets: AtomicU64,
    octets: AtomicU64,
    replayed: AtomicU64,
    integrity_failed: AtomicU64,
    dropped: AtomicU64,
    soft: AtomicBool,
    hard: AtomicBool,
}

impl Tally {
    pub(crate) fn dead(&self) -> bool {
        self.hard.load(Relaxed)
    }

    /// Whether this call is the one that ends the SA.
    pub(crate) fn end(&self) -> bool {
        !self.hard.swap(true, Relaxed)
    }

    pub(crate) fn carried(&self, octets: usize, limits: &Limits) -> Passed {
        let packets = self.packets.fetch_add(1, Relaxed) + 1;
        let octets = self.octets.fetch_add(octets as u64, Relaxed) + octets as u64;
        let reached = |octet_limit: Option<u64>, packet_limit: Option<u64>| {
            octet_limit.is_some_and(|limit| octets >= limit)
                || packet_limit.is_some_and(|limit| packets >= limit)
        };
        Passed {
            soft: reached(limits.soft_octets, limits.soft_packets) && !self.soft.swap(true, Relaxed),
            hard: reached(limits.hard_octets, limits.hard_packets) && self.end(),
        }
    }

    pub(crate) fn dropped(&self, trigger: Trigger) {
        let counter = match trigger {
            Trigger::Replayed => &self.replayed,
            Trigger::IntegrityFailed => &self.integrity_failed,
            _ => &self.dropped,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self, sequence: u64) -> Counters {
        Counters {
            packets: self.packets.load(Relaxed),
            octets: self.octets.load(Relaxed),
            replayed: self.replayed.load(Relaxed),
            integrity_failed: self.integrity_failed.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            sequence,
        }
    }
}
