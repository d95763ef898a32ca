//! Socket addresses and control messages as the kernel writes them, and back.

use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Room for an address of either family.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) union Raw {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.address())
    }
}

impl Raw {
    pub(crate) const SIZE: libc::socklen_t = size_of::<Raw>() as libc::socklen_t;

    pub(crate) fn empty() -> Self {
        // SAFETY: all zero is a valid value of both address structures (family AF_UNSPEC).
        unsafe { zeroed() }
    }

    pub(crate) fn of(address: SocketAddr) -> (Self, libc::socklen_t) {
        match address {
            SocketAddr::V4(address) => {
                let v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                    sin_zero: [0; 8],
                };
                (Self { v4 }, size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            SocketAddr::V6(address) => {
                let v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: 0,
                    sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                    sin6_scope_id: address.scope_id(),
                };
                (Self { v6 }, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
            }
        }
    }

    /// None: neither IPv4 nor IPv6.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        // SAFETY: the union is zeroed at first and written whole by `of` or by the kernel; the family, at the same
        // place in every variant, tells which variant it is, and any octets are a valid address.
        unsafe {
            match i32::from(self.family) {
                libc::AF_INET => {
                    let ip = Ipv4Addr::from(self.v4.sin_addr.s_addr.to_ne_bytes());
                    Some(SocketAddrV4::new(ip, u16::from_be(self.v4.sin_port)).into())
                }
                libc::AF_INET6 => {
                    let ip = Ipv6Addr::from(self.v6.sin6_addr.s6_addr);
                    let port = u16::from_be(self.v6.sin6_port);
                    Some(SocketAddrV6::new(ip, port, 0, self.v6.sin6_scope_id).into())
                }
                _ => None,
            }
        }
    }
}

/// Room for a few control messages, aligned as the kernel wants them.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Control([u8; 64]);

impl Control {
    pub(crate) const EMPTY: Self = Self([0; 64]);

    /// Writes one message at `at`, which is 0 or the end of those before. Returns the octets it takes; 0: no room.
    pub(crate) fn write(&mut self, at: usize, level: libc::c_int, kind: libc::c_int, data: &[u8]) -> usize {
        // SAFETY: neither reads memory; they add up lengths.
        let (header, whole, space) = unsafe {
            let size = data.len() as libc::c_uint;
            (libc::CMSG_LEN(0) as usize, libc::CMSG_LEN(size) as usize, libc::CMSG_SPACE(size) as usize)
        };
        let Some(place) = self.0.get_mut(at..at + space) else { return 0 };
        let word = size_of::<usize>();
        let int = size_of::<libc::c_int>();
        // struct cmsghdr: the length, then level and type.
        place[..word].copy_from_slice(&whole.to_ne_bytes());
        place[word..word + int].copy_from_slice(&level.to_ne_bytes());
        place[word + int..word + 2 * int].copy_from_slice(&kind.to_ne_bytes());
        place[header..whole].copy_from_slice(data);
        space
    }
}
