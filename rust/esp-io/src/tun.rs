//! A tunnel interface: packets that the system routes into it are read here, and what is written here arrives there.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::mem::zeroed;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use esp_core::Interface;
use esp_core::offload::{Joined, VnetHeader};

/// linux/if_tun.h; the libc crate has it not: refuse a name that is taken.
const IFF_TUN_EXCL: libc::c_int = 0x8000;

/// linux/if_tun.h, TUN_F_*: checksums may stay open; segments of TCP and of UDP may be large.
const CHECKSUM: libc::c_uint = 0x01;
const TCP: libc::c_uint = 0x02 | 0x04;
const UDP: libc::c_uint = 0x20 | 0x40;

/// Packets that the system keeps for us. Its own 500 are two or three milliseconds of small ones: less than others may
/// have the processor for.
const QUEUE: libc::c_int = 2048;

/// Pieces in one write, the header first.
const MOST_PIECES: usize = 65;

#[derive(Debug)]
pub(crate) struct Tun {
    pub(crate) name: Arc<str>,
    pub(crate) token: u64,
    /// Its policies and SAs.
    pub(crate) interface: Arc<Interface>,
    device: File,
    /// Whether the system takes joined packets.
    pub(crate) joins: bool,
}

impl Tun {
    /// Makes the interface, down and without address. It goes with the descriptor. Needs CAP_NET_ADMIN.
    pub(crate) fn open(name: &str, token: u64, interface: Arc<Interface>, offload: bool) -> io::Result<Self> {
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
        request.ifr_ifru.ifru_flags =
            (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR | IFF_TUN_EXCL) as libc::c_short;
        // SAFETY: TUNSETIFF reads and writes one ifreq, which outlives the call.
        if unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw mut request) } < 0 {
            return Err(io::Error::last_os_error());
        }
        lengthen_queue(&mut request);
        // Before Linux 6.2 there was no UDP here. Joining is for systems that know both.
        let joins = offload && offer(&device, CHECKSUM | TCP | UDP);
        if !joins {
            offer(&device, 0);
        }
        Ok(Self { name: name.into(), token, interface, device, joins })
    }

    /// What was routed here: one packet, or one that stands for many; WouldBlock: none waits. It lies in `buffer` behind
    /// `VnetHeader::LENGTH` octets.
    pub(crate) fn read<'a>(&self, buffer: &'a mut [u8]) -> io::Result<(VnetHeader, &'a mut [u8])> {
        let length = (&self.device).read(buffer)?;
        let (header, packet) =
            buffer[..length].split_first_chunk_mut().ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok((VnetHeader::of(header), packet))
    }

    /// Hands packets to the system, as if they had arrived at the interface.
    pub(crate) fn write(&self, packets: &Joined<'_>) -> io::Result<()> {
        let header = packets.header.octets();
        let mut pieces = [IoSlice::new(&[]); MOST_PIECES];
        pieces[0] = IoSlice::new(&header);
        for (piece, place) in pieces[1..].iter_mut().zip(packets.pieces) {
            *piece = IoSlice::new(&packets.buffer[place.clone()]);
        }
        let count = MOST_PIECES.min(1 + packets.pieces.len());
        (&self.device).write_vectored(&pieces[..count]).map(|_| ())
    }
}

/// Of the interface that is named. Where it does not work, the queue is as it was.
fn lengthen_queue(request: &mut libc::ifreq) {
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)) else { return };
    request.ifr_ifru.ifru_metric = QUEUE;
    // SAFETY: SIOCSIFTXQLEN reads one ifreq, which outlives the call.
    unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFTXQLEN, &raw mut *request) };
}

fn offer(device: &File, features: libc::c_uint) -> bool {
    // SAFETY: TUNSETOFFLOAD takes its argument by value.
    unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETOFFLOAD, libc::c_ulong::from(features)) == 0 }
}

impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }
}
