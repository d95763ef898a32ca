//! Waiting for descriptors, level-triggered: a worker takes one batch from each that is ready, then asks again.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use esp_core::Millis;

use crate::event::Event;

/// The token of the wake-up call itself.
const WAKE: u64 = u64::MAX;

const AT_ONCE: usize = 64;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    /// The descriptor reports an error or a hang-up.
    pub(crate) broken: bool,
}

#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    wake: Event,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: epoll_create1 takes no pointers; a descriptor that it returns is ours alone.
        let epoll = unsafe {
            let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        let poller = Self { epoll, wake: Event::new()? };
        poller.add(poller.wake.as_raw_fd(), WAKE)?;
        Ok(poller)
    }

    pub(crate) fn add(&self, fd: RawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: `event` outlives the call, which only reads it.
        let result = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub(crate) fn remove(&self, fd: RawFd) {
        // SAFETY: the event pointer is ignored for EPOLL_CTL_DEL.
        unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut()) };
    }

    /// Ends the wait that is going on, or else the next one.
    pub(crate) fn wake(&self) {
        self.wake.signal();
    }

    /// Waits until something is ready, or for so long at most; `ready` then names it.
    pub(crate) fn wait(&self, ready: &mut Vec<Ready>, at_most: Option<Millis>) {
        ready.clear();
        let timeout = at_most.map_or(-1, |wait| libc::c_int::try_from(wait.0).unwrap_or(libc::c_int::MAX));
        let mut events = [const { MaybeUninit::<libc::epoll_event>::uninit() }; AT_ONCE];
        // SAFETY: the kernel writes at most AT_ONCE events into an array of that length.
        let count = unsafe {
            libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr().cast(), AT_ONCE as i32, timeout)
        };
        // A negative count is EINTR: the caller asks again.
        for event in &events[..usize::try_from(count).unwrap_or(0)] {
            // SAFETY: the kernel wrote so many.
            let event = unsafe { event.assume_init() };
            let (token, flags) = (event.u64, event.events);
            if token == WAKE {
                self.wake.clear();
            } else {
                let broken = flags & (libc::EPOLLERR | libc::EPOLLHUP) as u32 != 0;
                ready.push(Ready { token, broken });
            }
        }
    }
}
