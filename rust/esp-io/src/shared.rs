//! What the threads and the control calls have in common.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Instant;

use arc_swap::ArcSwap;
use esp_core::{DropCounts, Millis, Sad, Spd};

use crate::local::Local;
use crate::mailbox::Mailbox;
use crate::poll::Poller;
use crate::tun::Tun;

/// The tunnel interfaces that exist, by name and by token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Devices {
    pub(crate) by_name: HashMap<Arc<str>, Arc<Tun>>,
    pub(crate) by_token: HashMap<u64, Arc<Tun>>,
}

/// The addresses that we listen on. A socket's token is that of its address, plus its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locals {
    pub(crate) by_address: HashMap<IpAddr, Arc<Local>>,
    pub(crate) by_token: HashMap<u64, Arc<Local>>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) sad: Sad,
    pub(crate) spd: Spd,
    pub(crate) drops: DropCounts,
    /// NAT keep-alives that came (RFC 3948, 2.3).
    pub(crate) keep_alives: AtomicU64,
    pub(crate) devices: ArcSwap<Devices>,
    pub(crate) locals: ArcSwap<Locals>,
    pub(crate) mailbox: Mailbox,
    pub(crate) outward: Poller,
    pub(crate) inward: Poller,
    pub(crate) stopping: AtomicBool,
    began: Instant,
}

impl Shared {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            sad: Sad::default(),
            spd: Spd::default(),
            drops: DropCounts::default(),
            keep_alives: AtomicU64::new(0),
            devices: ArcSwap::default(),
            locals: ArcSwap::default(),
            mailbox: Mailbox::new()?,
            outward: Poller::new()?,
            inward: Poller::new()?,
            stopping: AtomicBool::new(false),
            began: Instant::now(),
        })
    }

    pub(crate) fn now(&self) -> Millis {
        Millis(self.began.elapsed().as_millis() as u64)
    }
}
