//! The anti-replay window (RFC 4303, 3.4.3) as a ring of blocks that is never shifted (RFC 6479), and the
//! reconstruction of extended sequence numbers (RFC 4303, appendix A).

const BLOCK: u64 = u64::BITS as u64;

/// What became of a sequence number whose packet was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// Higher than any before: the window moved.
    Newest,
    /// Within the window, seen for the first time.
    Older,
    /// Seen before, or left of the window.
    Replayed,
}

#[derive(Debug)]
pub struct Window {
    highest: u64,
    size: u64,
    enforced: bool,
    ring: Box<[u64]>,
}

impl Window {
    /// The largest window that the configuration offers.
    pub const MAX: usize = 4096;

    /// A window of `size` packets; 0: none, every sequence number is taken.
    pub fn new(size: usize) -> Self {
        let enforced = size > 0;
        // RFC 4303, appendix A needs a window to tell the high half, even where nothing is rejected by it.
        let size = if enforced { size.min(Self::MAX) } else { BLOCK as usize };
        // One block more than the window spans: the one being filled is only partly inside.
        let blocks = (size.div_ceil(BLOCK as usize) + 1).next_power_of_two();
        Self { highest: 0, size: size as u64, enforced, ring: vec![0; blocks].into_boxed_slice() }
    }

    /// The highest sequence number that was authenticated.
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// RFC 4303, A2.2: the 64-bit number whose low half was received; None where it would be below zero.
    pub fn reconstruct(&self, low: u32) -> Option<u64> {
        let (top_high, top_low) = (self.highest >> 32, self.highest as u32);
        let span = (self.size - 1) as u32;
        let bottom = top_low.wrapping_sub(span);
        let high = if top_low >= span {
            // Case A: the window lies within one subspace.
            if low >= bottom { top_high } else { top_high.checked_add(1).filter(|high| *high >> 32 == 0)? }
        } else if low >= bottom {
            // Case B: it reaches back into the subspace before.
            top_high.checked_sub(1)?
        } else {
            top_high
        };
        Some(high << 32 | u64::from(low))
    }

    /// Whether a packet may still be accepted: asked before the ICV is computed. Changes nothing.
    pub fn admits(&self, sequence: u64) -> bool {
        if !self.enforced || sequence > self.highest {
            return true;
        }
        // RFC 4303, 3.3.3: the first packet has number 1.
        sequence != 0 && self.highest - sequence < self.size && !self.marked(sequence)
    }

    /// Marks a number whose packet was authenticated.
    pub fn advance(&mut self, sequence: u64) -> Advance {
        if !self.admits(sequence) {
            return Advance::Replayed;
        }
        let newest = sequence > self.highest;
        if newest {
            let steps = (sequence / BLOCK - self.highest / BLOCK).min(self.ring.len() as u64);
            for step in 0..steps {
                let slot = self.slot(sequence - step * BLOCK);
                self.ring[slot] = 0;
            }
            self.highest = sequence;
        }
        let slot = self.slot(sequence);
        self.ring[slot] |= 1 << (sequence % BLOCK);
        if newest { Advance::Newest } else { Advance::Older }
    }

    fn marked(&self, sequence: u64) -> bool {
        self.ring[self.slot(sequence)] >> (sequence % BLOCK) & 1 == 1
    }

    fn slot(&self, sequence: u64) -> usize {
        (sequence / BLOCK) as usize & (self.ring.len() - 1)
    }
}
