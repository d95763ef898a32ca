//! The window against a model that remembers everything (RFC 4303, 3.4.3 and appendix A).

use std::collections::HashSet;

use crate::stage::Numbers;
use esp_core::{Advance, Window};

/// The same decisions, by a set of all that was seen.
struct Model {
    seen: HashSet<u64>,
    highest: u64,
    size: u64,
}

impl Model {
    fn admits(&self, sequence: u64) -> bool {
        let old = self.highest.checked_sub(sequence).is_some_and(|behind| behind >= self.size);
        sequence > 0 && !old && !self.seen.contains(&sequence)
    }

    fn advance(&mut self, sequence: u64) -> Advance {
        if !self.admits(sequence) {
            return Advance::Replayed;
        }
        self.seen.insert(sequence);
        if sequence > self.highest {
            self.highest = sequence;
            return Advance::Newest;
        }
        Advance::Older
    }
}

#[test]
fn the_window_decides_as_one_that_forgets_nothing() {
    for size in [1, 32, 63, 64, 65, 128, 256, 512, 1024, 2048, 4096] {
        let mut numbers = Numbers(size as u64 + 1);
        let mut window = Window::new(size);
        let mut model = Model { seen: HashSet::new(), highest: 0, size: size as u64 };
        for _ in 0..20_000 {
            let sequence = match numbers.below(20) {
                0 => window.highest() + numbers.below(3 * size as u64 + 200),
                1..=3 => numbers.below(window.highest() + 2),
                _ => (window.highest() + 3).saturating_sub(numbers.below(size as u64 + 8)),
            };
            assert_eq!(window.admits(sequence), model.admits(sequence), "{size}: {sequence}");
            assert_eq!(window.advance(sequence), model.advance(sequence), "{size}: {sequence}");
            assert_eq!(window.highest(), model.highest);
        }
    }
}

#[test]
fn both_edges_of_the_window_are_exact() {
    for size in [64, 128, 256, 512, 1024, 2048, 4096] {
        let mut window = Window::new(size);
        window.advance(10_000);
        let oldest = 10_000 - size as u64 + 1;
        assert!(window.admits(oldest));
        assert!(!window.admits(oldest - 1));
        assert_eq!(window.advance(oldest), Advance::Older);
        assert_eq!(window.advance(oldest), Advance::Replayed);
        assert!(!window.admits(10_000));
        assert!(window.admits(10_001));
    }
}

#[test]
fn a_number_far_ahead_empties_the_window_behind_it() {
    let mut window = Window::new(64);
    for sequence in 1..=64 {
        window.advance(sequence);
    }
    assert_eq!(window.advance(u64::from(u32::MAX)), Advance::Newest);
    let bottom = u64::from(u32::MAX) - 63;
    assert!((bottom..u64::from(u32::MAX)).all(|sequence| window.admits(sequence)));
    assert!(!window.admits(64));
}

#[test]
fn number_zero_is_never_sent_and_never_taken() {
    assert!(!Window::new(64).admits(0));
}

#[test]
fn asking_changes_nothing() {
    let mut window = Window::new(64);
    assert!(window.admits(5));
    assert!(window.admits(5));
    assert_eq!(window.highest(), 0);
    assert_eq!(window.advance(5), Advance::Newest);
}

#[test]
fn without_a_window_everything_is_taken() {
    let mut window = Window::new(0);
    for sequence in [7, 7, 1, 0, 900, 2] {
        assert!(window.admits(sequence));
        assert_ne!(window.advance(sequence), Advance::Replayed);
    }
    assert_eq!(window.highest(), 900);
}

#[test]
fn the_high_half_is_found_for_every_number_near_the_window() {
    let mut numbers = Numbers(99);
    for size in [64, 1024, 4096] {
        for _ in 0..20_000 {
            let highest = match numbers.below(3) {
                0 => numbers.below(1 << 34),
                1 => (numbers.below(8) << 32) + numbers.below(2 * size),
                _ => ((numbers.below(8) + 1) << 32) - 1 - numbers.below(2 * size),
            };
            let mut window = Window::new(size as usize);
            window.advance(highest);
            // RFC 4303, A2.1: within the window behind, or less than 2^32 - W ahead.
            let behind = numbers.below(size).min(highest);
            assert_eq!(window.reconstruct((highest - behind) as u32), Some(highest - behind));
            let ahead = highest + 1 + numbers.below((1 << 32) - size);
            assert_eq!(window.reconstruct(ahead as u32), Some(ahead), "{highest} {ahead}");
        }
    }
}

#[test]
fn a_number_before_the_first_has_no_high_half() {
    let mut window = Window::new(64);
    assert_eq!(window.reconstruct(u32::MAX), None);
    window.advance(3);
    assert_eq!(window.reconstruct(u32::MAX - 10), None);
}

#[test]
fn the_last_subspace_has_no_next() {
    let mut window = Window::new(64);
    window.advance(u64::MAX - 5);
    assert_eq!(window.reconstruct(u32::MAX), Some(u64::MAX));
    assert_eq!(window.reconstruct(3), None);
}
