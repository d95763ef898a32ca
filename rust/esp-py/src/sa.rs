//! One suite and its keys without any plane around it: seals and opens packets that are handed to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use esp_core::transform::{KeyMaterial, keyed};
use esp_core::{
    Arrival, InboundConfig, InboundSa, Limits, Millis, Opened, OutboundConfig, OutboundSa, Outer, Protection,
    Protocol, Refusal, Selector, Selectors, Summary, Trigger, ah, suite,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::Dropped;
use crate::values::{self, refused};

/// Both directions under one SPI and one set of keys; without a cipher it is AH. Any inner packet is admitted.
#[pyclass(frozen, module = "isthmus._esp")]
pub(crate) struct EspSa {
    outbound: OutboundSa,
    inbound: InboundSa,
}

#[pymethods]
impl EspSa {
    #[new]
    #[pyo3(signature = (*, spi, encryption=None, encryption_key=&[][..], integrity=None, integrity_key=&[][..],
        mode="tunnel", between=None, esn=false, window=64, copy_dscp=false, seed=[0; 32]))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        spi: u32,
        encryption: Option<&str>,
        encryption_key: &[u8],
        integrity: Option<&str>,
        integrity_key: &[u8],
        mode: &str,
        between: Option<(IpAddr, IpAddr)>,
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
        let nowhere = Ipv4Addr::UNSPECIFIED.into();
        let (local, remote) = between.unwrap_or((nowhere, nowhere));
        let outer =
            Outer { local: SocketAddr::new(local, 0), remote: SocketAddr::new(remote, 0), udp: false };
        let mode = values::mode(mode)?;
        let (child, interface) = ("".into(), "".into());
        let outbound = OutboundConfig {
            spi,
            child,
            interface,
            selectors: everything(),
            mode,
            esn,
            limits: Limits::default(),
            copy_dscp,
        };
        let inbound = InboundConfig {
            spi,
            child: "".into(),
            interface: "".into(),
            selectors: everything(),
            mode,
            esn,
            window,
            limits: Limits::default(),
        };
        Ok(Self {
            outbound: OutboundSa::new(outbound, keyed()?, outer),
            inbound: InboundSa::new(inbound, keyed()?, outer),
        })
    }

    /// A packet becomes an ESP packet; with it, the outer TOS or traffic class. AH, and ESP in transport mode, come with
    /// their IP header.
    fn encapsulate<'py>(&self, py: Python<'py>, packet: &[u8]) -> PyResult<(Bound<'py, PyBytes>, u8)> {
        let summary = Summary::of(packet).map_err(|_| dropped(Trigger::NotIp))?;
        let mut out = vec![0; self.outbound.room_for(packet.len())];
        let sealed =
            self.outbound.encapsulate(packet, &summary, &mut out, &mut Vec::new()).map_err(dropped)?;
        Ok((PyBytes::new(py, &out[..sealed.length]), sealed.tos))
    }

    /// What `encapsulate` made becomes the packet again; None: it was a dummy.
    #[pyo3(signature = (packet, *, headers=0, tos=0))]
    fn decapsulate<'py>(
        &self,
        py: Python<'py>,
        packet: &[u8],
        headers: usize,
        tos: u8,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let place = headers + if self.inbound.protocol() == Protocol::Ah { ah::SPI } else { 0 };
        let spi = packet.get(place..).and_then(<[u8]>::first_chunk);
        if spi != Some(&self.inbound.config.spi.to_be_bytes()) {
            return Err(dropped(Trigger::UnknownSpi));
        }
        let mut buffer = packet.to_vec();
        let arrival = Arrival { remote: self.inbound.outer().remote, tos, udp: false, headers };
        let opened = self.inbound.decapsulate(&mut buffer, &arrival, &Millis(0), &mut Vec::new());
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

fn expand(
    encryption: Option<&str>,
    integrity: Option<&str>,
    keys: KeyMaterial,
) -> Result<Protection, Refusal> {
    let unknown = |name: &str| Refusal(format!("no such algorithm: {name}"));
    let integrity =
        integrity.map(|name| suite::Integrity::named(name).ok_or_else(|| unknown(name))).transpose()?;
    match (encryption, integrity) {
        (Some(encryption), integrity) => {
            let encryption = suite::Encryption::named(encryption).ok_or_else(|| unknown(encryption))?;
            Ok(keyed(encryption, integrity, &keys)?.into())
        }
        (None, Some(integrity)) => Ok(ah::keyed(integrity, &keys.integrity)?.into()),
        (None, None) => Err(Refusal("neither a cipher nor an integrity algorithm".into())),
    }
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
