//! The way in: sockets are read, what is ESP is opened, and the rest handed up.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use esp_core::header::{self, Fresh};
use esp_core::offload::{Joined, Joiner};
use esp_core::{Arrival, Clock, InboundSa, InboundTable, Notice, Opened, Protocol, Trigger, ah};

use crate::early::Early;
use crate::inbox::{Inbox, LONGEST, Received};
use crate::local::{Arriving, Local};
use crate::shared::{Devices, Shared};
use crate::tun::Tun;
use crate::turn::Turn;

/// RFC 3948, 2.2.
pub(crate) const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// RFC 3948, 2.3.
pub(crate) const KEEP_ALIVE: [u8; 1] = [0xff];

/// RFC 4303, 2.1: 1 to 255 are reserved.
pub(crate) const FIRST_SPI: u32 = 256;

pub(crate) struct Ingress {
    shared: Arc<Shared>,
    inbox: Inbox,
    joiner: Joiner,
    turn: Turn,
    aside: Aside,
}

/// What the packets of a batch leave behind.
#[derive(Default)]
struct Aside {
    notices: Vec<Notice>,
    early: Early,
}

/// What one batch looks at: tables as they stood when it began.
struct Tables<'a> {
    shared: &'a Shared,
    sas: &'a InboundTable,
    devices: &'a Devices,
    /// Of the packet before: those of one SA follow each other.
    last: Cell<Option<End<'a>>>,
}

/// An inbound SA, and its tunnel interface while there is one.
#[derive(Clone, Copy)]
struct End<'a> {
    sa: &'a InboundSa,
    device: Option<&'a Tun>,
}

impl Ingress {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let (inbox, joiner) = (Inbox::new(), Joiner::default());
        Self { shared, inbox, joiner, turn: Turn::new(), aside: Aside::default() }
    }

    /// Whether packets are held that came before their SA: they want `open_early` within `PATIENCE`.
    pub(crate) fn holds(&self) -> bool {
        !self.aside.early.is_empty()
    }

    /// One batch from one socket: others get their turn before its next. Returns whether there was anything.
    pub(crate) fn drain(&mut self, local: &Local, place: usize) -> bool {
        let Some((fd, arriving, _)) = local.sockets().nth(place) else { return false };
        // An error is one that the network reported on an earlier packet; asking took it off the socket.
        if self.inbox.receive(fd).is_err() {
            return false;
        }
        let shared = self.shared.clone();
        let (sas, devices) = (shared.sad.load(), shared.devices.load());
        let tables = Tables { shared: &shared, sas: &sas, devices: &devices, last: Cell::new(None) };
        open_early(&tables, &mut self.aside);
        let turn = &mut self.turn;
        let mut deliver = |packets: Joined<'_>| {
            tables.deliver(&packets);
            turn.after(packets.datagrams());
        };
        let (octets, datagrams) = self.inbox.datagrams();
        for datagram in datagrams {
            let result = match arriving {
                Arriving::Udp | Arriving::MarkedUdp => {
                    udp(local, &datagram, octets, &tables, &mut self.aside)
                }
                Arriving::RawIpv4 => raw_ipv4(Protocol::Esp, datagram, octets, &tables, &mut self.aside),
                Arriving::AhIpv4 => raw_ipv4(Protocol::Ah, datagram, octets, &tables, &mut self.aside),
                Arriving::RawIpv6 => {
                    raw_ipv6(Protocol::Esp, local, datagram, octets, &tables, &mut self.aside)
                }
                Arriving::AhIpv6 => raw_ipv6(Protocol::Ah, local, datagram, octets, &tables, &mut self.aside),
            };
            match result {
                Ok(None) => {}
                Ok(Some((device, packet))) if device.joins => {
                    self.joiner.offer(octets, packet, device.token, &mut deliver);
                }
                Ok(Some((device, packet))) => tables.write(device, &Joined::single(octets, &[packet])),
                Err(trigger) => shared.drops.add(trigger, 1),
            }
        }
        self.joiner.flush(octets, &mut deliver);
        true
    }

    pub(crate) fn open_early(&mut self) {
        let shared = self.shared.clone();
        let (sas, devices) = (shared.sad.load(), shared.devices.load());
        let tables = Tables { shared: &shared, sas: &sas, devices: &devices, last: Cell::new(None) };
        open_early(&tables, &mut self.aside);
    }
}

impl<'a> Tables<'a> {
    fn end(&self, spi: u32) -> Option<End<'a>> {
        let before = self.last.get().filter(|end| end.sa.config.spi == spi);
        before.or_else(|| {
            let sa = self.sas.get(&spi)?;
            let device = self.devices.by_name.get(&sa.config.interface).map(|device| &**device);
            self.last.set(Some(End { sa, device }));
            self.last.get()
        })
    }

    fn deliver(&self, packets: &Joined<'_>) {
        if let Some(device) = self.devices.by_token.get(&packets.lane) {
            self.write(device, packets);
        }
    }

    fn write(&self, device: &Tun, packets: &Joined<'_>) {
        if device.write(packets).is_err() {
            self.shared.drops.add(Trigger::InterfaceDown, packets.pieces.len() as u64);
        }
    }
}

/// An inner packet, and the interface at which it arrives.
type Inner<'a> = Option<(&'a Tun, Range<usize>)>;

