//! ESP and AH that came before its SA. The peer may send as soon as it has answered us, while we are still reading the answer.

use std::collections::VecDeque;

use esp_core::{Arrival, InboundTable, Millis};

/// How long a packet waits: the engine needs some milliseconds for an answer, and more on a busy machine.
pub(crate) const PATIENCE: Millis = Millis(250);

/// Any stranger can send what belongs to no SA, so there is little room; what is pushed out is dropped.
const MOST_PACKETS: usize = 1024;
const MOST_OCTETS: usize = 2 << 20;

#[derive(Debug, Default)]
pub(crate) struct Early {
    held: VecDeque<Held>,
    octets: usize,
}

/// One packet, as it arrived.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) spi: u32,
    pub(crate) octets: Vec<u8>,
    pub(crate) arrival: Arrival,
    since: Millis,
}

impl Early {
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Keeps a copy for a while. Returns how many packets were dropped to make room.
    pub(crate) fn hold(&mut self, spi: u32, octets: &[u8], arrival: Arrival, now: Millis) -> u64 {
        self.octets += octets.len();
        self.held.push_back(Held { spi, octets: octets.to_vec(), arrival, since: now });
        self.drop_while(|early, _| early.held.len() > MOST_PACKETS || early.octets > MOST_OCTETS)
    }

    /// Drops those that waited in vain. Returns how many.
    pub(crate) fn give_up(&mut self, now: Millis) -> u64 {
        self.drop_while(|_, oldest| now.0 >= oldest.since.0 + PATIENCE.0)
    }

    /// Takes out those whose SA stands now, oldest first.
    pub(crate) fn release(&mut self, sas: &InboundTable) -> Vec<Held> {
        if !self.held.iter().any(|held| sas.contains_key(&held.spi)) {
            return Vec::new();
        }
        let (released, held): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|held| sas.contains_key(&held.spi));
        self.held = held.into();
        self.octets -= released.iter().map(|held| held.octets.len()).sum::<usize>();
        released
    }

    fn drop_while(&mut self, condition: impl Fn(&Self, &Held) -> bool) -> u64 {
        let mut dropped = 0;
        while self.held.front().is_some_and(|oldest| condition(self, oldest)) {
            self.octets -= self.held.pop_front().map_or(0, |oldest| oldest.octets.len());
            dropped += 1;
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn arrival() -> Arrival {
        Arrival { remote: SocketAddr::from(([192, 0, 2, 1], 4500)), tos: 0, udp: true, headers: 0 }
    }

    #[test]
    fn room_is_bounded_by_packets_and_the_oldest_makes_room() {
        let mut early = Early::default();
        for spi in 0..MOST_PACKETS as u32 {
            assert_eq!(early.hold(spi, &[0; 8], arrival(), Millis(0)), 0);
        }
        assert_eq!(early.hold(7, &[0; 8], arrival(), Millis(0)), 1);
        assert_eq!(early.held.front().map(|held| held.spi), Some(1));
    }

    #[test]
    fn room_is_bounded_by_octets() {
        let mut early = Early::default();
        let large = vec![0; MOST_OCTETS / 4];
        let dropped: u64 = (0..6).map(|spi| early.hold(spi, &large, arrival(), Millis(0))).sum();
        assert_eq!((dropped, early.held.len(), early.octets), (2, 4, MOST_OCTETS));
    }

    #[test]
    fn what_waits_in_vain_is_given_up_in_time() {
        let mut early = Early::default();
        early.hold(1, &[0; 8], arrival(), Millis(1000));
        early.hold(2, &[0; 8], arrival(), Millis(1100));
        assert_eq!(early.give_up(Millis(999 + PATIENCE.0)), 0);
        assert_eq!(early.give_up(Millis(1000 + PATIENCE.0)), 1);
        assert_eq!((early.held.len(), early.octets), (1, 8));
        assert_eq!(early.give_up(Millis(1100 + PATIENCE.0)), 1);
        assert!(early.is_empty());
    }

    #[test]
    fn nothing_is_released_without_its_sa() {
        let mut early = Early::default();
        early.hold(1, &[0; 8], arrival(), Millis(0));
        assert!(early.release(&InboundTable::new()).is_empty());
        assert!(!early.is_empty());
    }
}
