//! One inbound SA: an ESP packet becomes an inner packet, or is dropped with its reason (RFC 4303, 3.4).

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::Outer;
use crate::ecn;
use crate::notice::{Direction, Millis, Notice, SaKey};
use crate::packet::Summary;
use crate::selector::Selectors;
use crate::tally::{Counters, Limits, Tally};
use crate::transform::{Keyed, Sequence};
use crate::trigger::Trigger;
use crate::window::{Advance, Window};

const NEXT_HEADER_IPV4: u8 = 4;
const NEXT_HEADER_IPV6: u8 = 41;
/// RFC 4303, 2.6: a dummy packet, discarded without a word.
const NEXT_HEADER_NONE: u8 = 59;

/// A peer that moves is told of once in this time.
const MOVED_INTERVAL: u64 = 1000;

/// What an SA is for. None of it changes while the SA lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundConfig {
    pub spi: u32,
    pub child: Arc<str>,
    pub interface: Arc<str>,
    pub selectors: Selectors,
    pub esn: bool,
    /// Packets; 0: no anti-replay.
    pub window: usize,
    pub limits: Limits,
}

/// How an ESP packet came: from whom, with which outer TOS or traffic class, within UDP or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub remote: SocketAddr,
    pub tos: u8,
    pub udp: bool,
}

/// What an authentic packet held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The inner packet lies here in the buffer.
    Packet(Range<usize>),
    /// Traffic flow confidentiality: nothing to deliver (RFC 4303, 2.6).
    Dummy,
}

#[derive(Debug)]
pub struct InboundSa {
    pub config: InboundConfig,
    keyed: Keyed,
    outer: ArcSwap<Outer>,
    window: Mutex<Window>,
    tally: Tally,
    heard: AtomicBool,
    first: AtomicBool,
    moved_at: AtomicU64,
}

impl InboundSa {
    pub fn new(config: InboundConfig, keyed: Keyed, outer: Outer) -> Self {
        // RFC 4303, 3.4.3: anti-replay means nothing where nothing authenticates the number.
        let window = Mutex::new(Window::new(if keyed.authenticates { config.window } else { 0 }));
        Self {
            config,
            keyed,
            outer: ArcSwap::from_pointee(outer),
            window,
            tally: Tally::default(),
            heard: AtomicBool::new(false),
            first: AtomicBool::new(false),
            moved_at: AtomicU64::new(0),
        }
    }

    /// Where its packets are expected to come from now.
    pub fn outer(&self) -> Outer {
        **self.outer.load()
    }

    pub fn relocate(&self, outer: Outer) {
        self.outer.store(Arc::new(outer));
        self.moved_at.store(0, Relaxed);
    }

    pub fn key(&self) -> SaKey {
        SaKey { direction: Direction::Inbound, spi: self.config.spi, remote: self.outer().remote.ip() }
    }

    /// Whether it was made of the same parameters and keys.
    pub fn equals(&self, other: &Self) -> bool {
        self.config == other.config && self.outer() == other.outer() && self.keyed.equals(&other.keyed)
    }

    pub fn counters(&self) -> Counters {
        self.tally.read(self.window().highest())
    }

    /// Whether a packet was authenticated since the last call.
    pub fn take_heard(&self) -> bool {
        self.heard.swap(false, Relaxed)
    }

    /// Opens in place a packet that carries this SA's SPI.
    pub fn decapsulate(
        &self,
        packet: &mut [u8],
        arrival: &Arrival,
        now: Millis,
        notices: &mut Vec<Notice>,
    ) -> Result<Opened, Trigger> {
        let opened = self.open(packet, arrival, now, notices);
        match &opened {
            Ok(Opened::Packet(inner)) => self.count(inner.len(), notices),
            Ok(Opened::Dummy) => {}
            Err(trigger) => self.tally.dropped(*trigger),
        }
        opened
    }

