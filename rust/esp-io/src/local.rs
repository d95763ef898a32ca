//! A local address that we listen on: the NAT-T port for IKE and encapsulated ESP, and raw sockets for ESP and AH.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use esp_core::Outer;

use crate::lane::{Lane, Lanes};
use crate::outbox::Exit;
use crate::socket::{UdpPort, raw, udp_port};

#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) address: SocketAddr,
    /// One for each lane.
    esp: Vec<OwnedFd>,
    ike: OwnedFd,
    raw: OwnedFd,
    ah: OwnedFd,
    /// Sends packets that bring their IP header.
    whole: OwnedFd,
    trains: bool,
    lanes: Lanes,
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
    AhIpv4,
    AhIpv6,
}

impl Local {
    pub(crate) fn open(
        address: IpAddr,
        port: u16,
        lanes: Lanes,
        offload: bool,
        device: Option<&str>,
    ) -> io::Result<Self> {
        let udp = SocketAddr::new(address, port);
        let UdpPort { esp, ike, trains } =
            udp_port(udp, lanes, offload, device).map_err(|error| explained(error, &format!("UDP {udp}")))?;
        let opened = |protocol, name: &str| {
            raw(SocketAddr::new(address, 0), protocol, device)
                .map_err(|error| explained(error, &format!("a raw {name} socket on {address}")))
        };
        let (raw, ah) = (opened(libc::IPPROTO_ESP, "ESP")?, opened(libc::IPPROTO_AH, "AH")?);
        let whole = opened(libc::IPPROTO_RAW, "IP")?;
        Ok(Self { address: udp, esp, ike, raw, ah, whole, trains, lanes })
    }

    /// Where packets of an SA leave from a lane; None: it is not for us. `whole`: they bring their IP header.
    pub(crate) fn exit_for(&self, lane: Lane, outer: &Outer, whole: bool) -> Option<Exit> {
        let alone = |fd: &OwnedFd| Some(Exit { fd: fd.as_raw_fd(), trains: false });
        match (whole, outer.udp) {
            (true, _) => alone(&self.whole),
            (false, true) => (outer.local.port() == self.address.port())
                .then(|| Exit { fd: self.esp[lane.index()].as_raw_fd(), trains: self.trains }),
            (false, false) => alone(&self.raw),
        }
    }

    pub(crate) fn ike(&self) -> RawFd {
        self.ike.as_raw_fd()
    }

    /// Every socket, with what arrives there and who serves it. A socket's place here is its place in the token.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = (RawFd, Arriving, Lane)> {
        let single = [&self.ike, &self.raw, &self.ah].map(AsRawFd::as_raw_fd);
        let kinds = match self.address.is_ipv4() {
            true => [Arriving::MarkedUdp, Arriving::RawIpv4, Arriving::AhIpv4],
            false => [Arriving::MarkedUdp, Arriving::RawIpv6, Arriving::AhIpv6],
        };
        let single = single.into_iter().zip(kinds).map(|(fd, kind)| (fd, kind, Lane::FIRST));
        let lanes = self.lanes.iter().zip(&self.esp);
        single.chain(lanes.map(|(lane, esp)| (esp.as_raw_fd(), Arriving::Udp, lane)))
    }
}

fn explained(error: io::Error, what: &str) -> io::Error {
    let why = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "no permission: it needs CAP_NET_RAW and CAP_NET_ADMIN".into(),
        Some(libc::EADDRINUSE) => "in use: does another IKE daemon run here?".into(),
        Some(libc::ENODEV) => "the host does not have the interface".into(),
        Some(libc::EADDRNOTAVAIL) => "the host does not have this address".into(),
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("cannot open {what}: {why}"))
}
