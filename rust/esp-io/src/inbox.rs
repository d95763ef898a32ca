//! Datagrams received a batch at a time, and trains of them where the system has kept them together (UDP GRO).

use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::RawFd;

use crate::sockaddr::{Control, Raw};

/// Trains in a batch: enough to spread the cost of a call, few enough that those of full length stay in the cache.
const BATCH: usize = 32;

/// No datagram is longer, and no train.
pub(crate) const LONGEST: usize = 65535;

/// Trains that are made room for when the last call brought few: what is not needed is not touched either, and a packet
/// alone is there sooner.
const FEW: usize = 2;

/// A received datagram: where it lies in the inbox.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) place: Range<usize>,
    /// None: of a family that we do not speak.
    pub(crate) remote: Option<SocketAddr>,
    /// TOS or traffic class.
    pub(crate) tos: u8,
    /// The hop limit, of IPv6.
    pub(crate) hops: u8,
}

/// Buffers for one batch of received datagrams.
pub(crate) struct Inbox {
    octets: Vec<u8>,
    addresses: [Raw; BATCH],
    controls: [Control; BATCH],
    trains: [Train; BATCH],
    count: usize,
    /// For so many the next call makes room.
    room: usize,
}

/// Datagrams of one sender and one length, the last perhaps shorter; or a single one.
#[derive(Clone, Copy)]
struct Train {
    length: usize,
    segment: usize,
    remote: Option<SocketAddr>,
    tos: u8,
    hops: u8,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            octets: vec![0; BATCH * LONGEST],
            addresses: [Raw::empty(); BATCH],
            controls: [Control::EMPTY; BATCH],
            trains: [Train::EMPTY; BATCH],
            count: 0,
            room: FEW,
        }
    }

    /// Takes what waits, up to a batch.
    pub(crate) fn receive(&mut self, fd: RawFd) -> io::Result<()> {
        self.count = 0;
        let mut vectors = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH];
        let mut headers = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH];
        for (at, buffer) in self.octets.chunks_exact_mut(LONGEST).take(self.room).enumerate() {
            let iov_base = buffer.as_mut_ptr().cast();
            let vector = vectors[at].write(libc::iovec { iov_base, iov_len: LONGEST });
            // SAFETY: all zero is a valid mmsghdr: no name, no vectors, no control.
            let header = &mut headers[at].write(unsafe { zeroed() }).msg_hdr;
            header.msg_name = (&raw mut self.addresses[at]).cast();
            header.msg_namelen = Raw::SIZE;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = (&raw mut self.controls[at]).cast();
            header.msg_controllen = size_of::<Control>();
        }
        // SAFETY: the first `room` headers were written, and each points to a name, a vector, a buffer and a control area
        // of the lengths it tells, all of which outlive the call and none of which two headers share.
        let count = unsafe {
            libc::recvmmsg(
                fd,
                headers.as_mut_ptr().cast(),
                self.room as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        self.count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (at, header) in headers[..self.count].iter().enumerate() {
            // SAFETY: it was written, as all up to `room` were.
            let header = unsafe { header.assume_init_ref() };
            let length = (header.msg_len as usize).min(LONGEST);
            self.trains[at] = Train::of(length, &self.addresses[at], &header.msg_hdr);
        }
        self.room = (self.count * 4).clamp(FEW, BATCH);
        Ok(())
    }

    /// The datagrams of the batch, in the order of their arrival, and where they lie.
    pub(crate) fn datagrams(&mut self) -> (&mut [u8], impl Iterator<Item = Received>) {
        let trains = self.trains[..self.count].iter().enumerate();
        let datagrams = trains.flat_map(|(at, train)| {
            let start = at * LONGEST;
            let datagrams = train.length.div_ceil(train.segment).max(1);
            (0..datagrams).map(move |number| Received {
                place: start + number * train.segment..start + train.length.min((number + 1) * train.segment),
                remote: train.remote,
                tos: train.tos,
                hops: train.hops,
            })
        });
        (&mut self.octets, datagrams)
    }
}

impl Train {
    const EMPTY: Self = Self { length: 0, segment: LONGEST, remote: None, tos: 0, hops: 0 };

    fn of(length: usize, remote: &Raw, header: &libc::msghdr) -> Self {
        let mut train = Self { length, remote: remote.address(), ..Self::EMPTY };
        // SAFETY: the kernel has filled `msg_control` with `msg_controllen` octets of control messages, which the CMSG
        // functions walk within their bounds. IP_TOS comes as one octet, the others as an int.
        unsafe {
            let mut message = libc::CMSG_FIRSTHDR(header);
            while let Some(control) = message.as_ref() {
                let data = libc::CMSG_DATA(control);
                match (control.cmsg_level, control.cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_TOS) => train.tos = data.read(),
                    (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                        train.tos = data.cast::<libc::c_int>().read_unaligned() as u8;
                    }
                    (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                        train.hops = data.cast::<libc::c_int>().read_unaligned() as u8;
                    }
                    (libc::SOL_UDP, libc::UDP_GRO) => {
                        let segment = data.cast::<libc::c_int>().read_unaligned();
                        train.segment = usize::try_from(segment).unwrap_or(0).max(1);
                    }
                    _ => {}
                }
                message = libc::CMSG_NXTHDR(header, message);
            }
        }
        train
    }
}
