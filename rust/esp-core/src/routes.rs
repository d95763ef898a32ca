//! The policies of one tunnel interface as the packet path reads them: a snapshot, in which the one for a packet is
//! looked up by its destination rather than tried one after the other.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, Guard};

use crate::destinations::Destinations;
use crate::notice::{Clock, Notice};
use crate::outbound::OutboundSa;
use crate::packet::Summary;
use crate::selector::Selectors;
use crate::trigger::Trigger;

/// A child that misses its SA is told of once in this time.
const ACQUIRE_INTERVAL: u64 = 1000;

/// So few are tried in turn faster than they are looked up.
const FEW: usize = 8;

/// The packets of an interface that a configured child protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub child: Arc<str>,
    pub interface: Arc<str>,
    pub order: u32,
    pub selectors: Selectors,
}

/// A policy with the SAs that may carry what it admits, the newest first. Cheap to clone: a change of one route makes
/// a new list of all the routes of its interface.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) policy: Arc<Policy>,
    pub(crate) acquire_due: Arc<AtomicU64>,
    pub(crate) sas: Arc<[Arc<OutboundSa>]>,
}

/// Routes in their order: the first that admits a packet carries it, or nothing does.
#[derive(Debug, Default)]
pub struct Routes {
    list: Box<[Route]>,
    /// Made for the first packet: while a thousand children are installed there are a thousand snapshots.
    destinations: OnceLock<Option<Destinations>>,
}

#[derive(Debug, Default)]
pub struct Interface {
    routes: ArcSwap<Routes>,
}

impl Interface {
    /// The policies as they stand: one load serves a whole batch.
    pub fn load(&self) -> Guard<Arc<Routes>> {
        self.routes.load()
    }

    pub(crate) fn publish(&self, routes: impl Iterator<Item = Route>) {
        let routes = Routes { list: routes.collect(), destinations: OnceLock::new() };
        self.routes.store(Arc::new(routes));
    }
}

impl Routes {
    /// The SA that carries the packet. Where there is none, its child is told of.
    pub fn outbound(
        &self,
        packet: &Summary,
        clock: &impl Clock,
        notices: &mut Vec<Notice>,
    ) -> Result<&Arc<OutboundSa>, Trigger> {
        let route = self.first(packet).ok_or(Trigger::NoPolicy)?;
        route.sas.iter().find(|sa| sa.config.selectors.admit_outbound(packet)).ok_or_else(|| {
            let (now, due) = (clock.now(), route.acquire_due.load(Relaxed));
            let next = now.0 + ACQUIRE_INTERVAL;
            if now.0 >= due && route.acquire_due.compare_exchange(due, next, Relaxed, Relaxed).is_ok() {
                notices.push(Notice::Acquire { child: route.policy.child.clone(), packet: *packet });
            }
            Trigger::NoSa
        })
    }

    fn first(&self, packet: &Summary) -> Option<&Route> {
        let admits = |route: &&Route| route.policy.selectors.admit_outbound(packet);
        match self.destinations() {
            None => self.list.iter().find(admits),
            Some(index) => {
                let candidates = index.candidates(packet.destination).iter();
                candidates.filter_map(|at| self.list.get(*at as usize)).find(admits)
            }
        }
    }

    fn destinations(&self) -> Option<&Destinations> {
        let all = || {
            let sides = self.list.iter().map(|route| &route.policy.selectors.remote);
            let numbered = (0..).zip(sides);
            Destinations::of(numbered.flat_map(|(at, side)| side.iter().map(move |s| (at, s.start, s.end))))
        };
        (self.list.len() > FEW).then(|| self.destinations.get_or_init(all).as_ref()).flatten()
    }
}
