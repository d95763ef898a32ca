//! A local address that we listen on: the NAT-T port for IKE and encapsulated ESP, and a raw socket for ESP itself.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use esp_core::Outer;

use crate::outbox::Exit;
use crate::socket::{UdpPair, raw_esp, udp_pair};

#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) address: SocketAddr,
    esp: OwnedFd,
    ike: OwnedFd,
    raw: OwnedFd,
    trains: bool,
}

/// What arrives on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arriving {
    /// Mostly IKE: read first.
    MarkedUdp,
    Udp,
    /// ESP behind an IPv4 header.
    RawIpv4,
    /// ESP alone: the kernel hands IPv6 up without headers.
    RawIpv6,
}

impl Local {
    pub(crate) fn open(address: IpAddr, port: u16, offload: bool) -> io::Result<Self> {
        let udp = SocketAddr::new(address, port);
        let UdpPair { esp, ike, trains } =
            udp_pair(udp, offload).map_err(|error| explained(error, &format!("UDP {udp}")))?;
        let raw = raw_esp(SocketAddr::new(address, 0))
            .map_err(|error| explained(error, &format!("a raw ESP socket on {address}")))?;
        Ok(Self { address: udp, esp, ike, raw, trains })
    }

    /// Where packets of an SA leave; None: it is not for us.
    pub(crate) fn exit_for(&self, outer: &Outer) -> Option<Exit> {
        match outer.udp {
            true => (outer.local.port() == self.address.port())
                .then(|| Exit { fd: self.esp.as_raw_fd(), trains: self.trains }),
            false => Some(Exit { fd: self.raw.as_raw_fd(), trains: false }),
        }
    }

    pub(crate) fn ike(&self) -> RawFd {
        self.ike.as_raw_fd()
    }

    /// Every socket, with what arrives there.
    pub(crate) fn sockets(&self) -> [(RawFd, Arriving); 3] {
        let raw = if self.address.is_ipv4() { Arriving::RawIpv4 } else { Arriving::RawIpv6 };
        [
            (self.ike.as_raw_fd(), Arriving::MarkedUdp),
            (self.esp.as_raw_fd(), Arriving::Udp),
            (self.raw.as_raw_fd(), raw),
        ]
    }
}

fn explained(error: io::Error, what: &str) -> io::Error {
    let why = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "no permission: it needs CAP_NET_RAW and CAP_NET_ADMIN".into(),
        Some(libc::EADDRINUSE) => "in use: does another IKE daemon run here?".into(),
        Some(libc::EADDRNOTAVAIL) => "the host does not have this address".into(),
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("cannot open {what}: {why}"))
}
