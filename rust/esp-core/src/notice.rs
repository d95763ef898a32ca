//! What the packet path tells the engine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::packet::Summary;
use crate::protection::Protocol;

/// Monotonic milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// Who can tell the time. Few packets need it, and asking costs a packet alone several microseconds.
pub trait Clock {
    fn now(&self) -> Millis;
}

/// It stands still.
impl Clock for Millis {
    fn now(&self) -> Millis {
        *self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Names one SA. `remote` is the peer's address as it stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaKey {
    pub direction: Direction,
    pub protocol: Protocol,
    pub spi: u32,
    pub remote: IpAddr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A packet matched a policy that has no SA for it. At most one a second for each child.
    Acquire { child: Arc<str>, packet: Summary },
    /// Passed its soft limit. Once.
    SoftExpired(SaKey),
    /// Passed its hard limit or spent its sequence numbers, and carries nothing any more. Once.
    HardExpired(SaKey),
    /// Authenticated its first packet. Once.
    FirstInbound(SaKey),
    /// An authenticated packet, newer than any before it, came from another endpoint. At most one a second.
    PeerMoved { sa: SaKey, remote: SocketAddr },
}
