//! Which outbound SA carries a packet of a tunnel interface (RFC 4301, 4.4.1): the first policy whose selectors
//! match, and of its child the SA installed last whose selectors match too. Nothing else leaves.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::notice::SaKey;
use crate::outbound::OutboundSa;
use crate::routes::{Interface, Policy, Route};

/// Every policy and outbound SA. Changes are made here, and compiled into the interface that they concern.
#[derive(Debug, Default)]
pub struct Spd(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    interfaces: HashMap<Arc<str>, Compiled>,
    /// Where the policy of a child stands.
    places: HashMap<Arc<str>, (Arc<str>, Rank)>,
    /// By child, in the order in which they were installed.
    sas: HashMap<Arc<str>, Vec<Arc<OutboundSa>>>,
    by_spi: HashMap<u32, Vec<Arc<OutboundSa>>>,
}

/// The order of a policy. The name breaks a tie, so that the same policies always give the same answer.
type Rank = (u32, Arc<str>);

/// The routes of one interface, in order, and what the packet path reads of them.
#[derive(Debug, Default)]
struct Compiled {
    interface: Arc<Interface>,
    routes: BTreeMap<Rank, Route>,
}

impl Compiled {
    fn publish(&self) {
        self.interface.publish(self.routes.values().cloned());
    }
}

impl Spd {
    /// The policies of an interface, by name; empty if nothing was installed for it yet.
    pub fn interface(&self, name: &str) -> Arc<Interface> {
        self.state().compiled(name).interface.clone()
    }

    /// Adds a policy, or replaces the child's.
    pub fn install_policy(&self, policy: Policy) {
        let mut state = self.state();
        let (interface, rank) = (policy.interface.clone(), (policy.order, policy.child.clone()));
        let before = state.places.insert(policy.child.clone(), (interface.clone(), rank.clone()));
        let replaced = before.and_then(|place| state.take(&place, &interface));
        let acquire_due = replaced.map(|route| route.acquire_due).unwrap_or_default();
        let route = Route { sas: state.serving(&policy), policy: Arc::new(policy), acquire_due };
        let compiled = state.compiled(&interface);
        compiled.routes.insert(rank, route);
        compiled.publish();
    }

    pub fn remove_policy(&self, child: &str) {
        let mut state = self.state();
        if let Some(place) = state.places.remove(child) {
            state.take(&place, "");
        }
    }

    pub fn install(&self, sa: Arc<OutboundSa>) {
        let mut state = self.state();
        state.by_spi.entry(sa.config.spi).or_default().push(sa.clone());
        state.sas.entry(sa.config.child.clone()).or_default().push(sa.clone());
        state.refresh(&sa.config.child);
    }

    /// The SA that a key names: the peer chose the SPI, so another may have the same.
    pub fn find(&self, key: &SaKey) -> Option<Arc<OutboundSa>> {
        self.state().by_spi.get(&key.spi)?.iter().find(|sa| sa.key() == *key).cloned()
    }

    /// Its keys are wiped when the last packet in flight has let go of it.
    pub fn remove(&self, sa: &Arc<OutboundSa>) {
        let mut state = self.state();
        forget(&mut state.by_spi, &sa.config.spi, sa);
        forget(&mut state.sas, &sa.config.child, sa);
        state.refresh(&sa.config.child);
    }

    pub fn clear(&self) {
        let mut state = self.state();
        state.sas.clear();
        state.by_spi.clear();
        state.places.clear();
        for compiled in state.interfaces.values_mut() {
            compiled.routes.clear();
            compiled.publish();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn compiled(&mut self, interface: &str) -> &mut Compiled {
        self.interfaces.entry(interface.into()).or_default()
    }

    /// Takes a route away from where it stands. The interface `next` is told of it by its caller.
    fn take(&mut self, (interface, rank): &(Arc<str>, Rank), next: &str) -> Option<Route> {
        let compiled = self.interfaces.get_mut(interface)?;
        let taken = compiled.routes.remove(rank);
        if &**interface != next {
            compiled.publish();
        }
        taken
    }

    /// The SAs of a child have changed.
    fn refresh(&mut self, child: &Arc<str>) {
        let Some((interface, rank)) = self.places.get(child).cloned() else { return };
        let Some(policy) = self.compiled(&interface).routes.get(&rank).map(|route| route.policy.clone())
        else {
            return;
        };
        let sas = self.serving(&policy);
        let compiled = self.compiled(&interface);
        if let Some(route) = compiled.routes.get_mut(&rank) {
            route.sas = sas;
        }
        compiled.publish();
    }

    fn serving(&self, policy: &Policy) -> Arc<[Arc<OutboundSa>]> {
        let of_child = self.sas.get(&policy.child).map_or(&[][..], |sas| sas);
        of_child.iter().rev().filter(|sa| sa.config.interface == policy.interface).cloned().collect()
    }
}

fn forget<K: Eq + Hash>(index: &mut HashMap<K, Vec<Arc<OutboundSa>>>, key: &K, sa: &Arc<OutboundSa>) {
    if let Some(sas) = index.get_mut(key) {
        sas.retain(|other| !Arc::ptr_eq(other, sa));
        if sas.is_empty() {
            index.remove(key);
        }
    }
}
