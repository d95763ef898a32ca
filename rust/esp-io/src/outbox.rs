//! Datagrams on their way out of one contiguous buffer: equal ones travel as a train (UDP GSO), many trains in one call.

use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::net::SocketAddr;
use std::os::fd::RawFd;

use crate::inbox::LONGEST;
use crate::sockaddr::{Control, Raw};

/// Messages in one system call: enough to spread its cost, few enough that a packet alone does not pay for the room.
const BATCH: usize = 16;

/// Datagrams in one train: older systems take no more.
const LONGEST_TRAIN: usize = 64;

/// Octets in one train: what follows the longest IPv6 and UDP headers in a packet of 65,535.
const LARGEST_TRAIN: usize = 65000;

/// Octets that are gathered before they are sent: few enough to stay in the cache.
const ENOUGH: usize = 4 * LONGEST;

/// Datagrams, likewise: four trains, which a receiver behind the tunnel has room for.
const MANY: usize = 4 * LONGEST_TRAIN;

/// The way out of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) fd: RawFd,
    /// Whether the system cuts trains.
    pub(crate) trains: bool,
}

#[derive(Clone, Copy)]
struct Letter {
    exit: Exit,
    start: usize,
    length: usize,
    remote: SocketAddr,
    tos: u8,
}

impl Letter {
    /// Whether a train of `number` datagrams that begins with this one and has `octets` takes another.
    fn pulls(&self, number: usize, octets: usize, last: &Letter, next: &Letter) -> bool {
        self.exit.trains
            && next.exit == self.exit
            && next.remote == self.remote
            && next.tos == self.tos
            && last.length == self.length
            && next.length <= self.length
            && next.length > 0
            && number < LONGEST_TRAIN
            && octets + next.length <= LARGEST_TRAIN
    }
}

/// Datagrams on their way out, one after the other in a single buffer.
pub(crate) struct Outbox {
    octets: Vec<u8>,
    used: usize,
    letters: Vec<Letter>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { octets: vec![0; ENOUGH + LONGEST], used: 0, letters: Vec::with_capacity(MANY) }
    }

    /// Whether what is gathered should be sent before more is posted.
    pub(crate) fn is_due(&self) -> bool {
        self.used >= ENOUGH || self.letters.len() >= MANY
    }

    /// Where the next datagram is to be written. Unless `flush` is due, the longest fits.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.octets[self.used..]
    }

    /// Takes the first `length` octets of the space for a datagram. The exit must stay open until `flush`.
    pub(crate) fn post(&mut self, length: usize, exit: Exit, remote: SocketAddr, tos: u8) {
        self.letters.push(Letter { exit, start: self.used, length, remote, tos });
        self.used += length;
    }

    /// Sends everything. Returns how many datagrams the system refused.
    pub(crate) fn flush(&mut self) -> u64 {
        let mut refused = 0;
        let mut rest = &self.letters[..];
        let mut together = true;
        while let Some(first) = rest.first() {
            match send(&mut self.octets, rest, together) {
                Ok(sent) => {
                    rest = &rest[sent.clamp(1, rest.len())..];
                    together = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && writable(first.exit.fd) => {}
                // A train that the path or its interface does not take: its datagrams may have better luck alone.
                Err(_) if together && train(rest) > 1 => together = false,
                Err(_) => {
                    refused += 1;
                    rest = &rest[1..];
                }
            }
        }
        self.letters.clear();
        self.used = 0;
        refused
    }
}

/// How many of the first letters form a train.
fn train(letters: &[Letter]) -> usize {
    let Some(first) = letters.first() else { return 0 };
    let mut octets = first.length;
    for (number, pair) in (1..).zip(letters.windows(2)) {
        if !first.pulls(number, octets, &pair[0], &pair[1]) {
            return number;
        }
        octets += pair[1].length;
    }
    letters.len()
}

/// Sends the letters that leave by the first one's exit, or as many as fit into a call; not `together`: only the
/// first train, each datagram by itself. Returns how many letters went.
fn send(octets: &mut [u8], letters: &[Letter], together: bool) -> io::Result<usize> {
    // What is not needed is not touched: a packet alone is gone sooner.
    let mut vectors = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH];
    let mut addresses = [const { MaybeUninit::<Raw>::uninit() }; BATCH];
    let mut controls = [const { MaybeUninit::<Control>::uninit() }; BATCH];
    let mut headers = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH];
    let mut cars = [0; BATCH];
    let exit = letters.first().map_or(-1, |letter| letter.exit.fd);
    let alone = if together { 0 } else { train(letters) };
    let (mut count, mut at) = (0, 0);
    while count < BATCH && at < letters.len() && letters[at].exit.fd == exit && (together || at < alone) {
        let letter = &letters[at];
        let number = if together { train(&letters[at..]) } else { 1 };
        let last = &letters[at + number - 1];
        let datagrams = &mut octets[letter.start..last.start + last.length];
        let vector = libc::iovec { iov_base: datagrams.as_mut_ptr().cast(), iov_len: datagrams.len() };
        let (address, length) = Raw::of(letter.remote);
        let control = controls[count].write(Control::EMPTY);
        let used = write_controls(control, letter, number > 1);
        // SAFETY: all zero is a valid mmsghdr: no name, no vectors, no control.
        let header = &mut headers[count].write(unsafe { zeroed() }).msg_hdr;
        header.msg_name = (&raw mut *addresses[count].write(address)).cast();
        header.msg_namelen = length;
        header.msg_iov = vectors[count].write(vector);
        header.msg_iovlen = 1;
        if used > 0 {
            header.msg_control = (&raw mut *control).cast();
            header.msg_controllen = used;
        }
        cars[count] = number;
        (count, at) = (count + 1, at + number);
    }
    // SAFETY: each of the first `count` headers was written, and points to a name, a vector, datagrams and perhaps control
    // messages of the lengths it tells, all of which outlive the call.
    let sent = unsafe {
        libc::sendmmsg(exit, headers.as_mut_ptr().cast(), count as libc::c_uint, libc::MSG_DONTWAIT)
    };
    let sent = usize::try_from(sent).map_err(|_| io::Error::last_os_error())?;
    Ok(cars[..sent.min(count)].iter().sum())
}

/// TOS, and the length at which a train is cut. Returns the octets used.
fn write_controls(control: &mut Control, letter: &Letter, cut: bool) -> usize {
    let (level, kind) = match letter.remote {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_TOS),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
    };
    let mut used = 0;
    if letter.tos != 0 {
        used += control.write(used, level, kind, &libc::c_int::from(letter.tos).to_ne_bytes());
    }
    if cut {
        let segment = (letter.length as u16).to_ne_bytes();
        used += control.write(used, libc::SOL_UDP, libc::UDP_SEGMENT, &segment);
    }
    used
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
