//! One outbound SA: an inner packet becomes an ESP packet (RFC 4303, 3.3).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::Outer;
use crate::ecn;
use crate::notice::{Direction, Notice, SaKey};
use crate::packet::Summary;
use crate::selector::Selectors;
use crate::tally::{Counters, Limits, Tally};
use crate::transform::{Keyed, Sequence, TRAILER};
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
    pub esn: bool,
    pub limits: Limits,
    pub copy_dscp: bool,
}

#[derive(Debug)]
pub struct OutboundSa {
    pub config: OutboundConfig,
    keyed: Keyed,
    outer: ArcSwap<Outer>,
    sent: AtomicU64,
    tally: Tally,
}

/// An ESP packet, ready to be sent: its length, and the TOS or traffic class of the outer header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub length: usize,
    pub tos: u8,
}

impl OutboundSa {
    pub fn new(config: OutboundConfig, keyed: Keyed, outer: Outer) -> Self {
        let (outer, sent, tally) = (ArcSwap::from_pointee(outer), AtomicU64::new(0), Tally::default());
        Self { config, keyed, outer, sent, tally }
    }

    /// Where its packets go now.
    pub fn outer(&self) -> Outer {
        **self.outer.load()
    }

    pub fn relocate(&self, outer: Outer) {
        self.outer.store(Arc::new(outer));
    }

    pub fn key(&self) -> SaKey {
        SaKey { direction: Direction::Outbound, spi: self.config.spi, remote: self.outer().remote.ip() }
    }

    /// Whether it was made of the same parameters and keys.
    pub fn equals(&self, other: &Self) -> bool {
        self.config == other.config && self.outer() == other.outer() && self.keyed.equals(&other.keyed)
    }

    pub fn counters(&self) -> Counters {
        self.tally.read(self.sent.load(Ordering::Relaxed))
    }

    /// Begins after `sequence`, as if that many packets had been sent.
    pub fn resume_after(&self, sequence: u64) {
        self.sent.store(sequence, Ordering::Relaxed);
    }

    /// Octets of the ESP packet that an inner packet becomes.
    pub fn sealed_length(&self, inner: usize) -> usize {
        self.keyed.layout.sealed(inner)
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
        let layout = self.keyed.layout;
        let length = layout.sealed(inner);
        let out = out.get_mut(..length).ok_or(Trigger::TooBig)?;
        let sequence = self.next_sequence(notices)?;
        out[..4].copy_from_slice(&self.config.spi.to_be_bytes());
        out[4..8].copy_from_slice(&sequence.low());
        let payload = &mut out[layout.payload()..length - layout.icv];
        write(&mut payload[..inner]);
        let next_header = if summary.version() == 4 { NEXT_HEADER_IPV4 } else { NEXT_HEADER_IPV6 };
        write_trailer(&mut payload[inner..], next_header);
        self.keyed.transform.seal(out, sequence).map_err(|_| Trigger::TooBig)?;
        Ok(Sealed { length, tos: ecn::outer_tos(summary.tos, self.config.copy_dscp) })
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

/// RFC 4303, 2.4: padding counts 1, 2, 3 and so on; its length and the next header end the payload.
fn write_trailer(trailer: &mut [u8], next_header: u8) {
    let padding = trailer.len() - TRAILER;
    for (octet, number) in trailer[..padding].iter_mut().zip(1..) {
        *octet = number;
    }
    trailer[padding] = padding as u8;
    trailer[padding + 1] = next_header;
}
