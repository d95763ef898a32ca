//! One outbound SA: a packet is protected (RFC 4303, 3.3; RFC 4302, 3.3).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::Outer;
use crate::draft::Draft;
use crate::ecn;
use crate::notice::{Direction, Notice, SaKey};
use crate::packet::Summary;
use crate::protection::{Mode, Protection};
use crate::selector::Selectors;
use crate::tally::{Counters, Limits, Tally};
use crate::transform::Sequence;
use crate::trigger::Trigger;

const NEXT_HEADER_IPV4: u8 = 4;
const NEXT_HEADER_IPV6: u8 = 41;

/// The last sequence number of an SA without ESN.
const LAST_SHORT: u64 = u32::MAX as u64;

/// What an SA is for. None of it changes while the SA lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundConfig {
    pub spi: u32,
    pub child: Arc<str>,
    pub interface: Arc<str>,
    pub selectors: Selectors,
    pub mode: Mode,
    pub esn: bool,
    pub limits: Limits,
    pub copy_dscp: bool,
}

#[derive(Debug)]
pub struct OutboundSa {
    pub config: OutboundConfig,
    protection: Protection,
    outer: ArcSwap<Outer>,
    sent: AtomicU64,
    tally: Tally,
}

/// A packet, ready to be sent: its length, and the TOS or traffic class for the header that the system will write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub length: usize,
    pub tos: u8,
}

impl OutboundSa {
    pub fn new(config: OutboundConfig, protection: impl Into<Protection>, outer: Outer) -> Self {
        let (outer, sent, tally) = (ArcSwap::from_pointee(outer), AtomicU64::new(0), Tally::default());
        Self { config, protection: protection.into(), outer, sent, tally }
    }

    /// Whether its packets leave with their IP header: else the system writes one in front of ESP.
    pub fn writes_header(&self) -> bool {
        self.protection.takes_header(self.config.mode)
    }

    /// Where its packets go now.
    pub fn outer(&self) -> Outer {
        **self.outer.load()
    }

    pub fn relocate(&self, outer: Outer) {
        self.outer.store(Arc::new(outer));
    }

    pub fn key(&self) -> SaKey {
        SaKey {
            direction: Direction::Outbound,
            protocol: self.protection.protocol(),
            spi: self.config.spi,
            remote: self.outer().remote.ip(),
        }
    }

    /// Whether it was made of the same parameters and keys.
    pub fn equals(&self, other: &Self) -> bool {
        self.config == other.config
            && self.outer() == other.outer()
            && self.protection.equals(&other.protection)
    }

    pub fn counters(&self) -> Counters {
        self.tally.read(self.sent.load(Ordering::Relaxed))
    }

    /// Begins after `sequence`, as if that many packets had been sent.
    pub fn resume_after(&self, sequence: u64) {
        self.sent.store(sequence, Ordering::Relaxed);
    }

    /// Octets that a packet takes at most, once it is protected.
    pub fn room_for(&self, inner: usize) -> usize {
        const HEADERS: usize = 128; // an IP header without options, AH with the longest ICV
        match &self.protection {
            Protection::Esp(keyed) if self.writes_header() => keyed.layout.sealed(inner) + keyed.layout.align,
            Protection::Esp(keyed) => keyed.layout.sealed(inner),
            Protection::Ah(_) => inner + HEADERS,
        }
    }

    /// Seals the packet that `summary` describes into the front of `out`.
    pub fn encapsulate(
        &self,
        packet: &[u8],
        summary: &Summary,
        out: &mut [u8],
        notices: &mut Vec<Notice>,
    ) -> Result<Sealed, Trigger> {
        match packet.get(..summary.length) {
            Some(inner) => {
                self.encapsulate_written(inner.len(), |to| to.copy_from_slice(inner), summary, out, notices)
            }
            None => {
                self.tally.dropped(Trigger::NotIp);
                Err(Trigger::NotIp)
            }
        }
    }

    /// Seals a packet of `length` octets that `write` puts in its place; `summary` tells the rest.
    pub fn encapsulate_written(
        &self,
        length: usize,
        write: impl FnOnce(&mut [u8]),
        summary: &Summary,
        out: &mut [u8],
        notices: &mut Vec<Notice>,
    ) -> Result<Sealed, Trigger> {
        let sealed = self.seal(length, write, summary, out, notices);
        match sealed {
            Ok(_) => self.count(length, notices),
            Err(trigger) => self.tally.dropped(trigger),
        }
        sealed
    }

    fn seal(
        &self,
        inner: usize,
        write: impl FnOnce(&mut [u8]),
        summary: &Summary,
        out: &mut [u8],
        notices: &mut Vec<Notice>,
    ) -> Result<Sealed, Trigger> {
        if self.tally.dead() {
            return Err(Trigger::Expired);
        }
        let tos = ecn::outer_tos(summary.tos, self.config.copy_dscp);
        let next = if summary.version() == 4 { NEXT_HEADER_IPV4 } else { NEXT_HEADER_IPV6 };
        let draft = Draft { spi: self.config.spi, inner, write, sequence: || self.next_sequence(notices) };
        // A header that we write, or keep, has its TOS already.
        let (length, tos) = match (&self.protection, self.config.mode) {
            (Protection::Esp(keyed), Mode::Tunnel) => (draft.esp_tunnel(keyed, next, out)?, tos),
            (Protection::Esp(keyed), Mode::Transport) => (draft.esp_transport(keyed, out)?, 0),
            (Protection::Ah(keyed), Mode::Tunnel) => {
                (draft.ah_tunnel(keyed, self.between(), next, tos, out)?, 0)
            }
            (Protection::Ah(keyed), Mode::Transport) => {
                (draft.ah_transport(keyed, summary.version(), out)?, 0)
            }
        };
        Ok(Sealed { length, tos })
    }

    fn between(&self) -> (IpAddr, IpAddr) {
        let outer = self.outer();
        (outer.local.ip(), outer.remote.ip())
    }

    /// RFC 4303, 3.3.3: numbers are never reused; an SA that has spent them sends nothing more.
    fn next_sequence(&self, notices: &mut Vec<Notice>) -> Result<Sequence, Trigger> {
        let last = if self.config.esn { u64::MAX } else { LAST_SHORT };
        match self
            .sent
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sent| (sent < last).then(|| sent + 1))
        {
            Ok(before) => Ok(Sequence { number: before + 1, extended: self.config.esn }),
            Err(_) => {
                if self.tally.end() {
                    notices.push(Notice::HardExpired(self.key()));
                }
                Err(Trigger::SequenceExhausted)
            }
        }
    }

    fn count(&self, octets: usize, notices: &mut Vec<Notice>) {
        let passed = self.tally.carried(octets, &self.config.limits);
        if passed.soft {
            notices.push(Notice::SoftExpired(self.key()));
        }
        if passed.hard {
            notices.push(Notice::HardExpired(self.key()));
        }
    }
}
