//! ESP and AH as values (RFC 4303, RFC 4302): what goes in and out are octets, the time and the entropy.
//!
//! A packet's way out: [`Routes::outbound`] finds the SA by policy and selectors, [`OutboundSa::encapsulate`]
//! seals it. Its way in: [`Sad::load`] finds the SA by SPI, [`InboundSa::decapsulate`] checks the window, opens,
//! advances the window, and compares the inner header with the selectors.
//!
//! Keys are expanded once per SA; nothing on the path allocates or waits. Tables are snapshots: load one per batch.

#![forbid(unsafe_code)]

pub mod ah;
mod destinations;
mod draft;
pub mod ecn;
pub mod header;
mod inbound;
mod mutable;
mod notice;
pub mod offload;
mod outbound;
mod packet;
mod protection;
mod routes;
mod sad;
mod selector;
mod spd;
pub mod suite;
mod tally;
pub mod transform;
mod trigger;
mod window;

pub use inbound::{Arrival, InboundConfig, InboundSa, Opened};
pub use notice::{Clock, Direction, Millis, Notice, SaKey};
pub use outbound::{OutboundConfig, OutboundSa, Sealed};
pub use packet::{Malformed, Ports, Summary};
pub use protection::{Mode, Protection, Protocol};
pub use routes::{Interface, Policy, Routes};
pub use sad::{InboundTable, Sad};
pub use selector::{PortRange, Selector, Selectors};
pub use spd::Spd;
pub use tally::{Counters, Limits};
pub use trigger::{DropCounts, Trigger};
pub use window::{Advance, Window};

/// Where a packet comes from and goes to, outside. The ports count only with `udp` (RFC 3948).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer {
    pub local: std::net::SocketAddr,
    pub remote: std::net::SocketAddr,
    pub udp: bool,
}

/// What was asked cannot be done; the text is for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}
