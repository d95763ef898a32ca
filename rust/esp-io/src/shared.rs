//! What the threads and the control calls have in common.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Instant;

use arc_swap::ArcSwap;
use esp_core::{Clock, DropCounts, Millis, Sad, Spd};

use crate::crew::Crew;
use crate::lane::Lanes;
use crate::local::Local;
use crate::mailbox::Mailbox;
use crate::tun::Tun;
use crate::watch::Watch;

/// The tunnel interfaces that exist, by name and by token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Devices {
    pub(crate) by_name: HashMap<Arc<str>, Arc<Tun>>,
    pub(crate) by_token: BTreeMap<u64, Arc<Tun>>,
}

/// The addresses that we listen on. A socket's token is that of its address, plus its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locals {
    pub(crate) by_address: BTreeMap<IpAddr, Arc<Local>>,
    pub(crate) by_token: BTreeMap<u64, Arc<Local>>,
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
    pub(crate) watch: Watch,
    pub(crate) crew: Crew,
    pub(crate) lanes: Lanes,
    pub(crate) stopping: AtomicBool,
    began: Instant,
}

impl Shared {
    pub(crate) fn new(lanes: Lanes) -> io::Result<Self> {
        Ok(Self {
            sad: Sad::default(),
            spd: Spd::default(),
            drops: DropCounts::default(),
            keep_alives: AtomicU64::new(0),
            devices: ArcSwap::default(),
            locals: ArcSwap::default(),
            mailbox: Mailbox::new()?,
            watch: Watch::new(lanes)?,
            crew: Crew::default(),
            lanes,
            stopping: AtomicBool::new(false),
            began: Instant::now(),
        })
    }
}

impl Clock for Shared {
    fn now(&self) -> Millis {
        Millis(self.began.elapsed().as_millis() as u64)
    }
}
