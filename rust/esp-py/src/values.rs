//! Python's plain values and Rust's, both ways.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use esp_core::{
    Direction, Limits, Mode, Notice, Outer, PortRange, Ports, Protocol, Refusal, SaKey, Selector, Selectors,
    Trigger,
};
use pyo3::prelude::*;

use crate::Refused;

/// An address and a port.
pub(crate) type Endpoint = (IpAddr, u16);

/// First and last address, protocol, first and last port.
pub(crate) type Range = (IpAddr, IpAddr, u8, u16, u16);

/// Direction (`in` or `out`), protocol (`esp` or `ah`), SPI, the peer's address.
pub(crate) type SaId = (String, String, u32, IpAddr);

/// Soft and hard octets, soft and hard packets.
pub(crate) type LimitTuple = (Option<u64>, Option<u64>, Option<u64>, Option<u64>);

/// Every drop code with its meaning, in the order of a packet's way.
pub(crate) fn drop_table() -> BTreeMap<&'static str, &'static str> {
    Trigger::ALL.iter().map(|trigger| (trigger.code(), trigger.help())).collect()
}

pub(crate) fn refused(refusal: Refusal) -> PyErr {
    Refused::new_err(refusal.0)
}

pub(crate) fn direction(text: &str) -> PyResult<Direction> {
    match text {
        "in" => Ok(Direction::Inbound),
        "out" => Ok(Direction::Outbound),
        other => Err(Refused::new_err(format!("no direction: {other}"))),
    }
}

pub(crate) fn mode(text: &str) -> PyResult<Mode> {
    match text {
        "tunnel" => Ok(Mode::Tunnel),
        "transport" => Ok(Mode::Transport),
        other => Err(Refused::new_err(format!("no mode: {other}"))),
    }
}

fn protocol(text: &str) -> PyResult<Protocol> {
    match text {
        "esp" => Ok(Protocol::Esp),
        "ah" => Ok(Protocol::Ah),
        other => Err(Refused::new_err(format!("no security protocol: {other}"))),
    }
}

pub(crate) fn sa_key((way, kind, spi, remote): SaId) -> PyResult<SaKey> {
    Ok(SaKey { direction: direction(&way)?, protocol: protocol(&kind)?, spi, remote })
}

pub(crate) fn sa_id(key: SaKey) -> SaId {
    let direction = match key.direction {
        Direction::Inbound => "in",
        Direction::Outbound => "out",
    };
    let protocol = match key.protocol {
        Protocol::Esp => "esp",
        Protocol::Ah => "ah",
    };
    (direction.into(), protocol.into(), key.spi, key.remote)
}

pub(crate) fn endpoint(address: SocketAddr) -> Endpoint {
    (address.ip(), address.port())
}

pub(crate) fn outer(local: Endpoint, remote: Endpoint, udp: bool) -> Outer {
    Outer { local: local.into(), remote: remote.into(), udp }
}

pub(crate) fn selectors(local: &[Range], remote: &[Range]) -> Selectors {
    Selectors { local: local.iter().map(selector).collect(), remote: remote.iter().map(selector).collect() }
}

fn selector(&(start, end, protocol, start_port, end_port): &Range) -> Selector {
    Selector { start, end, protocol, ports: PortRange { start: start_port, end: end_port } }
}

pub(crate) fn limits((soft_octets, hard_octets, soft_packets, hard_packets): LimitTuple) -> Limits {
    Limits { soft_octets, hard_octets, soft_packets, hard_packets }
}

/// A notice as a tuple that begins with its kind.
pub(crate) fn notice<'py>(py: Python<'py>, notice: Notice) -> PyResult<Bound<'py, PyAny>> {
    let tuple = match notice {
        Notice::Acquire { child, packet } => {
            let (source_port, destination_port) = match packet.ports {
                Ports::Pair(source, destination) => (source, destination),
                // RFC 7296, 3.13.1: type and code stand where the port would, on both sides.
                Ports::Message(message) => (message, message),
                Ports::Opaque => (0, 0),
            };
            let (source, destination) = (packet.source, packet.destination);
            let protocol = packet.protocol.unwrap_or(0);
            ("acquire", &*child, source, destination, protocol, source_port, destination_port)
                .into_pyobject(py)?
                .into_any()
        }
        Notice::SoftExpired(sa) => ("soft-expired", sa_id(sa)).into_pyobject(py)?.into_any(),
        Notice::HardExpired(sa) => ("hard-expired", sa_id(sa)).into_pyobject(py)?.into_any(),
        Notice::FirstInbound(sa) => ("first-inbound", sa_id(sa)).into_pyobject(py)?.into_any(),
        Notice::PeerMoved { sa, remote } => {
            ("peer-moved", sa_id(sa), endpoint(remote)).into_pyobject(py)?.into_any()
        }
    };
    Ok(tuple)
}
