//! A tunnel interface: packets that the system routes into it are read here, and what is written here arrives there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem::zeroed;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use esp_core::Interface;

/// linux/if_tun.h; the libc crate has it not: refuse a name that is taken.
const IFF_TUN_EXCL: libc::c_int = 0x8000;

#[derive(Debug)]
pub(crate) struct Tun {
    pub(crate) name: Arc<str>,
    pub(crate) token: u64,
    /// Its policies and SAs.
    pub(crate) interface: Arc<Interface>,
    device: File,
}

impl Tun {
    /// Makes the interface, down and without address. It goes with the descriptor. Needs CAP_NET_ADMIN.
    pub(crate) fn open(name: &str, token: u64, interface: Arc<Interface>) -> io::Result<Self> {
        let device =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
        // SAFETY: all zero is a valid ifreq.
        let mut request: libc::ifreq = unsafe { zeroed() };
        // The kernel reads `%d` as a place for a number, and the name ends with a zero octet.
        if name.is_empty() || name.len() >= request.ifr_name.len() || name.contains(['%', '/', '\0']) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no name for an interface"));
        }
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI | IFF_TUN_EXCL) as libc::c_short;
        // SAFETY: TUNSETIFF reads and writes one ifreq, which outlives the call.
        if unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw mut request) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { name: name.into(), token, interface, device })
    }

    /// One packet that was routed here; WouldBlock: none waits.
    pub(crate) fn read(&self, packet: &mut [u8]) -> io::Result<usize> {
        (&self.device).read(packet)
    }

    /// Hands one packet to the system, as if it had arrived at the interface.
    pub(crate) fn write(&self, packet: &[u8]) -> io::Result<()> {
        (&self.device).write(packet).map(|_| ())
    }
}

impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }
}
