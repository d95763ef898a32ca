//! The way out: a thread reads tunnel interfaces, seals, and sends a batch at a time.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use esp_core::{Interface, Millis, Notice, Outer, Ports, Route, Summary, Trigger};

use crate::datagrams::{LONGEST, Outbox};
use crate::local::Local;
use crate::poll::Ready;
use crate::shared::{Locals, Shared};
use crate::tun::Tun;

/// The longest payload of UDP over IPv4, and so of anything that we send.
const LONGEST_SENT: usize = 65507;

const UDP: u8 = 17;
const ESP: u8 = 50;

pub(crate) struct Egress {
    shared: Arc<Shared>,
    packet: Vec<u8>,
    outbox: Outbox,
    notices: Vec<Notice>,
    ready: Vec<Ready>,
}

/// What one batch looks at: tables as they stood when it began.
struct Tables<'a> {
    routes: &'a [Route],
    locals: &'a Locals,
    now: Millis,
}

impl Egress {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let packet = vec![0; LONGEST];
        Self { shared, packet, outbox: Outbox::new(), notices: Vec::new(), ready: Vec::new() }
    }

    pub(crate) fn run(&mut self) {
        let shared = self.shared.clone();
        while !shared.stopping.load(Relaxed) {
            shared.outward.wait(&mut self.ready, None);
            for at in 0..self.ready.len() {
                let Ready { token, broken } = self.ready[at];
                let device = shared.devices.load().by_token.get(&token).cloned();
                if let Some(device) = device {
                    self.drain(&device, broken);
                }
            }
        }
    }

    /// One batch from one interface: others get their turn before its next.
    fn drain(&mut self, device: &Tun, broken: bool) {
        let shared = self.shared.clone();
        let (routes, locals) = (device.interface.load(), shared.locals.load());
        let tables = Tables { routes: &routes, locals: &locals, now: shared.now() };
        let mut packet = std::mem::take(&mut self.packet);
        while self.outbox.has_room() {
            match device.read(&mut packet) {
                Ok(length) => {
                    let result = self.protect(&packet[..length], &tables);
                    // Told before its packet can be seen, or its drop counted.
                    shared.mailbox.post_notices(&mut self.notices);
                    if let Err(trigger) = result {
                        shared.drops.add(trigger, 1);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if broken && error.kind() != io::ErrorKind::WouldBlock {
                        // Somebody removed the interface under us: its descriptor would wake us for ever.
                        shared.outward.remove(device.as_raw_fd());
                    }
                    break;
                }
            }
        }
        self.packet = packet;
        let refused = self.outbox.flush();
        shared.drops.add(Trigger::SendFailed, refused);
    }

    fn protect(&mut self, packet: &[u8], tables: &Tables<'_>) -> Result<(), Trigger> {
        let summary = Summary::of(packet).map_err(|_| Trigger::NotIp)?;
        let sa = Interface::outbound(tables.routes, &summary, tables.now, &mut self.notices)?;
        let outer = sa.outer();
        if is_own_esp(&summary, &outer) {
            return Err(Trigger::RoutingLoop);
        }
        let socket = socket(tables.locals, &outer).ok_or(Trigger::NotListening)?;
        let space = self.outbox.space();
        let space = &mut space[..LONGEST_SENT];
        let sealed = sa.encapsulate(packet, &summary, space, &mut self.notices)?;
        self.outbox.post(sealed.length, socket, destination(&outer), sealed.tos);
        Ok(())
    }
}

/// Whether a packet is one that we sealed, and the system brought back to be sealed again, and again.
fn is_own_esp(packet: &Summary, outer: &Outer) -> bool {
    let ours = packet.source == outer.local.ip() && packet.destination == outer.remote.ip();
    let ports = Ports::Pair(outer.local.port(), outer.remote.port());
    ours && (packet.protocol == Some(ESP)
        || outer.udp && packet.protocol == Some(UDP) && packet.ports == ports)
}

fn socket(locals: &Locals, outer: &Outer) -> Option<RawFd> {
    let address: IpAddr = outer.local.ip();
    locals.by_address.get(&address).and_then(|local: &Arc<Local>| local.socket_for(outer))
}

fn destination(outer: &Outer) -> std::net::SocketAddr {
    let mut remote = outer.remote;
    if !outer.udp {
        // A raw IPv6 socket refuses a port that is not its protocol or zero.
        remote.set_port(0);
    }
    remote
}
