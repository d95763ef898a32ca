//! Who works: one worker alone while there is little to do, and every worker at its share when that keeps it busy.
//!
//! One worker that does everything answers soonest: what it hands to the system may bring the next packet at once, and
//! nobody has to be woken for it. Between the two ways of working, each packet is finished by whoever took it, so that
//! none overtakes another.

use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Condvar, Mutex, PoisonError};

use esp_core::Millis;

/// A worker alone calls the others when it works this much, in percent of its time.
const CALL: u32 = 50;

/// The others have something to do while one has at least this much, in percent.
const BUSY: u32 = 25;

/// They are sent home when none had that much for so long.
const CALM: u64 = 200;

#[derive(Debug, Default)]
pub(crate) struct Crew {
    spread: AtomicBool,
    /// Workers besides the first who are at their shares.
    helpers: AtomicUsize,
    /// When somebody was last found busy.
    busy: AtomicU64,
    home: Mutex<()>,
    called: Condvar,
}

impl Crew {
    /// Whether the work is to be shared.
    pub(crate) fn is_spread(&self) -> bool {
        self.spread.load(SeqCst)
    }

    /// Whether the first worker is alone. A helper counts itself before it looks whether it is still called, and so
    /// either is seen here or sees that it is not.
    pub(crate) fn is_alone(&self) -> bool {
        !self.is_spread() && self.helpers.load(SeqCst) == 0
    }

    /// The first worker does no more than its share from now on.
    pub(crate) fn call(&self, now: Millis) {
        self.busy.store(now.0, Relaxed);
        self.spread.store(true, SeqCst);
        self.wake();
    }

    /// Wakes those who are at home: they are called, or all is over.
    pub(crate) fn wake(&self) {
        drop(self.home.lock().unwrap_or_else(PoisonError::into_inner));
        self.called.notify_all();
    }

    /// A helper's time at home, until it is called or `over`. Returns the proof that it is at work.
    pub(crate) fn await_call(&self, over: &AtomicBool) -> AtWork<'_> {
        let home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |(): &mut ()| !self.is_spread() && !over.load(SeqCst);
        let _home = self.called.wait_while(home, idle).unwrap_or_else(PoisonError::into_inner);
        self.helpers.fetch_add(1, SeqCst);
        AtWork(self)
    }

    /// Whether a worker alone needs the others.
    pub(crate) fn is_needed(load: u32) -> bool {
        load >= CALL
    }

    /// Whether all may go home, by what a worker's last span says.
    pub(crate) fn is_over(&self, load: u32, now: Millis) -> bool {
        if load >= BUSY {
            self.busy.fetch_max(now.0, Relaxed);
            return false;
        }
        let calm = now.0 >= self.busy.load(Relaxed) + CALM;
        calm && self.spread.swap(false, SeqCst)
    }
}

/// A helper at its share.
#[derive(Debug)]
pub(crate) struct AtWork<'a>(&'a Crew);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.helpers.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn the_first_worker_is_alone_until_it_calls_and_again_when_all_have_left() {
        let (crew, over) = (Crew::default(), AtomicBool::new(false));
        assert!(crew.is_alone());
        thread::scope(|scope| {
            let helper = scope.spawn(|| {
                let _at_work = crew.await_call(&over);
                while crew.is_spread() {
                    thread::yield_now();
                }
            });
            crew.call(Millis(0));
            assert!(!crew.is_alone());
            while crew.helpers.load(SeqCst) == 0 {
                thread::yield_now();
            }
            assert!(crew.is_over(0, Millis(CALM)));
            assert!(helper.join().is_ok());
        });
        assert!(crew.is_alone());
    }

    #[test]
    fn nobody_goes_home_while_one_is_busy() {
        let crew = Crew::default();
        crew.call(Millis(1000));
        assert!(!crew.is_over(BUSY, Millis(1000 + CALM)));
        assert!(!crew.is_over(0, Millis(1000 + 2 * CALM - 1)));
        assert!(crew.is_over(0, Millis(1000 + 2 * CALM)));
    }

    #[test]
    fn whoever_says_that_all_is_over_says_it_once() {
        let crew = Crew::default();
        crew.call(Millis(0));
        assert_eq!([crew.is_over(0, Millis(CALM)), crew.is_over(0, Millis(CALM))], [true, false]);
    }

    #[test]
    fn the_end_wakes_those_at_home() {
        let (crew, over) = (Crew::default(), AtomicBool::new(false));
        thread::scope(|scope| {
            let helper = scope.spawn(|| drop(crew.await_call(&over)));
            over.store(true, SeqCst);
            crew.wake();
            assert!(helper.join().is_ok());
        });
    }
}
