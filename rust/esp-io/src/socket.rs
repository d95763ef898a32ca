//! Opening sockets, and the options that make them what the packet path needs.

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::sockaddr::Raw;

/// Room for bursts: at 10 Gbit/s about three milliseconds of packets.
const BUFFER: libc::c_int = 4 << 20;

/// One UDP port, shared by a socket for ESP and one for IKE.
pub(crate) struct UdpPair {
    pub(crate) esp: OwnedFd,
    pub(crate) ike: OwnedFd,
    /// Whether the system cuts trains that are sent by `esp`.
    pub(crate) trains: bool,
}

/// Opens the NAT-T port twice and lets the kernel sort: a datagram with the non-ESP marker goes to the second socket,
/// so that no flood of ESP pushes IKE out of its buffer.
pub(crate) fn udp_pair(address: SocketAddr, offload: bool, device: Option<&str>) -> io::Result<UdpPair> {
    // Sharing a port is open to every process of ours, so a second gateway would steal half of the packets unnoticed.
    // Binding without sharing first makes it an error.
    drop(bound(libc::SOCK_DGRAM, libc::IPPROTO_UDP, address, device, &[])?);
    let share = [(libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)];
    let esp = bound(libc::SOCK_DGRAM, libc::IPPROTO_UDP, address, device, &share)?;
    let ike = bound(libc::SOCK_DGRAM, libc::IPPROTO_UDP, address, device, &share)?;
    sort_by_marker(esp.as_raw_fd())?;
    let trains = offload
        && set(esp.as_raw_fd(), libc::SOL_UDP, libc::UDP_GRO, 1).is_ok()
        && set(esp.as_raw_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok();
    if address.is_ipv4() && !trains {
        // RFC 3948, 2.1: the UDP checksum of encapsulated ESP should be zero: the ICV is the better one. But the
        // system cuts only trains that have one.
        set(esp.as_raw_fd(), libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)?;
    }
    Ok(UdpPair { esp, ike, trains })
}

/// A raw socket for one protocol; IPPROTO_RAW: one that only sends, and leaves IP headers to us. Needs CAP_NET_RAW.
pub(crate) fn raw(address: SocketAddr, protocol: libc::c_int, device: Option<&str>) -> io::Result<OwnedFd> {
    bound(libc::SOCK_RAW, protocol, address, device, &[])
}

fn bound(
    kind: libc::c_int,
    protocol: libc::c_int,
    address: SocketAddr,
    device: Option<&str>,
    options: &[(libc::c_int, libc::c_int, libc::c_int)],
) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: socket takes no pointers; a descriptor that it returns is ours alone.
    let socket = unsafe {
        let fd = libc::socket(family, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, protocol);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    let fd = socket.as_raw_fd();
    for (level, option, value) in options {
        set(fd, *level, *option, *value)?;
    }
    if let Some(device) = device {
        bind_to(fd, device)?;
    }
    shape(fd, address)?;
    let (raw, length) = Raw::of(address);
    // SAFETY: `raw` holds an address of `length` octets and outlives the call.
    if unsafe { libc::bind(fd, (&raw const raw).cast(), length) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

/// From now on no route through another interface counts, a tunnel interface's least of all.
fn bind_to(fd: RawFd, device: &str) -> io::Result<()> {
    let mut name = [0u8; libc::IFNAMSIZ];
    if device.len() >= name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    name[..device.len()].copy_from_slice(device.as_bytes());
    set(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name)
}

fn shape(fd: RawFd, address: SocketAddr) -> io::Result<()> {
    // Beyond the system's limit where we may, up to it where not.
    for (forced, plain) in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)]
    {
        if set(fd, libc::SOL_SOCKET, forced, BUFFER).is_err() {
            set(fd, libc::SOL_SOCKET, plain, BUFFER)?;
        }
    }
    if address.is_ipv4() {
        // RFC 6040 needs the outer ECN field of what arrives.
        set(fd, libc::IPPROTO_IP, libc::IP_RECVTOS, 1)?;
        // DF stays clear, and a forged "fragmentation needed" changes nothing (RFC 4301, 8.2.1).
        set(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)
    } else {
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1)?;
        // Where the header is not shown, transport mode rebuilds it.
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
        // Routers do not fragment IPv6, so the system's path MTU is followed, and fragments are made here.
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)
    }
}

/// The program sees a datagram from its payload on, and answers with the socket's place in the order of binding:
/// 0 for ESP, 1 for IKE (RFC 3948, 2.2: four zero octets). One shorter than that ends it early, which means 0.
fn sort_by_marker(fd: RawFd) -> io::Result<()> {
    const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let mut program = [
        libc::sock_filter { code: LOAD_WORD, jt: 0, jf: 0, k: 0 },
        libc::sock_filter { code: JUMP_IF_EQUAL, jt: 0, jf: 1, k: 0 },
        libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: 1 },
        libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: 0 },
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    set(fd, libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF, program)
}

fn set<T>(fd: RawFd, level: libc::c_int, option: libc::c_int, value: T) -> io::Result<()> {
    // SAFETY: the kernel reads at most the size that it is told, from a value that outlives the call.
    let result = unsafe {
        libc::setsockopt(fd, level, option, (&raw const value).cast(), size_of::<T>() as libc::socklen_t)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
