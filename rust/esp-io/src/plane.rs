//! The control calls: what the engine asks for, done before they return.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use esp_core::transform::{KeyMaterial, keyed};
use esp_core::{
    Counters, Direction, InboundConfig, InboundSa, OutboundConfig, OutboundSa, Outer, Policy, Protection,
    Refusal, SaKey, Trigger, ah, suite,
};
use zeroize::Zeroizing;

use crate::ingress::{FIRST_SPI, KEEP_ALIVE, NON_ESP_MARKER};
use crate::lane::{Lane, Lanes, Token};
use crate::local::Local;
use crate::mailbox::Mailbox;
use crate::outbox::send_two;
use crate::shared::{Devices, Locals, Shared};
use crate::tun::Tun;
use crate::watch::Share;
use crate::worker::Worker;

/// Algorithms by their names in the configuration, and their keys.
pub struct Suite<'a> {
    /// None: AH.
    pub encryption: Option<&'a str>,
    /// Key, then salt where the cipher has one.
    pub encryption_key: Zeroizing<Vec<u8>>,
    pub integrity: Option<&'a str>,
    pub integrity_key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Suite<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.encryption.unwrap_or("ah"), self.integrity.unwrap_or("none"))
    }
}

#[derive(Debug)]
pub struct InstallInbound<'a> {
    pub config: InboundConfig,
    pub outer: Outer,
    pub suite: Suite<'a>,
}

#[derive(Debug)]
pub struct InstallOutbound<'a> {
    pub config: OutboundConfig,
    pub outer: Outer,
    pub suite: Suite<'a>,
}

/// The packet path of one gateway. Dropping it stops the threads and removes interfaces, sockets and keys.
#[derive(Debug)]
pub struct Plane {
    shared: Arc<Shared>,
    port: u16,
    offload: bool,
    control: Mutex<Control>,
}

#[derive(Debug, Default)]
struct Control {
    threads: Vec<JoinHandle<()>>,
    next_token: u64,
    closed: bool,
}

