//! Why packets are dropped: one table makes the enum, the codes, the texts and the counters.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! triggers {
    ($($name:ident, $code:literal, $help:literal;)*) => {
        /// The cause of a drop.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum Trigger { $(#[doc = $help] $name,)* }

        impl Trigger {
            pub const ALL: &'static [Trigger] = &[$(Trigger::$name,)*];

            /// Its name in counters, metrics and JSON.
            pub const fn code(self) -> &'static str {
                match self { $(Trigger::$name => $code,)* }
            }

            /// What it means to an operator.
            pub const fn help(self) -> &'static str {
                match self { $(Trigger::$name => $help,)* }
            }
        }
    };
}

triggers! {
    NoPolicy, "no-policy", "No policy of the tunnel interface admits the packet: no proxy ID covers it";
    NoSa, "no-sa", "A policy admits the packet and no SA stands for it yet";
    SequenceExhausted, "sequence-exhausted", "The SA has sent its last sequence number (RFC 4303, 3.3.3)";
    Expired, "expired", "The SA passed its hard limit of octets or packets";
    TooBig, "too-big", "The packet does not fit into a datagram once it is encapsulated";
    NotIp, "not-ip", "The packet from the tunnel interface is no whole IPv4 or IPv6 packet";
    Fragment, "fragment", "A fragment cannot be protected in transport mode (RFC 4303, 3.3.4)";
    SourceRouted, "source-routed", "A packet that is routed by its source is not protected in transport mode before its last stop";
    RoutingLoop, "routing-loop", "The system routes our own ESP to the peer into the tunnel: the peer's address needs a route outside";
    NotListening, "not-listening", "No socket is open on the SA's local address";
    SendFailed, "send-failed", "The system refused to send the datagram";
    TooShort, "too-short", "Shorter than headers, IV and ICV together, or not a whole number of blocks";
    ReservedSpi, "reserved-spi", "SPI 1 to 255 is reserved (RFC 4303, 2.1)";
    UnknownSpi, "unknown-spi", "No inbound SA has this SPI";
    Replayed, "replayed", "Seen before, or older than the anti-replay window";
    IntegrityFailed, "integrity-failed", "The ICV is wrong: altered on the way, forged, or keys differ";
    BadPadding, "bad-padding", "The padding is not 1, 2, 3 and so on (RFC 4303, 2.4)";
    BadNextHeader, "bad-next-header", "What is inside is neither IPv4 nor IPv6 nor a dummy";
    BadInner, "bad-inner", "The inner packet is malformed, or of the other IP version than announced";
    BadEcn, "bad-ecn", "Congestion was marked outside on a packet that cannot carry the mark (RFC 6040, 4.2)";
    SelectorMismatch, "selector-mismatch", "The inner packet is not one that this SA may carry (RFC 4301, 5.2)";
    NoInterface, "no-interface", "The SA's tunnel interface is not there";
    InterfaceDown, "interface-down", "The tunnel interface did not take the packet: it is down or full";
    IkeQueueFull, "ike-queue-full", "IKE datagrams arrive faster than they are read";
    Fault, "fault", "An error of our own; please report it";
}

/// Packets dropped so far, by trigger.
#[derive(Debug)]
pub struct DropCounts([AtomicU64; Trigger::ALL.len()]);

impl Default for DropCounts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl DropCounts {
    pub fn add(&self, trigger: Trigger, packets: u64) {
        self.0[trigger as usize].fetch_add(packets, Ordering::Relaxed);
    }

    pub fn of(&self, trigger: Trigger) -> u64 {
        self.0[trigger as usize].load(Ordering::Relaxed)
    }

    /// Every trigger with its count, zeros too.
    pub fn iter(&self) -> impl Iterator<Item = (Trigger, u64)> + '_ {
        Trigger::ALL.iter().map(|trigger| (*trigger, self.of(*trigger)))
    }
}
