//! What the workers wait for, sorted in two ways: all of it for one worker alone, and in shares for as many as there are.

use std::io;
use std::os::fd::RawFd;

use crate::lane::{Lane, Lanes};
use crate::poll::Poller;

/// Who of several workers serves a descriptor: one way, of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Sockets.
    In(Lane),
    /// Tunnel interfaces.
    Out(Lane),
}

#[derive(Debug)]
pub(crate) struct Watch {
    whole: Poller,
    inward: Vec<Poller>,
    outward: Vec<Poller>,
}

impl Watch {
    pub(crate) fn new(lanes: Lanes) -> io::Result<Self> {
        let pollers = || lanes.iter().map(|_| Poller::new()).collect::<io::Result<_>>();
        Ok(Self { whole: Poller::new()?, inward: pollers()?, outward: pollers()? })
    }

    pub(crate) fn whole(&self) -> &Poller {
        &self.whole
    }

    pub(crate) fn share(&self, share: Share) -> &Poller {
        match share {
            Share::In(lane) => &self.inward[lane.index()],
            Share::Out(lane) => &self.outward[lane.index()],
        }
    }

    pub(crate) fn add(&self, share: Share, fd: RawFd, token: u64) -> io::Result<()> {
        self.whole.add(fd, token)?;
        self.share(share).add(fd, token).inspect_err(|_| self.whole.remove(fd))
    }

    pub(crate) fn remove(&self, share: Share, fd: RawFd) {
        self.whole.remove(fd);
        self.share(share).remove(fd);
    }

    /// Ends the wait of whoever serves sockets.
    pub(crate) fn wake_inward(&self) {
        self.whole.wake();
        self.inward.iter().for_each(Poller::wake);
    }

    pub(crate) fn wake_all(&self) {
        self.wake_inward();
        self.outward.iter().for_each(Poller::wake);
    }
}