impl Plane {
    /// Starts two threads for each lane. `port` is the NAT-T port. Without `offload` every packet goes alone, as on
    /// systems that know no better.
    pub fn new(port: u16, lanes: Lanes, offload: bool) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(lanes)?);
        let plane = Self { shared: shared.clone(), port, offload, control: Mutex::default() };
        for lane in lanes.iter() {
            for (way, share) in [("in", Share::In(lane)), ("out", Share::Out(lane))] {
                let shared = shared.clone();
                plane.spawn(&format!("esp-{way}-{}", lane.index()), move || match share {
                    Share::In(Lane::FIRST) => Worker::new(shared.clone(), share).lead(),
                    _ => Worker::new(shared.clone(), share).help(),
                })?;
            }
        }
        Ok(plane)
    }

    pub fn mailbox(&self) -> &Mailbox {
        &self.shared.mailbox
    }

    pub fn install_inbound(&self, install: InstallInbound<'_>) -> Result<(), Refusal> {
        let _one_at_a_time = self.open()?;
        check_spi(install.config.spi)?;
        let sa = InboundSa::new(install.config, expand(install.suite)?, install.outer);
        match self.shared.sad.find(sa.config.spi) {
            Some(held) if held.equals(&sa) => Ok(()),
            Some(held) => Err(taken(held.key())),
            None => {
                self.shared.sad.install(Arc::new(sa));
                // Packets of its own may wait for it.
                self.shared.watch.wake_inward();
                Ok(())
            }
        }
    }

    pub fn install_outbound(&self, install: InstallOutbound<'_>) -> Result<(), Refusal> {
        let _one_at_a_time = self.open()?;
        check_spi(install.config.spi)?;
        let sa = OutboundSa::new(install.config, expand(install.suite)?, install.outer);
        match self.shared.spd.find(&sa.key()) {
            // Begun anew with the same keys, it would repeat sequence numbers, and with them nonces.
            Some(held) if held.equals(&sa) => Ok(()),
            Some(held) => Err(taken(held.key())),
            None => {
                self.shared.spd.install(Arc::new(sa));
                Ok(())
            }
        }
    }

    /// Moves an SA to other outer endpoints. One that is not there is no error.
    pub fn update(&self, sa: SaKey, outer: Outer) -> Result<(), Refusal> {
        let _one_at_a_time = self.open()?;
        match sa.direction {
            Direction::Inbound => {
                if let Some(sa) = self.shared.sad.find(sa.spi) {
                    sa.relocate(outer);
                }
            }
            Direction::Outbound => {
                if let Some(held) = self.shared.spd.find(&sa) {
                    let there = self.shared.spd.find(&SaKey { remote: outer.remote.ip(), ..sa });
                    if let Some(other) = there.filter(|other| !Arc::ptr_eq(other, &held)) {
                        return Err(taken(other.key()));
                    }
                    held.relocate(outer);
                }
            }
        }
        Ok(())
    }

    pub fn remove(&self, sa: SaKey) {
        match sa.direction {
            Direction::Inbound => {
                self.shared.sad.remove(sa.spi);
            }
            Direction::Outbound => {
                if let Some(sa) = self.shared.spd.find(&sa) {
                    self.shared.spd.remove(&sa);
                }
            }
        }
    }

    pub fn install_policy(&self, policy: Policy) -> Result<(), Refusal> {
        let _one_at_a_time = self.open()?;
        self.shared.spd.install_policy(policy);
        Ok(())
    }

    pub fn remove_policy(&self, child: &str) {
        self.shared.spd.remove_policy(child);
    }

    pub fn counters(&self, sa: SaKey) -> Option<Counters> {
        match sa.direction {
            Direction::Inbound => self.shared.sad.find(sa.spi).map(|sa| sa.counters()),
            Direction::Outbound => self.shared.spd.find(&sa).map(|sa| sa.counters()),
        }
    }

    /// SPIs of the inbound SAs that authenticated a packet since the last call.
    pub fn heard(&self) -> Vec<u32> {
        self.shared.sad.load().values().filter(|sa| sa.take_heard()).map(|sa| sa.config.spi).collect()
    }

    /// Packets dropped so far.
    pub fn drops(&self) -> impl Iterator<Item = (Trigger, u64)> + '_ {
        self.shared.drops.iter()
    }

    /// NAT keep-alives received so far.
    pub fn keep_alives(&self) -> u64 {
        self.shared.keep_alives.load(Relaxed)
    }

    /// Makes a tunnel interface. One that we made already is no error.
    pub fn add_interface(&self, name: &str) -> Result<(), Refusal> {
        let mut control = self.open()?;
        let mut devices = Devices::clone(&self.shared.devices.load());
        if devices.by_name.contains_key(name) {
            return Ok(());
        }
        let token = control.token();
        let interface = self.shared.spd.interface(name);
        let opened = Tun::open(name, token, interface, self.offload);
        let device = Arc::new(opened.map_err(|error| Refusal(no_interface(name, &error)))?);
        devices.by_name.insert(device.name.clone(), device.clone());
        devices.by_token.insert(token, device.clone());
        self.shared.devices.store(Arc::new(devices));
        let share = Share::Out(self.shared.lanes.of_device(token));
        let named = Token::Device(token).number();
        self.shared.watch.add(share, device.as_raw_fd(), named).map_err(|error| {
            self.forget_interface(name);
            Refusal(no_interface(name, &error))
        })
    }

    /// Removes a tunnel interface that we made; it is gone when this returns.
    pub fn remove_interface(&self, name: &str) {
        let _one_at_a_time = self.control();
        self.forget_interface(name);
    }

    /// Opens the NAT-T port, ESP and AH on a local address; `device`: only through this interface of the host.
    pub fn listen(&self, address: IpAddr, device: Option<&str>) -> Result<(), Refusal> {
        let mut control = self.open()?;
        let mut locals = Locals::clone(&self.shared.locals.load());
        if locals.by_address.contains_key(&address) {
            return Ok(());
        }
        let refused = |error: io::Error| Refusal(error.to_string());
        let local = Arc::new(
            Local::open(address, self.port, self.shared.lanes, self.offload, device).map_err(refused)?,
        );
        let token = control.token();
        locals.by_address.insert(address, local.clone());
        locals.by_token.insert(token, local.clone());
        self.shared.locals.store(Arc::new(locals));
        for (place, (fd, _, lane)) in (0..).zip(local.sockets()) {
            let named = Token::Socket { local: token, place }.number();
            self.shared.watch.add(Share::In(lane), fd, named).map_err(|error| {
                self.forget_local(address);
                refused(error)
            })?;
        }
        Ok(())
    }

    /// Closes the sockets of a local address.
    pub fn unlisten(&self, address: IpAddr) {
        let _one_at_a_time = self.control();
        self.forget_local(address);
    }

    /// Sends an IKE message from the NAT-T port, behind the non-ESP marker.
    pub fn send_ike(&self, local: SocketAddr, remote: SocketAddr, message: &[u8]) -> Result<(), Refusal> {
        self.send(local, remote, [&NON_ESP_MARKER, message])
    }

    /// RFC 3948, 4: keeps a NAT's mapping.
    pub fn send_keep_alive(&self, local: SocketAddr, remote: SocketAddr) -> Result<(), Refusal> {
        self.send(local, remote, [&KEEP_ALIVE, &[]])
    }

    /// Stops the threads and removes everything; the keys are wiped. A second call does nothing.
    pub fn close(&self) {
        let mut control = self.control();
        control.closed = true;
        self.shared.stopping.store(true, SeqCst);
        self.shared.watch.wake_all();
        self.shared.crew.wake();
        for thread in control.threads.drain(..) {
            let _ = thread.join(); // its panics were caught
        }
        self.shared.sad.clear();
        self.shared.spd.clear();
        self.shared.devices.store(Arc::default());
        self.shared.locals.store(Arc::default());
    }

    fn send(&self, local: SocketAddr, remote: SocketAddr, pieces: [&[u8]; 2]) -> Result<(), Refusal> {
        let held = self.shared.locals.load().by_address.get(&local.ip()).cloned();
        let held = held.filter(|held| held.address.port() == local.port());
        let held = held.ok_or_else(|| Refusal(format!("not listening on {local}")))?;
        send_two(held.ike(), remote, pieces)
            .map_err(|error| Refusal(format!("cannot send to {remote}: {error}")))
    }

    fn forget_interface(&self, name: &str) {
        let mut devices = Devices::clone(&self.shared.devices.load());
        let Some(device) = devices.by_name.remove(name) else { return };
        devices.by_token.remove(&device.token);
        let share = Share::Out(self.shared.lanes.of_device(device.token));
        self.shared.watch.remove(share, device.as_raw_fd());
        self.shared.devices.store(Arc::new(devices));
        wait_until_sole(&device);
    }

    fn forget_local(&self, address: IpAddr) {
        let mut locals = Locals::clone(&self.shared.locals.load());
        let Some(local) = locals.by_address.remove(&address) else { return };
        locals.by_token.retain(|_, other| !Arc::ptr_eq(other, &local));
        for (fd, _, lane) in local.sockets() {
            self.shared.watch.remove(Share::In(lane), fd);
        }
        self.shared.locals.store(Arc::new(locals));
        wait_until_sole(&local);
    }

    fn spawn(&self, name: &str, work: impl Fn() + Send + 'static) -> io::Result<()> {
        let shared = self.shared.clone();
        let body = move || {
            // An error of ours costs the batch in which it happened, not the gateway.
            while !shared.stopping.load(SeqCst) {
                if catch_unwind(AssertUnwindSafe(&work)).is_err() {
                    shared.drops.add(Trigger::Fault, 1);
                }
            }
        };
        let thread = thread::Builder::new().name(name.into()).spawn(body)?;
        self.control().threads.push(thread);
        Ok(())
    }

    fn open(&self) -> Result<MutexGuard<'_, Control>, Refusal> {
        let control = self.control();
        if control.closed { Err(Refusal("the data plane is closed".into())) } else { Ok(control) }
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.close();
    }
}