    fn open(
        &self,
        packet: &mut [u8],
        arrival: &Arrival,
        now: Millis,
        notices: &mut Vec<Notice>,
    ) -> Result<Opened, Trigger> {
        if self.tally.dead() {
            return Err(Trigger::Expired);
        }
        if !self.keyed.layout.fits(packet.len()) {
            return Err(Trigger::TooShort);
        }
        let sequence = self.sequence(packet)?;
        self.keyed.transform.open(packet, sequence).map_err(|_| Trigger::IntegrityFailed)?;
        // RFC 4303, 3.4.3: the window moves only now, and is asked again: two workers may have had the same packet.
        let advance = self.window().advance(sequence.number);
        if advance == Advance::Replayed {
            return Err(Trigger::Replayed);
        }
        self.note_arrival(advance, arrival, now, notices);
        self.inner(packet, arrival)
    }

    fn sequence(&self, packet: &[u8]) -> Result<Sequence, Trigger> {
        let low = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        let window = self.window();
        let number = match self.config.esn {
            true => window.reconstruct(low).ok_or(Trigger::Replayed)?,
            false => u64::from(low),
        };
        if !window.admits(number) {
            return Err(Trigger::Replayed);
        }
        Ok(Sequence { number, extended: self.config.esn })
    }

    fn note_arrival(&self, advance: Advance, arrival: &Arrival, now: Millis, notices: &mut Vec<Notice>) {
        if !self.keyed.authenticates {
            return; // it may be anybody
        }
        if !self.heard.load(Relaxed) {
            self.heard.store(true, Relaxed);
        }
        if !self.first.load(Relaxed) && !self.first.swap(true, Relaxed) {
            notices.push(Notice::FirstInbound(self.key()));
        }
        // RFC 7296, 2.23: a NAT's new mapping is believed of an authentic packet, and a replayed old one proves none.
        let expected = self.outer();
        let moved = expected.udp && arrival.udp && arrival.remote != expected.remote;
        if advance == Advance::Newest && moved {
            let due = self.moved_at.load(Relaxed);
            let next = (now.0 + MOVED_INTERVAL).max(1);
            if now.0 >= due && self.moved_at.compare_exchange(due, next, Relaxed, Relaxed).is_ok() {
                notices.push(Notice::PeerMoved { sa: self.key(), remote: arrival.remote });
            }
        }
    }

    /// Padding, next header, inner header, ECN, selectors: in this order, all of an authentic packet.
    fn inner(&self, packet: &mut [u8], arrival: &Arrival) -> Result<Opened, Trigger> {
        let layout = self.keyed.layout;
        let (start, end) = (layout.payload(), packet.len() - layout.icv);
        let (payload, next_header) = strip_trailer(&packet[start..end])?;
        let version = match next_header {
            NEXT_HEADER_IPV4 => 4,
            NEXT_HEADER_IPV6 => 6,
            NEXT_HEADER_NONE => return Ok(Opened::Dummy),
            _ => return Err(Trigger::BadNextHeader),
        };
        // RFC 4303, 2.7: what follows the inner packet's own length is TFC padding.
        let summary = Summary::of(payload).map_err(|_| Trigger::BadInner)?;
        if summary.version() != version {
            return Err(Trigger::BadInner);
        }
        // RFC 4301, 5.2, step 4: the SA is no licence for other addresses than it was agreed for.
        if !self.config.selectors.admit_inbound(&summary) {
            return Err(Trigger::SelectorMismatch);
        }
        let marked = ecn::decapsulated(summary.tos, arrival.tos).ok_or(Trigger::BadEcn)?;
        let inner = start..start + summary.length;
        if marked != summary.tos & 0b11 {
            ecn::rewrite(&mut packet[inner.clone()], marked);
        }
        Ok(Opened::Packet(inner))
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

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The payload without padding, and its next header. RFC 4303, 2.4: the padding's octets are known, so they are checked.
fn strip_trailer(body: &[u8]) -> Result<(&[u8], u8), Trigger> {
    let [front @ .., length, next_header] = body else { return Err(Trigger::TooShort) };
    let at = front.len().checked_sub(usize::from(*length)).ok_or(Trigger::BadPadding)?;
    let (payload, padding) = front.split_at(at);
    if padding.iter().zip(1u16..).any(|(octet, number)| u16::from(*octet) != number) {
        return Err(Trigger::BadPadding);
    }
    Ok((payload, *next_header))
}
