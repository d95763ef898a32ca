//! One inbound SA: a protected packet becomes a plain one, or is dropped with its reason (RFC 4303, 3.4; RFC 4302, 3.4).

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::Outer;
use crate::ah;
use crate::ecn;
use crate::header::{self, Seam};
use crate::notice::{Clock, Direction, Notice, SaKey};
use crate::packet::Summary;
use crate::protection::{Mode, Protection, Protocol};
use crate::selector::Selectors;
use crate::tally::{Counters, Limits, Tally};
use crate::transform::{HEADER, Sequence};
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
    pub mode: Mode,
    pub esn: bool,
    /// Packets; 0: no anti-replay.
    pub window: usize,
    pub limits: Limits,
}

/// How a protected packet came: from whom, with which outer TOS or traffic class, within UDP or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub remote: SocketAddr,
    pub tos: u8,
    pub udp: bool,
    /// Octets of IP headers before ESP or AH.
    pub headers: usize,
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
    protection: Protection,
    outer: ArcSwap<Outer>,
    window: Mutex<Window>,
    tally: Tally,
    heard: AtomicBool,
    first: AtomicBool,
    moved_at: AtomicU64,
}

impl InboundSa {
    pub fn new(config: InboundConfig, protection: impl Into<Protection>, outer: Outer) -> Self {
        let protection = protection.into();
        // RFC 4303, 3.4.3: anti-replay means nothing where nothing authenticates the number.
        let window = Mutex::new(Window::new(if protection.authenticates() { config.window } else { 0 }));
        Self {
            config,
            protection,
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
        SaKey {
            direction: Direction::Inbound,
            protocol: self.protocol(),
            spi: self.config.spi,
            remote: self.outer().remote.ip(),
        }
    }

    pub fn protocol(&self) -> Protocol {
        self.protection.protocol()
    }

    /// Whether it needs the IP headers of what it opens.
    pub fn takes_header(&self) -> bool {
        self.protection.takes_header(self.config.mode)
    }

    /// Whether it was made of the same parameters and keys.
    pub fn equals(&self, other: &Self) -> bool {
        self.config == other.config
            && self.outer() == other.outer()
            && self.protection.equals(&other.protection)
    }

    pub fn counters(&self) -> Counters {
        self.tally.read(self.window().highest())
    }

    /// Whether a packet was authenticated since the last call.
    pub fn take_heard(&self) -> bool {
        self.heard.swap(false, Relaxed)
    }

    /// Opens in place a packet that carries this SA's SPI. It begins with the headers that `arrival` tells of.
    pub fn decapsulate(
        &self,
        packet: &mut [u8],
        arrival: &Arrival,
        clock: &impl Clock,
        notices: &mut Vec<Notice>,
    ) -> Result<Opened, Trigger> {
        let opened = self.open(packet, arrival, clock, notices);
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
        clock: &impl Clock,
        notices: &mut Vec<Notice>,
    ) -> Result<Opened, Trigger> {
        if self.tally.dead() {
            return Err(Trigger::Expired);
        }
        let sequence = self.sequence(packet, arrival.headers)?;
        let content = self.verify(packet, arrival.headers, sequence)?;
        // RFC 4303, 3.4.3: the window moves only now, and is asked again: two workers may have had the same packet.
        let advance = self.window().advance(sequence.number);
        if advance == Advance::Replayed {
            return Err(Trigger::Replayed);
        }
        self.note_arrival(advance, arrival, clock, notices);
        self.inner(packet, content, arrival)
    }

    fn sequence(&self, packet: &[u8], at: usize) -> Result<Sequence, Trigger> {
        let protected = packet.get(at..).ok_or(Trigger::TooShort)?;
        let place = match &self.protection {
            Protection::Esp(keyed) if keyed.layout.fits(protected.len()) => HEADER - 4,
            Protection::Esp(_) => return Err(Trigger::TooShort),
            Protection::Ah(_) => ah::SEQUENCE,
        };
        let low = protected.get(place..).and_then(<[u8]>::first_chunk).ok_or(Trigger::TooShort)?;
        let low = u32::from_be_bytes(*low);
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

    /// Checks the ICV, and decrypts what is encrypted. Returns where the content lies.
    fn verify(&self, packet: &mut [u8], at: usize, sequence: Sequence) -> Result<Content, Trigger> {
        match &self.protection {
            Protection::Esp(keyed) => {
                keyed.transform.open(&mut packet[at..], sequence).map_err(|_| Trigger::IntegrityFailed)?;
                let place = at + keyed.layout.payload()..packet.len() - keyed.layout.icv;
                Ok(Content { place, next: None })
            }
            Protection::Ah(keyed) => {
                let (start, next) = keyed.open(packet, at, sequence)?;
                Ok(Content { place: start..packet.len(), next: Some(next) })
            }
        }
    }

    fn note_arrival(
        &self,
        advance: Advance,
        arrival: &Arrival,
        clock: &impl Clock,
        notices: &mut Vec<Notice>,
    ) {
        if !self.protection.authenticates() {
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
            let (now, due) = (clock.now(), self.moved_at.load(Relaxed));
            let next = (now.0 + MOVED_INTERVAL).max(1);
            if now.0 >= due && self.moved_at.compare_exchange(due, next, Relaxed, Relaxed).is_ok() {
                notices.push(Notice::PeerMoved { sa: self.key(), remote: arrival.remote });
            }
        }
    }

    /// Padding, next header, inner header, ECN, selectors: in this order, all of an authentic packet.
    fn inner(&self, packet: &mut [u8], content: Content, arrival: &Arrival) -> Result<Opened, Trigger> {
        let (place, next) = content.without_trailer(packet)?;
        if next == NEXT_HEADER_NONE {
            return Ok(Opened::Dummy);
        }
        let place = match (self.config.mode, next) {
            (Mode::Tunnel, NEXT_HEADER_IPV4 | NEXT_HEADER_IPV6) => place,
            (Mode::Tunnel, _) => return Err(Trigger::BadNextHeader),
            (Mode::Transport, _) => close_up(packet, arrival.headers, place, next)?,
        };
        // RFC 4303, 2.7: what follows the inner packet's own length is TFC padding.
        let summary = Summary::of(&packet[place.clone()]).map_err(|_| Trigger::BadInner)?;
        // RFC 4301, 5.2, step 4: the SA is no licence for other addresses than it was agreed for.
        let admitted = self.config.selectors.admit_inbound(&summary);
        let inner = place.start..place.start + summary.length;
        if self.config.mode == Mode::Transport {
            return if admitted { Ok(Opened::Packet(inner)) } else { Err(Trigger::SelectorMismatch) };
        }
        if (summary.version() == 4) != (next == NEXT_HEADER_IPV4) {
            return Err(Trigger::BadInner);
        }
        if !admitted {
            return Err(Trigger::SelectorMismatch);
        }
        let marked = ecn::decapsulated(summary.tos, arrival.tos).ok_or(Trigger::BadEcn)?;
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

/// What was protected: where it lies, and what it is, if that is known before the trailer is read.
struct Content {
    place: Range<usize>,
    next: Option<u8>,
}

impl Content {
    /// Without the trailer of ESP. RFC 4303, 2.4: the padding's octets are known, so they are checked.
    fn without_trailer(self, packet: &[u8]) -> Result<(Range<usize>, u8), Trigger> {
        let Range { start, end } = self.place;
        if let Some(next) = self.next {
            return Ok((start..end, next));
        }
        let [front @ .., length, next] = &packet[start..end] else { return Err(Trigger::TooShort) };
        let at = front.len().checked_sub(usize::from(*length)).ok_or(Trigger::BadPadding)?;
        let (payload, padding) = front.split_at(at);
        if padding.iter().zip(1u16..).any(|(octet, number)| u16::from(*octet) != number) {
            return Err(Trigger::BadPadding);
        }
        Ok((start..start + payload.len(), *next))
    }
}

/// Transport mode: puts the headers back in front of what they belong to.
fn close_up(
    packet: &mut [u8],
    headers: usize,
    place: Range<usize>,
    next: u8,
) -> Result<Range<usize>, Trigger> {
    let seam = Seam::at(packet, headers)?;
    let start = place.start - headers;
    packet.copy_within(..headers, start);
    let whole = &mut packet[start..place.end];
    whole[seam.next_at] = next;
    header::settle(whole);
    Ok(start..place.end)
}
