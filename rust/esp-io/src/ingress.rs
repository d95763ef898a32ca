//! The way in: a thread reads the sockets, opens what is ESP, and hands the rest up.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use esp_core::{Arrival, InboundSa, InboundTable, Millis, Notice, Opened, Trigger};

use crate::datagrams::{Inbox, Received};
use crate::early::{Early, PATIENCE};
use crate::local::{Arriving, Local};
use crate::poll::Ready;
use crate::shared::{Devices, Shared};

/// RFC 3948, 2.2.
pub(crate) const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// RFC 3948, 2.3.
pub(crate) const KEEP_ALIVE: [u8; 1] = [0xff];

/// RFC 4303, 2.1: 1 to 255 are reserved.
pub(crate) const FIRST_SPI: u32 = 256;

pub(crate) struct Ingress {
    shared: Arc<Shared>,
    inbox: Inbox,
    aside: Aside,
    ready: Vec<Ready>,
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
    now: Millis,
}

impl Ingress {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, inbox: Inbox::new(), aside: Aside::default(), ready: Vec::new() }
    }

    pub(crate) fn run(&mut self) {
        let shared = self.shared.clone();
        while !shared.stopping.load(Relaxed) {
            let waiting = !self.aside.early.is_empty();
            shared.inward.wait(&mut self.ready, waiting.then_some(PATIENCE));
            if waiting {
                self.open_early();
            }
            // A socket's place is in its token: IKE has the lowest, and goes first.
            self.ready.sort_unstable_by_key(|ready| ready.token & PLACE);
            for at in 0..self.ready.len() {
                let token = self.ready[at].token;
                let local = shared.locals.load().by_token.get(&(token & !PLACE)).cloned();
                if let Some(local) = local {
                    self.drain(&local, (token & PLACE) as usize);
                }
            }
        }
    }

    /// One batch from one socket: others get their turn before its next.
    fn drain(&mut self, local: &Local, place: usize) {
        let Some((fd, arriving)) = local.sockets().get(place).copied() else { return };
        // An error is one that the network reported on an earlier packet; asking took it off the socket.
        if self.inbox.receive(fd).is_err() {
            return;
        }
        let shared = self.shared.clone();
        let (sas, devices) = (shared.sad.load(), shared.devices.load());
        let tables = Tables { shared: &shared, sas: &sas, devices: &devices, now: shared.now() };
        open_early(&tables, &mut self.aside);
        for datagram in self.inbox.datagrams() {
            let result = match arriving {
                Arriving::Udp | Arriving::MarkedUdp => udp(local, datagram, &tables, &mut self.aside),
                Arriving::RawIpv4 => raw_ipv4(datagram, &tables, &mut self.aside),
                Arriving::RawIpv6 => esp(datagram, false, &tables, &mut self.aside),
            };
            if let Err(trigger) = result {
                shared.drops.add(trigger, 1);
            }
        }
    }

    fn open_early(&mut self) {
        let shared = self.shared.clone();
        let (sas, devices) = (shared.sad.load(), shared.devices.load());
        let tables = Tables { shared: &shared, sas: &sas, devices: &devices, now: shared.now() };
        open_early(&tables, &mut self.aside);
    }
}

/// The part of a token that tells which socket of an address it is.
pub(crate) const PLACE: u64 = 0b11;

/// RFC 3948, 2: IKE, a keep-alive, or ESP.
fn udp(local: &Local, datagram: Received<'_>, tables: &Tables<'_>, aside: &mut Aside) -> Result<(), Trigger> {
    if *datagram.octets == KEEP_ALIVE {
        tables.shared.keep_alives.fetch_add(1, Relaxed);
        return Ok(());
    }
    match (datagram.octets.strip_prefix(&NON_ESP_MARKER), datagram.remote) {
        (Some(message), Some(remote))
            if !tables.shared.mailbox.post_datagram(local.address, remote, message) =>
        {
            Err(Trigger::IkeQueueFull)
        }
        (Some(_), _) => Ok(()),
        (None, _) => esp(datagram, true, tables, aside),
    }
}

fn raw_ipv4(datagram: Received<'_>, tables: &Tables<'_>, aside: &mut Aside) -> Result<(), Trigger> {
    let header = datagram.octets.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    let octets = datagram.octets.get_mut(header..).ok_or(Trigger::TooShort)?;
    esp(Received { octets, ..datagram }, false, tables, aside)
}

/// An SA is found by its SPI alone (RFC 4301, 4.1): where the packet came from, within UDP or not, may have changed on
/// the way, and its ICV is the proof.
fn esp(datagram: Received<'_>, udp: bool, tables: &Tables<'_>, aside: &mut Aside) -> Result<(), Trigger> {
    let (Some(spi), Some(remote)) = (datagram.octets.first_chunk().copied(), datagram.remote) else {
        return Err(Trigger::TooShort);
    };
    let spi = u32::from_be_bytes(spi);
    if spi < FIRST_SPI {
        return Err(Trigger::ReservedSpi);
    }
    let arrival = Arrival { remote, tos: datagram.tos, udp };
    match tables.sas.get(&spi) {
        Some(sa) => open(sa, datagram.octets, &arrival, tables, &mut aside.notices),
        None => {
            let dropped = aside.early.hold(spi, datagram.octets, arrival, tables.now);
            tables.shared.drops.add(Trigger::UnknownSpi, dropped);
            Ok(())
        }
    }
}

/// Those that came before their SA, once it stands; the others are dropped when their time is over.
fn open_early(tables: &Tables<'_>, aside: &mut Aside) {
    for mut held in aside.early.release(tables.sas) {
        if let Some(sa) = tables.sas.get(&held.spi)
            && let Err(trigger) = open(sa, &mut held.octets, &held.arrival, tables, &mut aside.notices)
        {
            tables.shared.drops.add(trigger, 1);
        }
    }
    tables.shared.drops.add(Trigger::UnknownSpi, aside.early.give_up(tables.now));
}

fn open(
    sa: &InboundSa,
    octets: &mut [u8],
    arrival: &Arrival,
    tables: &Tables<'_>,
    notices: &mut Vec<Notice>,
) -> Result<(), Trigger> {
    let opened = sa.decapsulate(octets, arrival, tables.now, notices);
    // Told before the packet can be seen, or its drop counted.
    tables.shared.mailbox.post_notices(notices);
    match opened? {
        Opened::Dummy => Ok(()),
        Opened::Packet(inner) => {
            let device = tables.devices.by_name.get(&sa.config.interface).ok_or(Trigger::NoInterface)?;
            device.write(&octets[inner]).map_err(|_| Trigger::InterfaceDown)
        }
    }
}
