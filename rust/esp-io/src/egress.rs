//! The way out: tunnel interfaces are read, packets sealed, and sent a batch at a time.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use esp_core::header::{AH, ESP};
use esp_core::offload::{Cut, VnetHeader};
use esp_core::{Notice, OutboundSa, Outer, Ports, Routes, Summary, Trigger};

use crate::inbox::LONGEST;
use crate::lane::Lane;
use crate::outbox::{Exit, Outbox};
use crate::shared::{Locals, Shared};
use crate::tun::Tun;
use crate::watch::Share;

/// The longest payload of UDP over IPv4, and so of anything that we send.
const LONGEST_SENT: usize = 65507;

const UDP: u8 = 17;

pub(crate) struct Egress {
    shared: Arc<Shared>,
    packet: Vec<u8>,
    outbox: Outbox,
    notices: Vec<Notice>,
}

/// What one batch looks at: tables as they stood when it began.
struct Tables<'a> {
    routes: &'a Routes,
    locals: &'a Locals,
    lane: Lane,
}

/// Where the packets of an SA leave: looked up once for those that follow each other.
#[derive(Clone, Copy)]
struct Way<'a> {
    sa: &'a OutboundSa,
    outer: Outer,
    exit: Exit,
    destination: SocketAddr,
}

impl Egress {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let packet = vec![0; VnetHeader::LENGTH + LONGEST];
        Self { shared, packet, outbox: Outbox::new(), notices: Vec::new() }
    }

    /// One batch from one interface: others get their turn before its next. Returns whether there was anything.
    pub(crate) fn drain(&mut self, device: &Tun, broken: bool) -> bool {
        let shared = self.shared.clone();
        let (routes, locals) = (device.interface.load(), shared.locals.load());
        let lane = shared.lanes.of_device(device.token);
        let tables = Tables { routes: &routes, locals: &locals, lane };
        let mut found = false;
        let mut way = None;
        let mut packet = std::mem::take(&mut self.packet);
        while !self.outbox.is_due() {
            match device.read(&mut packet) {
                Ok((header, packet)) => {
                    found = true;
                    if let Err((trigger, count)) = self.protect(&header, packet, &tables, &mut way) {
                        shared.drops.add(trigger, count);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if broken && error.kind() != io::ErrorKind::WouldBlock {
                        // Somebody removed the interface under us: its descriptor would wake us for ever.
                        shared.watch.remove(Share::Out(lane), device.as_raw_fd());
                    }
                    break;
                }
            }
        }
        self.packet = packet;
        self.flush();
        found
    }

    fn flush(&mut self) {
        let refused = self.outbox.flush();
        self.shared.drops.add(Trigger::SendFailed, refused);
    }

    /// Seals what was read, be it one packet or many. If not all, returns why and how many were dropped.
    fn protect<'a>(
        &mut self,
        header: &VnetHeader,
        packet: &mut [u8],
        tables: &Tables<'a>,
        way: &mut Option<Way<'a>>,
    ) -> Result<(), (Trigger, u64)> {
        let not_ip = |_| (Trigger::NotIp, 1);
        let summary = Summary::of(packet).map_err(not_ip)?;
        let cut = Cut::of(header, packet, &summary).map_err(not_ip)?;
        let count = cut.count();
        let whole = |trigger| (trigger, count as u64);
        let found = tables.routes.outbound(&summary, &*self.shared, &mut self.notices);
        // Told before its packet can be seen, or its drop counted.
        self.shared.mailbox.post_notices(&mut self.notices);
        let sa = &**found.map_err(whole)?;
        let before = way.filter(|way| std::ptr::eq(way.sa, sa));
        let Way { outer, exit, destination, .. } =
            *way.insert(before.map_or_else(|| Way::of(sa, tables), Ok).map_err(whole)?);
        if is_our_own(&summary, &outer) {
            return Err(whole(Trigger::RoutingLoop));
        }
        let mut dropped = None;
        for at in 0..count {
            if self.outbox.is_due() {
                self.flush();
            }
            let space = &mut self.outbox.space()[..LONGEST_SENT];
            let write = |to: &mut [u8]| cut.write(at, to);
            let sealed = sa.encapsulate_written(cut.length(at), write, &summary, space, &mut self.notices);
            self.shared.mailbox.post_notices(&mut self.notices);
            match sealed {
                Ok(sealed) => self.outbox.post(sealed.length, exit, destination, sealed.tos),
                Err(trigger) => dropped = Some((trigger, dropped.map_or(1, |(_, before)| before + 1))),
            }
        }
        dropped.map_or(Ok(()), Err)
    }
}

/// Whether a packet is one that we sealed, and the system brought back to be sealed again, and again.
fn is_our_own(packet: &Summary, outer: &Outer) -> bool {
    let ours = packet.source == outer.local.ip() && packet.destination == outer.remote.ip();
    let ports = Ports::Pair(outer.local.port(), outer.remote.port());
    ours && (matches!(packet.protocol, Some(ESP | AH))
        || outer.udp && packet.protocol == Some(UDP) && packet.ports == ports)
}

impl<'a> Way<'a> {
    fn of(sa: &'a OutboundSa, tables: &Tables<'_>) -> Result<Self, Trigger> {
        let outer = sa.outer();
        let local = tables.locals.by_address.get(&outer.local.ip());
        let exit = local
            .and_then(|local| local.exit_for(tables.lane, &outer, sa.writes_header()))
            .ok_or(Trigger::NotListening)?;
        let mut destination = outer.remote;
        if !outer.udp {
            // A raw IPv6 socket refuses a port that is not its protocol or zero.
            destination.set_port(0);
        }
        Ok(Self { sa, outer, exit, destination })
    }
}
