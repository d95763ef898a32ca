//! One suite and its keys without any plane around it: seals and opens packets that are handed to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use esp_core::transform::{KeyMaterial, Keyed, keyed};
use esp_core::{
    Arrival, InboundConfig, InboundSa, Limits, Millis, Opened, OutboundConfig, OutboundSa, Outer, Refusal,
    Selector, Selectors, Summary, Trigger, suite,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::Dropped;
use crate::values::refused;

/// Both directions under one SPI and one set of keys. Any inner packet is admitted.
#[pyclass(frozen, module = "isthmus._esp")]
pub(crate) struct EspSa {
    outbound: OutboundSa,
    inbound: InboundSa,
}

#[pymethods]
impl EspSa {
    #[new]
    #[pyo3(signature = (*, spi, encryption, encryption_key, integrity=None, integrity_key=&[][..], esn=false, window=64,
        copy_dscp=false, seed=[0; 32]))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        spi: u32,
        encryption: &str,
        encryption_key: &[u8],
        integrity: Option<&str>,
        integrity_key: &[u8],
        esn: bool,
        window: usize,
        copy_dscp: bool,
        seed: [u8; 32],
    ) -> PyResult<Self> {
        let keys = || KeyMaterial {
            encryption: Zeroizing::new(encryption_key.to_vec()),
            integrity: Zeroizing::new(integrity_key.to_vec()),
            iv_seed: Zeroizing::new(seed),
        };
        let keyed = || expand(encryption, integrity, keys()).map_err(refused);
        let nowhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        let outer = Outer { local: nowhere, remote: nowhere, udp: false };
        let (child, interface) = ("".into(), "".into());
        let outbound = OutboundConfig {
            spi,
            child,
            interface,
            selectors: everything(),
            esn,
            limits: Limits::default(),
            copy_dscp,
        };
        let inbound = InboundConfig {
            spi,
            child: "".into(),
            interface: "".into(),
            selectors: everything(),
            esn,
            window,
            limits: Limits::default(),
        };
        Ok(Self {
            outbound: OutboundSa::new(outbound, keyed()?, outer),
            inbound: InboundSa::new(inbound, keyed()?, outer),
        })
    }

    /// An inner packet becomes an ESP packet; with it, the outer TOS or traffic class.
    fn encapsulate<'py>(&self, py: Python<'py>, packet: &[u8]) -> PyResult<(Bound<'py, PyBytes>, u8)> {
        let summary = Summary::of(packet).map_err(|_| dropped(Trigger::NotIp))?;
        let mut out = vec![0; self.outbound.sealed_length(packet.len())];
        let sealed =
            self.outbound.encapsulate(packet, &summary, &mut out, &mut Vec::new()).map_err(dropped)?;
        Ok((PyBytes::new(py, &out[..sealed.length]), sealed.tos))
    }

    /// An ESP packet becomes the inner packet; None: it was a dummy.
    #[pyo3(signature = (packet, *, tos=0))]
    fn decapsulate<'py>(
        &self,
        py: Python<'py>,
        packet: &[u8],
        tos: u8,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        if packet.first_chunk() != Some(&self.inbound.config.spi.to_be_bytes()) {
            return Err(dropped(Trigger::UnknownSpi));
        }
        let mut buffer = packet.to_vec();
        let arrival = Arrival { remote: self.inbound.outer().remote, tos, udp: false };
        let opened = self.inbound.decapsulate(&mut buffer, &arrival, Millis(0), &mut Vec::new());
        match opened.map_err(dropped)? {
            Opened::Packet(inner) => Ok(Some(PyBytes::new(py, &buffer[inner]))),
            Opened::Dummy => Ok(None),
        }
    }

    /// Sends on as if `sequence` had been the last number sent.
    fn resume_after(&self, sequence: u64) {
        self.outbound.resume_after(sequence);
    }
}

fn dropped(trigger: Trigger) -> PyErr {
    Dropped::new_err(trigger.code())
}

fn expand(encryption: &str, integrity: Option<&str>, keys: KeyMaterial) -> Result<Keyed, Refusal> {
    let unknown = |name: &str| Refusal(format!("no such algorithm: {name}"));
    let encryption = suite::Encryption::named(encryption).ok_or_else(|| unknown(encryption))?;
    let integrity =
        integrity.map(|name| suite::Integrity::named(name).ok_or_else(|| unknown(name))).transpose()?;
    keyed(encryption, integrity, &keys)
}

fn everything() -> Selectors {
    let any =
        |start: IpAddr, end: IpAddr| Selector { start, end, protocol: 0, ports: esp_core::PortRange::ANY };
    let all: Box<[Selector]> = [
        any(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()),
        any(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::from([0xff; 16]).into()),
    ]
    .into();
    Selectors { local: all.clone(), remote: all }
}
