//! Batches of datagrams, each in one system call: received into fixed buffers, sent out of one contiguous buffer.

use std::io;
use std::mem::zeroed;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use crate::sockaddr::Raw;

/// Datagrams in a batch: enough to spread the cost of a call, few enough to stay in the cache.
pub(crate) const BATCH: usize = 64;

/// No datagram is longer.
pub(crate) const LONGEST: usize = 65535;

/// Room for one control message with an int in it, aligned as the kernel wants it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; 32]);

/// A received datagram.
pub(crate) struct Received<'a> {
    pub(crate) octets: &'a mut [u8],
    /// None: of a family that we do not speak.
    pub(crate) remote: Option<SocketAddr>,
    /// TOS or traffic class.
    pub(crate) tos: u8,
}

/// Buffers for one batch of received datagrams.
pub(crate) struct Inbox {
    octets: Vec<u8>,
    addresses: [Raw; BATCH],
    controls: [Control; BATCH],
    lengths: [usize; BATCH],
    tos: [u8; BATCH],
    count: usize,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            octets: vec![0; BATCH * LONGEST],
            addresses: [Raw::empty(); BATCH],
            controls: [Control([0; 32]); BATCH],
            lengths: [0; BATCH],
            tos: [0; BATCH],
            count: 0,
        }
    }

    /// Takes what waits, up to a batch. Returns how many.
    pub(crate) fn receive(&mut self, fd: RawFd) -> io::Result<usize> {
        self.count = 0;
        let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
        // SAFETY: all zero is a valid mmsghdr: no name, no vectors, no control.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
        for (at, buffer) in self.octets.chunks_exact_mut(LONGEST).enumerate() {
            vectors[at] = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: LONGEST };
            let header = &mut headers[at].msg_hdr;
            header.msg_name = (&raw mut self.addresses[at]).cast();
            header.msg_namelen = Raw::SIZE;
            header.msg_iov = &raw mut vectors[at];
            header.msg_iovlen = 1;
            header.msg_control = (&raw mut self.controls[at]).cast();
            header.msg_controllen = size_of::<Control>();
        }
        // SAFETY: every header points to a name, a vector, a buffer and a control area of the lengths it tells, all of
        // which outlive the call and none of which two headers share.
        let count = unsafe {
            libc::recvmmsg(
                fd,
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        self.count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (at, header) in headers[..self.count].iter().enumerate() {
            self.lengths[at] = (header.msg_len as usize).min(LONGEST);
            self.tos[at] = tos(&header.msg_hdr);
        }
        Ok(self.count)
    }

    pub(crate) fn datagrams(&mut self) -> impl Iterator<Item = Received<'_>> {
        let buffers = self.octets.chunks_exact_mut(LONGEST).take(self.count);
        buffers.zip(0..).map(|(buffer, at): (_, usize)| Received {
            octets: &mut buffer[..self.lengths[at]],
            remote: self.addresses[at].address(),
            tos: self.tos[at],
        })
    }
}

/// The TOS or traffic class among the control messages; 0 if there is none.
fn tos(header: &libc::msghdr) -> u8 {
    // SAFETY: the kernel has filled `msg_control` with `msg_controllen` octets of control messages, which the CMSG
    // functions walk within their bounds. IP_TOS comes as one octet, IPV6_TCLASS as an int.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = message.as_ref() {
            let data = libc::CMSG_DATA(control);
            match (control.cmsg_level, control.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_TOS) => return data.read(),
                (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                    return data.cast::<libc::c_int>().read_unaligned() as u8;
                }
                _ => message = libc::CMSG_NXTHDR(header, message),
            }
        }
    }
    0
}

#[derive(Clone, Copy)]
struct Letter {
    fd: RawFd,
    start: usize,
    length: usize,
    remote: SocketAddr,
    tos: u8,
}

