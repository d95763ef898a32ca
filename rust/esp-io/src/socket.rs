//! Opening sockets, and the options that make them what the packet path needs.

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::lane::Lanes;
use crate::sockaddr::Raw;

/// Room for bursts: at 10 Gbit/s about three milliseconds of packets.
const BUFFER: libc::c_int = 4 << 20;

/// One UDP port, shared by a socket for IKE and one for the ESP of each lane.
pub(crate) struct UdpPort {
    pub(crate) esp: Vec<OwnedFd>,
    pub(crate) ike: OwnedFd,
    /// Whether the system cuts trains that are sent by `esp`.
    pub(crate) trains: bool,
}

/// Opens the NAT-T port several times and lets the kernel sort: a datagram with the non-ESP marker goes to the last
/// socket, so that no flood of ESP pushes IKE out of its buffer.
pub(crate) fn udp_port(
    address: SocketAddr,
    lanes: Lanes,
    offload: bool,
    device: Option<&str>,
) -> io::Result<UdpPort> {
    // Sharing a port is open to every process of ours, so a second gateway would steal half of the packets unnoticed.
    // Binding without sharing first makes it an error.
    drop(bound(libc::SOCK_DGRAM, libc::IPPROTO_UDP, address, device, &[])?);
    let share = [(libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)];
    let shared = || bound(libc::SOCK_DGRAM, libc::IPPROTO_UDP, address, device, &share);
    let esp = lanes.iter().map(|_| shared()).collect::<io::Result<Vec<_>>>()?;
    let ike = shared()?;
    sort(ike.as_raw_fd(), address, lanes)?;
    let joins_and_cuts = |fd| {
        set(fd, libc::SOL_UDP, libc::UDP_GRO, 1).is_ok()
            && set(fd, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok()
    };
    let trains = offload && esp.iter().map(AsRawFd::as_raw_fd).all(joins_and_cuts);
    if address.is_ipv4() && !trains {
        // RFC 3948, 2.1: the UDP checksum of encapsulated ESP should be zero: the ICV is the better one. But the
        // system cuts only trains that have one.
        for esp in &esp {
            set(esp.as_raw_fd(), libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)?;
        }
    }
    Ok(UdpPort { esp, ike, trains })
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

/// The program sees a datagram from its payload on, and the IP header by its own offset. It answers with the socket's place
/// in the order of binding: lanes by source address, IKE behind them (RFC 3948, 2.2: four zero octets). A datagram that
/// is shorter ends it early, which means 0.
fn sort(fd: RawFd, address: SocketAddr, lanes: Lanes) -> io::Result<()> {
    const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const MODULO: u16 = (libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K) as u16;
    const XOR: u16 = (libc::BPF_ALU | libc::BPF_XOR | libc::BPF_X) as u16;
    const KEEP: u16 = (libc::BPF_MISC | libc::BPF_TAX) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const RETURN_IT: u16 = (libc::BPF_RET | libc::BPF_A) as u16;
    let step = |code, k| libc::sock_filter { code, jt: 0, jf: 0, k };
    let count = lanes.count() as u32;
    let mut program =
        vec![step(LOAD_WORD, 0), libc::sock_filter { jf: 1, ..step(JUMP_IF_EQUAL, 0) }, step(RETURN, count)];
    // Where the source begins and ends in the header.
    let source = if address.is_ipv4() { 12..16 } else { 8..24 };
    for at in source.clone().step_by(4) {
        program.push(step(LOAD_WORD, libc::SKF_NET_OFF as u32 + at));
        if at > source.start {
            program.push(step(XOR, 0));
        }
        program.push(step(KEEP, 0));
    }
    program.extend([step(MODULO, count), step(RETURN_IT, 0)]);
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
