//! The inbound SAs in force, by SPI (RFC 4301, 4.4.2). Readers take a snapshot; a change makes a new one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::inbound::InboundSa;

pub type InboundTable = HashMap<u32, Arc<InboundSa>>;

#[derive(Debug, Default)]
pub struct Sad {
    table: ArcSwap<InboundTable>,
    change: Mutex<()>,
}

impl Sad {
    /// The table as it stands: one load serves a whole batch.
    pub fn load(&self) -> Guard<Arc<InboundTable>> {
        self.table.load()
    }

    pub fn find(&self, spi: u32) -> Option<Arc<InboundSa>> {
        self.table.load().get(&spi).cloned()
    }

    pub fn install(&self, sa: Arc<InboundSa>) {
        self.edit(|table| table.insert(sa.config.spi, sa));
    }

    /// Its keys are wiped when the last packet in flight has let go of it.
    pub fn remove(&self, spi: u32) -> Option<Arc<InboundSa>> {
        self.edit(|table| table.remove(&spi))
    }

    pub fn clear(&self) {
        self.edit(InboundTable::clear);
    }

    fn edit<T>(&self, change: impl FnOnce(&mut InboundTable) -> T) -> T {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = InboundTable::clone(&self.table.load());
        let result = change(&mut table);
        self.table.store(Arc::new(table));
        result
    }
}