/// Datagrams on their way out, one after the other in a single buffer.
pub(crate) struct Outbox {
    octets: Vec<u8>,
    used: usize,
    letters: Vec<Letter>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { octets: vec![0; 16 * LONGEST], used: 0, letters: Vec::with_capacity(BATCH) }
    }

    /// Whether a datagram of any length still fits.
    pub(crate) fn has_room(&self) -> bool {
        self.letters.len() < BATCH && self.octets.len() - self.used >= LONGEST
    }

    /// Where the next datagram is to be written.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.octets[self.used..]
    }

    /// Takes the first `length` octets of the space for a datagram. `fd` must stay open until `flush`.
    pub(crate) fn post(&mut self, length: usize, fd: RawFd, remote: SocketAddr, tos: u8) {
        self.letters.push(Letter { fd, start: self.used, length, remote, tos });
        self.used += length;
    }

    /// Sends everything. Returns how many the system refused.
    pub(crate) fn flush(&mut self) -> u64 {
        let mut refused = 0;
        for run in self.letters.chunk_by(|a, b| a.fd == b.fd) {
            let mut rest = run;
            while !rest.is_empty() {
                match send(&mut self.octets, rest) {
                    Ok(sent) => rest = &rest[sent.clamp(1, rest.len())..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock && writable(rest[0].fd) => {}
                    Err(_) => {
                        // The first is what it failed on; the others may have better luck.
                        refused += 1;
                        rest = &rest[1..];
                    }
                }
            }
        }
        self.letters.clear();
        self.used = 0;
        refused
    }
}

fn send(octets: &mut [u8], run: &[Letter]) -> io::Result<usize> {
    let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
    let mut addresses = [Raw::empty(); BATCH];
    let mut controls = [Control([0; 32]); BATCH];
    // SAFETY: all zero is a valid mmsghdr: no name, no vectors, no control.
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
    let count = run.len().min(BATCH);
    for (at, letter) in run[..count].iter().enumerate() {
        let datagram = &mut octets[letter.start..letter.start + letter.length];
        vectors[at] = libc::iovec { iov_base: datagram.as_mut_ptr().cast(), iov_len: datagram.len() };
        let (address, length) = Raw::of(letter.remote);
        addresses[at] = address;
        let header = &mut headers[at].msg_hdr;
        header.msg_name = (&raw mut addresses[at]).cast();
        header.msg_namelen = length;
        header.msg_iov = &raw mut vectors[at];
        header.msg_iovlen = 1;
        if letter.tos != 0 {
            header.msg_control = (&raw mut controls[at]).cast();
            header.msg_controllen = size_of::<Control>();
            write_tos(header, letter);
        }
    }
    // SAFETY: each of the first `count` headers points to a name, a vector, a datagram and perhaps a control message
    // of the lengths it tells, all of which outlive the call.
    let sent = unsafe {
        libc::sendmmsg(letter_fd(run), headers.as_mut_ptr(), count as libc::c_uint, libc::MSG_DONTWAIT)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

fn letter_fd(run: &[Letter]) -> RawFd {
    run.first().map_or(-1, |letter| letter.fd)
}

fn write_tos(header: &mut libc::msghdr, letter: &Letter) {
    let (level, kind) = match letter.remote {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_TOS),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
    };
    let size = size_of::<libc::c_int>() as libc::c_uint;
    // SAFETY: `msg_control` points to 32 zeroed, aligned octets: more than CMSG_SPACE of an int, so the first header
    // and its data lie within. Both options are sent as an int.
    unsafe {
        let message = libc::CMSG_FIRSTHDR(header);
        (*message).cmsg_level = level;
        (*message).cmsg_type = kind;
        (*message).cmsg_len = libc::CMSG_LEN(size) as usize;
        libc::CMSG_DATA(message).cast::<libc::c_int>().write_unaligned(libc::c_int::from(letter.tos));
        header.msg_controllen = libc::CMSG_SPACE(size) as usize;
    }
}

/// Waits a moment for room in the socket's buffer. Meanwhile the TUN's queue fills, and senders feel it there.
fn writable(fd: RawFd) -> bool {
    const MOMENT: libc::c_int = 20;
    let mut poll = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one pollfd, which outlives the call.
    unsafe { libc::poll(&raw mut poll, 1, MOMENT) > 0 }
}

/// Sends one datagram made of two pieces.
pub(crate) fn send_two(fd: RawFd, remote: SocketAddr, pieces: [&[u8]; 2]) -> io::Result<()> {
    let (mut address, length) = Raw::of(remote);
    let mut vectors =
        pieces.map(|piece| libc::iovec { iov_base: piece.as_ptr().cast_mut().cast(), iov_len: piece.len() });
    // SAFETY: all zero is a valid msghdr; it then points to a name and vectors that outlive the call, and the kernel
    // only reads the pieces.
    let sent = unsafe {
        let mut header: libc::msghdr = zeroed();
        header.msg_name = (&raw mut address).cast();
        header.msg_namelen = length;
        header.msg_iov = vectors.as_mut_ptr();
        header.msg_iovlen = vectors.len();
        libc::sendmsg(fd, &raw const header, libc::MSG_DONTWAIT)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
