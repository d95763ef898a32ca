//! The inbound SAs in force, by SPI (RFC 4301, 4.4.2). Readers take a snapshot; a change makes a new one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::inbound::InboundSa;

/// A power of two.
const PARTS: usize = 256;

type Part = BTreeMap<u32, Arc<InboundSa>>;

/// A snapshot. In parts, so that a change copies one of them and not the whole: a thousand SAs are installed in turn.
#[derive(Clone, Debug)]
pub struct InboundTable(Box<[Arc<Part>; PARTS]>);

impl InboundTable {
    pub fn new() -> Self {
        let empty = Arc::<Part>::default();
        Self(Box::new(std::array::from_fn(|_| empty.clone())))
    }

    pub fn get(&self, spi: &u32) -> Option<&Arc<InboundSa>> {
        self.0[part(*spi)].get(spi)
    }

    pub fn contains_key(&self, spi: &u32) -> bool {
        self.get(spi).is_some()
    }

    pub fn values(&self) -> impl Iterator<Item = &Arc<InboundSa>> {
        self.0.iter().flat_map(|part| part.values())
    }

    fn part_mut(&mut self, spi: u32) -> &mut Part {
        Arc::make_mut(&mut self.0[part(spi)])
    }
}

impl Default for InboundTable {
    fn default() -> Self {
        Self::new()
    }
}

/// SPIs of negotiated SAs are random; those of manual ones may differ in any of their octets.
fn part(spi: u32) -> usize {
    (spi ^ spi >> 8 ^ spi >> 16 ^ spi >> 24) as usize % PARTS
}

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
        self.edit(|table| table.part_mut(sa.config.spi).insert(sa.config.spi, sa));
    }

    /// Its keys are wiped when the last packet in flight has let go of it.
    pub fn remove(&self, spi: u32) -> Option<Arc<InboundSa>> {
        self.edit(|table| table.part_mut(spi).remove(&spi))
    }

    pub fn clear(&self) {
        self.edit(|table| *table = InboundTable::new());
    }

    fn edit<T>(&self, change: impl FnOnce(&mut InboundTable) -> T) -> T {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = InboundTable::clone(&self.table.load());
        let result = change(&mut table);
        self.table.store(Arc::new(table));
        result
    }
}