impl Control {
    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }
}

fn expand(suite: Suite<'_>) -> Result<Protection, Refusal> {
    let unknown = |name: &str| Refusal(format!("this data plane does not have {name}"));
    let integrity =
        suite.integrity.map(|name| suite::Integrity::named(name).ok_or_else(|| unknown(name))).transpose()?;
    let Some(encryption) = suite.encryption else {
        let integrity = integrity.ok_or_else(|| Refusal("AH needs an integrity algorithm".into()))?;
        return Ok(ah::keyed(integrity, &suite.integrity_key)?.into());
    };
    let encryption = suite::Encryption::named(encryption).ok_or_else(|| unknown(encryption))?;
    let iv_seed = fresh().map_err(|error| Refusal(format!("no entropy: {error}")))?;
    let keys = KeyMaterial { encryption: suite.encryption_key, integrity: suite.integrity_key, iv_seed };
    Ok(keyed(encryption, integrity, &keys)?.into())
}

fn fresh() -> io::Result<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    // SAFETY: the kernel writes at most the length that it is told, into memory that outlives the call.
    let got = unsafe { libc::getrandom(seed.as_mut_ptr().cast(), seed.len(), 0) };
    if got == seed.len() as isize { Ok(seed) } else { Err(io::Error::last_os_error()) }
}

fn check_spi(spi: u32) -> Result<(), Refusal> {
    if spi < FIRST_SPI { Err(Refusal(format!("SPI 0x{spi:x} is reserved (RFC 4303, 2.1)"))) } else { Ok(()) }
}

fn taken(sa: SaKey) -> Refusal {
    let direction = match sa.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    };
    Refusal(format!("another {direction} SA has SPI 0x{:08x}", sa.spi))
}

fn no_interface(name: &str, error: &io::Error) -> String {
    let why = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "no permission: it needs CAP_NET_ADMIN".into(),
        Some(libc::EBUSY | libc::EINVAL | libc::EEXIST) => {
            "an interface of this name is there already".into()
        }
        Some(libc::ENOENT | libc::ENODEV) => "the system has no /dev/net/tun".into(),
        _ => error.to_string(),
    };
    format!("cannot make tunnel interface {name}: {why}")
}

/// Waits for a worker that still holds it in the batch that it is at: microseconds, or milliseconds if it is blocked.
fn wait_until_sole<T>(held: &Arc<T>) {
    const PATIENCE: u32 = 1000;
    for _ in 0..PATIENCE {
        if Arc::strong_count(held) == 1 {
            return;
        }
        thread::sleep(Duration::from_micros(200));
    }
}
