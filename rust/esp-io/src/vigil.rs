//! How long a worker that has nothing to do keeps looking before it sleeps.
//!
//! Waking a thread takes several times as long as opening a packet, and longest where processors are virtual. So a worker
//! that was soon called back after such a packet the last time stays awake for the next; but for no more than a small
//! part of its time, so that idle gateways stay idle and busy ones leave the processor to others.

use std::time::{Duration, Instant};

/// Who is called back later than this sleeps.
const LONGEST: Duration = Duration::from_micros(200);

/// One part in so many of a worker's time may pass awake without work.
const SHARE: u32 = 4;

/// What may be saved up for later.
const SAVED: Duration = Duration::from_millis(5);

/// What a worker did last: an answer to one may come soon, to the other not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Sent,
    Delivered,
    /// A message of IKE: whoever reads it needs the processor more than we.
    HandedUp,
}

#[derive(Debug)]
pub(crate) struct Vigil {
    /// Whether the last wait after such a deed was short, by deed.
    short: [bool; 3],
    /// The wait that began last, and after what; None: something was found by looking.
    wait: Option<(Deed, Instant)>,
    allowance: Duration,
    counted: Instant,
}

impl Vigil {
    pub(crate) fn new(now: Instant) -> Self {
        Self { short: [false; 3], wait: None, allowance: Duration::ZERO, counted: now }
    }

    /// Whether it may be worth looking, having done this last.
    pub(crate) fn hopes(&self, last: Deed) -> bool {
        last != Deed::HandedUp && self.short[last as usize]
    }

    /// There is nothing to do any more. Returns how long to look before sleeping.
    pub(crate) fn begin(&mut self, last: Deed, now: Instant) -> Duration {
        if let Some((deed, began)) = self.wait.replace((last, now)) {
            self.short[deed as usize] = now - began <= LONGEST;
        }
        self.allowance = SAVED.min(self.allowance + now.duration_since(self.counted) / SHARE);
        self.counted = now;
        if self.hopes(last) { LONGEST.min(self.allowance) } else { Duration::ZERO }
    }

    /// Looking found something.
    pub(crate) fn soon(&mut self, last: Deed) {
        self.short[last as usize] = true;
        self.wait = None;
    }

    /// So long was spent looking.
    pub(crate) fn spend(&mut self, awake: Duration) {
        self.allowance = self.allowance.saturating_sub(awake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_micros(80);
    const LATE: Duration = Duration::from_millis(10);

    #[test]
    fn who_was_called_back_soon_stays_awake_the_next_time() {
        let mut now = Instant::now();
        let mut vigil = Vigil::new(now);
        now += Duration::from_secs(1);
        assert_eq!(vigil.begin(Deed::Sent, now), Duration::ZERO);
        now += SOON;
        vigil.begin(Deed::Delivered, now);
        assert!(vigil.hopes(Deed::Sent));
        now += LATE;
        assert_eq!(vigil.begin(Deed::Sent, now), LONGEST);
        now += LATE;
        vigil.begin(Deed::Delivered, now);
        assert!(!vigil.hopes(Deed::Sent));
    }

    #[test]
    fn what_follows_one_deed_tells_nothing_about_the_other() {
        let mut now = Instant::now();
        let mut vigil = Vigil::new(now);
        for _ in 0..2 {
            vigil.begin(Deed::Sent, now);
            now += SOON;
            vigil.begin(Deed::Delivered, now);
            now += LATE;
        }
        assert_eq!((vigil.hopes(Deed::Sent), vigil.hopes(Deed::Delivered)), (true, false));
    }

    #[test]
    fn nobody_stays_awake_for_messages_of_ike() {
        let mut now = Instant::now();
        let mut vigil = Vigil::new(now);
        for _ in 0..3 {
            now += SOON;
            assert_eq!(vigil.begin(Deed::HandedUp, now), Duration::ZERO);
        }
        assert!(!vigil.hopes(Deed::HandedUp));
    }

    #[test]
    fn a_find_is_hope_enough() {
        let now = Instant::now();
        let mut vigil = Vigil::new(now);
        vigil.begin(Deed::Delivered, now);
        vigil.soon(Deed::Delivered);
        vigil.begin(Deed::Sent, now + LATE);
        assert!(vigil.hopes(Deed::Delivered));
    }

    #[test]
    fn no_more_than_a_part_of_the_time_passes_awake() {
        let began = Instant::now();
        let mut vigil = Vigil::new(began);
        let (mut now, mut awake) = (began, Duration::ZERO);
        while now < began + Duration::from_secs(1) {
            let patience = vigil.begin(Deed::Sent, now);
            // Called back at the last moment, every time.
            now += patience.max(Duration::from_micros(1));
            vigil.spend(patience);
            vigil.soon(Deed::Sent);
            awake += patience;
        }
        assert!(awake <= (now - began) / SHARE, "{awake:?} of {:?}", now - began);
        assert!(awake > (now - began) / (2 * SHARE));
    }
}
