//! What waits for Python: notices and IKE datagrams, behind one descriptor that is readable while there is any.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use esp_core::Notice;

use crate::event::Event;

/// An engine that reads so little for so long is stuck; nobody else has to suffer.
const MOST_NOTICES: usize = 1 << 16;

/// A flood from unauthenticated senders must not fill the memory.
const MOST_DATAGRAMS: usize = 4096;
const MOST_OCTETS: usize = 8 << 20;

/// An IKE message that came to the NAT-T port, without its non-ESP marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IkeDatagram {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub octets: Vec<u8>,
}

#[derive(Debug)]
pub struct Mailbox {
    waiting: Mutex<Waiting>,
    event: Event,
}

#[derive(Debug, Default)]
struct Waiting {
    notices: VecDeque<Notice>,
    datagrams: VecDeque<IkeDatagram>,
    octets: usize,
}

impl Mailbox {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { waiting: Mutex::default(), event: Event::new()? })
    }

    /// Readable while something waits.
    pub fn descriptor(&self) -> RawFd {
        self.event.as_raw_fd()
    }

    /// What happened since the last call, oldest first.
    pub fn take_notices(&self) -> Vec<Notice> {
        let mut waiting = self.waiting();
        let notices = waiting.notices.drain(..).collect();
        self.settle(&waiting);
        notices
    }

    /// The IKE datagrams that came since the last call, oldest first.
    pub fn take_datagrams(&self) -> Vec<IkeDatagram> {
        let mut waiting = self.waiting();
        let datagrams = waiting.datagrams.drain(..).collect();
        waiting.octets = 0;
        self.settle(&waiting);
        datagrams
    }

    /// Leaves `notices` empty.
    pub(crate) fn post_notices(&self, notices: &mut Vec<Notice>) {
        if notices.is_empty() {
            return;
        }
        let mut waiting = self.waiting();
        let room = MOST_NOTICES.saturating_sub(waiting.notices.len());
        waiting.notices.extend(notices.drain(..).take(room));
        self.event.signal();
    }

    /// Whether there was room for it.
    pub(crate) fn post_datagram(&self, local: SocketAddr, remote: SocketAddr, octets: &[u8]) -> bool {
        let mut waiting = self.waiting();
        if waiting.datagrams.len() >= MOST_DATAGRAMS || waiting.octets + octets.len() > MOST_OCTETS {
            return false;
        }
        waiting.octets += octets.len();
        waiting.datagrams.push_back(IkeDatagram { local, remote, octets: octets.to_vec() });
        self.event.signal();
        true
    }

    fn settle(&self, waiting: &Waiting) {
        if waiting.notices.is_empty() && waiting.datagrams.is_empty() {
            self.event.clear();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
