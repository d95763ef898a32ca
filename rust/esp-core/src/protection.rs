//! How an SA protects: ESP or AH, around the whole packet or behind its header.

use crate::ah;
use crate::transform;

/// The two security protocols. Each has SPIs of its own (RFC 4301, 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Esp,
    Ah,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Tunnel,
    Transport,
}

/// A protocol with its algorithms and keys.
#[derive(Debug)]
pub enum Protection {
    Esp(transform::Keyed),
    Ah(ah::Keyed),
}

impl Protection {
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Esp(_) => Protocol::Esp,
            Self::Ah(_) => Protocol::Ah,
        }
    }

    /// Whether a packet that opens is proved to come from the peer.
    pub fn authenticates(&self) -> bool {
        match self {
            Self::Esp(keyed) => keyed.authenticates,
            Self::Ah(_) => true,
        }
    }

    /// Whether both were made of the same algorithms and keys.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Esp(one), Self::Esp(other)) => one.equals(other),
            (Self::Ah(one), Self::Ah(other)) => one.equals(other),
            _ => false,
        }
    }

    /// Whether packets are handled with their IP header: AH covers it, and transport mode keeps it.
    pub fn takes_header(&self, mode: Mode) -> bool {
        self.protocol() == Protocol::Ah || mode == Mode::Transport
    }
}

impl From<transform::Keyed> for Protection {
    fn from(keyed: transform::Keyed) -> Self {
        Self::Esp(keyed)
    }
}

impl From<ah::Keyed> for Protection {
    fn from(keyed: ah::Keyed) -> Self {
        Self::Ah(keyed)
    }
}