/// RFC 3948, 2: IKE, a keep-alive, or ESP.
fn udp<'a>(
    local: &Local,
    datagram: &Received,
    buffer: &mut [u8],
    tables: &Tables<'a>,
    aside: &mut Aside,
) -> Result<Inner<'a>, Trigger> {
    let octets = &buffer[datagram.place.clone()];
    if *octets == KEEP_ALIVE {
        tables.shared.keep_alives.fetch_add(1, Relaxed);
        return Ok(None);
    }
    match (octets.strip_prefix(&NON_ESP_MARKER), datagram.remote) {
        (Some(message), Some(remote))
            if !tables.shared.mailbox.post_datagram(local.address, remote, message) =>
        {
            Err(Trigger::IkeQueueFull)
        }
        (Some(_), _) => Ok(None),
        (None, _) => {
            let way = Way { protocol: Protocol::Esp, udp: true, headers: 0 };
            protected(datagram, buffer, way, tables, aside)
        }
    }
}

/// How a protected packet came.
struct Way {
    protocol: Protocol,
    udp: bool,
    /// Octets of IP headers before it.
    headers: usize,
}

fn raw_ipv4<'a>(
    protocol: Protocol,
    datagram: Received,
    buffer: &mut [u8],
    tables: &Tables<'a>,
    aside: &mut Aside,
) -> Result<Inner<'a>, Trigger> {
    let headers = buffer[datagram.place.clone()].first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    protected(&datagram, buffer, Way { protocol, udp: false, headers }, tables, aside)
}

/// The kernel hands up IPv6 without its header. Where one is needed it is written again, from what is told of it.
fn raw_ipv6<'a>(
    protocol: Protocol,
    local: &Local,
    mut datagram: Received,
    buffer: &mut [u8],
    tables: &Tables<'a>,
    aside: &mut Aside,
) -> Result<Inner<'a>, Trigger> {
    let Range { start, end } = datagram.place;
    let spi = spi(&buffer[start..end], protocol)?;
    let needed = tables.sas.get(&spi).is_none_or(|sa| sa.takes_header());
    let mut headers = 0;
    if let Some(remote) = datagram.remote.filter(|_| needed) {
        headers = header::IPV6;
        if end + headers > start + LONGEST {
            return Err(Trigger::TooBig);
        }
        buffer.copy_within(start..end, start + headers);
        datagram.place = start..end + headers;
        let next = if protocol == Protocol::Ah { header::AH } else { header::ESP };
        let (between, tos, hops) = ((remote.ip(), local.address.ip()), datagram.tos, datagram.hops);
        Fresh { between, next, tos, hops, identification: 0 }.write(&mut buffer[datagram.place.clone()]);
    }
    protected(&datagram, buffer, Way { protocol, udp: false, headers }, tables, aside)
}

fn spi(protected: &[u8], protocol: Protocol) -> Result<u32, Trigger> {
    let place = if protocol == Protocol::Ah { ah::SPI } else { 0 };
    let octets = protected.get(place..).and_then(<[u8]>::first_chunk).ok_or(Trigger::TooShort)?;
    Ok(u32::from_be_bytes(*octets))
}

/// An SA is found by its SPI alone (RFC 4301, 4.1): where the packet came from, within UDP or not, may have changed on
/// the way, and its ICV is the proof.
fn protected<'a>(
    datagram: &Received,
    buffer: &mut [u8],
    way: Way,
    tables: &Tables<'a>,
    aside: &mut Aside,
) -> Result<Inner<'a>, Trigger> {
    let Way { protocol, udp, headers } = way;
    let packet = &mut buffer[datagram.place.clone()];
    let spi = spi(packet.get(headers..).ok_or(Trigger::TooShort)?, protocol)?;
    let remote = datagram.remote.ok_or(Trigger::TooShort)?;
    if spi < FIRST_SPI {
        return Err(Trigger::ReservedSpi);
    }
    let arrival = Arrival { remote, tos: datagram.tos, udp, headers };
    match tables.end(spi) {
        Some(end) if end.sa.protocol() != protocol => Err(Trigger::UnknownSpi),
        Some(end) => {
            let start = datagram.place.start;
            let inner = open(end, packet, &arrival, tables, &mut aside.notices)?;
            Ok(inner.map(|(device, place)| (device, start + place.start..start + place.end)))
        }
        None => {
            let dropped = aside.early.hold(spi, packet, arrival, tables.shared.now());
            tables.shared.drops.add(Trigger::UnknownSpi, dropped);
            Ok(None)
        }
    }
}

/// Those that came before their SA, once it stands; the others are dropped when their time is over.
fn open_early(tables: &Tables<'_>, aside: &mut Aside) {
    if aside.early.is_empty() {
        return;
    }
    for mut held in aside.early.release(tables.sas) {
        let Some(end) = tables.end(held.spi) else { continue };
        match open(end, &mut held.octets, &held.arrival, tables, &mut aside.notices) {
            Ok(None) => {}
            Ok(Some((device, packet))) => tables.write(device, &Joined::single(&held.octets, &[packet])),
            Err(trigger) => tables.shared.drops.add(trigger, 1),
        }
    }
    tables.shared.drops.add(Trigger::UnknownSpi, aside.early.give_up(tables.shared.now()));
}

fn open<'a>(
    end: End<'a>,
    octets: &mut [u8],
    arrival: &Arrival,
    tables: &Tables<'a>,
    notices: &mut Vec<Notice>,
) -> Result<Inner<'a>, Trigger> {
    let opened = end.sa.decapsulate(octets, arrival, tables.shared, notices);
    // Told before the packet can be seen, or its drop counted.
    tables.shared.mailbox.post_notices(notices);
    match opened? {
        Opened::Dummy => Ok(None),
        Opened::Packet(inner) => Ok(Some((end.device.ok_or(Trigger::NoInterface)?, inner))),
    }
}
