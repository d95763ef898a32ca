//! The packet path of a gateway, as a Python object.

use std::collections::BTreeMap;
use std::net::IpAddr;

use esp_core::{Direction, InboundConfig, OutboundConfig, Policy};
use esp_io::{InstallInbound, InstallOutbound, Lanes, Suite};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::Refused;
use crate::values::{self, Endpoint, LimitTuple, Range, SaId, refused};

/// Packets, octets, replayed, integrity failed, dropped, sequence.
type Readings = (u64, u64, u64, u64, u64, u64);

#[pyclass(frozen, module = "isthmus._esp")]
pub(crate) struct Plane(esp_io::Plane);

fn suite<'a>(
    encryption: Option<&'a str>,
    encryption_key: &[u8],
    integrity: Option<&'a str>,
    integrity_key: &[u8],
) -> Suite<'a> {
    Suite {
        encryption,
        encryption_key: Zeroizing::new(encryption_key.to_vec()),
        integrity,
        integrity_key: Zeroizing::new(integrity_key.to_vec()),
    }
}

#[pymethods]
impl Plane {
    #[new]
    #[pyo3(signature = (port, *, lanes=1, offload=true))]
    fn new(port: u16, lanes: usize, offload: bool) -> PyResult<Self> {
        let plane = esp_io::Plane::new(port, Lanes::new(lanes), offload)
            .map_err(|error| Refused::new_err(error.to_string()))?;
        Ok(Self(plane))
    }

    #[pyo3(signature = (*, direction, spi, child, interface, local, remote, udp, local_selectors, remote_selectors,
        mode, encryption, encryption_key, integrity, integrity_key, esn, window, copy_dscp, limits))]
    #[allow(clippy::too_many_arguments)]
    fn install(
        &self,
        direction: &str,
        spi: u32,
        child: &str,
        interface: &str,
        local: Endpoint,
        remote: Endpoint,
        udp: bool,
        local_selectors: Vec<Range>,
        remote_selectors: Vec<Range>,
        mode: &str,
        encryption: Option<&str>,
        encryption_key: &[u8],
        integrity: Option<&str>,
        integrity_key: &[u8],
        esn: bool,
        window: usize,
        copy_dscp: bool,
        limits: LimitTuple,
    ) -> PyResult<()> {
        let (child, interface) = (child.into(), interface.into());
        let selectors = values::selectors(&local_selectors, &remote_selectors);
        let limits = values::limits(limits);
        let suite = suite(encryption, encryption_key, integrity, integrity_key);
        let outer = values::outer(local, remote, udp);
        let mode = values::mode(mode)?;
        match values::direction(direction)? {
            Direction::Inbound => {
                let config = InboundConfig { spi, child, interface, selectors, mode, esn, window, limits };
                self.0.install_inbound(InstallInbound { config, outer, suite })
            }
            Direction::Outbound => {
                let config =
                    OutboundConfig { spi, child, interface, selectors, mode, esn, limits, copy_dscp };
                self.0.install_outbound(InstallOutbound { config, outer, suite })
            }
        }
        .map_err(refused)
    }

    fn update(&self, sa: SaId, local: Endpoint, remote: Endpoint, udp: bool) -> PyResult<()> {
        self.0.update(values::sa_key(sa)?, values::outer(local, remote, udp)).map_err(refused)
    }

    fn remove(&self, sa: SaId) -> PyResult<()> {
        self.0.remove(values::sa_key(sa)?);
        Ok(())
    }

    fn install_policy(
        &self,
        child: &str,
        interface: &str,
        order: u32,
        local_selectors: Vec<Range>,
        remote_selectors: Vec<Range>,
    ) -> PyResult<()> {
        let selectors = values::selectors(&local_selectors, &remote_selectors);
        let policy = Policy { child: child.into(), interface: interface.into(), order, selectors };
        self.0.install_policy(policy).map_err(refused)
    }

    fn remove_policy(&self, child: &str) {
        self.0.remove_policy(child);
    }

    /// None: no such SA.
    fn counters(&self, sa: SaId) -> PyResult<Option<Readings>> {
        let counters = self.0.counters(values::sa_key(sa)?);
        Ok(counters.map(|c| (c.packets, c.octets, c.replayed, c.integrity_failed, c.dropped, c.sequence)))
    }

    fn notices<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.0.mailbox().take_notices().into_iter().map(|notice| values::notice(py, notice)).collect()
    }

    fn heard(&self) -> Vec<u32> {
        self.0.heard()
    }

    fn drops(&self) -> BTreeMap<&'static str, u64> {
        self.0.drops().map(|(trigger, count)| (trigger.code(), count)).collect()
    }

    #[getter]
    fn keep_alives(&self) -> u64 {
        self.0.keep_alives()
    }

    fn fileno(&self) -> i32 {
        self.0.mailbox().descriptor()
    }

    fn ike_datagrams<'py>(&self, py: Python<'py>) -> Vec<(Endpoint, Endpoint, Bound<'py, PyBytes>)> {
        let datagrams = self.0.mailbox().take_datagrams().into_iter();
        datagrams
            .map(|d| (values::endpoint(d.local), values::endpoint(d.remote), PyBytes::new(py, &d.octets)))
            .collect()
    }

    fn add_interface(&self, name: &str) -> PyResult<()> {
        self.0.add_interface(name).map_err(refused)
    }

    fn remove_interface(&self, py: Python<'_>, name: &str) {
        py.detach(|| self.0.remove_interface(name));
    }

    #[pyo3(signature = (address, device=None))]
    fn listen(&self, address: IpAddr, device: Option<&str>) -> PyResult<()> {
        self.0.listen(address, device).map_err(refused)
    }

    fn unlisten(&self, py: Python<'_>, address: IpAddr) {
        py.detach(|| self.0.unlisten(address));
    }

    fn send_ike(&self, local: Endpoint, remote: Endpoint, message: &[u8]) -> PyResult<()> {
        self.0.send_ike(local.into(), remote.into(), message).map_err(refused)
    }

    fn send_keep_alive(&self, local: Endpoint, remote: Endpoint) -> PyResult<()> {
        self.0.send_keep_alive(local.into(), remote.into()).map_err(refused)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}
